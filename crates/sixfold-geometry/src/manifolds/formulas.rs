//! One point of each manifold, from a generator into a row of zeros.

use std::f64::consts::{PI, TAU};

use rand::{Rng, RngExt};
use rand_distr::{Beta, Distribution};

use super::shapes::{normal_vector, unit_vector};

pub(super) fn sphere(rng: &mut impl Rng, row: &mut [f64]) {
    unit_vector(rng, row);
}

pub(super) fn normal(rng: &mut impl Rng, row: &mut [f64]) {
    normal_vector(rng, row);
}

/// b + 4·A·u, u uniform on [0, 1]³.
pub(super) fn parallelepiped(rng: &mut impl Rng, row: &mut [f64]) {
    const A: [[f64; 3]; 5] =
        [[1.2, -0.5, 0.0], [0.5, 0.9, 0.0], [-0.5, -0.2, 1.0], [0.4, -0.9, -0.1], [1.1, -0.3, 0.0]];
    const B: [f64; 5] = [3.0, -1.0, 0.0, 0.0, 8.0];
    let u: [f64; 3] = uniform(rng);
    for ((x, a), b) in row.iter_mut().zip(&A).zip(&B) {
        *x = b + 4.0 * (a[0] * u[0] + a[1] * u[1] + a[2] * u[2]);
    }
}

/// pᵢ₊₁·(cos 2πpᵢ, sin 2πpᵢ) for each i of `d`, cyclically, repeated until the row is full.
pub(super) fn turning_circles(rng: &mut impl Rng, row: &mut [f64], d: usize) {
    let p: Vec<f64> = (0..d).map(|_| rng.random()).collect();
    for i in 0..d {
        let (sin, cos) = (TAU * p[i]).sin_cos();
        let radius = p[(i + 1) % d];
        row[2 * i] = radius * cos;
        row[2 * i + 1] = radius * sin;
    }
    let (first, copies) = row.split_at_mut(2 * d);
    copies.chunks_exact_mut(2 * d).for_each(|copy| copy.copy_from_slice(first));
}

/// ((2 + cos 8t)·cos t, (2 + cos 8t)·sin t, sin 8t).
pub(super) fn toroidal_helix(rng: &mut impl Rng, row: &mut [f64]) {
    let t = TAU * rng.random::<f64>();
    let radius = 2.0 + (8.0 * t).cos();
    row.copy_from_slice(&[radius * t.cos(), radius * t.sin(), (8.0 * t).sin()]);
}

/// (r·cos p, r·sin p, p/2), r and p uniform on [0, 10π].
pub(super) fn helicoid(rng: &mut impl Rng, row: &mut [f64]) {
    let [r, p] = uniform(rng).map(|u| 10.0 * PI * u);
    row.copy_from_slice(&[r * p.cos(), r * p.sin(), 0.5 * p]);
}

/// (t·cos t, p, t·sin t), t uniform on [1.5π, 4.5π] and p on [0, 21].
pub(super) fn swiss_roll(rng: &mut impl Rng, row: &mut [f64]) {
    let [u, v] = uniform(rng);
    let t = 1.5 * PI * (1.0 + 2.0 * u);
    row.copy_from_slice(&[t * t.cos(), 21.0 * v, t * t.sin()]);
}

/// Uniform on [−2.5, 2.5]ᵈ.
pub(super) fn full_cube(rng: &mut impl Rng, row: &mut [f64]) {
    row.iter_mut().for_each(|x| *x = 5.0 * rng.random::<f64>() - 2.5);
}

/// Uniform on the faces of [0, 1]ᵈ, which are filled one after the other with ⌊n/2d⌋ + 1 points each,
/// so that the last ones stay empty where n is small: that is how the benchmark is drawn.
pub(super) fn cube_surface(rng: &mut impl Rng, row: &mut [f64], i: usize, n: usize) {
    let face = i / (n / (2 * row.len()) + 1);
    row.iter_mut().for_each(|x| *x = rng.random());
    row[face / 2] = (face % 2) as f64;
}

/// (1 + ½ρ·cos 5φ)·(cos φ, sin φ) and ½ρ·sin 5φ, ρ uniform on [−1, 1].
pub(super) fn moebius_band(rng: &mut impl Rng, row: &mut [f64]) {
    let [u, v] = uniform(rng);
    let (phi, rho) = (TAU * u, 2.0 * v - 1.0);
    let radius = 1.0 + 0.5 * rho * (5.0 * phi).cos();
    row.copy_from_slice(&[radius * phi.cos(), radius * phi.sin(), 0.5 * rho * (5.0 * phi).sin()]);
}

/// (100·cos t, 100·sin t, t, 0, …), t uniform on [0, 10π].
pub(super) fn wide_helix(rng: &mut impl Rng, row: &mut [f64]) {
    let t = 10.0 * PI * rng.random::<f64>();
    row[..3].copy_from_slice(&[100.0 * t.cos(), 100.0 * t.sin(), t]);
}

/// x·sin(cos 2πx), then x·cos(sin 2πx), both twice; x ~ Beta(10, ½).
pub(super) fn beta_image(rng: &mut impl Rng, row: &mut [f64]) {
    let beta = Beta::new(10.0, 0.5).expect("both parameters are positive");
    twice(row, |first, second| {
        for (a, b) in first.iter_mut().zip(second) {
            let x: f64 = beta.sample(rng);
            let (sin, cos) = (TAU * x).sin_cos();
            *a = x * cos.sin();
            *b = x * sin.cos();
        }
    });
}

/// tan(xᵢ·cos x₍d₊₁₋ᵢ₎), then arctan(x₍d₊₁₋ᵢ₎·sin xᵢ), both twice; x uniform on [0, 1]ᵈ.
pub(super) fn tangent_image(rng: &mut impl Rng, row: &mut [f64]) {
    twice(row, |first, second| {
        let x: Vec<f64> = first.iter().map(|_| rng.random()).collect();
        for (i, (a, b)) in first.iter_mut().zip(second).enumerate() {
            let mirror = x[x.len() - 1 - i];
            *a = (x[i] * mirror.cos()).tan();
            *b = (mirror * x[i].sin()).atan();
        }
    });
}

/// Fills the first and the second quarter of the row and copies both into its other half.
fn twice(row: &mut [f64], fill: impl FnOnce(&mut [f64], &mut [f64])) {
    let half = row.len() / 2;
    let (first, copy) = row.split_at_mut(half);
    let (a, b) = first.split_at_mut(half / 2);
    fill(a, b);
    copy.copy_from_slice(first);
}

fn uniform<const K: usize>(rng: &mut impl Rng) -> [f64; K] {
    std::array::from_fn(|_| rng.random())
}
