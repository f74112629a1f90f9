//! The arguments of `sweep`.

use std::path::PathBuf;

use clap::Args;

use super::Seeds;
use crate::config::Preset;
use crate::sweep::Launcher;

/// Arguments of `sweep`.
#[derive(Debug, Args)]
pub(crate) struct SweepArgs {
    /// The experiment, as `list` names it; with --resume and --out it may be left out
    #[arg(required_unless_present = "out")]
    pub(crate) name: Option<String>,
    /// Values over those of the preset; commas part those to sweep over: `rank=8,16`
    #[arg(value_name = "key=a,b,c")]
    pub(crate) arguments: Vec<String>,
    /// Size of the runs
    #[arg(
        long,
        value_enum,
        default_value_t,
        hide_possible_values = true,
        value_name = "smoke|small|paper",
        requires = "name"
    )]
    pub(crate) preset: Preset,
    /// Root seeds of every cell: `0,1,2`, or `0..3` for the same
    #[arg(long, default_value = "0", value_name = "LIST", requires = "name")]
    pub(crate) seeds: Seeds,
    /// Where to compute [default: flex]; a list, as in cuda:0,cuda:1, gives each worker one
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(crate) device: Vec<String>,
    /// Directory of the real data [default: $SIXFOLD_DATA, else ./data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The sweep directory [default: runs/sweep/<name>/<UTC time>-<hash>]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Go on with the sweep in --out, or with the latest of the same configs
    #[arg(long, conflicts_with = "force")]
    pub(crate) resume: bool,
    /// Replace an earlier sweep in the directory of --out
    #[arg(long)]
    pub(crate) force: bool,
    /// Allow downloads; needs the feature `hub`
    #[arg(long)]
    pub(crate) online: bool,
    /// Who runs the cells: processes here, or one array job of Slurm [default: local]
    #[arg(long, value_enum, hide_possible_values = true, value_name = "local|slurm")]
    pub(crate) launcher: Option<Launcher>,
    /// Cells at a time [default: one for each device; with Slurm as many as it grants]
    #[arg(long, value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    pub(crate) jobs: Option<usize>,
    /// An option of sbatch without its dashes, as in `time=01:00:00`; may be given several times
    #[arg(long, value_name = "OPTION")]
    pub(crate) slurm: Vec<String>,
    /// Seconds before its time limit at which a task keeps its state and is queued again
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    pub(crate) slurm_signal: u32,
    /// Wait for the job of Slurm, then write the index
    #[arg(long)]
    pub(crate) wait: bool,
    /// Check every cell, list them with their directories, compute nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Tell only errors
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Run one cell of the sweep in --out, as a task of Slurm does
    #[arg(long, hide = true, value_name = "N", requires = "out", conflicts_with = "name")]
    pub(crate) cell: Option<usize>,
}
