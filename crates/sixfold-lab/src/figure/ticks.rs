//! Round numbers for axes.

/// A range of values and the marks on it.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) ticks: Vec<f64>,
    digits: usize,
    /// What is added to a value before its logarithm is taken; none for a linear scale.
    log: Option<f64>,
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
        Self { low: first * step, high: last * step, ticks, digits, log: None }
    }

    /// A scale of equal factors, cut to exactly the values; with fewer than two values, or with
    /// one below zero, it is linear.
    pub(super) fn log(values: impl IntoIterator<Item = f64> + Clone) -> Self {
        let finite = || values.clone().into_iter().filter(|value| value.is_finite());
        let (low, high) = finite()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
        let least = finite().filter(|value| *value > 0.0).fold(f64::INFINITY, f64::min);
        if low < 0.0 || low >= high || !least.is_finite() {
            return Self::tight(values, 8, false);
        }
        let offset = if low > 0.0 { 0.0 } else { least };
        let decades = least.log10().floor() as i32..=high.log10().ceil() as i32;
        let marks = |factors: &[f64]| -> Vec<f64> {
            let all = decades.clone().flat_map(|n| factors.iter().map(move |f| f * 10f64.powi(n)));
            let inside = all.filter(|tick| (low * 0.999..=high * 1.001).contains(tick));
            (low <= 0.0).then_some(0.0).into_iter().chain(inside).collect()
        };
        let mut ticks = marks(&[1.0]);
        for factors in [&[1.0, 3.0][..], &[1.0, 2.0, 5.0], &[1.0, 2.0, 3.0, 5.0, 7.0]] {
            if ticks.len() < 4 {
                ticks = marks(factors);
            }
        }
        let digits = (-least.log10().floor()).max(0.0) as usize;
        Self { low, high, ticks, digits, log: Some(offset) }
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
        let along = |value: f64| self.log.map_or(value, |offset| (value + offset).ln());
        (along(value) - along(self.low)) / (along(self.high) - along(self.low))
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
