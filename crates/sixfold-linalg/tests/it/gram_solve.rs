//! Least squares from Gram matrices agrees with least squares from the data.

use ndarray::{Array2, Axis};
use proptest::prelude::*;
use sixfold_linalg::{
    GramMethod, GramSolution, cross_gram, eigvalsh, gram, gram_rcond, lstsq, solve_gram,
};

use crate::support::{Case, Kind, config, error, norm, of_kinds, uniform, widen};

/// More rows than columns, so that full rank is what data have.
fn tall(case: &Case) -> Case {
    Case { m: case.m + 3 * case.n, ..*case }
}

fn target(case: &Case) -> Array2<f64> {
    uniform(case.m, 3, &mut case.rng(1))
}

fn solve(x: &Array2<f64>, y: &Array2<f64>, rcond: f64) -> GramSolution {
    let (g, c) = (gram(x.view()), cross_gram(x.view(), y.view()));
    solve_gram(g.view(), c.view(), rcond).unwrap()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn full_rank_is_as_from_the_data(case in of_kinds(&[Kind::Dense, Kind::Sparse])) {
        let case = tall(&case);
        let (mut x, y) = (case.matrix(), target(&case));
        // No empty columns among sparse ones.
        x.row_mut(0).fill(case.scale());
        let found = solve(&x, &y, gram_rcond::<f64>(case.n));
        let data = lstsq(x.view(), y.view(), 1e-12).unwrap();
        prop_assert_eq!((found.fit.rank, data.rank), (case.n, case.n));
        prop_assert_eq!(found.fit.method, GramMethod::Cholesky);
        // A Gram matrix squares the condition.
        let loss = 1e-13 * data.condition * data.condition;
        prop_assert!(error(&found.solution, &data.solution) <= loss);
        let fitted = x.dot(&found.solution);
        let squares = fitted.mapv(|v| v * v).sum_axis(Axis(0));
        prop_assert!(norm(&(&found.fit.explained_columns - &squares)) <= loss * norm(&squares));
        prop_assert!((found.fit.explained - squares.sum()).abs() <= loss * squares.sum());
    }

    #[test]
    fn rank_deficient_is_as_from_the_data(
        case in of_kinds(&[Kind::LowRank, Kind::Repeated, Kind::Constant])
    ) {
        let case = tall(&case);
        let (x, y) = (case.matrix(), target(&case));
        let found = solve(&x, &y, 1e-12);
        let data = lstsq(x.view(), y.view(), 1e-7).unwrap();
        prop_assert_eq!(found.fit.rank, data.rank);
        prop_assume!(found.fit.rank < case.n);
        prop_assert_eq!(found.fit.method, GramMethod::Eigen);
        // The solution of smallest norm depends on the scale of the columns, the fit does not.
        let (fit, expected) = (x.dot(&found.solution), x.dot(&data.solution));
        prop_assert!(error(&fit, &expected) <= 1e-6);
        prop_assert!((found.fit.explained / expected.mapv(|v| v * v).sum() - 1.0).abs() <= 1e-6);
    }

    #[test]
    fn both_ways_to_solve_agree(case in of_kinds(&[Kind::Dense])) {
        let case = tall(&case);
        let (x, y) = (case.matrix(), target(&case));
        let fast = solve(&x, &y, 0.0);
        prop_assert_eq!(fast.fit.method, GramMethod::Cholesky);
        // Near enough to the cut for caution, far enough to keep every eigenvalue.
        let full = solve(&x, &y, 0.3 / fast.fit.condition);
        prop_assume!(full.fit.rank == case.n);
        prop_assert_eq!(full.fit.method, GramMethod::Eigen);
        prop_assert!(error(&fast.solution, &full.solution) <= 1e-12 * full.fit.condition);
        prop_assert!((fast.fit.explained / full.fit.explained - 1.0).abs() <= 1e-12 * full.fit.condition);
        // The estimate comes from below.
        prop_assert!(fast.fit.condition <= full.fit.condition * (1.0 + 1e-9));
        prop_assert!(fast.fit.condition >= full.fit.condition * 0.5, "{} {}", fast.fit.condition, full.fit.condition);
        // The full spectrum is that of the column-scaled matrix.
        let g = gram(x.view());
        let d = g.diag().mapv(f64::sqrt);
        let scaled = &(&g / &d) / &d.view().insert_axis(Axis(1));
        let values = eigvalsh(scaled.view()).unwrap();
        let condition = values[0] / values[case.n - 1];
        prop_assert!((full.fit.condition / condition - 1.0).abs() <= 1e-12 * condition);
    }

    #[test]
    fn units_of_the_columns_do_not_matter(
        case in of_kinds(&[Kind::Dense, Kind::LowRank]),
        powers in prop::collection::vec(-490..490_i32, 64),
        target_power in -480..480_i32,
    ) {
        let case = tall(&Case { exponent: 0, ..case });
        let (x, y) = (case.matrix(), target(&case));
        let units: Vec<f64> = powers[..case.n].iter().map(|p| 4_f64.powi(p / 2)).collect();
        let units = ndarray::Array1::from(units);
        let unit = 2_f64.powi(target_power);
        let (g, c) = (gram(x.view()), cross_gram(x.view(), y.view()));
        let here = solve_gram(g.view(), c.view(), 1e-12).unwrap();
        let column = units.view().insert_axis(Axis(1));
        // Powers of two: exact, so that the results must be equal to the last bit.
        let (g, c) = (&(&g * &units) * &column, &c * unit * column);
        let there = solve_gram(g.view(), c.view(), 1e-12).unwrap();
        prop_assert_eq!((there.fit.rank, there.fit.method), (here.fit.rank, here.fit.method));
        prop_assert_eq!(there.fit.condition, here.fit.condition);
        prop_assert_eq!(there.fit.explained / unit / unit, here.fit.explained);
        prop_assert_eq!(&(there.solution / unit) * &column, here.solution);
    }

    #[test]
    fn a_column_of_zeros_gets_zeros(case in of_kinds(&[Kind::Dense]), place in any::<usize>()) {
        let case = tall(&Case { n: case.n + 1, ..case });
        let (mut x, y) = (case.matrix(), target(&case));
        let place = place % case.n;
        x.column_mut(place).fill(0.0);
        let found = solve(&x, &y, 1e-12);
        prop_assert_eq!(found.fit.rank, case.n - 1);
        prop_assert!(found.solution.row(place).iter().all(|v| *v == 0.0));
        let rest = &y - &x.dot(&found.solution);
        let (x, size) = (x / case.scale(), norm(&y));
        prop_assert!(norm(&x.t().dot(&rest)) <= 1e-9 * norm(&x) * size);
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_fair_rcond_cuts_the_noise_and_nothing_else(
        case in of_kinds(&[Kind::Dense, Kind::LowRank])
    ) {
        // Squares must stay in the range of f32.
        let case = tall(&Case { exponent: case.exponent / 3, ..case });
        let (x, y) = (case.single(), target(&case));
        let rcond = gram_rcond::<f32>(case.n);
        // Products formed in f32, as blocks on a device are.
        let g = gram(x.view());
        let c = widen(&cross_gram(x.view(), y.mapv(|v| v as f32).view()));
        let found = solve_gram(widen(&g).view(), c.view(), rcond).unwrap();
        if case.kind == Kind::Dense {
            prop_assert_eq!(found.fit.rank, case.n);
        } else {
            prop_assert!(found.fit.rank <= case.rank(), "{} > {}", found.fit.rank, case.rank());
        }
        prop_assert!(found.fit.explained <= 1.001 * y.mapv(|v| v * v).sum());
    }
}

#[test]
fn large_systems_take_the_same_two_ways() {
    let case = Case { m: 1200, n: 200, kind: Kind::Dense, exponent: 0, seed: 8 };
    let (x, y) = (case.matrix(), target(&case));
    let (fast, slow) = (solve(&x, &y, 1e-12), solve(&x, &y, 0.3));
    assert_eq!((fast.fit.method, slow.fit.method), (GramMethod::Cholesky, GramMethod::Eigen));
    assert!(fast.fit.rank == 200 && slow.fit.rank < 200 && slow.fit.explained < fast.fit.explained);
    let data = lstsq(x.view(), y.view(), 1e-12).unwrap();
    assert!(error(&fast.solution, &data.solution) <= 1e-11);
}
