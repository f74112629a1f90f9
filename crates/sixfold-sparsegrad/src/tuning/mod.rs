//! Calibration, training and what comes out of it.

mod attach;
mod calibrate;
mod optimizer;
mod sinks;
mod targets;

pub use attach::{Tuned, adapter_of, attach, merge, unload, with_adapter};
pub use calibrate::{Calibration, calibrate};
pub use optimizer::SparseAdam;
