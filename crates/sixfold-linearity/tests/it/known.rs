//! Scores that are known in closed form.

use std::f64::consts::PI;

use ndarray::Array2;
use sixfold_linalg::qr;
use sixfold_linearity::Transition;

use crate::clouds::{normal, pair, scores, single};

#[test]
fn an_affine_map_is_linear_in_both_precisions() {
    let (x, map) = (normal(4000, 16, 1), normal(16, 16, 2));
    let y = x.dot(&map) + 3.0;
    let found = scores(&x, &y);
    assert!((found.score - 1.0).abs() < 1e-9 && found.rank == 16, "{found:?}");
    let pair = pair(single(&x).view(), single(&y).view());
    let found = Transition::from(&pair).linearity().unwrap();
    assert!((found.score - 1.0).abs() < 1e-5, "{found:?}");
}

#[test]
fn scale_and_shift_change_nothing() {
    let x = normal(2000, 8, 3);
    let y = x.mapv(f64::tanh);
    let plain = scores(&x, &y).score;
    let moved = scores(&(&x * 4.0 + 2.0), &(&y * 0.125 - 1.0)).score;
    assert!((plain - moved).abs() < 1e-12, "{plain} and {moved}");
}

#[test]
fn an_orthogonal_map_has_procrustes_and_cka_of_one() {
    let x = normal(4000, 16, 1);
    let rotation = qr(normal(16, 16, 2).view()).unwrap().q;
    let y = x.dot(&rotation);
    let moments = pair(x.view(), y.view());
    let turned = Transition::from(&moments);
    let (procrustes, cka) =
        (turned.procrustes_orthogonal().unwrap().unwrap(), turned.cka().unwrap());
    assert!((procrustes - 1.0).abs() < 1e-9, "{procrustes}");
    assert!((cka - 1.0).abs() < 1e-9, "{cka}");
}

#[test]
fn a_diagonal_map_of_an_isotropic_cloud_has_its_known_rotation_score() {
    let d = 6;
    // Rows ±e_i: isotropic to the last bit.
    let x = Array2::from_shape_fn((2 * d, d), |(i, j)| match i % d == j {
        true if i < d => 1.0,
        true => -1.0,
        false => 0.0,
    });
    let a: Vec<f64> = (1..=d).map(|i| i as f64).collect();
    let y = Array2::from_shape_fn((2 * d, d), |(i, j)| x[(i, j)] * a[j]);
    let (sum, squares): (f64, f64) = (a.iter().sum(), a.iter().map(|a| a * a).sum());
    let found = crate::clouds::rotation(&x, &y).unwrap();
    assert!((found - sum * sum / (d as f64 * squares)).abs() < 1e-12, "{found}");
}

#[test]
fn pointwise_functions_of_a_gaussian_have_their_known_scores() {
    let x = normal(200_000, 16, 5);
    let gelu = |v: f64| v * statrs::distribution::ContinuousCDF::cdf(&standard(), v);
    type Known<'a> = (&'a str, &'a dyn Fn(f64) -> f64, f64);
    let functions: [Known<'_>; 7] = [
        ("relu", &|v| v.max(0.0), PI / (2.0 * (PI - 1.0))),
        ("tanh", &f64::tanh, 0.930_470),
        ("gelu", &gelu, 0.723_288),
        ("silu", &|v| v / (1.0 + (-v).exp()), 0.798_510),
        ("cube", &|v| v * v * v, 0.6),
        ("square", &|v| v * v, 0.0),
        ("abs", &f64::abs, 0.0),
    ];
    for (name, function, expected) in functions {
        let found = scores(&x, &x.mapv(function)).score;
        assert!((found - expected).abs() < 2e-3, "{name}: {found} against {expected}");
    }
}

fn standard() -> statrs::distribution::Normal {
    statrs::distribution::Normal::standard()
}

/// Research report, section E: Y = XB + noise of equal size, so that ½ is explained in a full-rank
/// X; here X has rank 40 in 256 columns.
#[test]
fn rank_forty_in_f32_keeps_its_score() {
    let (n, d, rank) = (3000, 256, 40);
    let x = normal(n, rank, 7).dot(&normal(rank, d, 8));
    let signal = x.dot(&normal(d, d, 9));
    let size = |a: &Array2<f64>| (a.iter().map(|v| v * v).sum::<f64>() / a.len() as f64).sqrt();
    let noise = normal(n, d, 10) * (size(&signal) * (0.1831_f64 / 0.8169).sqrt());
    let y = signal + noise;
    let exact = scores(&x, &y);
    let pair = pair(single(&x).view(), single(&y).view());
    let in_single = Transition::from(&pair).linearity().unwrap();
    assert_eq!([exact.rank, in_single.rank], [rank, rank]);
    // The noise adds its floor of rank/(N − 1) of what is not explained.
    let expected = 0.8169 + 0.1831 * rank as f64 / (n as f64 - 1.0);
    for found in [exact.score, in_single.score] {
        assert!((found - expected).abs() < 2e-3, "{found} against {expected}");
    }
    assert!((exact.score - in_single.score).abs() < 1e-5);
}
