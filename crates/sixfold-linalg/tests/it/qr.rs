//! A = Q·R with orthonormal Q, a true triangle R, and a diagonal that is not negative.

use ndarray::Array2;
use proptest::prelude::*;
use sixfold_linalg::{Real, qr};

use crate::support::{
    Case, DOUBLE, Kind, SINGLE, cases, config, departure, error, of_kinds, uniform, widen,
};

/// What thin QR of either kind promises.
pub(crate) fn check<T: Real>(a: &Array2<T>, q: &Array2<T>, r: &Array2<T>, tolerance: f64) {
    let (q, r, k) = (widen(q), widen(r), a.nrows().min(a.ncols()));
    assert_eq!((q.dim(), r.dim()), ((a.nrows(), k), (k, a.ncols())));
    assert!(error(&q.dot(&r), &widen(a)) <= tolerance);
    assert!(departure(&q) <= tolerance);
    assert!(r.indexed_iter().all(|((i, j), x)| i <= j || *x == 0.0));
    assert!(r.diag().iter().all(|x| *x >= 0.0));
}

fn check_qr<T: Real>(a: &Array2<T>, tolerance: f64) {
    let found = qr(a.view()).unwrap();
    check(a, &found.q, &found.r, tolerance);
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_factors_give_the_matrix_back(case in cases()) {
        check_qr(&case.matrix(), DOUBLE);
        check_qr(&case.single(), SINGLE);
    }

    #[test]
    fn the_factors_are_unique(case in of_kinds(&[Kind::Dense])) {
        // An upper triangle with a heavy diagonal, times Q of another matrix.
        let k = case.m.min(case.n);
        let mut rng = case.rng(1);
        let q = qr(uniform(case.m, k, &mut rng).view()).unwrap().q;
        let mut r = uniform(k, k, &mut rng);
        for ((i, j), x) in r.indexed_iter_mut() {
            *x = if i > j { 0.0 } else if i == j { 8.0 + x.abs() } else { *x };
        }
        r *= case.scale();
        let found = qr(q.dot(&r).view()).unwrap();
        prop_assert!(error(&found.r, &r) <= DOUBLE);
        prop_assert!(error(&found.q, &q) <= DOUBLE);
    }
}

#[test]
fn large_matrices_go_through_the_other_backend() {
    for (m, n, kind) in [
        (90, 63, Kind::Dense),
        (64, 64, Kind::Dense),
        (200, 100, Kind::LowRank),
        (100, 180, Kind::Repeated),
        (128, 128, Kind::Zero),
        (160, 110, Kind::Graded),
        (100, 100, Kind::Spread),
    ] {
        for exponent in [0, 150, -150] {
            check_qr(&Case { m, n, kind, exponent, seed: 11 }.matrix(), DOUBLE);
        }
    }
}
