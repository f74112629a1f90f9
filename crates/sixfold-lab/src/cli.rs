//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::commands;
use crate::config::Preset;
use crate::error::{exit_code, one_line};
use crate::experiment::Registry;
use crate::terminal::say;

mod seeds;
mod sweep;
pub(crate) use seeds::Seeds;
pub(crate) use sweep::SweepArgs;

/// Experiments over language models: run them, read their reports.
#[derive(Debug, Parser)]
#[command(name = "sixfold-lab", bin_name = "cargo xtask experiment", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the experiments and what they answer
    #[command(after_help = "Example: cargo xtask experiment list riemannian")]
    List {
        /// Only those whose name, question or paper contains each of these words
        #[arg(value_name = "WORD")]
        words: Vec<String>,
        /// Print JSON on stdout
        #[arg(long)]
        json: bool,
    },
    /// Print the resolved config and where each value came from
    #[command(
        after_help = "Example: cargo xtask experiment show linearity/profile --preset small text.max_tokens=4096"
    )]
    Show(Chosen),
    /// Run an experiment and write its report
    #[command(
        after_help = "Example: cargo xtask experiment run linearity/profile --preset small --data ../data"
    )]
    Run(Box<RunArgs>),
    /// Run every experiment and write one index report
    #[command(after_help = "Example: cargo xtask experiment all --preset smoke")]
    All(AllArgs),
    /// Run an experiment for each combination of values, one index over all
    #[command(
        after_help = "Example: cargo xtask experiment sweep sgns/train dim=25,50 negatives=1,5 --jobs 2"
    )]
    Sweep(Box<SweepArgs>),
    /// Write the report again from kept results; several runs side by side
    #[command(after_help = "Example: cargo xtask experiment report runs/linearity/profile/*")]
    Report(ReportArgs),
    /// Set our numbers beside the published ones
    #[command(after_help = "Example: cargo xtask experiment compare linearity/finetune")]
    Compare(CompareArgs),
    /// Set the configs and numbers of two runs beside each other
    #[command(
        after_help = "Example: cargo xtask experiment diff runs/sgns/train/20260101T000000Z-0a1b2c3d runs/sgns/train/20260102T000000Z-4e5f6071"
    )]
    Diff(DiffArgs),
    /// Print the completions of a shell for the binary `sixfold-lab`
    #[command(after_help = "Example: cargo xtask experiment completions bash > sixfold-lab.bash")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// An experiment and its config.
#[derive(Debug, Args)]
pub(crate) struct Chosen {
    /// The experiment, as `list` names it
    pub(crate) name: String,
    /// Size of the run
    #[arg(
        long,
        value_enum,
        default_value_t,
        hide_possible_values = true,
        value_name = "smoke|small|paper"
    )]
    pub(crate) preset: Preset,
    /// Values over those of the preset: `text.max_tokens=4096`, as TOML or plain text
    #[arg(value_name = "key=value")]
    pub(crate) overrides: Vec<String>,
}

/// What `run` and `all` share.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// Where to compute: flex, ndarray, cuda, cuda:N or wgpu
    #[arg(long, default_value = "flex", value_name = "NAME")]
    pub(crate) device: String,
    /// Directory of the real data [default: $SIXFOLD_DATA, else ./data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Run again what is finished, or replace an earlier run in the directory of --out
    #[arg(long)]
    pub(crate) force: bool,
    /// Allow downloads; needs the feature `hub`
    #[arg(long)]
    pub(crate) online: bool,
    /// Tell more on stderr; twice for every detail
    #[arg(short, long, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    pub(crate) verbose: u8,
    /// Tell only errors
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// No bars and no progress lines
    #[arg(long)]
    pub(crate) no_progress: bool,
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) chosen: Chosen,
    #[command(flatten)]
    pub(crate) common: Common,
    /// Root seeds: `0,1,2`, or `0..3` for the same
    #[arg(long, default_value = "0", value_name = "LIST")]
    pub(crate) seeds: Seeds,
    /// The run directory [default: runs/<name>/<UTC time>-<hash>]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Go on with the latest unfinished run of the same config, or with DIR
    #[arg(long, value_name = "DIR", num_args = 0..=1, conflicts_with = "force")]
    pub(crate) resume: Option<Option<PathBuf>>,
    /// Fail with exit code 1, after writing the results, where a fooling rate of an audit is above X
    #[arg(long, value_name = "X")]
    pub(crate) fail_above: Option<f64>,
    /// Write the log of the run as event files of TensorBoard too, below `tensorboard`
    #[arg(long)]
    pub(crate) tensorboard: bool,
    /// Check everything, say what would happen, compute nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print results.json on stdout, and nothing else there
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `all`.
#[derive(Debug, Args)]
pub(crate) struct AllArgs {
    /// Size of the runs
    #[arg(
        long,
        value_enum,
        default_value_t,
        hide_possible_values = true,
        value_name = "smoke|small|paper"
    )]
    pub(crate) preset: Preset,
    /// Directory of the index and of all runs [default: runs/all/<UTC time>]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// Arguments of `report`.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Run directories, or one of a sweep
    #[arg(required = true, value_name = "run-dir")]
    pub(crate) runs: Vec<PathBuf>,
    /// The page for several runs [default: side-by-side.html]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// Arguments of `compare`.
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// The experiment, as `list` names it
    pub(crate) name: String,
    /// Fail with exit code 4 where a number differs from the published one, or none can be judged
    #[arg(long)]
    pub(crate) strict: bool,
    /// A run directory; several times for several [default: the kept results]
    #[arg(long = "run", value_name = "run-dir")]
    pub(crate) runs: Vec<PathBuf>,
}

/// Arguments of `diff`.
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// The first run directory
    #[arg(value_name = "run-dir")]
    pub(crate) first: PathBuf,
    /// The second
    #[arg(value_name = "run-dir")]
    pub(crate) second: PathBuf,
    /// Show what is equal too
    #[arg(long)]
    pub(crate) all: bool,
    /// Print JSON on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

/// Runs the command line `arguments` over the experiments of `registry`.
///
/// Errors are printed on stderr as one line; the exit code is the one of the contract.
pub fn main(
    registry: &Registry,
    arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) -> ExitCode {
    let cli = match Cli::command()
        .try_get_matches_from(arguments)
        .and_then(|matches| Cli::from_arg_matches(&matches))
    {
        Ok(cli) => cli,
        Err(error) => {
            let code = u8::try_from(error.exit_code()).unwrap_or(2);
            // Help goes to stdout, complaints to stderr; clap knows which is which.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    match dispatch(registry, cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {}", one_line(&error)));
            ExitCode::from(exit_code(&error))
        }
    }
}

fn dispatch(registry: &Registry, command: Command) -> Result<()> {
    match command {
        Command::List { words, json } => commands::list(registry, &words, json),
        Command::Show(chosen) => commands::show(registry, &chosen),
        Command::Run(arguments) => {
            start_log(&arguments.common);
            commands::run(registry, &arguments)
        }
        Command::All(arguments) => {
            start_log(&arguments.common);
            commands::all(registry, &arguments)
        }
        Command::Sweep(arguments) => commands::sweep(registry, &arguments),
        Command::Report(arguments) => commands::report(registry, &arguments),
        Command::Diff(arguments) => commands::diff(registry, &arguments),
        Command::Compare(arguments) => commands::compare(registry, &arguments),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            let mut command = Cli::command().bin_name("sixfold-lab");
            clap_complete::generate(shell, &mut command, "sixfold-lab", &mut script);
            crate::terminal::print(&String::from_utf8_lossy(&script))
        }
    }
}

/// Logs on stderr; `RUST_LOG` has the last word.
pub(crate) fn start_log(common: &Common) {
    let level = match (common.quiet, common.verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "info",
        (false, _) => "debug",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    // A second subscriber in one process, as in tests, changes nothing.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(terminal && !plain)
        .with_writer(std::io::stderr)
        .try_init();
}
