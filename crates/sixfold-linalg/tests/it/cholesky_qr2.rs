//! Cholesky-QR2 keeps the promises of QR, and says when it fell back on reflections.

use ndarray::Array2;
use proptest::prelude::*;
use sixfold_linalg::{Real, cholesky_qr2, qr};

use crate::qr::check;
use crate::support::{Case, DOUBLE, Kind, SINGLE, cases, config, error, of_kinds};

fn check_cholesky<T: Real>(a: &Array2<T>, tolerance: f64) -> bool {
    let found = cholesky_qr2(a.view()).unwrap();
    check(a, &found.q, &found.r, tolerance);
    found.fell_back
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_factors_give_the_matrix_back(case in cases()) {
        check_cholesky(&case.matrix(), DOUBLE);
        check_cholesky(&case.single(), SINGLE * 10.0);
    }

    #[test]
    fn tall_matrices_need_no_reflections(case in of_kinds(&[Kind::Dense])) {
        let tall = Case { m: 4 * case.n + 8, ..case };
        let a = tall.matrix();
        prop_assert!(!check_cholesky(&a, DOUBLE));
        prop_assert!(!check_cholesky(&tall.single(), SINGLE * 10.0));
        prop_assert!(error(&cholesky_qr2(a.view()).unwrap().r, &qr(a.view()).unwrap().r) <= DOUBLE);
    }

    #[test]
    fn badly_scaled_columns_alone_do_no_harm(case in of_kinds(&[Kind::Dense])) {
        let tall = Case { m: 4 * case.n + 8, exponent: 0, ..case };
        let mut a = tall.matrix();
        for (j, mut column) in a.columns_mut().into_iter().enumerate() {
            column *= 10_f64.powi((j % 60) as i32 - 30);
        }
        prop_assert!(!check_cholesky(&a, DOUBLE));
    }

    #[test]
    fn too_few_independent_columns_fall_back(case in of_kinds(&[Kind::LowRank, Kind::Zero])) {
        prop_assume!(case.kind == Kind::Zero || case.rank() < case.n);
        prop_assert!(check_cholesky(&case.matrix(), DOUBLE));
        prop_assert!(check_cholesky(&case.single(), SINGLE));
    }
}

#[test]
fn wide_matrices_fall_back() {
    let case = Case { m: 5, n: 9, kind: Kind::Dense, exponent: 0, seed: 1 };
    assert!(check_cholesky(&case.matrix(), DOUBLE));
}
