//! Sixfold's experiments: typed configs, run directories, reports.
//!
//! A binary hands [`main`] a [`Registry`] of experiments; everything else, from the command
//! line to the report, is here. An experiment implements [`Experiment`]: a typed config, a
//! `run` that records metrics in a [`Context`], and a `present` that turns results into words,
//! tables and figures.

pub mod bleu;
pub mod config;
pub mod data;
pub mod experiments;
pub mod figure;
pub mod format;
pub mod heap;
pub mod logistic;
pub mod present;
pub mod published;
pub mod record;
pub mod report;
pub mod rundir;
pub mod runner;
pub mod sweep;
pub mod table;

mod atomic;
mod cache;
mod cli;
mod commands;
mod context;
mod diff;
mod environment;
mod error;
mod estimate;
mod experiment;
mod interrupt;
mod progress;
mod tensorboard;
mod terminal;

pub use atomic::{atomic_write, create_dir};
pub use cli::main;
pub use context::{Context, ProgressObserver};
pub use environment::{Clock, Environment};
pub use error::{LabError, exit_code, one_line};
pub use estimate::Work;
pub use experiment::{AnyExperiment, Experiment, Registry};
pub use interrupt::Interrupt;
pub use progress::{Progress, Task};
