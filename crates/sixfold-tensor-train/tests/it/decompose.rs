//! TT-SVD against exact tables, exact errors and the singular values themselves.

use ndarray::{Array2, ArrayView2, s};
use rand::RngExt;
use rand_distr::StandardNormal;
use sixfold_linalg::files::{MatrixFile, write_npy};
use sixfold_linalg::svdvals;
use sixfold_tensor_train::decompose::{Table, relative_error};
use sixfold_tensor_train::{Cores, Decomposition, Error, Target, TtShape, decompose};

use crate::common::{generator, random, shapes};

pub(crate) fn gaussian(rows: usize, columns: usize, seed: u64) -> Array2<f32> {
    let mut generator = generator(seed);
    Array2::from_shape_simple_fn((rows, columns), || generator.sample(StandardNormal))
}

/// ‖W − Ŵ‖ and ‖W‖ in f64, from dense tables.
fn distance(table: ArrayView2<'_, f32>, cores: &Cores) -> (f64, f64) {
    let dense = cores.to_dense();
    let (mut error, mut norm) = (0.0, 0.0);
    for (exact, found) in table.iter().zip(&dense) {
        error += (f64::from(*exact) - f64::from(*found)).powi(2);
        norm += f64::from(*exact).powi(2);
    }
    (error.sqrt(), norm.sqrt())
}

/// The factors of trains whose products are whole and of such that have padding.
fn factors() -> Vec<(usize, Vec<usize>, Vec<usize>)> {
    shapes()
        .into_iter()
        .filter(|shape| !shape.is_ring())
        .flat_map(|shape| {
            let (rows, columns) = (shape.rows().to_vec(), shape.columns().to_vec());
            [shape.padded_vocab(), shape.vocab_size()].map(|v| (v, rows.clone(), columns.clone()))
        })
        .collect()
}

#[test]
fn full_ranks_give_the_table_back() {
    for (seed, (vocab, rows, columns)) in factors().into_iter().enumerate() {
        let table = gaussian(vocab, columns.iter().product(), seed as u64);
        for target in [Target::Rank(usize::MAX), Target::RelativeError(0.0)] {
            let found = decompose(&table, &rows, &columns, &target).unwrap();
            let (error, norm) = distance(table.view(), found.cores());
            assert!(error <= 1e-5 * norm, "{rows:?} × {columns:?}: {}", error / norm);
            assert!((found.norm() - norm).abs() < 1e-6 * norm);
        }
    }
}

/// The error over all I_1⋯I_d rows, those beyond the vocabulary included.
fn padded_error(table: &Array2<f32>, found: &Decomposition) -> f64 {
    let shape = found.cores().shape();
    let whole = TtShape::new(shape.padded_vocab(), shape.rows(), shape.columns(), shape.ranks());
    let cores = Cores::new(whole.unwrap(), found.cores().values().to_vec()).unwrap();
    let mut padded = Array2::zeros((shape.padded_vocab(), shape.d_embed()));
    padded.slice_mut(s![..shape.vocab_size(), ..]).assign(table);
    distance(padded.view(), &cores).0
}

#[test]
fn discarded_energies_add_up_to_the_squared_error() {
    for (seed, (vocab, rows, columns)) in factors().into_iter().enumerate() {
        let table = gaussian(vocab, columns.iter().product(), seed as u64);
        let targets = [
            Target::Rank(1),
            Target::Rank(3),
            Target::RelativeError(0.4),
            Target::Compression(2.0),
        ];
        for target in targets {
            let found = decompose(&table, &rows, &columns, &target).unwrap();
            let error = padded_error(&table, &found).powi(2);
            let discarded: f64 = found.discarded().iter().sum();
            assert_eq!(found.discarded().len(), rows.len() - 1);
            let scale = error.max(1e-6 * found.norm().powi(2));
            assert!((error - discarded).abs() <= 1e-4 * scale, "{target:?}: {error} {discarded}");
            let relative = found.relative_error();
            assert!((relative - discarded.sqrt() / found.norm()).abs() < 1e-12);
            // Padding is left out, and what it got was part of the error.
            let measured = relative_error(found.cores(), &table).unwrap();
            assert!(measured <= relative * (1.0 + 1e-4) + 1e-6);
            let (exact, norm) = distance(table.view(), found.cores());
            assert!((measured - exact / norm).abs() <= 1e-6);
        }
    }
}

#[test]
fn an_error_asked_for_is_kept_with_few_ranks() {
    // Values of a smooth function: singular values fall fast, but at no bond to zero.
    let smooth = |(i, j): (usize, usize)| {
        let (x, y) = (i as f32 / 23.0, j as f32 / 7.0);
        (x * y + 0.3 * y * y).sin() / (1.0 + 0.2 * x + y)
    };
    let table = Array2::from_shape_fn((230, 48), smooth);
    for (rows, columns) in [(vec![5, 6, 8], vec![3, 4, 4]), (vec![12, 20], vec![6, 8])] {
        let mut larger = usize::MAX;
        for error in [1e-3, 1e-2, 0.1, 0.5] {
            let run = |target| decompose(&table, &rows, &columns, &target).unwrap();
            let found = run(Target::RelativeError(error));
            let (exact, norm) = distance(table.view(), found.cores());
            assert!(exact <= error * norm, "{error}: {}", exact / norm);
            assert!(found.relative_error() <= error);
            let shape = found.cores().shape();
            assert!(shape.parameters() <= larger);
            larger = shape.parameters();
            // The ranks of the same error are enough, and less is too little for two cores.
            let same = run(Target::Ranks(shape.ranks().to_vec()));
            assert!(same.relative_error() <= error * 1.01);
            if rows.len() == 2 && shape.ranks()[1] > 1 {
                let less = run(Target::Rank(shape.ranks()[1] - 1));
                assert!(less.relative_error() > error);
            }
        }
        assert!(10 * larger < table.len(), "an error of a half takes little, and not {larger}");
    }
}

#[test]
fn the_ranks_of_a_train_are_found_again() {
    for (a, b) in [(2, 5), (5, 2), (7, 7), (1, 1), (3, 11)] {
        let shape = TtShape::new(60, [3, 4, 5], [3, 4, 4], [1, a, b, 1]).unwrap();
        let table = random(shape, (10 * a + b) as u64).to_dense();
        let found =
            decompose(&table, &[3, 4, 5], &[3, 4, 4], &Target::RelativeError(1e-5)).unwrap();
        assert_eq!(found.cores().shape().ranks(), [1, a, b, 1]);
        assert!(relative_error(found.cores(), &table).unwrap() < 1e-6);
        let same = Target::Ranks(vec![1, a, b, 1]);
        let found = decompose(&table, &[3, 4, 5], &[3, 4, 4], &same).unwrap();
        assert!(relative_error(found.cores(), &table).unwrap() < 1e-5);
    }
}

/// The matrix (i_1, j_1) × (i_2, j_2) of a table, the nearest sum of Kronecker products of which is that of
/// its leading singular vectors (Van Loan and Pitsianis).
fn rearranged(table: &Array2<f32>, [i1, i2]: [usize; 2], [j1, j2]: [usize; 2]) -> Array2<f64> {
    Array2::from_shape_fn((i1 * j1, i2 * j2), |(left, right)| {
        let (row, column) = (left / j1 * i2 + right / j2, left % j1 * j2 + right % j2);
        if row < table.nrows() { f64::from(table[(row, column)]) } else { 0.0 }
    })
}

#[test]
fn two_cores_are_the_nearest_sum_of_kronecker_products() {
    for (rows, columns) in [([5, 8], [3, 4]), ([8, 5], [4, 3])] {
        let table = gaussian(39, 12, 3);
        let exact = svdvals(rearranged(&table, rows, columns).view()).unwrap();
        for rank in 1..=exact.len() {
            let found = decompose(&table, &rows, &columns, &Target::Rank(rank)).unwrap();
            let best: f64 = exact.iter().skip(rank).map(|s| s * s).sum();
            let error = padded_error(&table, &found).powi(2);
            assert!((error - best).abs() <= 1e-5 * found.norm().powi(2), "{rank}: {error} {best}");
        }
    }
}

/// The matrix (i_1, j_1, …, i_k, j_k) × (i_{k+1}, …, j_d) of a padded table.
fn unfolding(table: &Array2<f32>, rows: &[usize], columns: &[usize], k: usize) -> Array2<f64> {
    let digits = |mut at: usize, factors: &[usize]| {
        let mut digits = vec![0; factors.len()];
        for (digit, factor) in digits.iter_mut().zip(factors).rev() {
            (*digit, at) = (at % factor, at / factor);
        }
        digits
    };
    let side = |of: std::ops::Range<usize>| of.map(|k| rows[k] * columns[k]).product::<usize>();
    let mut unfolded = Array2::zeros((side(0..k), side(k..rows.len())));
    for ((row, column), value) in table.indexed_iter() {
        let (i, j) = (digits(row, rows), digits(column, columns));
        let place = |of: std::ops::Range<usize>| {
            of.fold(0, |at, k| (at * rows[k] + i[k]) * columns[k] + j[k])
        };
        unfolded[(place(0..k), place(k..rows.len()))] = f64::from(*value);
    }
    unfolded
}

/// Oseledets 2011, theorem 2.2: no train of these ranks comes nearer than the best of each unfolding, and
/// this one is no farther than all of them together.
#[test]
fn the_error_is_within_the_bounds_of_all_unfoldings() {
    for (seed, (vocab, rows, columns)) in factors().into_iter().enumerate() {
        let d = rows.len();
        let table = gaussian(vocab, columns.iter().product(), 50 + seed as u64);
        let squares = |k: usize| -> Vec<f64> {
            let values = svdvals(unfolding(&table, &rows, &columns, k).view()).unwrap();
            values.iter().map(|s| s * s).collect()
        };
        let squares: Vec<Vec<f64>> = (1..d).map(squares).collect();
        for rank in [1, 2, 4, 7] {
            let found = decompose(&table, &rows, &columns, &Target::Rank(rank)).unwrap();
            let ranks = found.cores().shape().ranks();
            let best = |k: usize| squares[k].iter().skip(ranks[k + 1]).sum::<f64>();
            let best: Vec<f64> = (0..d - 1).map(best).collect();
            let error = padded_error(&table, &found).powi(2);
            let rounding = 1e-5 * found.norm().powi(2);
            assert!(error <= best.iter().sum::<f64>() + rounding, "{rows:?}, {rank}");
            assert!(best.iter().all(|best| error >= best - rounding), "{rows:?}, {rank}");
            for (discarded, best) in found.discarded().iter().zip(&best) {
                assert!(*discarded <= best + rounding, "{rows:?}, {rank}");
            }
        }
    }
}

#[test]
fn sides_too_large_for_a_gram_matrix_are_decomposed_as_well() {
    // Of rank 6 and noise: the best error is known, and the spectrum has a gap.
    let (rows, columns) = ([33, 34], [32, 33]);
    let shape = TtShape::new(1_120, rows, columns, [1, 6, 1]).unwrap();
    let mut table = random(shape, 5).to_dense();
    table += &(0.05 * gaussian(1_120, 1_056, 6));
    let exact = svdvals(rearranged(&table, rows, columns).view()).unwrap();
    let energy: f64 = exact.iter().map(|s| s * s).sum();
    for rank in [4, 6, 9] {
        let found = decompose(&table, &rows, &columns, &Target::Rank(rank)).unwrap();
        let best: f64 = exact.iter().skip(rank).map(|s| s * s).sum();
        let error = padded_error(&table, &found).powi(2);
        assert!(error >= best * (1.0 - 1e-4) && error <= best * 1.01, "{rank}: {error} {best}");
        let discarded: f64 = found.discarded().iter().sum();
        assert!((error - discarded).abs() <= 1e-4 * error, "{rank}: {error} {discarded}");
    }
    let between = exact.iter().skip(5).map(|s| s * s).sum::<f64>() / energy;
    let found = decompose(&table, &rows, &columns, &Target::RelativeError(between.sqrt() * 0.99));
    assert_eq!(found.unwrap().cores().shape().ranks(), [1, 6, 1]);
}

#[test]
fn a_file_is_decomposed_as_the_array_is() {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("decomposed.npy");
    let table = gaussian(117, 24, 8);
    let target = Target::Rank(5);
    let of = |table: &dyn Table| decompose(&table, &[4, 5, 6], &[2, 3, 4], &target).unwrap();
    let in_memory = of(&table);
    write_npy(&path, table.view()).unwrap();
    let file = MatrixFile::open(&path).unwrap();
    let matrix = file.matrix().unwrap();
    assert!(matrix.is_mapped());
    assert_eq!(of(&matrix), in_memory);
    let wide = table.mapv(f64::from);
    assert_eq!(of(&wide.view()), in_memory);
    // Columns first, so that no row lies together.
    let across = table.t().as_standard_layout().into_owned();
    assert_eq!(of(&across.t()), in_memory);
}

#[test]
fn threads_change_no_bit() {
    let table = gaussian(2_990, 64, 2);
    let run = |threads, target: Target| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| decompose(&table, &[12, 13, 20], &[4, 4, 4], &target).unwrap())
    };
    for target in [Target::Rank(12), Target::RelativeError(0.8)] {
        let once = run(1, target.clone());
        assert!(once == run(2, target.clone()) && once == run(3, target));
    }
    // Sides at which factorisations would share their work.
    let table = gaussian(700, 400, 2);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| decompose(&table, &[26, 27], &[20, 20], &Target::Rank(12)).unwrap())
    };
    assert!(run(1) == run(3));
}

#[test]
fn extraordinary_sizes_neither_overflow_nor_vanish() {
    let table = gaussian(60, 24, 4);
    let run = |table: &Array2<f32>| {
        decompose(table, &[4, 4, 4], &[2, 3, 4], &Target::Rank(4))
            .map(|found| found.relative_error())
    };
    let exact = run(&table).unwrap();
    for factor in [2.0_f32.powi(100), 2.0_f32.powi(-100)] {
        assert!((run(&(&table * factor)).unwrap() - exact).abs() < 1e-6);
    }
    let error = run(&(&table * 2.0_f32.powi(125))).unwrap_err();
    assert!(
        matches!(error, Error::InvalidParameter { name: "the norm of the table", .. }),
        "{error}"
    );
    let zeros = Array2::<f32>::zeros((60, 24));
    let found = decompose(&zeros, &[4, 4, 4], &[2, 3, 4], &Target::RelativeError(0.1)).unwrap();
    assert_eq!((found.norm(), found.relative_error()), (0.0, 0.0));
    assert_eq!(found.cores().shape().ranks(), [1, 1, 1, 1]);
    assert_eq!(found.cores().to_dense(), zeros);
}

#[test]
fn what_cannot_be_decomposed_is_an_error() {
    let mut table = gaussian(1_000, 12, 0);
    let run = |table: &Array2<f32>, rows: &[usize], columns: &[usize], target: &Target| {
        decompose(table, rows, columns, target).unwrap_err()
    };
    let error = run(&table, &[9, 10, 11], &[2, 2, 3], &Target::Rank(2));
    assert!(error.to_string().contains("fewer than the vocabulary's 1000"), "{error}");
    let error = run(&table, &[10, 10, 10], &[2, 2, 2], &Target::Rank(2)).to_string();
    assert!(error.contains("[2, 2, 2] make 8 columns of 12"), "{error}");
    let sizes = |target: &Target| run(&table, &[10, 10, 10], &[2, 2, 3], target);
    assert!(matches!(sizes(&Target::Rank(0)), Error::Shape { .. }));
    assert!(matches!(sizes(&Target::Ranks(vec![1, 2, 1])), Error::Shape { .. }));
    assert!(
        sizes(&Target::Ranks(vec![2, 2, 2, 2])).to_string().contains("a decomposition is a train")
    );
    let error = sizes(&Target::Ranks(vec![1, 21, 20, 1]));
    assert!(matches!(error, Error::Rank { bond: 1, rank: 21, attainable: 20 }), "{error}");
    // 30 can be had at the second bond, but not beside 1 at the first.
    let error = sizes(&Target::Ranks(vec![1, 1, 30, 1]));
    assert!(matches!(error, Error::Rank { bond: 2, rank: 30, attainable: 20 }), "{error}");
    for error in [-0.1, f64::NAN, f64::INFINITY] {
        assert!(matches!(sizes(&Target::RelativeError(error)), Error::InvalidParameter { .. }));
    }
    for compression in [0.0, -1.0, f64::NAN] {
        assert!(matches!(sizes(&Target::Compression(compression)), Error::InvalidParameter { .. }));
    }
    assert!(matches!(sizes(&Target::Compression(1e6)), Error::Budget { .. }));
    for (value, row, column) in [(f32::NAN, 700, 3), (f32::INFINITY, 650, 11)] {
        table[(row, column)] = value;
        let error = run(&table, &[10, 10, 10], &[2, 2, 3], &Target::Rank(2));
        let Error::NotFinite { what: "the table", row: r, column: c } = error else {
            panic!("{error}");
        };
        assert_eq!((r, c), (row, column));
    }
    let wrong = random(TtShape::train(999, [10, 10, 10], [2, 2, 3], 2).unwrap(), 0);
    let error = relative_error(&wrong, &table).unwrap_err().to_string();
    assert!(error.contains("1000 × 12 values beside cores of 999 × 12"), "{error}");
}
