//! GRIDE against its likelihood, written out.

use ndarray::{Array2, array};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1};
use sixfold_geometry::dimension::{Caution, Interval, TwoNnConfig, gride, gride_scan, two_nn};
use sixfold_geometry::manifolds::gaussian;
use sixfold_geometry::{Error, Neighbours, neighbours};

use crate::support::{mean_sd, rng};

/// A table of n points that know nothing of each other: volumes between neighbours of a uniform
/// density are independent and exponential, and rᵈ is the sum of them.
fn independent(n: usize, k: usize, d: f64, rng: &mut ChaCha8Rng) -> Neighbours {
    let mut distances = Array2::zeros((n, k));
    for mut row in distances.rows_mut() {
        let mut volume = 0.0;
        for distance in &mut row {
            let shell: f64 = Exp1.sample(rng);
            volume += shell;
            *distance = volume.powf(1.0 / d);
        }
    }
    let indices = Array2::from_shape_fn((n, k), |(i, rank)| ((i + rank + 1) % n) as u32);
    Neighbours::from_parts(indices, distances).unwrap()
}

/// The log-likelihood without its constant, as the paper has it, less the ln d that makes the
/// estimate of neighbouring ranks unbiased.
fn log_likelihood(table: &Neighbours, [n1, n2]: [usize; 2], d: f64) -> f64 {
    let ratios = table.distances();
    ratios
        .rows()
        .into_iter()
        .map(|row| row[n2 - 1] / row[n1 - 1])
        .map(|mu| {
            d.ln() + (n2 - n1 - 1) as f64 * (mu.powf(d) - 1.0).ln()
                - ((n2 - 1) as f64 * d + 1.0) * mu.ln()
        })
        .sum::<f64>()
        - d.ln()
}

#[test]
fn the_estimate_is_the_maximum_and_its_error_the_curvature() {
    for (seed, d) in [(0, 0.7), (1, 5.0), (2, 30.0)] {
        let table = independent(200, 16, d, &mut rng(seed));
        for ranks in [[1, 2], [1, 3], [2, 4], [3, 7], [8, 16], [1, 16]] {
            let found = gride(&table, ranks, Interval::Exact).unwrap();
            let at = |d| log_likelihood(&table, ranks, d);
            let top = at(found.value);
            let step = found.value * 1e-3;
            let (below, above) = (at(found.value - step), at(found.value + step));
            assert!(below < top && above < top, "{ranks:?} {d}");
            // The vertex of the parabola through three points: off by the third derivative.
            let bend = (2.0 * top - below - above) / (step * step);
            let slope = (above - below) / (2.0 * step);
            assert!((slope / bend).abs() < 1e-5 * found.value, "{ranks:?}: {}", slope / bend);
            let error = found.std_error.unwrap();
            let bend = bend + 1.0 / (found.value * found.value);
            assert!((error * bend.sqrt() - 1.0).abs() < 1e-4, "{ranks:?}: {error}");
        }
    }
}

#[test]
fn neighbouring_ranks_have_the_closed_form() {
    let table = independent(100, 8, 4.0, &mut rng(9));
    for n1 in [1, 2, 7] {
        let found = gride(&table, [n1, n1 + 1], Interval::Honest).unwrap();
        let rows = table.distances();
        let logs = rows.rows().into_iter().map(|row| (row[n1] / row[n1 - 1]).ln());
        let value = 99.0 / (n1 as f64 * logs.sum::<f64>());
        assert!((found.value - value).abs() < 1e-13 * value, "{n1}");
    }
    let (first, second) = (
        gride(&table, [1, 2], Interval::Honest).unwrap(),
        two_nn(&table, &TwoNnConfig::default()).unwrap(),
    );
    assert!((first.value / second.value - 1.0).abs() < 1e-14);
    assert!((first.std_error.unwrap() / second.std_error.unwrap() - 1.0).abs() < 0.01);
}

#[test]
fn fisher_errors_are_right_for_independent_points() {
    for ranks in [[1, 2], [2, 4], [4, 8]] {
        let (mut logs, mut errors) = (Vec::new(), Vec::new());
        for seed in 0..300 {
            let table = independent(150, 8, 6.0, &mut rng(seed));
            let found = gride(&table, ranks, Interval::Exact).unwrap();
            logs.push(found.value.ln());
            errors.push(found.std_error.unwrap() / found.value);
        }
        let (mean, sd) = mean_sd(&logs);
        assert!((mean - 6.0_f64.ln()).abs() < 4.0 * sd / 300.0_f64.sqrt() + 0.005, "{ranks:?}");
        let (error, _) = mean_sd(&errors);
        assert!((error / sd - 1.0).abs() < 0.12, "{ranks:?}: {error} {sd}");
    }
}

#[test]
fn extreme_ratios_do_not_overflow() {
    // d·ln μ from 1e-9 to 1e4, with one ratio of exactly 1.
    for (d, spread) in [(1e-3, 1e-6), (1.0, 1.0), (1e3, 10.0)] {
        let mut distances = independent(50, 4, 2.0, &mut rng(4)).distances().to_owned();
        distances.mapv_inplace(|r| (r.ln() * spread / d).exp());
        let mut row = distances.row_mut(0);
        row.fill(1.0);
        let indices = independent(50, 4, 2.0, &mut rng(4)).indices().to_owned();
        let table = Neighbours::from_parts(indices, distances).unwrap();
        for ranks in [[1, 2], [1, 4], [2, 4]] {
            let found = gride(&table, ranks, Interval::Honest).unwrap();
            // A power of the distances divides the dimension.
            let expected = 2.0 * d / spread;
            assert!((found.value / expected - 1.0).abs() < 0.5, "{ranks:?}: {}", found.value);
            assert!(found.std_error.unwrap().is_finite());
        }
    }
}

#[test]
fn a_scan_doubles_as_far_as_the_table_goes() {
    let table = neighbours(gaussian(200, 2, 5).view(), 20).unwrap();
    let steps = gride_scan(&table, Interval::Honest).unwrap();
    let ranks: Vec<_> = steps.iter().map(|step| step.ranks).collect();
    assert_eq!(ranks, [[1, 2], [2, 4], [4, 8], [8, 16]]);
    for pair in steps.windows(2) {
        assert!(pair[0].dimension.scale < pair[1].dimension.scale);
    }
    for step in steps {
        let alone = gride(&table, step.ranks, Interval::Honest).unwrap();
        assert_eq!(step.dimension, alone);
        assert!((alone.value - 2.0).abs() < 0.4, "{step:?}");
    }
}

#[test]
fn wrong_ranks_and_clouds_are_errors() {
    let table = neighbours(array![[0.0], [1.0], [3.0], [7.0], [7.0]].view(), 3).unwrap();
    for ranks in [[0, 1], [2, 2], [3, 1]] {
        let found = gride(&table, ranks, Interval::Honest);
        assert!(matches!(found, Err(Error::InvalidParameter { name: "n₁", .. })));
    }
    let found = gride(&table, [2, 4], Interval::Honest);
    assert!(matches!(found, Err(Error::TooFewNeighbours { found: 3, needed: 4, .. })));
    let one = neighbours(array![[0.0], [1.0]].view(), 1).unwrap();
    assert!(matches!(
        gride_scan(&one, Interval::Honest),
        Err(Error::TooFewNeighbours { found: 1, needed: 2, .. })
    ));
    // Copies count from the rank that reaches beyond them.
    let near = gride(&table, [1, 2], Interval::Exact).unwrap();
    assert_eq!((near.n, near.excluded), (3, 2));
    assert!(near.cautions.contains(&Caution::Duplicates { excluded: 2, of: 5 }));
    let far = gride(&table, [2, 3], Interval::Exact).unwrap();
    assert_eq!((far.n, far.excluded), (5, 0));
}
