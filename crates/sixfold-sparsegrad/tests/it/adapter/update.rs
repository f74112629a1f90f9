//! ΔW against loops, and what does not fit.

use ndarray::{Array2, s};
use proptest::prelude::*;
use sixfold_sparsegrad::{Adapter, AdapterConfig, Error, LayerUpdate, Mask};

use super::{adapter, basis, error, mask, oracle, random, reversed, update};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Identity sides, dense and sparse cores, any shapes.
    #[test]
    fn deltas_are_the_product(
        d_in in 1_usize..40,
        d_out in 1_usize..40,
        r_in in 0_usize..40,
        r_out in 0_usize..40,
        k in 0_usize..200,
        seed in 0_u64..1_000,
    ) {
        let basis = basis([d_in, d_out], [r_in.min(d_in), r_out.min(d_out)], seed);
        let update = update(("b", &basis), k, seed + 7);
        let found = update.delta(&basis, 0.7);
        prop_assert!(error(&found, &oracle(&update, &basis, 0.7)) < 1e-5);
    }
}

/// A core that is dense in memory, one that is not, and one of identities: the three ways.
#[test]
fn large_cores_and_blocks_of_rows() {
    for (weights, ranks, k) in [
        ([300, 200], [20, 20], 90),
        ([300, 200], [120, 0], 500),
        ([300, 200], [0, 150], 500),
        ([300, 200], [0, 0], 700),
        ([257, 130], [64, 0], 64 * 130),
    ] {
        let basis = basis(weights, ranks, 3);
        let update = update(("b", &basis), k, 4);
        let found = update.delta(&basis, -1.3);
        let gap = error(&found, &oracle(&update, &basis, -1.3));
        assert!(gap < 1e-5, "{weights:?} {ranks:?}: {gap}");
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let basis = basis([700, 300], [60, 50], 1);
    for k in [100, 3_000] {
        let update = update(("b", &basis), k, 2);
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| update.delta(&basis, 1.0))
        };
        let bits = |x: Array2<f32>| x.mapv(f32::to_bits);
        assert_eq!(bits(with(1)), bits(with(3)));
    }
}

#[test]
fn merging_and_taking_out_leaves_the_weights() {
    let adapter = adapter(5);
    for path in adapter.layers().keys() {
        let (update, basis) = adapter.layer(path).unwrap();
        let before = random([basis.input.width(), basis.output.width()], 9);
        let mut weights = before.clone();
        adapter.add_to(path, 1.0, weights.view_mut()).unwrap();
        let expected = oracle(update, basis, 0.3) + before.mapv(f64::from);
        assert!(error(&weights, &expected) < 1e-6);
        assert!(error(&(&weights - &before), &oracle(update, basis, 0.3)) < 1e-5);
        adapter.add_to(path, -1.0, weights.view_mut()).unwrap();
        // One rounding of a value of at most 4 each way.
        let drift = weights.iter().zip(&before).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(drift <= 1e-6, "{drift}");
    }
}

#[test]
fn weights_may_have_any_strides() {
    let adapter = adapter(6);
    let path = "blocks.1.mlp.up";
    let mut upside_down = Array2::zeros((12, 30));
    adapter.add_to(path, 2.0, upside_down.slice_mut(s![..;-1, ..])).unwrap();
    let mut columns = Array2::zeros((30, 12));
    adapter.add_to(path, 2.0, columns.view_mut().reversed_axes()).unwrap();
    let expected = adapter.clone().scaled(2.0).delta(path).unwrap();
    let close = |x: Array2<f32>| error(&x, &expected.mapv(f64::from)) < 1e-6;
    assert!(close(reversed(&upside_down)) && close(columns.reversed_axes()));
}

#[test]
fn a_core_is_zero_where_nothing_was_trained() {
    let update =
        LayerUpdate { basis: "b".into(), mask: mask([3, 4], 3), values: vec![1.0, 2.0, 3.0] };
    assert_eq!(update.mask.indices(), Some(&[0, 4, 8][..]));
    let core = update.core();
    assert_eq!(core.sum().to_bits(), 6.0_f32.to_bits());
    assert_eq!(core.column(0).to_vec(), [1.0, 2.0, 3.0]);
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut adapter = Adapter::new(AdapterConfig::default());
    let first = basis([6, 5], [3, 2], 0);
    adapter.insert_basis("b", first.clone()).unwrap();
    adapter.insert_basis("b", first.clone()).unwrap();
    let error = adapter.insert_basis("b", basis([6, 5], [3, 2], 1)).unwrap_err();
    assert!(error.to_string().contains("basis `b` is another already"), "{error}");
    let mut broken = first.clone();
    if let sixfold_sparsegrad::Side::Columns(columns) = &mut broken.output {
        columns[(1, 1)] = f32::NAN;
    }
    let error = adapter.insert_basis("nan", broken).unwrap_err();
    assert!(matches!(&error, Error::NotFinite { path, index: 3, .. } if path == "nan"), "{error}");

    let sound = update(("b", &first), 4, 0);
    let other = LayerUpdate { basis: "c".into(), ..sound.clone() };
    let error = adapter.insert("x", other).unwrap_err().to_string();
    assert!(error.contains("`x` uses the basis `c`; there are [\"b\"]"), "{error}");
    let wrong = |update: LayerUpdate, expected: &str| {
        let error = adapter.clone().insert("blocks.3", update).unwrap_err();
        assert_eq!(error.to_string(), expected);
    };
    let transposed = LayerUpdate { mask: Mask::all([2, 3]), ..sound.clone() };
    wrong(transposed, "the core of `blocks.3` is [2, 3], expected [3, 2]");
    let short = LayerUpdate { values: vec![1.0; 3], ..sound.clone() };
    wrong(short, "the values of `blocks.3` is [3], expected [4]");
    let mut infinite = sound.clone();
    infinite.values[2] = f32::INFINITY;
    wrong(infinite, "the core of `blocks.3` is not finite at entry 3");

    adapter.insert("blocks.3", sound).unwrap();
    assert_eq!(adapter.parameters(), 4);
    let error = adapter.delta("blocks.4").unwrap_err();
    assert!(matches!(&error, Error::NoMatch { known, .. } if known == &["blocks.3"]), "{error}");
    let error = adapter.add_to("blocks.3", 1.0, Array2::zeros((5, 6)).view_mut()).unwrap_err();
    assert_eq!(error.to_string(), "the weight of `blocks.3` is [5, 6], expected [6, 5]");
}
