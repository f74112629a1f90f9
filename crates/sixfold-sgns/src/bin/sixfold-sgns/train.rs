//! `sixfold-sgns train`.

use std::path::{Path, PathBuf};

use lexopt::Parser;
use sixfold_sgns::counting::{
    CountConfig, CountsFile, Keep, Subsample, SubsampleMode, Unknown, count,
};
use sixfold_sgns::formats::Format;
use sixfold_sgns::sweep::HostSweep;
use sixfold_sgns::{
    Counts, Factors, Metric, Objective, ObjectiveConfig, Solver, SolverConfig, Sppmi, State,
    StepSize, VectorsConfig, Vocabulary, initial,
};

use crate::options::{
    Failure, Outcome, TEXT_HELP, Taken, Text, choice, distinct, needed, next, size, tell,
    unexpected, value,
};

const HELP: &str = "\
Train word vectors on texts, or on counts that were made of them.

Usage: sixfold-sgns train [OPTIONS] -o VECTORS FILES...
       sixfold-sgns train [OPTIONS] -o VECTORS --vocab VOCABULARY --counts COUNTS

Options:
  -o, --output FILE      Where to write; the ending tells the format: .txt, .bin, .fifu,
                         .safetensors, .npy
      --factors FILE     Where to write U, S and V too (safetensors)
      --vocab FILE       Words, as `vocab` writes them (for --counts)
      --counts FILE      Counts, as `count` and `merge` write them
      --dim D            Dimensions [100]
      --method NAME      riemannian (default), or svd: that of shifted positive PMI alone
      --iterations N     Most iterations [15]
      --metric NAME      frequency (default) or euclidean
      --step TAU         Length of a step, relative to the largest curvature [2.5]
      --negatives K      Negative samples for a pair [5]
      --smoothing A      Exponent of the distribution of negatives [0.75]
      --seed N           Seed of the start [0]
      --checkpoint FILE  Where to keep the state after each iteration, and where to go on from
  From texts:
      --min-count N      Least count of a word [5]
      --top N            No more than so many words
      --window L         Words on each side [5]
      --fixed            All places of a window count 1; else (L - distance + 1)/L
      --subsample T      Threshold of sub-sampling, 0 for none [1e-3]
      --unknown RULE     remove (default): gaps of words not in the vocabulary close;
                         keep-position: they stay
      --memory SIZE      Memory for counting [2G]
  Vectors:
      --power P          Exponent of the singular values [0.5]
      --drop N           Leading components to leave out [0]
      --add-contexts     W + C instead of W

";

#[derive(Default)]
struct Paths {
    output: Option<PathBuf>,
    factors: Option<PathBuf>,
    vocabulary: Option<PathBuf>,
    counts: Option<PathBuf>,
    checkpoint: Option<PathBuf>,
}

struct Options {
    dim: usize,
    riemannian: bool,
    seed: u64,
    objective: ObjectiveConfig,
    solver: SolverConfig,
    vectors: VectorsConfig,
}

pub(crate) fn run(parser: &mut Parser) -> Outcome {
    let mut text = Text::default();
    let mut paths = Paths::default();
    let mut counting = CountConfig::default();
    let mut threshold = 1e-3;
    let mut options = Options {
        dim: 100,
        riemannian: true,
        seed: 0,
        objective: ObjectiveConfig { smoothing: 0.75, ..ObjectiveConfig::default() },
        solver: SolverConfig::default(),
        vectors: VectorsConfig::default(),
    };
    while let Some(argument) = next(parser)? {
        let Taken::Option(name) = &argument else {
            text.take(&argument, parser)?;
            continue;
        };
        let name = name.as_str();
        match name {
            "help" => return Ok(format!("{HELP}{TEXT_HELP}")),
            "output" => paths.output = Some(value(parser, name)?),
            "factors" => paths.factors = Some(value(parser, name)?),
            "vocab" => paths.vocabulary = Some(value(parser, name)?),
            "counts" => paths.counts = Some(value(parser, name)?),
            "checkpoint" => paths.checkpoint = Some(value(parser, name)?),
            "dim" => options.dim = value(parser, name)?,
            "method" => {
                options.riemannian = choice(parser, name, &[("riemannian", true), ("svd", false)])?;
            }
            "iterations" => options.solver.iterations = value(parser, name)?,
            "metric" => {
                let choices = [("frequency", Metric::Frequency), ("euclidean", Metric::Euclidean)];
                options.solver.metric = choice(parser, name, &choices)?;
            }
            "step" => options.solver.step = StepSize::Relative(value(parser, name)?),
            "negatives" => options.objective.negatives = value(parser, name)?,
            "smoothing" => options.objective.smoothing = value(parser, name)?,
            "seed" => options.seed = value(parser, name)?,
            "min-count" => counting.min_count = value(parser, name)?,
            "top" => counting.top_n = Some(value(parser, name)?),
            "window" => counting.window = value(parser, name)?,
            "fixed" => counting.dynamic = false,
            "subsample" => threshold = value(parser, name)?,
            "unknown" => {
                let choices =
                    [("remove", Unknown::Remove), ("keep-position", Unknown::KeepPosition)];
                counting.unknown = choice(parser, name, &choices)?;
            }
            "memory" => counting.memory = size(parser, name)?,
            "power" => options.vectors.power = value(parser, name)?,
            "drop" => options.vectors.drop_leading = value(parser, name)?,
            "add-contexts" => options.vectors.add_contexts = true,
            _ if text.take(&argument, parser)? => {}
            _ => return Err(unexpected(&argument)),
        }
    }
    let (keep, mode) = (Keep::Word2vec, SubsampleMode::Expected);
    counting.subsample = (threshold != 0.0).then_some(Subsample { threshold, keep, mode });
    let output = needed(paths.output.take(), "output")?;
    let Some(format) = Format::from_extension(&output) else {
        let what = format!("--output is `{}`, which has no known ending", output.display());
        return Err(Failure::Usage(what));
    };
    options.objective.validate()?;
    options.solver.validate()?;
    let (words, counts) = counted(&text, &paths, &counting, &output)?;
    let factors = fitted(words, counts, &paths, &options)?;
    if let Some(path) = &paths.factors {
        factors.save(path)?;
    }
    factors.vectors(&options.vectors)?.save(&output, format)?;
    Ok(String::new())
}

/// Words and counts, of a file or of the texts.
fn counted(
    text: &Text,
    paths: &Paths,
    config: &CountConfig,
    output: &Path,
) -> Result<(Vocabulary, Counts), Failure> {
    let Some(counts) = &paths.counts else {
        if paths.vocabulary.is_some() || text.shard.is_some() {
            let what = "--vocab and --shard belong to `count`; its file is --counts";
            return Err(Failure::Usage(what.into()));
        }
        distinct(output, &text.corpus.paths)?;
        return Ok(count(&text.corpus, config)?);
    };
    let vocabulary = needed(paths.vocabulary.as_ref(), "vocab")?;
    if !text.corpus.paths.is_empty() {
        return Err(Failure::Usage("expected texts or --counts, not both".into()));
    }
    distinct(output, &[counts.clone(), vocabulary.clone()])?;
    let words = Vocabulary::load(vocabulary)?;
    let counts = CountsFile::open(counts, &words)?.counts()?;
    Ok((words, counts))
}

/// The factorisation.
fn fitted(
    words: Vocabulary,
    counts: Counts,
    paths: &Paths,
    options: &Options,
) -> Result<Factors, Failure> {
    tell(&format!("{} words, {} pairs", words.len(), counts.non_zeros()));
    let objective = Objective::new(counts, &options.objective)?;
    if !options.riemannian {
        let (u, s, v) = Sppmi::new(&objective).svd(options.dim, options.seed)?;
        return Ok(Factors::new(words, u, s, v)?);
    }
    let sweep = HostSweep::new(&objective);
    let kept = paths.checkpoint.as_deref().filter(|path| path.exists());
    let mut solver = match kept {
        Some(path) => Solver::resume(&objective, sweep, options.solver, State::open(path)?)?,
        None => {
            let (a, b) = initial::from_sppmi(&objective, options.dim, options.seed)?;
            Solver::new(&objective, sweep, (&a, &b), options.solver)?
        }
    };
    let bound = objective.bound();
    tell(&format!("objective {:.6e}, at most {bound:.6e}", solver.objective()));
    while let Some(step) = solver.step()? {
        let ratio = objective.gap_ratio(step.objective);
        tell(&format!("{:>4}  {:.6e}  {ratio:.4} of the way", step.iteration, step.objective));
        if let Some(path) = &paths.checkpoint {
            solver.state().save(path)?;
        }
    }
    let (u, s, v) = solver.svd()?;
    Ok(Factors::new(words, u, s, v)?)
}
