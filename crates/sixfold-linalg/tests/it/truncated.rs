//! Truncated SVD: its bound is one, its values are those of the full SVD.

use ndarray::{Array2, ArrayView2, s};
use proptest::prelude::*;
use sixfold_linalg::{
    Error, LinearOperator, Real, TruncatedSvd, TruncatedSvdConfig, matmul, svdvals, truncated_svd,
    truncated_svd_of,
};

use crate::support::{
    Case, DOUBLE, Kind, SINGLE, cases, config, departure, descends, norm, of_kinds, widen,
};

/// ‖A − U·Σ·Vᵀ‖ in the spectral and in the Frobenius norm.
fn residual<T: Real>(a: &Array2<T>, found: &TruncatedSvd<T>) -> [f64; 2] {
    let us = widen(&found.u) * found.s.mapv(T::widen);
    let rest = widen(a) - us.dot(&widen(&found.vt));
    [svdvals(rest.view()).unwrap()[0], norm(&rest)]
}

fn check<T: Real>(a: &Array2<T>, rank: usize, tolerance: f64) {
    let config = TruncatedSvdConfig::default();
    let size = norm(&widen(a));
    let all = svdvals(a.view()).unwrap();
    let dense = truncated_svd(a.view(), rank, &config).unwrap();
    let free = truncated_svd_of(a, rank, &config).unwrap();
    // (bound over Frobenius norm): the first computes it, the second multiplies a lower bound.
    for (found, loose) in [(&dense, 1.0 + 1e-6), (&free, 60.0)] {
        let (u, vt, s) = (widen(&found.u), widen(&found.vt), found.s.mapv(T::widen));
        assert_eq!((u.dim(), vt.dim()), ((a.nrows(), rank), (rank, a.ncols())));
        assert!(departure(&u) <= 10.0 * tolerance);
        assert!(departure(&vt.t().to_owned()) <= 10.0 * tolerance);
        assert!(descends(&s));
        // No subspace has larger singular values than the matrix itself.
        for (found, full) in s.iter().zip(&all) {
            assert!(*found <= full.widen() + 10.0 * tolerance * size);
        }
        let [spectral, frobenius] = residual(a, found);
        assert!(found.residual_bound >= spectral, "{} < {spectral}", found.residual_bound);
        assert!(found.residual_bound <= loose * frobenius + 1000.0 * tolerance * size);
        assert!(found.residual_bound.is_finite());
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_bound_holds_and_is_not_idle(case in cases(), part in 0.0..1.0) {
        let rank = 1 + (part * case.m.min(case.n) as f64) as usize;
        check(&case.matrix(), rank, DOUBLE);
        check(&case.single(), rank, SINGLE);
    }

    #[test]
    fn nothing_is_left_of_a_matrix_of_that_rank(case in of_kinds(&[Kind::LowRank])) {
        let a = case.matrix();
        let found = truncated_svd(a.view(), case.rank(), &TruncatedSvdConfig::default()).unwrap();
        let full = svdvals(a.view()).unwrap();
        prop_assert!(found.residual_bound <= 1e-12 * norm(&a));
        let difference = &found.s - &full.slice(s![..case.rank()]);
        prop_assert!(norm(&difference) <= DOUBLE * norm(&a));
    }
}

#[test]
fn a_gap_and_power_iterations_give_the_leading_triplets() {
    let case = Case { m: 300, n: 200, kind: Kind::Dense, exponent: 0, seed: 5 };
    let noise = case.matrix() * 0.01;
    let low = Case { kind: Kind::LowRank, seed: 3, ..case };
    let a = low.matrix() + noise;
    let full = svdvals(a.view()).unwrap();
    let config = TruncatedSvdConfig { power_iterations: 6, ..Default::default() };
    let found = truncated_svd(a.view(), low.rank(), &config).unwrap();
    for (found, full) in found.s.iter().zip(&full) {
        assert!((found - full).abs() <= 1e-10 * full);
    }
    let [spectral, _] = residual(&a, &found);
    let next = full[low.rank()];
    assert!((spectral - next).abs() <= 1e-6 * next, "{spectral} {next}");
}

#[test]
fn the_seed_decides() {
    let case = Case { m: 60, n: 40, kind: Kind::Dense, exponent: 0, seed: 5 };
    let a = case.matrix();
    let with = |seed| {
        let config = TruncatedSvdConfig { seed, ..Default::default() };
        truncated_svd(a.view(), 5, &config).unwrap()
    };
    assert_eq!(with(1), with(1));
    assert_ne!(with(1), with(2));
}

/// A map that returns one row too many, or NaN.
struct Broken(f64, usize);

impl LinearOperator<f64> for Broken {
    fn shape(&self) -> [usize; 2] {
        [6, 5]
    }
    fn apply(&self, x: ArrayView2<'_, f64>) -> Array2<f64> {
        matmul(Array2::from_elem((6 + self.1, 5), self.0).view(), x)
    }
    fn apply_transpose(&self, x: ArrayView2<'_, f64>) -> Array2<f64> {
        matmul(Array2::from_elem((5, 6), self.0).view(), x)
    }
}

#[test]
fn operators_that_break_their_promise_are_errors() {
    let config = TruncatedSvdConfig::default();
    let what = "product of the operator";
    assert!(truncated_svd_of(&Broken(1.0, 0), 2, &config).is_ok());
    assert_eq!(
        truncated_svd_of(&Broken(1.0, 1), 2, &config),
        Err(Error::ShapeMismatch { what, expected: [6, 5], found: [7, 5] })
    );
    assert_eq!(
        truncated_svd_of(&Broken(f64::NAN, 0), 2, &config),
        Err(Error::NotFinite { what, row: 0, col: 0 })
    );
}
