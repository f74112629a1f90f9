//! Oracles 1 and 2: tangent spaces, retraction, and the Riemannian gradient by finite differences.

use ndarray::Array2;
use sixfold_linalg::matmul;
use sixfold_sgns::sweep::{DenseSweep, Sweep};
use sixfold_sgns::{FixedRank, Tangent};

use crate::problems::{distance, objective, product, sparse, uniform};

const N: usize = 24;
const M: usize = 31;
const D: usize = 4;

fn point(seed: u64) -> FixedRank<f64> {
    let (a, b) = (uniform::<f64>(N, D, seed), uniform::<f64>(M, D, seed + 1));
    FixedRank::from_product(a.view(), b.view()).unwrap()
}

/// U·M·Vᵀ + Uₚ·Vᵀ + U·Vₚᵀ
fn ambient(x: &FixedRank<f64>, t: &Tangent<f64>) -> Array2<f64> {
    let left = matmul(x.u(), t.m.view()) + &t.up;
    product(&left, &x.v().to_owned()) + matmul(x.u(), t.vp.t())
}

fn projected(x: &FixedRank<f64>, g: &Array2<f64>) -> Tangent<f64> {
    x.project(matmul(g.view(), x.v()), matmul(g.t(), x.u()))
}

fn dot(x: &Array2<f64>, y: &Array2<f64>) -> f64 {
    (x * y).sum()
}

#[test]
fn projection_is_idempotent_and_self_adjoint() {
    let x = point(1);
    let (g, h) = (uniform::<f64>(N, M, 5), uniform::<f64>(N, M, 6));
    let (pg, ph) = (projected(&x, &g), projected(&x, &h));
    let wide = ambient(&x, &pg);
    assert!(distance(&ambient(&x, &projected(&x, &wide)), &wide) < 1e-13);
    assert!((dot(&wide, &h) - dot(&g, &ambient(&x, &ph))).abs() < 1e-12);
    // The inner product of tangent vectors is that of the matrices.
    assert!((pg.inner(&ph) - dot(&wide, &ambient(&x, &ph))).abs() < 1e-12);
}

#[test]
fn a_point_is_its_own_matrix() {
    let (a, b) = (uniform::<f64>(N, D, 1), uniform::<f64>(M, D, 2));
    let x = point(1);
    assert!(distance(&x.to_matrix(), &product(&a, &b)) < 1e-14);
    let (u, s, v) = x.svd().unwrap();
    assert!(s.windows(2).into_iter().all(|s| s[0] >= s[1]));
    assert!(distance(&product(&(&u * &s), &v), &x.to_matrix()) < 1e-14);
}

/// ‖R(hξ) − (X + hξ)‖ falls with h².
#[test]
fn retraction_is_of_second_order() {
    let x = point(2);
    let t = projected(&x, &uniform(N, M, 7));
    let wide = ambient(&x, &t);
    let error = |h: f64| {
        let moved = x.retract(&t, h).unwrap().to_matrix();
        let off = moved - (x.to_matrix() + &wide * h);
        dot(&off, &off).sqrt()
    };
    let (coarse, fine) = (error(1e-2) / 1e-4, error(1e-3) / 1e-6);
    assert!(coarse > 0.0 && (fine / coarse - 1.0).abs() < 0.05, "{coarse} {fine}");
}

#[test]
fn transport_is_the_projection() {
    let (x, y) = (point(3), point(9));
    let t = projected(&x, &uniform(N, M, 8));
    let carried = y.transport(&x, &t);
    assert!(
        distance(&ambient(&y, &carried), &ambient(&y, &projected(&y, &ambient(&x, &t)))) < 1e-13
    );
}

/// d/dh F(R(hξ)) = ⟨grad F, ξ⟩, and the error of a central difference falls with h².
#[test]
fn the_riemannian_gradient_is_a_derivative() {
    let objective = objective(&sparse(N, M, 0.3, 10), 0.75);
    let sweep = DenseSweep::new(&objective);
    let x = point(4);
    let a = matmul(x.u(), x.s());
    let v = x.v().to_owned();
    let (_, gv) = sweep.rows(a.view(), v.view(), v.view()).unwrap();
    let gtu = sweep.columns(a.view(), v.view(), x.u()).unwrap();
    let gradient = x.project(gv, gtu);
    let direction = projected(&x, &uniform(N, M, 11));
    let exact = gradient.inner(&direction);
    let value = |h: f64| {
        let moved = x.retract(&direction, h).unwrap().to_matrix();
        sweep.gradient(moved.view()).0
    };
    let error = |h: f64| ((value(h) - value(-h)) / (2.0 * h) / exact - 1.0).abs();
    assert!(error(1e-4) < 1e-6, "{:e}", error(1e-4));
    let slope = (error(1e-1) / error(1e-2)).log10();
    assert!((slope - 2.0).abs() < 0.1, "{slope}");
}
