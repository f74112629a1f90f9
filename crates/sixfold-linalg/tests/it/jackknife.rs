//! The jackknife against closed forms: the mean, and the variance with its known bias.

use ndarray::{Array1, s};
use proptest::prelude::*;
use sixfold_linalg::{Error, Moments, jackknife, student_t_quantile, try_jackknife};

use crate::support::config;

/// The mean without one value.
fn mean(values: &[f64], left_out: Option<usize>) -> f64 {
    let kept = values.iter().enumerate().filter(|(i, _)| Some(*i) != left_out);
    let kept: Vec<f64> = kept.map(|(_, x)| *x).collect();
    kept.iter().sum::<f64>() / kept.len() as f64
}

fn variance(values: &[f64], left_out: Option<usize>) -> f64 {
    let centre = mean(values, left_out);
    let squares: Vec<f64> = values.iter().map(|x| (x - centre) * (x - centre)).collect();
    mean(&squares, left_out)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn of_a_mean_it_is_the_textbook_error(values in prop::collection::vec(-5.0..5.0, 2..40)) {
        let n = values.len() as f64;
        let found = jackknife(values.len(), |i| Ok(mean(&values, i))).unwrap();
        let error = (variance(&values, None) / (n - 1.0)).sqrt();
        prop_assert!((found.value - mean(&values, None)).abs() <= 1e-14);
        prop_assert!((found.std_error - error).abs() <= 1e-12);
        prop_assert!(found.bias.abs() <= 1e-12);
        prop_assert_eq!(found.groups, values.len());
        let t = student_t_quantile(0.975, n - 1.0).unwrap();
        prop_assert!((found.ci95[0] - (found.value - t * found.std_error)).abs() <= 1e-12);
        prop_assert!((found.ci95[1] - (found.value + t * found.std_error)).abs() <= 1e-12);
    }

    #[test]
    fn it_finds_the_bias_of_the_variance(values in prop::collection::vec(-5.0..5.0, 3..40)) {
        let n = values.len() as f64;
        let found = jackknife(values.len(), |i| Ok(variance(&values, i))).unwrap();
        // The plug-in variance is too small by the factor (n − 1)/n: the jackknife knows exactly.
        let unbiased = variance(&values, None) * n / (n - 1.0);
        prop_assert!((found.value - found.bias - unbiased).abs() <= 1e-11);
    }

    #[test]
    fn merged_states_serve_as_groups(values in prop::collection::vec(-5.0..5.0, 4..40)) {
        let data = Array1::from(values.clone()).insert_axis(ndarray::Axis(1));
        let states: Vec<Moments> = (0..values.len())
            .map(|i| {
                let mut state = Moments::new(1);
                state.update(data.slice(s![i..=i, ..])).unwrap();
                state
            })
            .collect();
        let estimate = |left_out: Option<usize>| {
            let mut all = Moments::new(1);
            for (i, state) in states.iter().enumerate() {
                if Some(i) != left_out {
                    all.merge(state)?;
                }
            }
            Ok(all.covariance(0)?[(0, 0)])
        };
        let merged = jackknife(states.len(), estimate).unwrap();
        let direct = jackknife(values.len(), |i| Ok(variance(&values, i))).unwrap();
        prop_assert!((merged.value - direct.value).abs() <= 1e-12);
        prop_assert!((merged.std_error - direct.std_error).abs() <= 1e-11);
    }
}

#[derive(Debug, PartialEq)]
enum Own {
    Linalg(Error),
    Missing(usize),
}

impl From<Error> for Own {
    fn from(error: Error) -> Self {
        Self::Linalg(error)
    }
}

#[test]
fn errors_come_through_and_name_the_group() {
    let needed = Error::TooFewRows { found: 1, needed: 2 };
    assert_eq!(jackknife(1, |_| Ok(1.0)), Err(needed.clone()));
    assert_eq!(try_jackknife(1, |_| Ok::<_, Own>(1.0)), Err(Own::Linalg(needed)));
    let bad = |group: usize| move |i| Ok(if i == Some(group) { f64::NAN } else { 1.0 });
    let at = |row| Err(Error::NotFinite { what: "estimate", row, col: 0 });
    assert_eq!(jackknife(3, bad(2)), at(3));
    assert_eq!(jackknife(3, |_| Ok(f64::INFINITY)), at(0));
    let missing = |i: Option<usize>| i.map_or(Ok(1.0), |i| Err(Own::Missing(i)));
    assert_eq!(try_jackknife(3, missing), Err(Own::Missing(0)));
}

#[test]
fn groups_that_agree_have_no_error() {
    let found = jackknife(5, |_| Ok(2.0)).unwrap();
    assert_eq!((found.std_error, found.bias, found.ci95), (0.0, 0.0, [2.0, 2.0]));
}
