//! What the numbers say about a claim, as plain sentences that follow from them.

use super::super::curves::At;
pub(super) use super::super::finding::{Finding, Verdict, table};
use crate::format::short;

/// Blocks below which the shape of a curve over depth cannot be confirmed: the smallest models of
/// the paper (BERT, GPT-2 and OPT-125M) have twelve.
const BLOCKS_FOR_A_SHAPE: usize = 12;

/// A value with its interval for a sentence.
pub(super) fn said(at: &At) -> String {
    match at.ci95 {
        Some([low, high]) => {
            format!("{} (95\u{a0}%: {} to {})", short(at.value), short(low), short(high))
        }
        None => short(at.value),
    }
}

/// The largest value of a curve.
pub(super) fn highest(curve: &[At]) -> Option<&At> {
    curve.iter().max_by(|a, b| a.value.total_cmp(&b.value))
}

/// The smallest value of a curve.
pub(super) fn lowest(curve: &[At]) -> Option<&At> {
    curve.iter().min_by(|a, b| a.value.total_cmp(&b.value))
}

/// Whether a curve over sites is a bell: a maximum in the middle half of the depth, clearly above
/// both ends.
pub(super) fn bell(model: &str, curve: &[At], blocks: usize) -> Finding {
    let claim = format!(
        "The anisotropy of a decoder is a bell over depth, highest in the middle ({model})"
    );
    let (Some(first), Some(last), Some(top)) = (curve.first(), curve.last(), highest(curve)) else {
        return Finding::new(claim, Verdict::CannotBeJudged, "No value was measured.");
    };
    if curve.len() < 3 {
        return Finding::new(claim, Verdict::CannotBeJudged, "Two sites have no middle.");
    }
    let site = short(top.x);
    let of = short(last.x);
    let share = (top.x - first.x) / (last.x - first.x);
    let in_the_middle = (0.25..=0.75).contains(&share);
    let above_ends = [first, last].map(|end| top.clearly_above(end));
    let at_an_end = share <= 0.0 || share >= 1.0;
    let seen = format!("the maximum is {} at site {site} of {of}", said(top));
    let middle = curve.iter().filter(|at| {
        let share = (at.x - first.x) / (last.x - first.x);
        (0.25..=0.75).contains(&share)
    });
    if at_an_end {
        // An end that stands clearly above the whole middle is no bell, however few the layers.
        let clear = middle.clone().count() > 0 && middle.clone().all(|at| top.clearly_above(at));
        return match clear {
            true => Finding::new(
                claim,
                Verdict::DoesNotHold,
                format!("On this model {seen}, clearly above every site in the middle."),
            ),
            false => Finding::new(
                claim,
                Verdict::CannotBeJudged,
                format!("Here {seen}, but its interval overlaps with one in the middle."),
            ),
        };
    }
    let clear = in_the_middle && above_ends == [true, true];
    let relation = match (in_the_middle, above_ends) {
        (true, [true, true]) => "in the middle and clearly above both ends",
        (true, [true, false]) => {
            "in the middle, above the first site but not clearly above the last"
        }
        (true, [false, true]) => {
            "in the middle, above the last site but not clearly above the first"
        }
        (true, _) => "in the middle, but not clearly above the ends",
        (false, [true, true]) => "clearly above both ends but outside the middle half",
        (false, _) => "outside the middle half of the depth",
    };
    if blocks < BLOCKS_FOR_A_SHAPE {
        let fits = if clear { "That fits a bell" } else { "That is not yet a bell" };
        return Finding::new(
            claim,
            Verdict::CannotBeJudged,
            format!(
                "Here {seen}, {relation}. {fits}, but {blocks} blocks are too few to tell a bell \
                 from a single step: the paper's smallest models have {BLOCKS_FOR_A_SHAPE}."
            ),
        );
    }
    let verdict = if clear { Verdict::Holds } else { Verdict::DoesNotHold };
    Finding::new(claim, verdict, format!("Over {blocks} blocks {seen}, {relation}."))
}

/// Difference of the ends of a curve, with the half width of its interval.
fn range(curve: &[At]) -> Option<(f64, f64)> {
    let (top, bottom) = (highest(curve)?, lowest(curve)?);
    let half = |at: &At| at.ci95.map(|[low, high]| (high - low) / 2.0);
    Some((top.value - bottom.value, half(top)?.hypot(half(bottom)?)))
}

/// Whether the anisotropy of an encoder varies less over its layers than that of a decoder.
pub(super) fn flatter(encoder: (&str, &[At]), decoder: (&str, &[At])) -> Finding {
    let claim = format!(
        "The anisotropy of encoders is flatter over depth than that of decoders ({} against {})",
        encoder.0, decoder.0
    );
    let (Some((flat, flat_half)), Some((steep, steep_half))) = (range(encoder.1), range(decoder.1))
    else {
        return Finding::new(claim, Verdict::CannotBeJudged, "A curve has no intervals.");
    };
    let numbers = format!(
        "it varies by {} ± {} over the sites of {} and by {} ± {} over those of {}",
        short(flat),
        short(flat_half),
        encoder.0,
        short(steep),
        short(steep_half),
        decoder.0
    );
    let apart = (steep - flat).abs() > flat_half.hypot(steep_half);
    let verdict = match (apart, flat < steep) {
        (true, true) => Verdict::Holds,
        (true, false) => Verdict::DoesNotHold,
        (false, _) => Verdict::CannotBeJudged,
    };
    let end = match apart {
        true => "One pair that differs in width, data and objective too cannot say why.",
        false => "The difference is within the intervals.",
    };
    Finding::new(claim, verdict, format!("On this pair {numbers}. {end}"))
}

/// Whether a curve stays the same without sink tokens.
pub(super) fn without_sinks(model: &str, all: &[At], filtered: &[At], filter: &str) -> Finding {
    let claim =
        format!("The anisotropy of {model} comes from all its tokens, not from a few sinks");
    let pairs: Vec<(&At, &At)> = pairs(all, filtered);
    let apart = pairs.iter().filter(|(a, b)| a.clearly_above(b) || b.clearly_above(a)).count();
    let widest =
        pairs.iter().max_by(|a, b| gap(a).total_cmp(&gap(b))).filter(|pair| gap(pair) > 0.0);
    let Some((with, without)) = widest else {
        let why = match pairs.is_empty() {
            true => "Nothing was measured without them.",
            false => "The filter leaves out no token.",
        };
        return Finding::new(claim, Verdict::CannotBeJudged, why);
    };
    let verdict = match apart {
        0 => Verdict::Holds,
        n if 2 * n > pairs.len() => Verdict::DoesNotHold,
        _ => Verdict::Partly,
    };
    Finding::new(
        claim,
        verdict,
        format!(
            "With the filter {filter} the intervals move apart at {apart} of {} sites; most at \
             site {}, from {} to {}.",
            pairs.len(),
            short(with.x),
            said(with),
            said(without)
        ),
    )
}

/// Whether training raised a measure above that of the untrained model.
pub(super) fn learnt(model: &str, trained: &[At], untrained: &[At]) -> Finding {
    let claim = format!("Training raises the anisotropy of a decoder ({model})");
    let pairs = pairs(trained, untrained);
    if pairs.is_empty() {
        return Finding::new(claim, Verdict::CannotBeJudged, "No untrained model was measured.");
    }
    let above = pairs.iter().filter(|(a, b)| a.clearly_above(b)).count();
    let below = pairs.iter().filter(|(a, b)| b.clearly_above(a)).count();
    let verdict = match (2 * above > pairs.len(), 2 * below > pairs.len()) {
        (true, _) if below == 0 => Verdict::Holds,
        (_, true) if above == 0 => Verdict::DoesNotHold,
        _ if above + below == 0 => Verdict::CannotBeJudged,
        _ => Verdict::Partly,
    };
    Finding::new(
        claim,
        verdict,
        format!(
            "It lies clearly above that of the same model with random weights at {above} of {} \
             sites and clearly below at {below}.",
            pairs.len()
        ),
    )
}

/// Whether a curve over training steps first rises and then falls.
pub(super) fn rises_then_falls(what: &str, curve: &[At]) -> Finding {
    let claim = format!("{what} rises early in training and then falls");
    let (Some(first), Some(last), Some(top)) = (curve.first(), curve.last(), highest(curve)) else {
        return Finding::new(claim, Verdict::CannotBeJudged, "No value was measured.");
    };
    if curve.len() < 3 {
        return Finding::new(claim, Verdict::CannotBeJudged, "Two steps have no middle.");
    }
    let (rises, falls) = (top.clearly_above(first), top.clearly_above(last));
    let before = curve.iter().take_while(|at| at.x < top.x);
    let dip = before.min_by(|a, b| a.value.total_cmp(&b.value));
    let rises = rises || dip.is_some_and(|dip| top.clearly_above(dip));
    let (verdict, course) = match (rises, falls) {
        (true, true) => (Verdict::Holds, "a rise and a fall, both beyond the intervals"),
        (true, false) => (Verdict::Partly, "a rise, and no clear fall within these steps"),
        (false, true) => (Verdict::DoesNotHold, "a fall without a clear rise before it"),
        (false, false) => (Verdict::CannotBeJudged, "no change beyond the intervals"),
    };
    let mut why = format!(
        "From {} at step {} it goes to its highest value {} at step {} and ends at {} at step {}",
        said(first),
        short(first.x),
        said(top),
        short(top.x),
        said(last),
        short(last.x)
    );
    if let Some(dip) = dip.filter(|dip| first.clearly_above(dip)) {
        why += &format!(", after a dip to {} at step {}", said(dip), short(dip.x));
    }
    Finding::new(claim, verdict, format!("{why}: {course}."))
}

/// Whether a curve over training steps ends above its beginning, and has not been higher before.
pub(super) fn grows(claim: &str, curve: &[At]) -> Finding {
    let (Some(first), Some(last), Some(top)) = (curve.first(), curve.last(), highest(curve)) else {
        return Finding::new(claim, Verdict::CannotBeJudged, "No value was measured.");
    };
    let (rises, sinks) = (last.clearly_above(first), first.clearly_above(last));
    let peaks = top.clearly_above(last) && top.clearly_above(first);
    let (verdict, course) = match (rises, sinks, peaks) {
        (true, _, false) => (Verdict::Holds, "a rise beyond the intervals"),
        (true, _, true) => {
            (Verdict::Partly, "a rise beyond the intervals, most of it only for a time")
        }
        (_, true, _) => (Verdict::DoesNotHold, "a fall beyond the intervals"),
        (_, _, true) => (Verdict::DoesNotHold, "a rise and a fall back to where it began"),
        _ => (Verdict::CannotBeJudged, "no change beyond the intervals"),
    };
    let between = match peaks {
        true => format!(", with {} at step {} in between", said(top), short(top.x)),
        false => String::new(),
    };
    let why = format!(
        "Averaged over the blocks it goes from {} at step {} to {} at step {}{between}: {course}.",
        said(first),
        short(first.x),
        said(last),
        short(last.x)
    );
    Finding::new(claim, verdict, why)
}

/// Points of two curves at the same place.
pub(super) fn pairs<'a>(a: &'a [At], b: &'a [At]) -> Vec<(&'a At, &'a At)> {
    let same = |at: &At| b.iter().find(|other| (other.x - at.x).abs() < 1e-9);
    a.iter().filter_map(|at| Some((at, same(at)?))).collect()
}

fn gap((a, b): &(&At, &At)) -> f64 {
    (a.value - b.value).abs()
}

#[cfg(test)]
mod tests;
