//! Learning rates over the course of a training.

use serde::{Deserialize, Serialize};

/// How the learning rate goes on after the warm-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// It stays at its peak.
    Constant,
    /// It falls to zero in a line.
    #[default]
    Linear,
    /// It falls to zero along half a cosine.
    Cosine,
}

impl Schedule {
    /// The factor on the peak learning rate at a step, from 0.
    ///
    /// With `w` steps of warm-up out of `n`, and `p = (step − w)/max(1, n − w)`:
    ///
    /// - `step < w`: `step/w`, so the first step does nothing;
    /// - then constant `1`, linear `max(0, 1 − p)`, cosine `max(0, ½(1 + cos πp))`.
    ///
    /// The values are those of `get_constant_schedule_with_warmup`,
    /// `get_linear_schedule_with_warmup` and `get_cosine_schedule_with_warmup` in `transformers`.
    ///
    /// ```
    /// use sixfold_model::train::Schedule;
    ///
    /// assert_eq!(Schedule::Linear.factor(5, 10, 110), 0.5);
    /// assert_eq!(Schedule::Linear.factor(10, 10, 110), 1.0);
    /// assert_eq!(Schedule::Linear.factor(60, 10, 110), 0.5);
    /// ```
    pub fn factor(self, step: u64, warmup: u64, total: u64) -> f64 {
        if step < warmup {
            return step as f64 / warmup as f64;
        }
        let span = total.saturating_sub(warmup).max(1) as f64;
        match self {
            Self::Constant => 1.0,
            Self::Linear => total.saturating_sub(step) as f64 / span,
            Self::Cosine => {
                let progress = (step - warmup) as f64 / span;
                (0.5 * (1.0 + (std::f64::consts::PI * progress).cos())).max(0.0)
            }
        }
    }
}
