//! Intervals over groups.

use ndarray::{Array2, s};
use sixfold_linalg::{PairMoments, jackknife};
use sixfold_linearity::{LinearityIntervals, Transition};

use crate::clouds::{normal, pair};

const GROUPS: usize = 12;
const ROWS: usize = 40;

/// A map whose noise is drawn anew for every token.
fn cloud(seed: u64) -> (Array2<f64>, Array2<f64>) {
    let x = normal(GROUPS * ROWS, 4, seed);
    let y = &x + &x.mapv(|v| 0.5 * v.tanh()) + normal(GROUPS * ROWS, 4, seed + 1) * 0.5;
    (x, y)
}

fn without(x: &Array2<f64>, y: &Array2<f64>, left: usize) -> PairMoments {
    let mut moments = PairMoments::new(4, 4);
    for group in (0..GROUPS).filter(|group| *group != left) {
        let rows = s![group * ROWS..(group + 1) * ROWS, ..];
        moments.update(x.slice(rows), y.slice(rows)).unwrap();
    }
    moments
}

fn intervals(seed: u64) -> LinearityIntervals {
    let (x, y) = cloud(seed);
    let left_out: Vec<PairMoments> = (0..GROUPS).map(|left| without(&x, &y, left)).collect();
    let left_out: Vec<Transition<'_>> = left_out.iter().map(Transition::from).collect();
    let all = pair(x.view(), y.view());
    LinearityIntervals::new(&Transition::from(&all), &left_out).unwrap()
}

#[test]
fn they_are_those_of_the_jackknife() {
    let (x, y) = cloud(3);
    let score = |moments: &PairMoments| Transition::from(moments).linearity().unwrap();
    let all = score(&pair(x.view(), y.view()));
    let of =
        |group: Option<usize>| Ok(group.map_or(all.score, |g| score(&without(&x, &y, g)).score));
    let expected = jackknife(GROUPS, of).unwrap().ci95;
    let found = intervals(3);
    assert_eq!(found.found, all);
    for (found, expected) in found.score.unwrap().iter().zip(expected) {
        assert!((found - expected).abs() < 1e-12, "{found} and {expected}");
    }
}

#[test]
fn they_cover_what_a_large_sample_shows() {
    let x = normal(100_000, 4, 900);
    let y = &x + &x.mapv(|v| 0.5 * v.tanh()) + normal(100_000, 4, 901) * 0.5;
    let truth = Transition::from(&pair(x.view(), y.view())).linearity().unwrap().score;
    let covered = (0..200)
        .filter(|seed| {
            let [low, high] = intervals(2 * seed + 10).score.unwrap();
            (low..=high).contains(&truth)
        })
        .count();
    // 95 % of 200, within four deviations.
    assert!((178..=200).contains(&covered), "{covered} of 200");
}

#[test]
fn one_group_has_no_interval_and_no_step_no_score_without_it() {
    let x = normal(60, 4, 1);
    let all = pair(x.view(), x.view());
    let parts = [s![20.., ..], s![..40, ..]].map(|rows| pair(x.slice(rows), x.slice(rows)));
    let [left, right] = [0, 1].map(|part| Transition::from(&parts[part]));
    let one = LinearityIntervals::new(&Transition::from(&all), &[left]).unwrap();
    assert_eq!((one.score, one.norm_ratio), (None, None));
    let two = LinearityIntervals::new(&Transition::from(&all), &[left, right]).unwrap();
    assert!(two.score.is_some() && two.without_residual.is_none());
}

#[test]
fn a_group_without_tokens_changes_nothing() {
    let (x, y) = cloud(5);
    let all = pair(x.view(), y.view());
    let parts: Vec<PairMoments> = (0..GROUPS).map(|left| without(&x, &y, left)).collect();
    let mut left_out: Vec<Transition<'_>> = parts.iter().map(Transition::from).collect();
    let expected = LinearityIntervals::new(&Transition::from(&all), &left_out).unwrap();
    left_out.insert(3, Transition::from(&all));
    let found = LinearityIntervals::new(&Transition::from(&all), &left_out).unwrap();
    assert_eq!(found, expected);
}
