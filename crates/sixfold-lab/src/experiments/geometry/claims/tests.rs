//! The sentences follow from the numbers, whichever way these go.

use super::*;

fn curve(values: &[f64], half: f64) -> Vec<At> {
    let at = |(x, &value): (usize, &f64)| At {
        x: x as f64,
        value,
        ci95: Some([value - half, value + half]),
    };
    values.iter().enumerate().map(at).collect()
}

fn bell_of(n: usize) -> Vec<f64> {
    (0..n).map(|i| (std::f64::consts::PI * i as f64 / (n - 1) as f64).sin()).collect()
}

#[test]
fn a_bell_is_confirmed_by_many_blocks_only() {
    let deep = bell("big", &curve(&bell_of(13), 0.01), 12);
    assert_eq!(deep.verdict, Verdict::Holds);
    assert!(deep.why.contains("at site 6 of 12") && deep.why.contains("both ends"), "{}", deep.why);
    let shallow = bell("small", &curve(&bell_of(7), 0.01), 6);
    assert_eq!(shallow.verdict, Verdict::CannotBeJudged);
    assert!(shallow.why.contains("That fits a bell, but 6 blocks are too few"), "{}", shallow.why);
    let flat = bell("flat", &curve(&bell_of(7), 0.9), 6);
    assert!(flat.why.contains("not yet a bell"), "{}", flat.why);
}

#[test]
fn an_end_above_the_middle_is_no_bell_however_few_the_blocks() {
    let falling = bell("small", &curve(&[0.9, 0.5, 0.4, 0.3, 0.2, 0.1], 0.01), 5);
    assert_eq!(falling.verdict, Verdict::DoesNotHold);
    assert!(falling.why.contains("0.9") && falling.why.contains("site 0 of 5"), "{}", falling.why);
    let unsure = bell("small", &curve(&[0.9, 0.5, 0.4, 0.3, 0.2, 0.1], 0.5), 5);
    assert_eq!(unsure.verdict, Verdict::CannotBeJudged);
    let off =
        bell("big", &curve(&[0.1, 0.9, 0.3, 0.3, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.1], 0.01), 12);
    assert_eq!(off.verdict, Verdict::DoesNotHold);
    assert!(off.why.contains("outside the middle half"), "{}", off.why);
}

#[test]
fn flatness_needs_ranges_that_are_apart() {
    let (flat, steep) = (curve(&[0.1, 0.12, 0.11], 0.01), curve(&[0.1, 0.8, 0.2], 0.01));
    assert_eq!(flatter(("e", &flat), ("d", &steep)).verdict, Verdict::Holds);
    assert_eq!(flatter(("e", &steep), ("d", &flat)).verdict, Verdict::DoesNotHold);
    assert_eq!(flatter(("e", &flat), ("d", &flat)).verdict, Verdict::CannotBeJudged);
    let bare = [At { x: 0.0, value: 1.0, ci95: None }];
    assert_eq!(flatter(("e", &bare), ("d", &steep)).verdict, Verdict::CannotBeJudged);
}

#[test]
fn sinks_show_where_the_curves_part() {
    let all = curve(&[0.1, 0.9, 0.9], 0.01);
    let none = without_sinks("m", &all, &curve(&[0.1, 0.895, 0.9], 0.01), "no_sinks");
    assert_eq!(none.verdict, Verdict::Holds);
    let some = without_sinks("m", &all, &curve(&[0.1, 0.2, 0.9], 0.01), "no_sinks");
    assert_eq!(some.verdict, Verdict::Partly);
    assert!(some.why.contains("at 1 of 3 sites; most at site 1"), "{}", some.why);
    let most = without_sinks("m", &all, &curve(&[0.1, 0.2, 0.3], 0.01), "no_sinks");
    assert_eq!(most.verdict, Verdict::DoesNotHold);
    assert_eq!(without_sinks("m", &all, &all, "no_sinks").verdict, Verdict::CannotBeJudged);
    assert_eq!(without_sinks("m", &all, &[], "no_sinks").verdict, Verdict::CannotBeJudged);
}

#[test]
fn training_has_to_raise_most_sites_and_lower_none() {
    let low = curve(&[0.1, 0.1, 0.1], 0.01);
    assert_eq!(learnt("m", &curve(&[0.1, 0.5, 0.5], 0.01), &low).verdict, Verdict::Holds);
    assert_eq!(learnt("m", &low, &curve(&[0.1, 0.5, 0.5], 0.01)).verdict, Verdict::DoesNotHold);
    assert_eq!(learnt("m", &curve(&[0.01, 0.5, 0.5], 0.01), &low).verdict, Verdict::Partly);
    assert_eq!(learnt("m", &low, &low).verdict, Verdict::CannotBeJudged);
}

#[test]
fn a_rise_and_a_fall_are_told_apart() {
    let verdict = |values: &[f64], half| rises_then_falls("It", &curve(values, half)).verdict;
    assert_eq!(verdict(&[5.0, 9.0, 14.0, 10.0], 0.5), Verdict::Holds);
    assert_eq!(verdict(&[5.0, 9.0, 14.0, 13.8], 0.5), Verdict::Partly);
    assert_eq!(verdict(&[14.0, 12.0, 9.0, 5.0], 0.5), Verdict::DoesNotHold);
    assert_eq!(verdict(&[5.0, 5.1, 5.2, 5.1], 0.5), Verdict::CannotBeJudged);
    assert_eq!(verdict(&[5.0, 5.1], 0.01), Verdict::CannotBeJudged);
    let dip = rises_then_falls("It", &curve(&[14.0, 6.0, 14.2, 9.0], 0.5));
    assert_eq!(dip.verdict, Verdict::Holds);
    assert!(dip.why.contains("after a dip to 6"), "{}", dip.why);
}

#[test]
fn growth_that_does_not_last_is_not_called_growth() {
    let of = |values: &[f64]| grows("It grows", &curve(values, 0.01));
    assert_eq!(of(&[0.1, 0.2, 0.3]).verdict, Verdict::Holds);
    let peak = of(&[0.1, 0.5, 0.2]);
    assert_eq!(peak.verdict, Verdict::Partly);
    assert!(peak.why.contains("0.5") && peak.why.contains("at step 1 in between"), "{}", peak.why);
    assert_eq!(of(&[0.1, 0.5, 0.1]).verdict, Verdict::DoesNotHold);
    assert_eq!(of(&[0.3, 0.2, 0.1]).verdict, Verdict::DoesNotHold);
    assert_eq!(of(&[0.1, 0.1, 0.1]).verdict, Verdict::CannotBeJudged);
}
