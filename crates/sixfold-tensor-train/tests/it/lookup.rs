//! Rows against the definition.

use proptest::prelude::*;
use sixfold_tensor_train::lookup::{self, Plan};
use sixfold_tensor_train::{Cores, Error, TtShape};

use crate::common::{random, row, shapes, widened};

/// The largest difference to the definition, beside the largest value.
fn relative_error(cores: &Cores, ids: &[i64]) -> f64 {
    let rows = cores.rows(ids).unwrap();
    let values = widened(cores.values());
    let (mut error, mut scale) = (0.0_f64, 0.0_f64);
    for (id, found) in ids.iter().zip(rows.rows()) {
        for (exact, found) in row(cores.shape(), &values, *id as usize).iter().zip(found) {
            error = error.max((exact - f64::from(*found)).abs());
            scale = scale.max(exact.abs());
        }
    }
    error / scale
}

#[test]
fn rows_of_trains_and_rings_are_traces_of_products() {
    for (seed, shape) in shapes().into_iter().enumerate() {
        let vocab = shape.vocab_size() as i64;
        let cores = random(shape, seed as u64);
        // In and out of order, with repetitions and neighbours.
        let ids = [vocab - 1, 0, vocab / 2, 3, 4, 5, vocab - 1, 0, vocab / 2 + 1];
        assert!(relative_error(&cores, &ids) < 1e-6, "{:?}", cores.shape());
    }
}

#[test]
fn the_table_is_its_rows_and_ends_where_the_vocabulary_does() {
    for (seed, shape) in shapes().into_iter().enumerate() {
        let cores = random(shape, seed as u64);
        let table = cores.to_dense();
        assert_eq!(table.dim(), (cores.shape().vocab_size(), cores.shape().d_embed()));
        let ids: Vec<i64> = (0..table.nrows() as i64).rev().collect();
        let rows = cores.rows(&ids).unwrap();
        assert_eq!(rows, table.slice(ndarray::s![..;-1, ..]));
    }
}

#[test]
fn digits_of_large_ids_are_exact() {
    // Beyond 2²⁴, where an f32 would round.
    let shape = TtShape::train(36_000_000, [300, 300, 400], [1, 1, 1], 1).unwrap();
    assert_eq!(shape.digits(20_000_001), [166, 200, 1]);
    // Of rank 1, with ones but for what tells digits apart.
    let mut cores = Cores::new(shape.clone(), vec![1.0; 1_000]).unwrap();
    cores.values_mut()[166] = 3.0;
    cores.values_mut()[300 + 200] = 5.0;
    cores.values_mut()[600 + 1] = 7.0;
    let rows = cores.rows(&[20_000_001, 20_000_000, 20_000_002]).unwrap();
    assert_eq!(rows.as_slice(), Some(&[105.0, 15.0, 15.0][..]));
}

#[test]
fn ids_beyond_the_vocabulary_are_errors_though_the_cores_have_such_rows() {
    let shape = TtShape::train(25_001, [25, 31, 33], [2, 2, 2], 2).unwrap();
    assert!(shape.padded_vocab() > 25_100);
    assert!(shape.check_ids([25_000, 0]).is_ok());
    for id in [25_001, 25_100, -1, i64::MAX] {
        let error = shape.check_ids([7, id]).unwrap_err();
        let Error::Index { id: found, position: 1, vocab: 25_001 } = error else {
            panic!("{error}");
        };
        assert_eq!(found, id);
    }
}

#[test]
fn an_empty_batch_has_no_rows_and_no_gradient() {
    let cores = random(shapes().remove(1), 0);
    assert_eq!(cores.rows(&[]).unwrap().dim(), (0, 24));
    let plan = Plan::new(cores.shape(), &[]);
    let gradient = lookup::backward(cores.shape(), cores.values(), &plan, &[]);
    assert_eq!(gradient, vec![0.0; cores.values().len()]);
}

#[test]
fn threads_change_no_bit() {
    let shape = TtShape::train(5_000, [17, 17, 18], [4, 4, 4], 8).unwrap();
    let cores = random(shape, 1);
    let some: Vec<u32> = (0..6_000).map(|i| i * i % 4_999).collect();
    // Ids that stand six times in the mean, too.
    let few: Vec<u32> = (0..6_000).map(|i| i * i % 1_999).collect();
    for (ids, padding) in [(&some, None), (&few, None), (&few, Some(4))] {
        let plan = Plan::with_padding(cores.shape(), ids, padding);
        bits_of_threads(&cores, &plan);
    }
}

fn bits_of_threads(cores: &Cores, plan: &Plan) {
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let rows = lookup::forward(cores.shape(), cores.values(), plan);
            let gradient = lookup::backward(cores.shape(), cores.values(), plan, &rows);
            [rows, gradient].map(|x| x.into_iter().map(f32::to_bits).collect::<Vec<_>>())
        })
    };
    let once = run(1);
    assert!(once == run(2) && once == run(3));
}

#[test]
fn rows_are_the_same_whatever_else_a_batch_has() {
    // Slices beyond the first-level cache.
    let large = TtShape::train(300, [10, 3, 10], [8, 8, 8], 64).unwrap();
    for (seed, shape) in shapes().into_iter().chain([large]).enumerate() {
        let cores = random(shape, seed as u64);
        let (shape, d) = (cores.shape(), cores.shape().d_embed());
        let ids: Vec<u32> = (0..shape.vocab_size() as u32).rev().cycle().take(500).collect();
        let rows = lookup::forward(shape, cores.values(), &Plan::new(shape, &ids));
        let mut reader = lookup::RowReader::new(shape, cores.values());
        let mut alone = vec![0.0; d];
        for (id, row) in ids.iter().zip(rows.chunks(d)) {
            reader.read(*id as usize, &mut alone);
            assert_eq!(row, alone, "row {id}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_shapes_agree_with_the_definition(
        factors in prop::collection::vec((1_usize..5, 1_usize..4, 1_usize..5), 2..=6),
        ring in 1_usize..4,
        missing in 0_usize..3,
        seed: u64,
    ) {
        let rows: Vec<usize> = factors.iter().map(|(rows, _, _)| *rows).collect();
        let columns: Vec<usize> = factors.iter().map(|(_, columns, _)| *columns).collect();
        let padded: usize = rows.iter().product();
        let vocab = padded.saturating_sub(missing).max(1);
        let mut ranks: Vec<usize> = factors.iter().map(|(_, _, rank)| *rank).collect();
        ranks[0] = ring;
        ranks.push(ring);
        if ring == 1 {
            let trains = TtShape::train(vocab, rows.clone(), columns.clone(), 4).unwrap();
            for (rank, most) in ranks.iter_mut().zip(trains.ranks()) {
                *rank = (*rank).min(*most);
            }
        }
        let shape = TtShape::new(vocab, rows, columns, ranks).unwrap();
        let cores = random(shape, seed);
        let ids: Vec<i64> = (0..20).map(|i| (seed.rotate_left(i) % vocab as u64) as i64).collect();
        prop_assert!(relative_error(&cores, &ids) < 2e-6);
    }
}
