//! Polar factors are orthogonal and nearest; Procrustes finds planted rotations.

use ndarray::Array2;
use proptest::prelude::*;
use sixfold_linalg::{Real, orthogonal_procrustes, polar, procrustes_from_gram, svdvals};

use crate::support::{
    Case, DOUBLE, Kind, SINGLE, cases, config, departure, error, norm, of_kinds, rotation, uniform,
    widen,
};

fn check<T: Real>(a: &Array2<T>, tolerance: f64) {
    let found = polar(a.view()).unwrap();
    let (a, u, p) = (widen(a), widen(&found.factor), widen(&found.positive));
    assert!(error(&u.dot(&p), &a) <= tolerance);
    let u = if a.nrows() >= a.ncols() { u } else { u.t().to_owned() };
    assert!(departure(&u) <= tolerance);
    assert_eq!(p, p.t());
    // Positive semi-definite: its eigenvalues are its singular values.
    let values = sixfold_linalg::eigvalsh(p.view()).unwrap();
    let least = values[values.len() - 1];
    assert!(least >= -tolerance * norm(&a), "{least} {}", norm(&a));
    assert!((values.sum() - svdvals(a.view()).unwrap().sum()).abs() <= tolerance * 64.0 * norm(&a));
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_factors_give_the_matrix_back(case in cases()) {
        check(&case.matrix(), DOUBLE);
        check(&case.single(), SINGLE);
    }

    #[test]
    fn no_other_orthogonal_matrix_is_nearer(case in of_kinds(&[Kind::Dense, Kind::LowRank])) {
        let square = Case { m: case.n, exponent: 0, ..case };
        let a = square.matrix();
        let u = polar(a.view()).unwrap().factor;
        let best = norm(&(&a - &u));
        let mut rng = case.rng(2);
        for _ in 0..4 {
            let other = rotation(case.n, &mut rng);
            prop_assert!(norm(&(&a - &other)) >= best * (1.0 - DOUBLE));
            prop_assert!(norm(&(&a - &u.dot(&other))) >= best * (1.0 - DOUBLE));
        }
    }

    #[test]
    fn a_planted_rotation_comes_back(case in of_kinds(&[Kind::Dense]), factor in 0.1..10.0_f64) {
        let tall = Case { m: 2 * case.n + case.m, ..case };
        let x = tall.matrix();
        let r = rotation(case.n, &mut case.rng(1));
        let y = x.dot(&r) * factor;
        let found = orthogonal_procrustes(x.view(), y.view()).unwrap();
        prop_assert!(error(&found.rotation, &r) <= 1e-11);
        prop_assert!((found.scale / factor - 1.0).abs() <= DOUBLE);
        prop_assert!((found.similarity - 1.0).abs() <= DOUBLE && found.similarity <= 1.0);
        let residual = (factor - 1.0) * norm(&x);
        let size = norm(&x).max(norm(&y));
        prop_assert!((found.residual.sqrt() - residual.abs()).abs() <= 1e-6 * size);

        let single = |a: &Array2<f64>| (a / tall.scale()).mapv(|v| v as f32);
        let found = orthogonal_procrustes(single(&x).view(), single(&y).view()).unwrap();
        prop_assert!(error(&widen(&found.rotation), &r) <= 1e-4);
        prop_assert!((found.similarity - 1.0).abs() <= 1e-5);
    }

    #[test]
    fn the_figures_are_those_of_the_rotation(case in cases(), other in -150..150_i32) {
        let x = case.matrix();
        prop_assume!(norm(&x) > 0.0);
        let mut rng = case.rng(1);
        let y = uniform(case.m, case.n, &mut rng) * 10_f64.powi(other);
        let found = orthogonal_procrustes(x.view(), y.view()).unwrap();
        prop_assert!(departure(&found.rotation) <= DOUBLE);
        let turned = x.dot(&found.rotation);
        let (turned_norm, y_norm) = (norm(&turned), norm(&y));
        let size = turned_norm.max(y_norm);
        let residual = norm(&(&turned - &y));
        prop_assert!((found.residual.sqrt() / size - residual / size).abs() <= 1e-6);
        // ‖c·X·R − Y‖² = (1 − similarity)·‖Y‖² with the best c.
        let scaled = norm(&(&turned * found.scale - &y)) / y_norm;
        prop_assert!((scaled * scaled - (1.0 - found.similarity)).abs() <= 1e-10);
        prop_assert!((0.0..=1.0).contains(&found.similarity));
        for _ in 0..3 {
            let rival = turned.dot(&rotation(case.n, &mut rng));
            prop_assert!(norm(&(rival - &y)) >= residual - DOUBLE * size);
        }
    }

    #[test]
    fn gram_matrices_suffice(case in of_kinds(&[Kind::Dense, Kind::LowRank, Kind::Sparse])) {
        let x = case.matrix() + case.scale() * 0.01;
        let y = uniform(case.m, case.n, &mut case.rng(1));
        let data = orthogonal_procrustes(x.view(), y.view()).unwrap();
        let (xx, yy) = (norm(&x).powi(2), norm(&y).powi(2));
        let gram = procrustes_from_gram(x.t().dot(&y).view(), xx, yy).unwrap();
        prop_assert!((data.scale / gram.scale - 1.0).abs() <= DOUBLE);
        prop_assert!((data.similarity - gram.similarity).abs() <= DOUBLE);
        let size = xx.max(yy);
        prop_assert!((data.residual - gram.residual).abs() <= DOUBLE * size);
        // The rotation is unique only where XᵀY has full rank: compare what it maps to.
        let inner = |r: &Array2<f64>| (&x.dot(r) / case.scale() * &y).sum();
        let (one, two) = (inner(&data.rotation), inner(&gram.rotation));
        prop_assert!((one - two).abs() <= 1e-11 * one.abs());
    }
}
