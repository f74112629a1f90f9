//! Heat maps.

use super::bars::shortened;
use super::svg::{Anchor, Svg, WIDTH, c};
use super::ticks::Scale;
use crate::format::number;

/// Cells of this width hold their value as text.
const ROOM_FOR_NUMBERS: f64 = 27.0;
/// And cells of this width also where the page is narrow.
const ROOM_ON_A_PHONE: f64 = 40.0;

pub(super) fn draw(
    svg: &mut Svg,
    value: &str,
    [columns, rows]: [&[String]; 2],
    cells: &[Vec<f64>],
    signed: bool,
    deepest: Option<f64>,
) {
    let values = || cells.iter().flatten().copied().filter(|cell| cell.is_finite());
    let largest = values().map(f64::abs).fold(deepest.unwrap_or(0.0), f64::max);
    let ends = match (signed, deepest) {
        (true, _) => vec![-largest, largest],
        (false, Some(_)) => vec![0.0, largest],
        (false, None) => values().collect(),
    };
    let colours = Colours { scale: Scale::around(ends, 4, false), signed };
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
            let (number_of_colour, share) = colours.of(*cell);
            svg.cell(inset, number_of_colour, share, &tip);
            if width >= ROOM_FOR_NUMBERS {
                let class = match (share > 0.55, width >= ROOM_ON_A_PHONE) {
                    (true, true) => "inside",
                    (false, true) => "over",
                    (true, false) => "inside tight",
                    (false, false) => "over tight",
                };
                let (x, y) = (x + width / 2.0, y + height / 2.0 + 4.0);
                svg.text(x, y, Anchor::Middle, class, &written(*cell, signed));
            }
        }
    }
    let bottom = top + height * rows.len() as f64;
    let longest = columns.iter().map(|head| head.chars().count()).max().unwrap_or(1);
    let below = heads(svg, columns, left, width, bottom, longest);
    colours.key(svg, value, left, bottom + below);
}

/// Names below the columns: level where they fit, slanted where there are few, else some of them.
fn heads(
    svg: &mut Svg,
    columns: &[String],
    left: f64,
    width: f64,
    bottom: f64,
    longest: usize,
) -> f64 {
    let middle = |column: usize| left + width * (column as f64 + 0.5);
    let needed = longest.min(12) as f64 * 7.2 + 6.0;
    if needed > width && columns.len() <= 16 {
        for (column, head) in columns.iter().enumerate() {
            svg.slanted(middle(column) + 4.0, bottom + 12.0, &shortened(head, 20));
        }
        return 24.0 + 4.6 * longest.min(20) as f64;
    }
    let every = (needed / width).ceil().max(1.0) as usize;
    for (column, head) in columns.iter().enumerate().step_by(every) {
        svg.text(middle(column), bottom + 16.0, Anchor::Middle, "tick", &shortened(head, 12));
    }
    34.0
}

/// The value in a cell: as many digits as fit.
fn written(value: f64, signed: bool) -> String {
    let decimals = match value.abs() {
        9.95.. => 0,
        0.995.. => 1,
        _ => 2 - usize::from(signed),
    };
    let text = format!("{value:.decimals$}");
    match signed && value > 0.0 {
        true => format!("+{text}"),
        false => text.replace('-', "−"),
    }
}

/// From values to colours.
struct Colours {
    scale: Scale,
    signed: bool,
}

impl Colours {
    /// Number and strength of the colour of a value.
    fn of(&self, value: f64) -> (usize, f64) {
        match self.signed {
            // By the root: one large value must not make all others pale.
            true => (usize::from(value < 0.0), (value.abs() / self.scale.high).sqrt()),
            false => (0, self.scale.share(value)),
        }
    }

    /// The colours in steps, with their ends named.
    fn key(&self, svg: &mut Svg, value: &str, left: f64, top: f64) {
        const STEPS: usize = 24;
        let Self { scale, .. } = self;
        let width = (WIDTH - 14.0 - left) / 2.0 / STEPS as f64;
        for step in 0..STEPS {
            let share = step as f64 / (STEPS - 1) as f64;
            let x = left + width * step as f64;
            let (number, strength) = self.of(scale.low + share * (scale.high - scale.low));
            svg.cell([x, top, width, 10.0], number, strength, &c(share));
        }
        let right = left + width * STEPS as f64;
        svg.text(left, top + 24.0, Anchor::Start, "tick", &scale.label(scale.low));
        svg.text(right, top + 24.0, Anchor::End, "tick", &scale.label(scale.high));
        svg.text(right + 10.0, top + 9.0, Anchor::Start, "axis", value);
        svg.height = top + 32.0;
    }
}
