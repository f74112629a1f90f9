//! Orders of the vocabulary: permutations, and how far they help.

use std::time::Instant;

use ndarray::{Array2, Axis};
use rand::seq::SliceRandom;
use rand_distr::StandardNormal;
use sixfold_tensor_train::decompose::{Table, relative_error};
use sixfold_tensor_train::{Error, Order, Target, decompose};

use crate::common::generator;
use crate::decompose::gaussian;

fn shuffled(vocab: usize, seed: u64) -> Order {
    let mut ids: Vec<u32> = (0..vocab as u32).collect();
    ids.shuffle(&mut generator(seed));
    Order::from_permutation(ids).unwrap()
}

/// A table of sums of nested Gaussian vectors, with these weights at each level.
fn nested(rows: [usize; 3], d: usize, weights: [f32; 3], seed: u64) -> Array2<f32> {
    use rand::RngExt;
    let mut generator = generator(seed);
    let mut normal = |count: usize| -> Array2<f32> {
        Array2::from_shape_simple_fn((count, d), || generator.sample(StandardNormal))
    };
    let [i, j, k] = rows;
    let levels = [normal(i), normal(i * j), normal(i * j * k)];
    Array2::from_shape_fn((i * j * k, d), |(row, column)| {
        let places = [row / (j * k), row / k, row];
        (0..3).map(|level| weights[level] * levels[level][(places[level], column)]).sum()
    })
}

#[test]
fn a_look_up_by_position_is_that_of_permuted_rows() {
    let table = gaussian(113, 24, 1);
    let order = shuffled(113, 2);
    let indices: Vec<usize> = order.ids().iter().map(|id| *id as usize).collect();
    let permuted = table.select(Axis(0), &indices);
    let (rows, columns, target) = ([4, 5, 6], [2, 3, 4], Target::Rank(6));
    let ordered = order.apply(&table).unwrap();
    let found = decompose(&ordered, &rows, &columns, &target).unwrap();
    assert_eq!(found, decompose(&permuted, &rows, &columns, &target).unwrap());
    // Token by token: the row at its position, near its row of the table.
    let dense = found.cores().to_dense();
    for id in 0..113 {
        let row = found.cores().rows(&[order.position(id) as i64]).unwrap();
        assert_eq!(row.row(0), dense.row(order.position(id)));
        assert_eq!(permuted.row(order.position(id)), table.row(id));
    }
    let error = relative_error(found.cores(), &ordered).unwrap();
    assert!((error - relative_error(found.cores(), &permuted).unwrap()).abs() < 1e-12);
    // At full rank the tokens have their own rows back.
    let whole = decompose(&ordered, &rows, &columns, &Target::RelativeError(0.0)).unwrap();
    let positions: Vec<i64> = (0..113).map(|id| order.position(id) as i64).collect();
    let rows = whole.cores().rows(&positions).unwrap();
    assert!((rows - &table).iter().all(|x| x.abs() < 1e-4));
}

#[test]
fn permutations_are_checked_and_undone() {
    let order = shuffled(1_000, 3);
    assert_eq!(order.inverse().inverse(), order);
    assert!((0..1_000).all(|id| order.inverse().position(order.position(id)) == id));
    assert_eq!(Order::from_permutation(order.ids().to_vec()).unwrap(), order);
    let error = Order::from_permutation(vec![0, 1, 3]).unwrap_err();
    assert!(matches!(error, Error::Index { id: 3, position: 2, vocab: 3 }), "{error}");
    let error = Order::from_permutation(vec![2, 0, 2]).unwrap_err();
    assert!(matches!(error, Error::InvalidParameter { found: 2.0, .. }), "{error}");
    assert_eq!(order.bytes(), 1_250, "ten bits each");
    assert_eq!(Order::identity(1_000).bytes(), 0);
    assert_eq!(shuffled(1_025, 0).bytes(), (1_025 * 11_usize).div_ceil(8));
    assert_eq!(Order::identity(5).positions(), [0, 1, 2, 3, 4]);
    let counts = [5, 9, 5, 0, 9];
    assert_eq!(Order::by_frequency(&counts).ids(), [1, 4, 0, 2, 3]);
    let table = gaussian(10, 4, 0);
    assert!(matches!(order.apply(&table), Err(Error::Length { expected: 1_000, found: 10, .. })));
    let json = serde_json::to_string(&order).unwrap();
    assert_eq!(serde_json::from_str::<Order>(&json).unwrap(), order);
    assert!(serde_json::from_str::<Order>("[0, 0]").is_err());
}

/// Q5: nested Gaussians of levels 1, 0.6 and 0.4.
#[test]
fn clustering_finds_a_hierarchy_again() {
    let (rows, columns) = ([25, 30, 40], [4, 8, 8]);
    let table = nested(rows, 256, [1.0, 0.6, 0.4], 0);
    let error = |table: &dyn Table| {
        decompose(&table, &rows, &columns, &Target::Rank(16)).unwrap().relative_error()
    };
    let natural = error(&table);
    let order = shuffled(30_000, 1);
    let permuted = order.apply(&table).unwrap();
    let random = error(&permuted);
    let start = Instant::now();
    let found = Order::clustered(&permuted, &rows).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    let clustered = error(&found.apply(&permuted).unwrap());
    println!(
        "natural {natural:.3}, permuted {random:.3}, clustered {clustered:.3}, {seconds:.2} s"
    );
    assert!(random > 0.95 && natural < 0.8, "{random} {natural}");
    assert!(clustered <= 0.83, "{clustered}");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert!(pool.install(|| Order::clustered(&permuted, &rows).unwrap()) == found);
}

#[test]
fn groups_end_where_digits_do_and_the_last_may_be_short() {
    // Clearly apart, so that any mistake shows: groups of 12 rows, of which the last has 5.
    let weights = [10.0, 0.1, 0.1];
    let table = nested([6, 3, 4], 16, weights, 5).slice_move(ndarray::s![..65, ..]);
    let order = shuffled(65, 6);
    let permuted = order.apply(&table).unwrap();
    let found = Order::clustered(&permuted, &[6, 3, 4]).unwrap();
    let full: Vec<Vec<usize>> = found
        .ids()
        .chunks(12)
        .map(|ids| ids.iter().map(|id| order.ids()[*id as usize] as usize / 12).collect())
        .collect();
    // Five rows cannot fill a group of twelve: all but two groups are pure.
    let pure = full.iter().filter(|group| group.iter().all(|of| *of == group[0])).count();
    assert!(pure >= 4, "{full:?}");
    assert_eq!(full.iter().map(Vec::len).collect::<Vec<_>>(), [12, 12, 12, 12, 12, 5]);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| Order::clustered(&permuted, &[6, 3, 4]).unwrap())
    };
    assert!(run(1) == found && run(3) == found);
}

#[test]
fn what_cannot_be_clustered_is_an_error_and_what_is_alike_is_not() {
    let mut table = gaussian(100, 8, 0);
    assert!(matches!(Order::clustered(&table, &[4, 4, 4]), Err(Error::Shape { .. })));
    table[(70, 5)] = f32::NAN;
    let error = Order::clustered(&table, &[5, 5, 5]).unwrap_err();
    assert!(matches!(error, Error::NotFinite { row: 70, column: 5, .. }), "{error}");
    let zeros = Array2::<f32>::zeros((100, 8));
    assert_eq!(Order::clustered(&zeros, &[5, 5, 5]).unwrap().len(), 100);
    let one = gaussian(1, 8, 0);
    assert!(Order::clustered(&one, &[1, 1]).unwrap().is_identity());
}
