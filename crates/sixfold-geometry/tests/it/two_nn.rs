//! TwoNN against closed forms, and its errors over many draws.

#![expect(clippy::float_cmp, reason = "sums of halves, and equal inputs, are exact")]

use ndarray::{Array1, Array2, Axis, array};
use sixfold_geometry::dimension::{
    Caution, GammaPrior, Interval, TwoNnConfig, TwoNnMethod, two_nn, two_nn_of_distances,
    two_nn_posterior,
};
use sixfold_geometry::manifolds::gaussian;
use sixfold_geometry::{Error, neighbours};

use crate::support::{mean_sd, pareto};

const EXACT: TwoNnConfig =
    TwoNnConfig { method: TwoNnMethod::MaximumLikelihood, interval: Interval::Exact };

fn fit(discard: f64) -> TwoNnMethod {
    TwoNnMethod::Fit { discard }
}

/// 1, 2, 4, …, 512: from the third on, the two nearest lie below, at 1/2 and 3/4 of the value.
fn powers_of_two() -> Array2<f64> {
    Array1::from_iter((0..10).map(|i| 2.0_f64.powi(i))).insert_axis(Axis(1))
}

#[test]
fn ten_points_give_the_exact_value() {
    let table = neighbours(powers_of_two().view(), 2).unwrap();
    let found = two_nn(&table, &EXACT).unwrap();
    // Ratios 3/1, 2/1 and eight times (3/4)/(1/2).
    let total = (3.0_f64 * 2.0 * 1.5_f64.powi(8)).ln();
    assert!((found.value - 9.0 / total).abs() < 1e-14 * found.value);
    assert_eq!((found.n, found.excluded), (10, 0));
    // r₂: 3, 2, then 3·2^{i−2} for i = 2…9; the middle two are 12 and 24.
    assert_eq!(found.scale, 18.0);
    // Γ(10, 1) has its quantiles at 4.795389 and 17.084803 (χ² with 20 degrees, halved).
    let [low, high] = found.ci95.unwrap();
    assert!((low * total - 4.795_388_7).abs() < 1e-6 && (high * total - 17.084_803).abs() < 1e-6);
}

#[test]
fn the_fit_is_exact_on_exact_quantiles() {
    // ln μ₍ᵢ₎ = −ln(1 − i/N)/d for i < N; the largest has no finite quantile.
    let (n, d) = (500, 7.3);
    let logs = (1..=n).map(|i| -(1.0 - f64::from(i.min(n - 1)) / f64::from(n)).ln() / d);
    let second: Vec<f64> = logs.map(f64::exp).collect();
    let first = vec![1.0; second.len()];
    for discard in [0.0, 0.1, 0.5, 0.8] {
        let found = two_nn_of_distances(&first, &second, fit(discard)).unwrap();
        assert!((found.value - d).abs() < 1e-12 * d, "{discard}: {}", found.value);
    }
}

#[test]
fn the_censored_likelihood_is_its_formula() {
    let (first, mut second) = pareto(50, 4.0, 3);
    let method = TwoNnMethod::Censored { discard: 0.3 };
    let found = two_nn_of_distances(&first, &second, method).unwrap();
    second.sort_unstable_by(f64::total_cmp);
    let logs: Vec<f64> = second.iter().map(|ratio| ratio.ln()).collect();
    let total = logs[..35].iter().sum::<f64>() + 15.0 * logs[34];
    assert!((found.value - 34.0 / total).abs() < 1e-13 * found.value);
    // What was cut off may be anything.
    for ratio in &mut second[35..] {
        *ratio *= 1e6;
    }
    assert_eq!(two_nn_of_distances(&first, &second, method).unwrap().value, found.value);
    let whole = two_nn_of_distances(&first, &second, TwoNnMethod::Censored { discard: 0.0 });
    let all = two_nn_of_distances(&first, &second, TwoNnMethod::MaximumLikelihood);
    assert_eq!(whole.unwrap(), all.unwrap());
}

/// The relative sd over seeds, and how often the interval holds the truth.
fn over_seeds(n: usize, seeds: u64, method: TwoNnMethod) -> (f64, f64) {
    let d = 12.0;
    let mut values = Vec::new();
    let mut covered = 0;
    for seed in 0..seeds {
        let (first, second) = pareto(n, d, seed);
        let found = two_nn_of_distances(&first, &second, method).unwrap();
        let [low, high] = found.ci95.unwrap();
        covered += usize::from(low <= d && d <= high);
        values.push(found.value / d);
    }
    let (mean, sd) = mean_sd(&values);
    let bias = (mean - 1.0).abs() / (sd / (seeds as f64).sqrt());
    // The fit has a bias of its own, of about a tenth of its sd.
    let most = if matches!(method, TwoNnMethod::Fit { .. }) { 6.0 } else { 3.5 };
    assert!(bias < most, "{method:?}: mean {mean}, {bias} standard errors off");
    (sd, covered as f64 / seeds as f64)
}

#[test]
fn likelihood_on_ideal_ratios_is_efficient_and_its_interval_exact() {
    let (sd, _) = over_seeds(4096, 400, TwoNnMethod::MaximumLikelihood);
    assert!((sd * 64.0 - 1.0).abs() < 0.05, "{sd}");
    // Few points are where a normal interval would miss.
    for method in [TwoNnMethod::MaximumLikelihood, TwoNnMethod::Censored { discard: 0.5 }] {
        let (_, covered) = over_seeds(12, 3000, method);
        assert!((covered - 0.95).abs() < 0.02, "{method:?}: {covered}");
    }
}

#[test]
fn a_fit_pays_for_what_it_discards() {
    // Research table at N = 4096: 0.0388 for the lowest fifth, 0.0162 for 90 %, 0.0157 for ML.
    for (discard, published) in [(0.8, 0.0388), (0.1, 0.0162)] {
        let (sd, covered) = over_seeds(4096, 300, fit(discard));
        assert!((sd / published - 1.0).abs() < 0.12, "{discard}: {sd}");
        assert!((covered - 0.95).abs() < 0.035, "{discard}: {covered}");
    }
}

#[test]
fn exact_intervals_of_many_points_are_normal() {
    for n in [1000_usize, 30_000, 1_000_000] {
        let shape = n as f64;
        let first = vec![1.0; n];
        let second = vec![1.0_f64.exp(); n];
        let method = TwoNnMethod::MaximumLikelihood;
        let found = two_nn_of_distances(&first, &second, method).unwrap();
        let [low, high] = found.ci95.unwrap().map(|x| x * shape);
        // Cornish and Fisher: the gamma quantile in powers of 1/√shape, z = ∓1.96.
        for (found, z) in [(low, -1.959_963_984_540_054_f64), (high, 1.959_963_984_540_054)] {
            let root = shape.sqrt();
            let series =
                shape + z * root + (z * z - 1.0) / 3.0 + (z.powi(3) - 7.0 * z) / (36.0 * root)
                    - (3.0 * z.powi(4) + 7.0 * z * z - 16.0) / (810.0 * shape);
            assert!((found - series).abs() < 1e-5 * root, "{n}: {found} {series}");
        }
    }
}

#[test]
fn copies_are_left_out_and_counted() {
    let x = gaussian(300, 3, 1);
    let clean = two_nn(&neighbours(x.view(), 2).unwrap(), &EXACT).unwrap();
    assert!(clean.cautions.is_empty(), "{:?}", clean.cautions);
    let mut doubled = x.clone();
    for i in 0..20 {
        let copy = doubled.row(i).to_owned();
        doubled.row_mut(20 + i).assign(&copy);
    }
    let table = neighbours(doubled.view(), 2).unwrap();
    // The 40 copies, and whoever has two of them nearest.
    let near_copies =
        table.distances().rows().into_iter().filter(|row| row[0] > 0.0 && row[0] == row[1]).count();
    assert!(near_copies > 5);
    let excluded = 40 + near_copies;
    for method in [TwoNnMethod::MaximumLikelihood, fit(0.1), TwoNnMethod::Censored { discard: 0.2 }]
    {
        for interval in [Interval::Honest, Interval::Exact] {
            let found = two_nn(&table, &TwoNnConfig { method, interval }).unwrap();
            assert_eq!((found.n, found.excluded), (300 - excluded, excluded));
            assert_eq!(found.cautions, [Caution::Duplicates { excluded, of: 300 }]);
            let [low, high] = found.ci95.unwrap();
            assert!(low < 3.0 && 3.0 < high && found.std_error.unwrap() < 0.5, "{found:?}");
        }
    }
    // A distance that two neighbours share by chance is no copy.
    let square = array![[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [5.0, 5.0]];
    let found = two_nn(&neighbours(square.view(), 2).unwrap(), &EXACT).unwrap();
    assert_eq!((found.n, found.excluded), (4, 0));
}

#[test]
fn few_points_for_the_dimension_are_flagged() {
    let table = neighbours(gaussian(200, 30, 2).view(), 2).unwrap();
    let found = two_nn(&table, &TwoNnConfig::default()).unwrap();
    let flagged = |c: &Caution| matches!(c, Caution::FewPoints { n: 200, .. });
    assert!(found.cautions.iter().any(flagged), "{found:?}");
    assert!(found.value < 30.0);
}

#[test]
fn clouds_without_a_dimension_are_errors() {
    let default = TwoNnConfig::default();
    let equal = neighbours(Array2::from_elem((8, 3), 1.5).view(), 2).unwrap();
    assert!(matches!(two_nn(&equal, &default), Err(Error::AllEqual { n: 8, .. })));
    // Three points, three times each, are not all equal; none has a neighbour of its own.
    let triples = array![[0.0], [0.0], [0.0], [1.0], [1.0], [1.0], [2.0], [2.0], [2.0]];
    let triples = neighbours(triples.view(), 2).unwrap();
    assert!(matches!(
        two_nn(&triples, &default),
        Err(Error::TooFewPoints { found: 0, needed: 3, .. })
    ));
    let lattice =
        Array2::from_shape_fn((36, 2), |(i, j)| if j == 0 { i / 6 } else { i % 6 } as f64);
    let lattice = neighbours(lattice.view(), 2).unwrap();
    assert!(matches!(two_nn(&lattice, &default), Err(Error::EqualDistances { n: 36, .. })));
    let one = neighbours(powers_of_two().view(), 1).unwrap();
    assert!(matches!(
        two_nn(&one, &default),
        Err(Error::TooFewNeighbours { found: 1, needed: 2, .. })
    ));
    let pair = neighbours(array![[0.0], [1.0], [3.0]].view(), 2).unwrap();
    assert!(two_nn(&pair, &default).is_ok());
    for discard in [-0.1, 1.0, f64::NAN] {
        let config = TwoNnConfig { method: fit(discard), ..default };
        let table = neighbours(powers_of_two().view(), 2).unwrap();
        assert!(matches!(
            two_nn(&table, &config),
            Err(Error::InvalidParameter { name: "discard", .. })
        ));
    }
}

#[test]
fn distances_from_elsewhere_are_checked() {
    let ml = TwoNnMethod::MaximumLikelihood;
    let found = two_nn_of_distances(&[1.0, 1.0, 1.0], &[2.0, f64::NAN, 2.0], ml);
    assert!(matches!(found, Err(Error::NotFinite { row: 1, col: 1, .. })));
    let found = two_nn_of_distances(&[1.0, 3.0, 1.0], &[2.0, 2.0, 2.0], ml);
    assert!(matches!(found, Err(Error::InvalidParameter { name: "distance", .. })));
    let found = two_nn_of_distances(&[1.0, 3.0, 1.0], &[2.0, 2.0], ml);
    assert!(matches!(found, Err(Error::ShapeMismatch { .. })));
    // Ratios beyond f64 have logarithms all the same.
    let found = two_nn_of_distances(&[1e-300, 1.0, 1.0], &[1e300, 2.0, 2.0], ml).unwrap();
    let total = 600.0 * 10.0_f64.ln() + 2.0 * 2.0_f64.ln();
    assert!((found.value - 2.0 / total).abs() < 1e-14);
}

#[test]
fn a_posterior_lies_between_prior_and_points() {
    let table = neighbours(powers_of_two().view(), 2).unwrap();
    let prior = GammaPrior { shape: 2.0, rate: 5.0, interval: Interval::Exact };
    let found = two_nn_posterior(&table, &prior).unwrap();
    let total = (3.0_f64 * 2.0 * 1.5_f64.powi(8)).ln();
    assert!((found.value - 12.0 / (5.0 + total)).abs() < 1e-14);
    assert!((found.std_error.unwrap() - 12.0_f64.sqrt() / (5.0 + total)).abs() < 1e-14);
    // Γ(12, 1): χ² with 24 degrees, halved.
    let [low, high] = found.ci95.unwrap().map(|x| x * (5.0 + total));
    assert!((low - 6.200_575).abs() < 1e-5 && (high - 19.682_04).abs() < 1e-5, "{low} {high}");

    let table = neighbours(gaussian(400, 3, 8).view(), 2).unwrap();
    let exact = two_nn_posterior(&table, &prior).unwrap();
    let honest = GammaPrior { interval: Interval::Honest, ..prior };
    let honest = two_nn_posterior(&table, &honest).unwrap();
    let wider = honest.std_error.unwrap() / exact.std_error.unwrap();
    assert!((1.1..1.45).contains(&wider), "{wider}");
    let config = TwoNnConfig::default();
    let likelihood = two_nn(&table, &config).unwrap();
    // The weak prior draws a little towards its 0.4.
    assert!(honest.value < exact.value && exact.value < likelihood.value);
    assert!(likelihood.value - honest.value < 0.15);
    for (shape, rate) in [(0.0, 1.0), (1.0, -1.0), (f64::NAN, 1.0), (1.0, f64::INFINITY)] {
        let prior = GammaPrior { shape, rate, ..GammaPrior::default() };
        assert!(matches!(
            two_nn_posterior(&table, &prior),
            Err(Error::InvalidParameter { expected: "> 0, finite", .. })
        ));
    }
}
