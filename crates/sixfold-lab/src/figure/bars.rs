//! Grouped bars with intervals.

use super::BarSeries;
use super::frame::Frame;
use super::legend::{self, Entry};
use super::svg::{Anchor, Svg, colour};
use super::ticks::Scale;
use crate::format::number;

pub(super) fn draw(svg: &mut Svg, y: &str, groups: &[String], series: &[BarSeries]) {
    let values = series.iter().flat_map(|bar| bar.values.iter().flatten());
    // Bars are compared by length, so the axis holds zero.
    let ends = values
        .flat_map(|(value, band)| [*value].into_iter().chain(band.iter().flatten().copied()))
        .chain([0.0]);
    let scale = Scale::around(ends, 5, false);
    let frame = Frame::new(&scale, 220.0);
    frame.vertical(svg, &scale, y);

    let slot = (frame.right - frame.left) / groups.len().max(1) as f64;
    let width = (slot * 0.76 / series.len().max(1) as f64).min(48.0);
    let zero = frame.y(scale.share(0.0));
    for (index, group) in groups.iter().enumerate() {
        let middle = frame.left + slot * (index as f64 + 0.5);
        let start = middle - width * series.len() as f64 / 2.0;
        for (number_of_bar, bar) in series.iter().enumerate() {
            let Some(Some((value, band))) = bar.values.get(index) else { continue };
            let top = frame.y(scale.share(*value));
            let x = start + width * number_of_bar as f64;
            let (class, fill) = colour(number_of_bar);
            let tip = format!("{group}, {}: {}", bar.label, number(*value));
            let height = (zero - top).abs().max(0.5);
            svg.bar(&class, fill, [x + 1.0, top.min(zero), width - 2.0, height], &tip);
            if let Some([low, high]) = band {
                let x = x + width / 2.0;
                let ends = [*low, *high].map(|end| frame.y(scale.share(end)));
                svg.rule("whisker", (x, ends[0]), (x, ends[1]));
                for end in ends {
                    svg.rule("whisker", (x - 3.0, end), (x + 3.0, end));
                }
            }
        }
        let room = (slot / 6.4).floor().max(3.0) as usize;
        svg.text(middle, frame.bottom + 18.0, Anchor::Middle, "tick", &shortened(group, room));
    }
    svg.rule("base", (frame.left, zero), (frame.right, zero));
    svg.height = frame.bottom + 26.0;
    if series.len() > 1 {
        let entries: Vec<Entry<'_>> = series
            .iter()
            .enumerate()
            .map(|(index, bar)| Entry { label: &bar.label, colour: index, dash: None })
            .collect();
        legend::draw(svg, &entries);
    }
}

/// `text` cut to `room` characters.
pub(super) fn shortened(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    text.chars().take(room.saturating_sub(1)).chain(['…']).collect()
}
