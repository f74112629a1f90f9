//! `sweep` through the built binary: the grid, both launchers, what is left when things go wrong.

mod common;
mod devices;
mod grid;
mod interrupt;
mod local;
mod plan;
mod slurm;
