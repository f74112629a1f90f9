//! Round numbers for axes.

/// A range of values and the marks on it.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) ticks: Vec<f64>,
    digits: usize,
}

impl Scale {
    /// A scale that shows all of `values`, with round ends and about `count` steps.
    pub(super) fn around(values: impl IntoIterator<Item = f64>, count: usize, whole: bool) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.into_iter().filter(|value| value.is_finite()) {
            low = low.min(value);
            high = high.max(value);
        }
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        // A flat line stands in the middle of a range that its size suggests.
        if high - low < 1e-9 * high.abs().max(1e-9) {
            let half = if whole { 1.0 } else { (high.abs() * 0.1).max(1e-3) };
            (low, high) = (low - half, high + half);
        }
        let step = round_step((high - low) / count.max(1) as f64, whole);
        let (first, last) = ((low / step).floor(), (high / step).ceil());
        let steps = (last - first) as usize;
        let ticks = (0..=steps).map(|index| (first + index as f64) * step).collect();
        let digits = (-step.log10().floor()).max(0.0) as usize;
        Self { low: first * step, high: last * step, ticks, digits }
    }

    /// The same scale cut to exactly the values, for axes whose ends mean something.
    pub(super) fn tight(
        values: impl IntoIterator<Item = f64> + Clone,
        count: usize,
        whole: bool,
    ) -> Self {
        let mut scale = Self::around(values.clone(), count, whole);
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values {
            (low, high) = (low.min(value), high.max(value));
        }
        if low < high {
            (scale.low, scale.high) = (low, high);
            scale.ticks.retain(|tick| (low - 1e-9..=high + 1e-9).contains(tick));
        }
        scale
    }

    /// Where `value` lies, 0 at the low end and 1 at the high end.
    pub(super) fn share(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    /// The text of a mark.
    pub(super) fn label(&self, tick: f64) -> String {
        if tick.abs() >= 1e5 || (self.digits > 4 && tick.abs() > 0.0) {
            return format!("{tick:.1e}");
        }
        // No minus sign before zero.
        format!("{:.*}", self.digits, if tick.abs() < 1e-12 { 0.0 } else { tick })
    }
}

/// 1, 2 or 5 times a power of ten, at least `rough`.
fn round_step(rough: f64, whole: bool) -> f64 {
    let power = 10f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|f| f * power >= rough * 0.999);
    let step = factor.unwrap_or(10.0) * power;
    if whole { step.max(1.0).round() } else { step }
}
