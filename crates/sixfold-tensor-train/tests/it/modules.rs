//! Layers against the tables that they stand for.

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};
use ndarray::Array2;
use rand::RngExt;
use sixfold_model::{Projection, Seed, TokenEmbedding};
use sixfold_tensor_train::baselines::{
    HashEmbedding, LowRankEmbedding, QuotientRemainderEmbedding,
};
use sixfold_tensor_train::{
    Contraction, Initializer, Order, TtEmbedding, TtEmbeddingConfig, TtLinear, TtShape,
};

use crate::common::{generator, random, row, shapes, widened};

fn device() -> Device {
    sixfold_model::device("flex").unwrap()
}

fn uniform(rows: usize, columns: usize, seed: u64) -> Array2<f32> {
    let mut generator = generator(seed);
    Array2::from_shape_simple_fn((rows, columns), || generator.random_range(-1.0..1.0))
}

fn tensor<const D: usize>(values: &Array2<f32>, shape: [usize; D]) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values.iter().copied().collect(), shape), &device())
}

fn matrix<const D: usize>(x: Tensor<D>) -> Array2<f64> {
    let columns = x.dims()[D - 1];
    let values: Vec<f64> = x.into_data().iter::<f64>().collect();
    Array2::from_shape_vec((values.len() / columns, columns), values).unwrap()
}

#[track_caller]
fn assert_close(found: &Array2<f64>, exact: &Array2<f64>, tolerance: f64) {
    assert_eq!(found.dim(), exact.dim());
    let scale = exact.iter().fold(f64::MIN_POSITIVE, |max, x| max.max(x.abs()));
    for (found, exact) in found.iter().zip(exact) {
        assert!((found - exact).abs() <= tolerance * scale, "{found} is not {exact}");
    }
}

/// All rows of a table by looking them up.
fn rows(table: &impl TokenEmbedding) -> Array2<f64> {
    let ids: Vec<i32> = (0..table.vocab_size() as i32).collect();
    let ids = Tensor::<2, Int>::from_data(TensorData::new(ids, [1, table.vocab_size()]), &device());
    matrix(table.embed(ids))
}

/// Logits and cross-entropy are those of the rows that a look-up gives.
fn check_head(table: &impl TokenEmbedding, tolerance: f64) {
    let (rows, d, vocab) = (rows(table), table.d_embed(), table.vocab_size());
    let hidden = uniform(6, d, 1);
    let exact = hidden.mapv(f64::from).dot(&rows.t());
    let found = table.logits(tensor(&hidden, [2, 3, d]));
    assert_eq!(found.dims(), [2, 3, vocab]);
    assert_close(&matrix(found), &exact, tolerance);
    let targets: Vec<i32> = (0..6).map(|i| i * (vocab as i32 - 1) / 5).collect();
    let losses = exact.rows().into_iter().zip(&targets);
    let losses = losses.map(|(x, target)| x.mapv(f64::exp).sum().ln() - x[*target as usize]);
    let losses = Array2::from_shape_vec((1, 6), losses.collect()).unwrap();
    let targets = Tensor::<1, Int>::from_data(TensorData::new(targets, [6]), &device());
    let found = table.cross_entropy(tensor(&hidden, [6, d]), targets);
    assert_close(&matrix(found), &losses, tolerance);
}

#[test]
fn orders_change_rows_and_heads_alike() {
    for shape in shapes().into_iter().take(9) {
        let cores = random(shape, 2);
        let (vocab, values) = (cores.shape().vocab_size(), widened(cores.values()));
        let step = (3..).find(|step| vocab % step != 0).unwrap();
        let ids = (0..vocab).map(|p| (p * step % vocab) as u32).collect();
        let Ok(order) = Order::from_permutation(ids) else { continue };
        let table = TtEmbedding::from_cores(&cores, &device()).with_order(order.clone()).unwrap();
        assert_eq!(table.order(), Some(&order));
        let found = rows(&table);
        for (id, found) in found.rows().into_iter().enumerate() {
            let exact = row(cores.shape(), &values, order.position(id));
            assert_close(
                &found.to_owned().insert_axis(ndarray::Axis(0)),
                &Array2::from_shape_vec((1, exact.len()), exact).unwrap(),
                1e-5,
            );
        }
        check_head(&table, 1e-5);
        let padded = table.with_padding(vocab - 1).unwrap();
        let changed = rows(&padded);
        assert!(changed.row(vocab - 1).iter().all(|x| x.abs() < f64::MIN_POSITIVE));
        assert_eq!(changed.row(0), found.row(0));
        assert_eq!(rows(&padded.to_dense()), changed);
    }
    let cores = random(shapes().remove(0), 0);
    let table = || TtEmbedding::from_cores(&cores, &device());
    assert!(table().with_order(Order::identity(10)).is_err());
    assert_eq!(table().with_order(Order::identity(11)).unwrap().order(), None);
}

#[test]
fn configs_make_tables_and_say_what_is_wrong() {
    let shape = TtShape::planned(1_000, 24, 3, 4).unwrap();
    let config = TtEmbeddingConfig::new(shape)
        .with_initializer(Initializer::Std(0.5))
        .with_padding_idx(3)
        .with_order(Order::identity(1_000).inverse());
    let table = config.init(Seed::new(1), &device()).unwrap();
    assert_eq!(table.num_params(), config.shape.parameters());
    let found = rows(&table);
    assert!((found.std(0.0) - 0.5).abs() < 0.05);
    assert!(found.row(3).iter().all(|x| x.abs() < f64::MIN_POSITIVE));
    // The same seed, the same table; another one, another.
    assert_eq!(rows(&config.init(Seed::new(1), &device()).unwrap()), found);
    assert_ne!(rows(&config.init(Seed::new(2), &device()).unwrap()), found);
    let json = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<TtEmbeddingConfig>(&json).unwrap(), config);
    let wrong = config
        .with_initializer(Initializer::Std(-1.0))
        .with_padding_idx(1_000)
        .with_order(Order::identity(999));
    let error = wrong.init(Seed::new(0), &device()).unwrap_err().to_string();
    for part in ["standard deviation", "padding_idx 1000", "order of 999 ids"] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn linear_layers_multiply_by_their_table() {
    let new = |rows: &[usize], columns: &[usize], ranks: &[usize]| {
        TtShape::new(rows.iter().product(), rows, columns, ranks).unwrap()
    };
    for shape in [
        new(&[3, 4], &[2, 5], &[1, 6, 1]),
        new(&[3, 2, 4], &[2, 3, 2], &[1, 4, 5, 1]),
        new(&[2, 2, 2, 3], &[3, 1, 2, 2], &[1, 3, 4, 2, 1]),
        new(&[3, 2, 4], &[2, 3, 2], &[2, 3, 4, 2]),
    ] {
        let cores = random(shape, 3);
        let shape = cores.shape();
        let (d_in, d_out) = (shape.vocab_size(), shape.d_embed());
        let (x, bias) = (uniform(6, d_in, 1), uniform(1, d_out, 2));
        let values = widened(cores.values());
        let table = (0..d_in).flat_map(|i| row(shape, &values, i)).collect();
        let table = Array2::from_shape_vec((d_in, d_out), table).unwrap();
        let exact = x.mapv(f64::from).dot(&table);
        let layer = TtLinear::from_cores(&cores, Some(tensor(&bias, [d_out])), &device()).unwrap();
        let ways: &[Contraction] = match shape.is_ring() {
            true => &[Contraction::Whole],
            false => &[Contraction::FromFirst, Contraction::FromLast, Contraction::Whole],
        };
        let with_bias = &exact + &bias.mapv(f64::from);
        for way in ways {
            let y = layer.forward_by(tensor(&x, [2, 3, d_in]), *way);
            assert_eq!(y.dims(), [2, 3, d_out]);
            assert_close(&matrix(y), &with_bias, 1e-5);
        }
        let y = layer.project(tensor(&x, [1, 2, 3, d_in]));
        assert_close(&matrix(y), &with_bias, 1e-5);
        let point = tensor(&uniform(6, d_in, 7), [6, d_in]);
        assert_close(&matrix(layer.tangent(point, tensor(&x, [6, d_in]))), &exact, 1e-5);
    }
    // A product of 24 for 23 inputs has rows that are no input.
    let padded = TtShape::train(23, [2, 3, 4], [2, 2, 2], 2).unwrap();
    assert!(TtLinear::new(padded, true, Seed::new(0), &device()).is_err());
}

#[test]
fn contractions_are_chosen_by_their_operations() {
    let shape = TtShape::train(4_096, [16, 16, 16], [16, 16, 16], 4).unwrap();
    // Few inputs are not worth the table; of a square layer both ends cost the same.
    assert_eq!(Contraction::choose(&shape, 1), Contraction::FromFirst);
    // G_1 with 2·3 inputs and outputs, G_2 with 5·7, each at the sizes that it meets.
    let two = TtShape::train(15, [3, 5], [2, 7], 4).unwrap();
    let cost = |way: Contraction| way.operations(&two, 10);
    let exact = [
        (Contraction::FromFirst, 10.0 * (24.0 * 5.0 + 2.0 * 140.0)),
        (Contraction::FromLast, 10.0 * (3.0 * 140.0 + 24.0 * 7.0)),
        (Contraction::Whole, 3.0 * 2.0 * 140.0 + 10.0 * 15.0 * 14.0),
    ];
    for (way, exact) in exact {
        assert!((cost(way) - exact).abs() < 1e-9, "{way:?}");
    }
    assert_eq!(Contraction::choose(&two, 10), Contraction::Whole);
    let small = TtShape::train(64, [4, 4, 4], [4, 4, 4], 16).unwrap();
    assert_eq!(Contraction::choose(&small, 10_000), Contraction::Whole);
    let ring = TtShape::ring(64, [4, 4, 4], [4, 4, 4], 2).unwrap();
    assert_eq!(Contraction::choose(&ring, 1), Contraction::Whole);
}

#[test]
fn baselines_have_the_heads_of_their_rows_and_the_sizes_they_promise() {
    let size = [101, 12];
    let device = device();
    let low = LowRankEmbedding::new(size, 5, 0.3, Seed::new(1), &device);
    assert_eq!(low.num_params(), (101 + 12) * 5);
    assert_eq!(LowRankEmbedding::rank_within(size, low.num_params()), 5);
    check_head(&low, 1e-5);
    let pairs = QuotientRemainderEmbedding::new(size, 10, 0.3, Seed::new(1), &device);
    assert_eq!(pairs.num_params(), (11 + 10) * 12);
    check_head(&pairs, 1e-5);
    let hashed = HashEmbedding::new(size, 20, 0.3, Seed::new(1), &device);
    assert_eq!(hashed.num_params(), 20 * 12 + 2 * 101);
    assert_eq!(HashEmbedding::buckets_within(size, hashed.num_params()), 20);
    check_head(&hashed, 1e-5);
    for std in [rows(&low).std(0.0), rows(&pairs).std(0.0), rows(&hashed).std(0.0)] {
        assert!((std - 0.3).abs() < 0.1, "{std}");
    }
    // Rows differ, whatever they share.
    for table in [rows(&low), rows(&pairs), rows(&hashed)] {
        for i in 1..101 {
            assert_ne!(table.row(0), table.row(i), "{i}");
        }
    }
}
