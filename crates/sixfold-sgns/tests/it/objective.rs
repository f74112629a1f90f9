//! Oracles 6, 7 and 9: the objective, its bound, and the sweeps against dense loops in f64.

use ndarray::{Array2, s};
use sixfold_sgns::sweep::{DenseSweep, HostSweep, Sweep};
use sixfold_sgns::{Error, Objective, ObjectiveConfig};

use crate::problems::{
    counts_of, distance, objective, on_threads, product, sparse, symmetric, uniform, widened,
};

/// F at 0 is −(k + 1)·|D|·ln 2, and nothing exceeds F*.
#[test]
fn the_ends_of_the_scale_are_right() {
    for (seed, smoothing) in [(1, 1.0), (2, 0.75), (3, 0.0)] {
        let objective = objective(&sparse(30, 40, 0.2, seed), smoothing);
        let zero = DenseSweep::new(&objective).gradient(Array2::zeros((30, 40)).view()).0;
        let expected = -6.0 * objective.counts().total() * std::f64::consts::LN_2;
        // Weights are kept in f32.
        assert!((zero / expected - 1.0).abs() < 1e-6, "{zero} {expected}");
        assert!((objective.at_zero() / expected - 1.0).abs() < 1e-12);
        for scale in [0.1, 1.0, 10.0] {
            let x = uniform::<f64>(30, 40, seed) * scale;
            assert!(DenseSweep::new(&objective).gradient(x.view()).0 < objective.bound());
        }
        assert!(objective.gap_ratio(objective.at_zero()).abs() < 1e-12);
    }
}

/// The gradient is that of the value.
#[test]
fn the_dense_gradient_is_a_derivative() {
    let objective = objective(&sparse(9, 7, 0.4, 4), 0.75);
    let sweep = DenseSweep::new(&objective);
    let x = uniform::<f64>(9, 7, 5) * 4.0;
    let (_, gradient) = sweep.gradient(x.view());
    for at in [(0, 0), (3, 2), (4, 5), (8, 6)] {
        let h = 1e-5;
        let moved = |by: f64| {
            let mut x = x.clone();
            x[at] += by;
            sweep.gradient(x.view()).0
        };
        let slope = (moved(h) - moved(-h)) / (2.0 * h);
        assert!((slope - gradient[at]).abs() < 1e-6 * gradient[at].abs().max(1.0), "{at:?}");
    }
}

/// Tiles whose last one is narrow, short, or both; n ≠ m, smoothing, empty rows and columns.
#[test]
fn fused_sweeps_are_the_dense_ones() {
    for (n, m, d, smoothing) in [
        (1, 1, 1, 1.0),
        (7, 5, 3, 1.0),
        (97, 385, 100, 0.75),
        (200, 800, 17, 1.0),
        (391, 96, 8, 0.5),
    ] {
        let dense =
            if n == 1 { Array2::from_elem((1, 1), 3.0) } else { sparse(n, m, 0.1, n as u64) };
        let objective = objective(&dense, smoothing);
        let (a, b) = (uniform::<f32>(n, d, 1) * 3.0, uniform::<f32>(m, d, 2) * 3.0);
        let (left, right) = (uniform::<f32>(n, d + 2, 3), uniform::<f32>(m, d + 1, 4));
        let (wide_a, wide_b) = (widened(&a), widened(&b));
        let (wide_left, wide_right) = (widened(&left), widened(&right));
        let exact = DenseSweep::new(&objective);
        let (value, rows) = exact.rows(wide_a.view(), wide_b.view(), wide_right.view()).unwrap();
        let columns = exact.columns(wide_a.view(), wide_b.view(), wide_left.view()).unwrap();

        let fast = HostSweep::new(&objective);
        let (found, of_rows) = fast.rows(a.view(), b.view(), right.view()).unwrap();
        let of_columns = fast.columns(a.view(), b.view(), left.view()).unwrap();
        let both = fast.both(a.view(), b.view(), left.view(), right.view()).unwrap();
        let near = |found: &Array2<f32>, exact: &Array2<f64>| {
            let scale = exact.iter().fold(1e-9_f64, |max, x| max.max(x.abs()));
            let error = distance(&widened(found), exact) / scale;
            assert!(error < 3e-6, "{n}×{m}, d = {d}: {error:e}");
        };
        for value_found in [found, both.0] {
            assert!((value_found / value - 1.0).abs() < 1e-7, "{n}×{m}: {value_found} {value}");
        }
        near(&of_rows, &rows);
        near(&of_columns, &columns);
        near(&both.1, &rows);
        near(&both.2, &columns);
    }
}

/// ⟨U, G·V⟩ = ⟨Gᵀ·U, V⟩.
#[test]
fn both_products_are_of_one_gradient() {
    let objective = objective(&sparse(300, 410, 0.05, 8), 0.75);
    let (u, v) = (uniform::<f32>(300, 20, 1), uniform::<f32>(410, 20, 2));
    let sweep = HostSweep::new(&objective);
    let (_, gv) = sweep.rows(u.view(), v.view(), v.view()).unwrap();
    let gtu = sweep.columns(u.view(), v.view(), u.view()).unwrap();
    let dot = |x: &Array2<f32>, y: &Array2<f32>| (widened(x) * widened(y)).sum();
    let (one, other) = (dot(&u, &gv), dot(&gtu, &v));
    assert!((one / other - 1.0).abs() < 1e-5, "{one} {other}");
}

/// Oracle 9: for D = Dᵀ and no smoothing, F(X) = F(Xᵀ), and the products swap.
#[test]
fn symmetric_counts_do_not_tell_words_from_contexts() {
    let objective = objective(&symmetric(150, 0.1, 3), 1.0);
    assert!(objective.counts().is_symmetric());
    let (a, b) = (uniform::<f32>(150, 12, 1) * 2.0, uniform::<f32>(150, 12, 2));
    let sweep = HostSweep::new(&objective);
    let (value, rows) = sweep.rows(a.view(), b.view(), b.view()).unwrap();
    let (mirrored, _) = sweep.rows(b.view(), a.view(), a.view()).unwrap();
    assert!((value / mirrored - 1.0).abs() < 1e-7);
    let columns = sweep.columns(b.view(), a.view(), b.view()).unwrap();
    let scale = rows.iter().fold(0.0_f32, |max, x| max.max(x.abs()));
    assert!(distance(&rows, &columns) < 1e-5 * f64::from(scale));
}

#[test]
fn sweeps_are_the_same_to_the_bit_on_any_number_of_threads() {
    let objective = objective(&sparse(500, 900, 0.05, 9), 0.75);
    let (a, b) = (uniform::<f32>(500, 30, 1), uniform::<f32>(900, 30, 2));
    let sweeps = |threads| {
        on_threads(threads, || {
            let sweep = HostSweep::new(&objective);
            let rows = sweep.rows(a.view(), b.view(), b.view()).unwrap();
            let columns = sweep.columns(a.view(), b.view(), a.view()).unwrap();
            (rows, columns, sweep.both(a.view(), b.view(), a.view(), b.view()).unwrap())
        })
    };
    let one = sweeps(1);
    assert_eq!(one, sweeps(2));
    assert_eq!(one, sweeps(5));
}

#[test]
fn what_does_not_fit_is_refused() {
    let dense = sparse(6, 8, 0.5, 1);
    let objective = objective(&dense, 1.0);
    let sweep = HostSweep::new(&objective);
    let (a, b) = (uniform::<f32>(6, 2, 1), uniform::<f32>(8, 2, 2));
    let short = b.slice(s![..7, ..]);
    let shape = |error| match error {
        Error::ShapeMismatch { what, expected, found } => (what, expected, found),
        other => panic!("{other}"),
    };
    let error = sweep.rows(a.view(), short, b.view()).unwrap_err();
    assert_eq!(shape(error), ("the factor of contexts", [8, 2], [7, 2]));
    let error = sweep.rows(a.view(), b.view(), short).unwrap_err();
    assert_eq!(shape(error), ("the factor on the right", [8, 2], [7, 2]));

    for (config, name) in [
        (ObjectiveConfig { negatives: 0.0, smoothing: 1.0 }, "negatives"),
        (ObjectiveConfig { negatives: 5.0, smoothing: f64::NAN }, "smoothing"),
    ] {
        let error = Objective::new(counts_of(dense.view()), &config).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
}

/// x of a rank-d product in f64 is that of the factors.
#[test]
fn the_dense_sweep_sees_the_product() {
    let objective = objective(&sparse(5, 6, 0.5, 2), 1.0);
    let (a, b) = (uniform::<f64>(5, 2, 1), uniform::<f64>(6, 2, 2));
    let sweep = DenseSweep::new(&objective);
    let (value, _) = sweep.rows(a.view(), b.view(), b.view()).unwrap();
    let whole = sweep.gradient(product(&a, &b).view()).0;
    assert!((value - whole).abs() < 1e-12 * whole.abs());
}

/// Oracle 10: the mean of many draws is the exact sweep, within four standard errors.
#[test]
fn the_sampled_sweep_is_unbiased() {
    use sixfold_sgns::sweep::{SampleConfig, SampledSweep};
    let objective = objective(&sparse(40, 50, 0.3, 20), 0.75);
    let (a, b) = (uniform::<f32>(40, 3, 1) * 3.0, uniform::<f32>(50, 3, 2) * 3.0);
    let exact = HostSweep::new(&objective);
    let (value, rows) = exact.rows(a.view(), b.view(), b.view()).unwrap();
    let columns = exact.columns(a.view(), b.view(), a.view()).unwrap();
    let config = SampleConfig { head: 8, tail: 12, seed: 3 };
    let mut sampled = SampledSweep::new(&objective, config).unwrap();
    const DRAWS: usize = 2000;
    let mut moments = vec![(0.0, 0.0); 1 + rows.len() + columns.len()];
    for draw in 0..DRAWS {
        sampled.begin(draw);
        let (value, rows) = sampled.rows(a.view(), b.view(), b.view()).unwrap();
        let columns = sampled.columns(a.view(), b.view(), a.view()).unwrap();
        let found = rows.iter().chain(&columns).map(|x| f64::from(*x));
        for (moment, x) in moments.iter_mut().zip(std::iter::once(value).chain(found)) {
            moment.0 += x;
            moment.1 += x * x;
        }
    }
    let exact = rows.iter().chain(&columns).map(|x| f64::from(*x));
    for ((sum, squares), exact) in moments.into_iter().zip(std::iter::once(value).chain(exact)) {
        let mean = sum / DRAWS as f64;
        let variance = (squares / DRAWS as f64 - mean * mean).max(0.0);
        // Rounding of f32 where there is next to no variance.
        let error = 4.0 * (variance / DRAWS as f64).sqrt() + 1e-5 * exact.abs() + 1e-3;
        assert!((mean - exact).abs() < error, "{mean} {exact} {error}");
    }
    // A head of all words leaves nothing to chance.
    let config = SampleConfig { head: 50, tail: 0, seed: 0 };
    let whole = SampledSweep::new(&objective, config).unwrap();
    let (found, _) = whole.rows(a.view(), b.view(), b.view()).unwrap();
    assert!((found / value - 1.0).abs() < 1e-6);
    let nothing = SampleConfig { head: 3, tail: 0, seed: 0 };
    assert!(SampledSweep::new(&objective, nothing).is_err());
}
