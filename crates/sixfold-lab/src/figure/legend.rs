//! The legend below a chart: swatches and names in as many rows as they need.

use super::svg::{Anchor, Svg, WIDTH, colour};

/// One entry.
pub(super) struct Entry<'a> {
    pub(super) label: &'a str,
    pub(super) colour: usize,
    /// A line of this dash pattern, or a filled square.
    pub(super) dash: Option<usize>,
}

/// Draws the entries at the lower end of the drawing, which grows by them.
pub(super) fn draw(svg: &mut Svg, entries: &[Entry<'_>]) {
    const SWATCH: f64 = 26.0;
    const ROW: f64 = 19.0;
    if entries.is_empty() {
        return;
    }
    // Columns of equal width are easier to read than a ragged row.
    let widest = entries.iter().map(|entry| entry.label.chars().count()).max().unwrap_or(0);
    let width = (SWATCH + 20.0 + 6.7 * widest as f64).min(WIDTH - 28.0);
    let columns = (((WIDTH - 28.0) / width).floor() as usize).clamp(1, entries.len());
    let top = svg.height + 8.0;
    for (index, entry) in entries.iter().enumerate() {
        let x = 16.0 + width * (index % columns) as f64;
        let y = top + ROW * (index / columns) as f64 + 6.0;
        match entry.dash {
            Some(dash) => {
                svg.path(entry.colour, dash, &[(x, y), (x + SWATCH, y)]);
            }
            None => {
                let (class, fill) = colour(entry.colour);
                svg.bar(&class, fill, [x + 8.0, y - 6.0, 12.0, 12.0], entry.label);
            }
        }
        svg.text(x + SWATCH + 7.0, y + 4.0, Anchor::Start, "key", entry.label);
    }
    svg.height = top + ROW * entries.len().div_ceil(columns) as f64 + 4.0;
}
