//! Detectors beside plain loops, and the curve that judges them.

#![expect(clippy::float_cmp, reason = "the same sum twice is exact")]

use ndarray::{Array1, Array2, array};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use sixfold_triggers::{
    BootstrapConfig, Error, LeadingConfig, LeadingWindow, Mahalanobis, Roc, Shrinkage,
};

/// Scores with many ties.
fn scores() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec((-4_i32..5).prop_map(|x| f64::from(x) * 0.5), 1..30)
}

proptest! {
    /// The area is the Mann–Whitney statistic, pair by pair.
    #[test]
    fn auroc_is_the_share_of_pairs(clean in scores(), attacked in scores()) {
        let mut sum = 0.0;
        for a in &attacked {
            for c in &clean {
                sum += if a > c { 1.0 } else if a < c { 0.0 } else { 0.5 };
            }
        }
        let expected = sum / (clean.len() * attacked.len()) as f64;
        let roc = Roc::new(clean.clone(), attacked.clone()).unwrap();
        prop_assert!((roc.auroc() - expected).abs() < 1e-12);
        // And what the trapezoids under the curve give.
        let curve = roc.curve();
        let area: f64 = curve
            .windows(2)
            .map(|p| (p[1].fpr - p[0].fpr) * (p[0].tpr + p[1].tpr) / 2.0)
            .sum();
        prop_assert!((area - expected).abs() < 1e-12);
        prop_assert_eq!((curve[0].fpr, curve[0].tpr), (0.0, 0.0));
        let last = curve.last().unwrap();
        prop_assert_eq!((last.fpr, last.tpr), (1.0, 1.0));
        // The other way round.
        let swapped = Roc::new(attacked, clean).unwrap();
        prop_assert!((swapped.auroc() + roc.auroc() - 1.0).abs() < 1e-12);
    }

    /// Of all thresholds that keep the false positive rate, none catches more.
    #[test]
    fn the_operating_point_is_the_best_allowed(
        clean in scores(),
        attacked in scores(),
        fpr in prop_oneof![Just(0.0), Just(0.05), Just(1.0), 0.0_f64..1.0],
    ) {
        let roc = Roc::new(clean.clone(), attacked).unwrap();
        let found = roc.at_fpr(fpr).unwrap();
        prop_assert!(found.fpr <= fpr + 1e-12);
        let best = roc
            .curve()
            .iter()
            .filter(|point| point.fpr <= fpr + 1e-12)
            .map(|point| point.tpr)
            .fold(0.0, f64::max);
        prop_assert_eq!(found.tpr, best);
    }

    /// The window beside the sums of its definition.
    #[test]
    fn the_leading_window_is_its_definition(
        s in prop::collection::vec(0.0_f64..9.0, 1..12),
        window in 1_usize..5,
        reach in 0_usize..4,
        rest in 0.0_f64..1.0,
    ) {
        let config = LeadingConfig { window, reach, rest, prior: 2.0 };
        let detector = LeadingWindow::fit(&[vec![2.0, 4.0], vec![3.0]], config).unwrap();
        let w = window.min(s.len());
        let mut best = f64::NEG_INFINITY;
        for a in 0..=reach {
            if a + w > s.len() {
                continue;
            }
            let (mut inside, mut outside) = (0.0, 2.0 * 3.0);
            for (i, x) in s.iter().enumerate() {
                if (a..a + w).contains(&i) { inside += x } else { outside += x }
            }
            let mean = outside / ((s.len() - w) as f64 + 2.0);
            best = best.max(inside / w as f64 - rest * mean);
        }
        prop_assert!((detector.score(&s).unwrap() - best).abs() < 1e-12);
    }
}

fn normal(n: usize, d: usize, seed: u64) -> Array2<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    Array2::from_shape_simple_fn((n, d), || StandardNormal.sample(&mut rng))
}

/// xᵀ A⁻¹ x by elimination with pivots.
fn quadratic(a: &Array2<f64>, x: &Array1<f64>) -> f64 {
    let d = x.len();
    let (mut a, mut y) = (a.clone(), x.clone());
    for k in 0..d {
        let pivot = (k..d).max_by(|&i, &j| a[[i, k]].abs().total_cmp(&a[[j, k]].abs())).unwrap();
        for j in 0..d {
            a.swap([k, j], [pivot, j]);
        }
        y.swap(k, pivot);
        for i in k + 1..d {
            let share = a[[i, k]] / a[[k, k]];
            for j in k..d {
                a[[i, j]] -= share * a[[k, j]];
            }
            y[i] -= share * y[k];
        }
    }
    for k in (0..d).rev() {
        for j in k + 1..d {
            y[k] -= a[[k, j]] * y[j];
        }
        y[k] /= a[[k, k]];
    }
    x.dot(&y)
}

/// Mean, covariance by plain loops, and both shrunk by λ.
fn plain_moments(x: &Array2<f32>, lambda: f64) -> (Array1<f64>, Array2<f64>) {
    let (n, d) = x.dim();
    let x = x.mapv(f64::from);
    let mut mean = Array1::zeros(d);
    for i in 0..n {
        mean += &x.row(i);
    }
    mean /= n as f64;
    let mut covariance = Array2::zeros((d, d));
    for i in 0..n {
        for (j, k) in (0..d).flat_map(|j| (0..d).map(move |k| (j, k))) {
            covariance[[j, k]] += (x[[i, j]] - mean[j]) * (x[[i, k]] - mean[k]) / n as f64;
        }
    }
    let round = covariance.diag().sum() / d as f64;
    let mut shrunk = &covariance * (1.0 - lambda);
    for j in 0..d {
        shrunk[[j, j]] += lambda * round;
    }
    (mean, shrunk)
}

#[test]
fn the_distance_is_that_of_elimination() {
    let mut clean = normal(40, 6, 1);
    // Two directions that nearly coincide, and one of another scale.
    for i in 0..40 {
        clean[[i, 1]] = clean[[i, 0]] + 0.01 * clean[[i, 1]];
        clean[[i, 2]] *= 100.0;
    }
    let tested = normal(9, 6, 2);
    for lambda in [1e-4, 0.1, 1.0] {
        let detector = Mahalanobis::fit(clean.view(), Shrinkage::Fixed(lambda)).unwrap();
        let (mean, shrunk) = plain_moments(&clean, lambda);
        let found = detector.scores(tested.view()).unwrap();
        for i in 0..9 {
            let x = tested.row(i).mapv(f64::from) - &mean;
            let expected = quadratic(&shrunk, &x);
            assert!((found[i] / expected - 1.0).abs() < 1e-7, "{} {expected}", found[i]);
        }
    }
}

#[test]
fn the_shrinkage_is_that_of_ledoit_and_wolf() {
    let mut clean = normal(30, 8, 3);
    clean.column_mut(0).mapv_inplace(|x| 5.0 * x);
    let (mean, covariance) = plain_moments(&clean, 0.0);
    let (n, d) = (30, 8);
    let round = covariance.diag().sum() / d as f64;
    // b² = Σ ‖x xᵀ − Σ‖² / n² and δ² = ‖Σ − m·I‖², entry by entry.
    let (mut noise, mut spread) = (0.0, 0.0);
    for (j, k) in (0..d).flat_map(|j| (0..d).map(move |k| (j, k))) {
        let target = if j == k { round } else { 0.0 };
        spread += (covariance[[j, k]] - target).powi(2);
        for row in clean.rows() {
            let x = |j: usize| f64::from(row[j]) - mean[j];
            noise += (x(j) * x(k) - covariance[[j, k]]).powi(2) / (n * n) as f64;
        }
    }
    let detector = Mahalanobis::fit(clean.view(), Shrinkage::LedoitWolf).unwrap();
    let expected = (noise / spread).min(1.0);
    assert!((detector.shrinkage() / expected - 1.0).abs() < 1e-9);
    assert!(expected > 0.01 && expected < 0.9, "{expected}");
    // The more vectors, the less is shrunk.
    let mut many = normal(3000, 8, 3);
    many.column_mut(0).mapv_inplace(|x| 5.0 * x);
    let more = Mahalanobis::fit(many.view(), Shrinkage::LedoitWolf).unwrap();
    assert!(more.shrinkage() < expected / 10.0);
}

#[test]
fn a_shift_across_the_spread_is_seen_where_one_along_it_is_not() {
    let mut clean = normal(500, 4, 4);
    clean.column_mut(0).mapv_inplace(|x| 10.0 * x);
    let detector = Mahalanobis::fit(clean.view(), Shrinkage::default()).unwrap();
    let shifted = |column: usize| {
        let mut tested = normal(200, 4, 5);
        tested.column_mut(0).mapv_inplace(|x| 10.0 * x);
        tested.column_mut(column).mapv_inplace(|x| x + 4.0);
        let fresh = detector.scores(clean.view()).unwrap().to_vec();
        Roc::new(fresh, detector.scores(tested.view()).unwrap().to_vec()).unwrap().auroc()
    };
    assert!(shifted(2) > 0.95, "{}", shifted(2));
    assert!(shifted(0) < 0.65, "{}", shifted(0));
}

#[test]
fn intervals_hold_the_area_and_do_not_depend_on_threads() {
    let draw = |n: usize, mean: f64, seed: u64| -> Vec<f64> {
        normal(n, 1, seed).iter().map(|&x| f64::from(x) + mean).collect()
    };
    let roc = Roc::new(draw(300, 0.0, 6), draw(200, 1.0, 7)).unwrap();
    let config = BootstrapConfig { resamples: 500, ..Default::default() };
    let found = roc.auroc_interval(&config).unwrap();
    assert_eq!(found.value, roc.auroc());
    // Φ(1/√2) for normals a deviation apart.
    assert!(found.low < 0.760 && 0.760 < found.high, "{found:?}");
    assert!(found.high - found.low < 0.12, "{found:?}");
    let tpr = roc.tpr_interval(0.05, &config).unwrap();
    assert_eq!(tpr.value, roc.at_fpr(0.05).unwrap().tpr);
    assert!(tpr.low <= tpr.value && tpr.value <= tpr.high);
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(|| roc.auroc_interval(&config).unwrap()), found);
    }
}

#[test]
fn what_does_not_fit_is_named() {
    assert!(matches!(Roc::new(vec![], vec![1.0]).unwrap_err(), Error::Empty { .. }));
    let wrong = Roc::new(vec![0.0], vec![1.0, f64::NAN]).unwrap_err();
    assert_eq!(wrong.to_string(), "an attacked score is not finite at entry 1");
    assert!(Roc::new(vec![0.0], vec![1.0]).unwrap().at_fpr(1.5).is_err());
    let same = array![[1.0_f32, 2.0], [1.0, 2.0], [1.0, 2.0]];
    let wrong = Mahalanobis::fit(same.view(), Shrinkage::default()).unwrap_err();
    assert_eq!(wrong.to_string(), "hidden vectors has no variance");
    assert!(Mahalanobis::fit(same.view(), Shrinkage::Fixed(0.0)).is_err());
    assert!(Mahalanobis::fit(array![[1.0_f32]].view(), Shrinkage::default()).is_err());
    let detector = Mahalanobis::fit(normal(5, 2, 8).view(), Shrinkage::default()).unwrap();
    assert!(detector.scores(array![[1.0_f32]].view()).is_err());
    let wrong = detector.scores(array![[1.0_f32, f32::INFINITY]].view()).unwrap_err();
    assert!(matches!(wrong, Error::NotFinite { index: 1, .. }));
    let bad = LeadingConfig { window: 0, rest: 2.0, prior: 0.0, ..Default::default() };
    let said = LeadingWindow::fit(&[vec![1.0]], bad).unwrap_err().to_string();
    assert!(said.contains("window") && said.contains("rest") && said.contains("prior"), "{said}");
    assert!(LeadingWindow::fit(&[vec![]], LeadingConfig::default()).is_err());
}
