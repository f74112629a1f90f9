//! What Sixfold's tests share: golden files, comparisons, places of fixtures and data, a Slurm.

mod compare;
mod golden;
mod places;
mod slurm;

pub use compare::{max_abs_error, max_relative_error};
pub use golden::Golden;
pub use places::{data_dir, fixtures, has_vulkan, repository};
pub use slurm::Slurm;
