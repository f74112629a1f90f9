//! Rates, their caps and their intervals.

#![expect(clippy::float_cmp, reason = "rates of whole numbers, and the same sum twice, are exact")]

use ndarray::{Array2, array};
use proptest::prelude::*;
use sixfold_triggers::{
    BootstrapConfig, Error, Forwards, Outcomes, area_under_best, bootstrap, mean_interval,
    paired_difference, probabilities,
};

fn outcomes(n_classes: usize, answers: &[(usize, usize)]) -> Outcomes {
    let (clean, attacked) = answers.iter().copied().unzip();
    Outcomes::from_classes(n_classes, clean, attacked, None).unwrap()
}

/// What a pool of so many threads computes.
fn with_threads<T: Send>(threads: usize, f: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(f)
}

proptest! {
    /// Every figure from its definition.
    #[test]
    fn a_summary_is_what_counting_gives(
        answers in prop::collection::vec((0_usize..4, 0_usize..4, 0_usize..4), 1..60),
    ) {
        let clean: Vec<usize> = answers.iter().map(|x| x.0).collect();
        let attacked: Vec<usize> = answers.iter().map(|x| x.1).collect();
        let gold: Vec<usize> = answers.iter().map(|x| x.2).collect();
        let n = answers.len() as f64;
        let summary =
            Outcomes::from_classes(4, clean, attacked, Some(&gold)).unwrap().summary();
        let count = |f: &dyn Fn(&(usize, usize, usize)) -> bool| {
            answers.iter().filter(|x| f(x)).count() as f64
        };
        prop_assert_eq!(summary.fooling_rate, count(&|x| x.0 != x.1) / n);
        let accuracy = summary.accuracy.unwrap();
        prop_assert_eq!(accuracy.clean, count(&|x| x.0 == x.2) / n);
        prop_assert_eq!(accuracy.attacked, count(&|x| x.1 == x.2) / n);
        let mut cap = 0.0_f64;
        for class in 0..4 {
            let of_class = count(&|x| x.0 == class);
            cap = cap.max(1.0 - of_class / n);
            let rate = summary.by_class[class].fooling_rate;
            match of_class > 0.0 {
                true => prop_assert_eq!(
                    rate,
                    Some(count(&|x| x.0 == class && x.1 != class) / of_class)
                ),
                false => prop_assert_eq!(rate, None),
            }
            prop_assert!(count(&|x| x.1 == class) / n <= summary.collapse.share);
        }
        prop_assert_eq!(summary.cap, cap);
        let most = summary.collapse.class;
        prop_assert_eq!(summary.collapse.share, count(&|x| x.1 == most) / n);
    }

    /// A trigger that sends everything to one class never lies above the cap, and the best
    /// class reaches it.
    #[test]
    fn collapse_reaches_the_cap(clean in prop::collection::vec(0_usize..3, 1..40)) {
        let to = |class: usize| {
            let answers: Vec<_> = clean.iter().map(|&x| (x, class)).collect();
            outcomes(3, &answers).summary()
        };
        let rates: Vec<f64> = (0..3).map(|class| to(class).fooling_rate).collect();
        let cap = to(0).cap;
        prop_assert!(rates.iter().all(|&rate| rate <= cap + 1e-12));
        prop_assert!(rates.iter().any(|&rate| (rate - cap).abs() < 1e-12));
    }

    /// The area is that of a sum over small steps.
    #[test]
    fn the_area_is_that_of_many_small_steps(
        steps in prop::collection::vec((0_u32..8, 0.0_f64..1.0), 0..12),
    ) {
        let mut at = 0.0;
        let points: Vec<(Forwards, f64)> = steps
            .iter()
            .map(|&(step, rate)| { at += f64::from(step); (Forwards(at), rate) })
            .collect();
        let best = |f: f64| {
            points.iter().filter(|p| p.0.0 <= f).map(|p| p.1).fold(0.0_f64, f64::max)
        };
        // Costs are whole numbers, so the rate is constant between them.
        let expected = (0..20).map(|f| best(f64::from(f) + 0.5)).sum::<f64>() / 20.0;
        let area = area_under_best(&points, Forwards(20.0)).unwrap();
        prop_assert!((area - expected).abs() < 1e-12, "{} {}", area, expected);
    }
}

#[test]
fn balanced_classes_are_capped_at_a_half() {
    let answers = [(0, 0), (0, 0), (1, 0), (1, 0)];
    let summary = outcomes(2, &answers).summary();
    assert_eq!((summary.cap, summary.fooling_rate, summary.of_cap), (0.5, 0.5, 1.0));
    // Swapping both classes does more than any collapse.
    assert_eq!(outcomes(2, &[(0, 1), (1, 0)]).summary().of_cap, 2.0);
}

#[test]
fn the_shift_is_the_probability_that_the_clean_answer_loses() {
    let clean = array![[0.0_f32, 0.0], [3.0_f32.ln(), 0.0]];
    let attacked = array![[0.0_f32, 3.0_f32.ln()], [0.0, 0.0]];
    let outcomes = Outcomes::from_scores(clean.view(), attacked.view(), None).unwrap();
    let shifts = outcomes.shifts().unwrap();
    for (shift, expected) in shifts.iter().zip([0.25, 0.25]) {
        assert!((shift - expected).abs() < 1e-6);
    }
    let p = probabilities(array![[1e4_f32, -1e4, 0.0]].view()).unwrap();
    assert_eq!(p, array![[1.0, 0.0, 0.0]]);
}

#[test]
fn the_interval_is_the_binomial_one() {
    let n = 400;
    let values: Vec<f64> = (0..n).map(|i| f64::from(i % 4 == 0)).collect();
    let found = mean_interval(&values, &BootstrapConfig::default()).unwrap();
    let half = 1.96 * (0.25 * 0.75 / f64::from(n)).sqrt();
    assert_eq!(found.value, 0.25);
    assert!((found.low - (0.25 - half)).abs() < 0.006, "{found:?}");
    assert!((found.high - (0.25 + half)).abs() < 0.006, "{found:?}");
}

#[test]
fn pairs_narrow_the_interval() {
    let a: Vec<bool> = (0..200).map(|i| i % 2 == 0).collect();
    let mut b = a.clone();
    b[0] = false;
    b[2] = false;
    let config = BootstrapConfig::default();
    let found = paired_difference(&a, &b, &config).unwrap();
    assert_eq!(found.value, 0.01);
    assert!(found.low >= 0.0 && found.high <= 0.03, "{found:?}");
    let reverse = paired_difference(&b, &a, &config).unwrap();
    assert_eq!((reverse.low, reverse.high), (-found.high, -found.low));
}

#[test]
fn groups_are_drawn_apart_and_threads_do_not_matter() {
    let weigh = |drawn: &[Vec<usize>]| {
        assert_eq!((drawn[0].len(), drawn[1].len()), (5, 3));
        assert!(drawn[0].iter().all(|&i| i < 5) && drawn[1].iter().all(|&i| i < 3));
        drawn.iter().flatten().map(|&i| (i as f64).sin()).sum()
    };
    let config = BootstrapConfig { seed: 7, ..Default::default() };
    let run = || bootstrap(&[5, 3], &config, weigh).unwrap();
    let one = with_threads(1, run);
    assert_eq!(one, with_threads(2, run));
    assert_eq!(one, with_threads(5, run));
    let other = BootstrapConfig { seed: 8, ..config };
    assert_ne!(one, bootstrap(&[5, 3], &other, weigh).unwrap());
}

#[test]
fn what_does_not_fit_is_named() {
    let bad = array![[0.0_f32, f32::NAN]];
    let good = array![[0.0_f32, 1.0]];
    let wrong = Outcomes::from_scores(bad.view(), good.view(), None).unwrap_err();
    assert!(matches!(wrong, Error::NotFinite { what: "a score", index: 1 }), "{wrong}");
    let wrong = Outcomes::from_scores(good.view(), good.view(), Some(&[2])).unwrap_err();
    assert!(matches!(wrong, Error::Label { label: 2, example: 0, n_classes: 2 }), "{wrong}");
    let none = Array2::<f32>::zeros((0, 2));
    let wrong = Outcomes::from_scores(none.view(), none.view(), None).unwrap_err();
    assert!(matches!(wrong, Error::Empty { .. }), "{wrong}");
    let wrong = Outcomes::from_scores(good.view(), none.view(), None).unwrap_err();
    assert!(wrong.to_string().contains("(0, 2)"), "{wrong}");
    let back = [(Forwards(2.0), 0.1), (Forwards(1.0), 0.2)];
    assert!(area_under_best(&back, Forwards(5.0)).unwrap_err().to_string().contains("at least 2"));
    assert!(area_under_best(&[], Forwards(0.0)).is_err());
    assert!(paired_difference(&[true], &[], &BootstrapConfig::default()).is_err());
    assert!(mean_interval(&[], &BootstrapConfig::default()).is_err());
}
