//! Heat maps.

use super::bars::shortened;
use super::svg::{Anchor, Svg, WIDTH, c};
use super::ticks::Scale;
use crate::format::number;

pub(super) fn draw(
    svg: &mut Svg,
    value: &str,
    columns: &[String],
    rows: &[String],
    cells: &[Vec<f64>],
) {
    let scale = Scale::around(cells.iter().flatten().copied(), 4, false);
    let longest = rows.iter().map(|row| row.chars().count()).max().unwrap_or(0).min(22);
    let left = 16.0 + 6.6 * longest as f64;
    let width = (WIDTH - 14.0 - left) / columns.len().max(1) as f64;
    let height = width.clamp(14.0, 26.0);
    let top = 10.0;
    for (row, (name, values)) in rows.iter().zip(cells).enumerate() {
        let y = top + height * row as f64;
        let name = shortened(name, 22);
        svg.text(left - 7.0, y + height / 2.0 + 4.0, Anchor::End, "tick", &name);
        for (column, cell) in values.iter().enumerate().filter(|(_, cell)| cell.is_finite()) {
            let x = left + width * column as f64;
            let head = columns.get(column).map_or("", String::as_str);
            let tip = format!("{name}, {head}: {}", number(*cell));
            let inset = [x + 0.5, y + 0.5, (width - 1.0).max(0.5), height - 1.0];
            svg.cell(inset, scale.share(*cell), &tip);
        }
    }
    let bottom = top + height * rows.len() as f64;
    // Only as many names as fit beside each other.
    let longest = columns.iter().map(|head| head.chars().count()).max().unwrap_or(1).min(12);
    let every = ((longest as f64 * 7.2 + 6.0) / width).ceil().max(1.0) as usize;
    for (column, head) in columns.iter().enumerate().step_by(every) {
        let x = left + width * (column as f64 + 0.5);
        svg.text(x, bottom + 16.0, Anchor::Middle, "tick", &shortened(head, 12));
    }
    key(svg, value, &scale, left, bottom + 34.0);
}

/// The scale of colours, in steps, with its ends named.
fn key(svg: &mut Svg, value: &str, scale: &Scale, left: f64, top: f64) {
    const STEPS: usize = 24;
    let width = (WIDTH - 14.0 - left) / 2.0 / STEPS as f64;
    for step in 0..STEPS {
        let share = step as f64 / (STEPS - 1) as f64;
        let x = left + width * step as f64;
        svg.cell([x, top, width, 10.0], share, &c(share));
    }
    let right = left + width * STEPS as f64;
    svg.text(left, top + 24.0, Anchor::Start, "tick", &scale.label(scale.low));
    svg.text(right, top + 24.0, Anchor::End, "tick", &scale.label(scale.high));
    svg.text(right + 10.0, top + 9.0, Anchor::Start, "axis", value);
    svg.height = top + 32.0;
}
