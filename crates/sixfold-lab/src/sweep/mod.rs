//! Sweeps: one experiment over a grid of values, a run directory for every cell.
//!
//! `grid` takes the arguments apart; `sheet` is what a sweep directory says about itself; `plan`
//! brings both together before anything runs. `local` and `slurm` carry the cells out: each is a
//! `run` of its own process, so that what holds for one run holds for every cell. What became of
//! a cell (`state`) is read from its directory alone, and `page` writes it down.

mod child;
mod grid;
mod local;
mod numbers;
mod page;
mod plan;
mod sheet;
mod slurm;
mod state;

pub use grid::{Axis, values};

pub(crate) use local::Workers;
pub(crate) use page::write_index;
pub(crate) use plan::Sweep;
pub(crate) use sheet::{Launcher, Row, Sheet, is_sweep};
pub(crate) use slurm::{Cluster, is_queued, wait};
