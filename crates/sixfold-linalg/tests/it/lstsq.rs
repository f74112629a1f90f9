//! Least squares: the residual is orthogonal to what was fitted, the solution to the null space.

use ndarray::{Array2, Axis, concatenate, s};
use proptest::prelude::*;
use sixfold_linalg::{Real, lstsq, qr, svd};

use crate::support::{
    Case, DOUBLE, Kind, cases, config, error, norm, of_kinds, rotation, uniform, vector_error,
    widen,
};

const RCOND: f64 = 1e-11;

fn target(case: &Case) -> Array2<f64> {
    uniform(case.m, 1 + case.seed as usize % 4, &mut case.rng(1))
}

/// Kinds whose singular values are either zero or far above `RCOND`.
const CLEAR: &[Kind] =
    &[Kind::Dense, Kind::LowRank, Kind::Zero, Kind::Constant, Kind::Repeated, Kind::Sparse];

proptest! {
    #![proptest_config(config())]

    #[test]
    fn residual_and_solution_are_orthogonal_to_what_they_must(case in of_kinds(CLEAR)) {
        let (a, b) = (case.matrix(), target(&case));
        let found = lstsq(a.view(), b.view(), RCOND).unwrap();
        // In units where A is near 1.
        let (a, x) = (a / case.scale(), &found.solution * case.scale());
        let size = norm(&a) * norm(&x) + norm(&b);
        let rest = &b - &a.dot(&x);
        prop_assert!(norm(&a.t().dot(&rest)) <= DOUBLE * norm(&a) * size);
        let basis = svd(a.view()).unwrap();
        prop_assert_eq!(found.rank, basis.rank(RCOND));
        let rows = basis.vt.slice(s![..found.rank, ..]);
        prop_assert!(norm(&(rows.t().dot(&rows.dot(&x)) - &x)) <= 1e-11 * norm(&x));
        let squares = rest.mapv(|v| v * v).sum_axis(Axis(0));
        prop_assert!(norm(&(&found.residual_sum_squares - &squares)) <= DOUBLE * size * size);
    }

    #[test]
    fn figures_are_those_of_the_singular_values(case in cases()) {
        let (a, b) = (case.matrix(), target(&case));
        let found = lstsq(a.view(), b.view(), RCOND).unwrap();
        let full = svd(a.view()).unwrap();
        let difference = &found.singular_values - &full.s;
        prop_assert!(norm(&difference) <= DOUBLE * norm(&full.s));
        let k = found.singular_values.len();
        // Beyond that the last value is rounding, and may underflow in one unit and not another.
        if found.condition < 1e100 {
            let condition = found.singular_values[0] / found.singular_values[k - 1];
            prop_assert!((found.condition / condition - 1.0).abs() <= DOUBLE);
        } else {
            prop_assert!(found.singular_values[k - 1] <= 1e-99 * full.s[0]);
        }
        let above = found.singular_values.iter().filter(|s| **s > RCOND * full.s[0]).count();
        prop_assert_eq!(found.rank, above);
    }

    #[test]
    fn an_exact_solution_is_found(case in of_kinds(&[Kind::Dense]), other in -150..150_i32) {
        let tall = Case { m: 2 * case.n + case.m, ..case };
        let a = tall.matrix();
        let x = uniform(case.n, 2, &mut case.rng(2)) * 10_f64.powi(other - case.exponent);
        let found = lstsq(a.view(), a.dot(&x).view(), 1e-12).unwrap();
        prop_assert_eq!(found.rank, case.n);
        prop_assert!(error(&found.solution, &x) <= DOUBLE * found.condition);

        let single = tall.single();
        let narrow = x.mapv(|v| (v / 10_f64.powi(other - case.exponent)) as f32);
        let product = single.dot(&narrow);
        let found = lstsq(single.view(), product.view(), 1e-6).unwrap();
        prop_assert!(
            error(&widen(&found.solution), &narrow.mapv(f32::widen)) <= 1e-6 * found.condition
        );
    }

    #[test]
    fn rcond_cuts_where_it_says(case in of_kinds(&[Kind::Dense]), keep in 0.0..1.0) {
        let k = case.m.min(case.n);
        let (mut rng, kept) = (case.rng(3), 1 + (keep * k.min(30) as f64) as usize);
        // Singular values 1, 1/2, 1/4, …: the cut lies between two of them.
        let (u, v) = (rotation(case.m, &mut rng), rotation(case.n, &mut rng));
        let (u, v) = (u.slice(s![.., ..k]), v.slice(s![.., ..k]));
        let s = ndarray::Array1::from_shape_fn(k, |i| 0.5_f64.powi(i as i32));
        let a = (&u * &s).dot(&v.t()) * case.scale();
        let b = target(&case);
        let rcond = 0.75 * 0.5_f64.powi(kept as i32 - 1);
        let found = lstsq(a.view(), b.view(), rcond).unwrap();
        prop_assert_eq!(found.rank, kept);
        let (u, v) = (u.slice(s![.., ..kept]), v.slice(s![.., ..kept]));
        let inverse = s.slice(s![..kept]).mapv(|s| 1.0 / s);
        let expected = (&v * &inverse).dot(&u.t().dot(&b));
        // Perturbations of A are amplified by the values that were kept, and mix across the cut.
        let bound = 100.0 * DOUBLE * 2_f64.powi(kept as i32);
        prop_assert!(error(&(found.solution * case.scale()), &expected) <= bound);
    }

    #[test]
    fn the_scale_of_the_data_only_moves_the_scale_of_the_answer(case in of_kinds(CLEAR)) {
        let plain = Case { exponent: 0, ..case };
        let (a, b) = (plain.matrix(), target(&case));
        let unit = 2_f64.powi(if case.seed % 2 == 0 { 400 } else { -400 });
        let here = lstsq(a.view(), b.view(), RCOND).unwrap();
        let there = lstsq((&a * unit).view(), b.view(), RCOND).unwrap();
        prop_assert_eq!(there.solution * unit, here.solution);
        let there = lstsq(a.view(), (&b * unit).view(), RCOND).unwrap();
        prop_assert_eq!(there.residual_sum_squares / unit / unit, here.residual_sum_squares);
    }
}

#[test]
fn an_orthonormal_design_needs_products_only() {
    let case = Case { m: 300, n: 120, kind: Kind::Dense, exponent: 0, seed: 2 };
    let q = qr(case.matrix().view()).unwrap().q;
    let b = target(&case);
    let found = lstsq(q.view(), b.view(), 1e-12).unwrap();
    assert!(error(&found.solution, &q.t().dot(&b)) <= DOUBLE);
    assert!((found.condition - 1.0).abs() <= DOUBLE);
    // A column twice: the smallest solution shares its coefficient.
    let twice = concatenate![Axis(1), q, q.slice(s![.., ..1])];
    let found = lstsq(twice.view(), b.view(), 1e-12).unwrap();
    assert_eq!(found.rank, 120);
    let (first, last) = (found.solution.row(0).to_owned(), found.solution.row(120).to_owned());
    assert!(vector_error(&first, &last) <= 1e-11);
}
