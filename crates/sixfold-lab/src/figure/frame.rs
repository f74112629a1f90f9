//! The plot area: axes, grid and names.

use super::svg::{Anchor, Svg, WIDTH};
use super::ticks::Scale;

/// The rectangle inside the axes.
pub(super) struct Frame {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

impl Frame {
    /// Room for the labels of `y` at the left, `height` units of plot.
    pub(super) fn new(y: &Scale, height: f64) -> Self {
        let widest = y.ticks.iter().map(|tick| y.label(*tick).len()).max().unwrap_or(1);
        let left = 30.0 + 6.8 * widest as f64;
        Self { left, right: WIDTH - 14.0, top: 10.0, bottom: 10.0 + height }
    }

    pub(super) fn x(&self, share: f64) -> f64 {
        self.left + share * (self.right - self.left)
    }

    pub(super) fn y(&self, share: f64) -> f64 {
        self.bottom - share * (self.bottom - self.top)
    }

    /// Grid lines and labels of the vertical axis.
    pub(super) fn vertical(&self, svg: &mut Svg, scale: &Scale, name: &str) {
        for tick in &scale.ticks {
            let y = self.y(scale.share(*tick));
            svg.rule("grid", (self.left, y), (self.right, y));
            svg.text(self.left - 7.0, y + 4.0, Anchor::End, "tick", &scale.label(*tick));
        }
        svg.upward(13.0, f64::midpoint(self.top, self.bottom), name);
    }

    /// Base line, marks and labels of the horizontal axis; the drawing grows below them.
    pub(super) fn horizontal(&self, svg: &mut Svg, scale: &Scale, name: &str) {
        svg.rule("base", (self.left, self.bottom), (self.right, self.bottom));
        for tick in &scale.ticks {
            let x = self.x(scale.share(*tick));
            svg.rule("base", (x, self.bottom), (x, self.bottom + 4.0));
            svg.text(x, self.bottom + 18.0, Anchor::Middle, "tick", &scale.label(*tick));
        }
        let middle = f64::midpoint(self.left, self.right);
        svg.text(middle, self.bottom + 36.0, Anchor::Middle, "axis", name);
        svg.height = self.bottom + 44.0;
    }
}
