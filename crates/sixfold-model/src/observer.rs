//! Watching and stopping long loops.

use std::ops::ControlFlow;

/// Follows a long computation: progress, metrics, checkpoints, interruption.
///
/// A loop calls [`on_start`](Self::on_start) once, [`on_step`](Self::on_step) after every step
/// and [`on_end`](Self::on_end) once, also when it was stopped. All have defaults, so `()` is
/// an observer that lets everything run.
///
/// ```
/// use std::ops::ControlFlow;
/// use sixfold_model::{Observer, Step};
///
/// struct AtMost(usize);
/// impl Observer for AtMost {
///     fn on_step(&mut self, step: &Step<'_>) -> ControlFlow<()> {
///         if step.index + 1 >= self.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
///     }
/// }
/// assert!(AtMost(1).on_step(&Step::new("pass", 0)).is_break());
/// ```
pub trait Observer {
    /// The loop begins; `total` steps if that is known.
    fn on_start(&mut self, what: &str, total: Option<usize>) {
        let _ = (what, total);
    }

    /// A step is done. `Break` asks the loop to stop before the next one.
    fn on_step(&mut self, step: &Step<'_>) -> ControlFlow<()> {
        let _ = step;
        ControlFlow::Continue(())
    }

    /// The loop is over.
    fn on_end(&mut self, what: &str) {
        let _ = what;
    }
}

impl Observer for () {}

/// One finished step of a loop.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Step<'a> {
    /// Which loop.
    pub what: &'a str,
    /// The step's number, from 0.
    pub index: usize,
    /// Named values of the step, such as the loss.
    pub values: &'a [(&'a str, f64)],
}

impl<'a> Step<'a> {
    /// A step without values.
    pub fn new(what: &'a str, index: usize) -> Self {
        Self { what, index, values: &[] }
    }

    /// The same step with values.
    pub fn with_values(mut self, values: &'a [(&'a str, f64)]) -> Self {
        self.values = values;
        self
    }
}
