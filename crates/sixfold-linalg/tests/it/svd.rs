//! A = U·Σ·Vᵀ with orthonormal U and V, and the values against nalgebra's.

use ndarray::{Array2, array};
use proptest::prelude::*;
use sixfold_linalg::{Real, svd, svdvals};

use crate::support::{
    Case, DOUBLE, Kind, SINGLE, cases, config, departure, descends, error, norm, of_kinds,
    rotation, uniform, widen,
};

fn check<T: Real>(a: &Array2<T>, tolerance: f64) {
    let found = svd(a.view()).unwrap();
    let (u, vt, s) = (widen(&found.u), widen(&found.vt), found.s.mapv(T::widen));
    let (a, k) = (widen(a), a.nrows().min(a.ncols()));
    assert_eq!((u.dim(), vt.dim(), s.len()), ((a.nrows(), k), (k, a.ncols()), k));
    assert!(error(&(&u * &s).dot(&vt), &a) <= tolerance);
    assert!(departure(&u) <= tolerance);
    assert!(departure(&vt.t().to_owned()) <= tolerance);
    assert!(descends(&s) && s.iter().all(|x| *x >= 0.0));
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_factors_give_the_matrix_back(case in cases()) {
        check(&case.matrix(), DOUBLE);
        check(&case.single(), SINGLE);
    }

    #[test]
    fn values_alone_are_those_of_the_transpose_and_of_nalgebra(case in cases()) {
        let a = case.matrix();
        let size = norm(&a);
        let values = svdvals(a.view()).unwrap();
        prop_assert!(norm(&(&values - &svd(a.view()).unwrap().s)) <= DOUBLE * size);
        prop_assert!(norm(&(&values - &svdvals(a.t()).unwrap())) <= DOUBLE * size);
        prop_assert!((norm(&values) - size).abs() <= DOUBLE * size);
        let unit = case.scale();
        let other = nalgebra::DMatrix::from_fn(case.m, case.n, |i, j| a[(i, j)] / unit);
        let mut other = other.singular_values().as_slice().to_vec();
        other.sort_by(|x, y| y.total_cmp(x));
        for (ours, theirs) in values.iter().zip(other) {
            prop_assert!((ours - theirs * unit).abs() <= DOUBLE * size);
        }
    }

    #[test]
    fn the_rank_of_a_product_is_its_inner_dimension(case in of_kinds(&[Kind::LowRank])) {
        let found = svd(case.matrix().view()).unwrap();
        prop_assert_eq!(found.rank(1e-13), case.rank());
        prop_assert!(case.rank() == case.m.min(case.n) || found.condition() > 1e13);
    }

    #[test]
    fn planted_values_come_back(case in of_kinds(&[Kind::Dense])) {
        let (m, n, k) = (case.m, case.n, case.m.min(case.n));
        let mut rng = case.rng(1);
        let mut s: Vec<f64> = uniform(1, k, &mut rng).iter().map(|x| x.abs() + 0.01).collect();
        s.sort_by(|x, y| y.total_cmp(x));
        let middle = Array2::from_shape_fn((m, n), |(i, j)| if i == j { s[i] } else { 0.0 });
        let a = rotation(m, &mut rng).dot(&middle).dot(&rotation(n, &mut rng)) * case.scale();
        let found = svd(a.view()).unwrap();
        for (found, planted) in found.s.iter().zip(&s) {
            prop_assert!((found / case.scale() - planted).abs() <= 1e-12 * s[0] * k as f64);
        }
        prop_assert!((found.condition() * s[k - 1] / s[0] - 1.0).abs() <= 1e-10);
    }
}

#[test]
fn large_and_thin_shapes() {
    for (m, n, kind) in [
        (150, 130, Kind::Dense),
        (100, 140, Kind::LowRank),
        (400, 3, Kind::Graded),
        (2, 300, Kind::Repeated),
        (128, 128, Kind::Zero),
        (120, 100, Kind::Spread),
    ] {
        for exponent in [0, 150, -150] {
            check(&Case { m, n, kind, exponent, seed: 7 }.matrix(), DOUBLE);
        }
    }
}

#[test]
fn rank_and_condition_of_a_singular_matrix() {
    let found = svd(array![[2.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1e-9]].view()).unwrap();
    assert_eq!((found.rank(0.0), found.rank(1e-10), found.rank(1e-8)), (2, 2, 1));
    assert_eq!(found.condition(), f64::INFINITY);
    let zero = svd(Array2::<f64>::zeros((4, 2)).view()).unwrap();
    assert_eq!((zero.rank(0.0), zero.condition()), (0, f64::INFINITY));
}
