//! The operations of sparse updates on devices.
//!
//! Each is a folder as in [`sixfold_model::ops`]: the public function, its `reference` of plain burn operations, the
//! kernels, the backward pass.

pub mod keep;
pub mod observe;
pub mod sink;
pub mod top_k;
pub mod update;

pub use keep::keep;
pub use observe::observe;
pub use sink::{Sink, sink};
pub use top_k::top_k;
pub use update::update;
