//! A·V = V·Λ, VᵀV = I, and the values against nalgebra's.

use ndarray::Array2;
use proptest::prelude::*;
use sixfold_linalg::{Real, eigh, eigvalsh};

use crate::support::{
    Case, DOUBLE, Kind, SINGLE, cases, config, departure, descends, error, norm, vector_error,
    widen,
};

fn check<T: Real>(a: &Array2<T>, tolerance: f64) {
    let found = eigh(a.view()).unwrap();
    let (a, v) = (widen(a), widen(&found.vectors));
    let values = found.values.mapv(T::widen);
    assert!(error(&(&v * &values).dot(&v.t()), &a) <= tolerance);
    // A·V relative to A: V is near the identity's size, not near that of V·Λ.
    assert!(norm(&(a.dot(&v) - &v * &values)) <= tolerance * norm(&a));
    assert!(departure(&v) <= tolerance);
    assert!(departure(&v.t().to_owned()) <= tolerance);
    assert!(descends(&values));
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_factors_give_the_matrix_back(case in cases()) {
        check(&case.symmetric(), DOUBLE);
        let single = Case { exponent: case.exponent / 5, ..case };
        check(&single.symmetric().mapv(|x| x as f32), SINGLE);
    }

    #[test]
    fn values_alone_are_those_of_nalgebra(case in cases()) {
        let a = case.symmetric();
        let values = eigvalsh(a.view()).unwrap();
        prop_assert!(descends(&values));
        let size = norm(&a);
        prop_assert!(norm(&(&values - &eigh(a.view()).unwrap().values)) <= DOUBLE * size);
        prop_assert!((values.sum() - a.diag().sum()).abs() <= DOUBLE * case.n as f64 * size);
        // nalgebra does not scale: it is given numbers near 1.
        let unit = case.scale();
        let other = nalgebra::DMatrix::from_fn(case.n, case.n, |i, j| a[(i, j)] / unit);
        let mut other = other.symmetric_eigenvalues().as_slice().to_vec();
        // Now and then it divides 0 by 0: see `sparse_outer_products_stay_finite`.
        prop_assume!(other.iter().all(|x| x.is_finite()));
        other.sort_by(|x, y| y.total_cmp(x));
        for (ours, theirs) in values.iter().zip(other) {
            prop_assert!((ours - theirs * unit).abs() <= DOUBLE * size);
        }
    }

    #[test]
    fn the_upper_triangle_is_not_read(case in cases()) {
        let a = case.symmetric();
        let mut other = a.clone();
        for ((i, j), x) in other.indexed_iter_mut() {
            if i < j {
                *x = case.scale() * 0.75;
            }
        }
        // Only the power of two that the matrix is divided by may differ.
        let (one, two) = (eigvalsh(a.view()).unwrap(), eigvalsh(other.view()).unwrap());
        prop_assert!(norm(&(one - two)) <= DOUBLE * norm(&a));
    }
}

#[test]
fn large_matrices() {
    for (n, kind) in [
        (95, Kind::Dense),
        (96, Kind::Dense),
        (97, Kind::LowRank),
        (130, Kind::Repeated),
        (128, Kind::Zero),
        (150, Kind::Graded),
        (110, Kind::Constant),
        (100, Kind::Spread),
    ] {
        for exponent in [0, 150, -150] {
            let case = Case { m: n, n, kind, exponent, seed: n as u64 };
            check(&case.symmetric(), DOUBLE);
        }
    }
}

#[test]
fn the_upper_triangle_of_large_matrices_is_not_read() {
    let a = Case { m: 110, n: 110, kind: Kind::Dense, exponent: 0, seed: 12 }.symmetric();
    let mut other = a.clone();
    for ((i, j), x) in other.indexed_iter_mut() {
        *x = if i < j { 0.5 } else { *x };
    }
    let (one, two) = (eigh(a.view()).unwrap(), eigh(other.view()).unwrap());
    assert!(vector_error(&one.values, &two.values) <= DOUBLE);
    let alone = eigvalsh(other.view()).unwrap();
    assert!(vector_error(&one.values, &alone) <= DOUBLE);
}

#[test]
fn sparse_outer_products_stay_finite() {
    // Exact zeros beside one eigenvalue: in one of fifty nalgebra's iteration divides 0 by 0.
    for seed in 0..300 {
        let n = 2 + (seed % 63) as usize;
        let row = Case { m: 1, n, kind: Kind::Sparse, exponent: 0, seed }.matrix();
        let a = Array2::from_shape_fn((n, n), |(i, j)| row[(0, i)] * row[(0, j)]);
        check(&a, DOUBLE);
        assert!(eigvalsh(a.view()).unwrap().iter().all(|x| x.is_finite()));
    }
}

#[test]
fn strided_views_are_read_as_they_are() {
    let case = Case { m: 20, n: 20, kind: Kind::Dense, exponent: 0, seed: 3 };
    let wide = case.symmetric();
    let view = wide.slice(ndarray::s![..;-2, ..;-2]);
    let copy = view.as_standard_layout().into_owned();
    assert!(
        vector_error(&eigvalsh(view).unwrap(), &eigvalsh(copy.view()).unwrap()) <= f64::EPSILON
    );
}
