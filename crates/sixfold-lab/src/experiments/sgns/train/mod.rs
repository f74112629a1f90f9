//! `sgns/train`: word vectors from a corpus.

mod config;
mod words;

pub use config::TrainConfig;

use anyhow::Result;
use sixfold_sgns::WordVectors;
use sixfold_sgns::formats::Format;

use super::clock::{Stopwatch, stage};
use super::counting::Text;
use super::evaluation::Sets;
use super::fit::{Riemannian, factorise};
use super::method::Method;
use crate::config::ExperimentFile;
use crate::context::Context;
use crate::data::Input;
use crate::experiment::Experiment;
use crate::experiments::experiment_file;
use crate::present::Presentation;
use crate::record::{Better, Labels, Metric, Results};

/// The files that a run leaves.
const FILES: [(&str, Format); 3] = [
    ("vectors.txt", Format::Word2VecText),
    ("vectors.bin", Format::Word2VecBinary),
    ("vectors.safetensors", Format::SafeTensors),
];

/// The experiment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Train;

impl Experiment for Train {
    type Config = TrainConfig;

    fn name(&self) -> &'static str {
        "sgns/train"
    }

    fn title(&self) -> &'static str {
        "word vectors from a corpus"
    }

    fn file(&self) -> ExperimentFile {
        experiment_file!("sgns/train")
    }

    fn inputs(&self, config: &TrainConfig) -> Vec<Input> {
        config.inputs()
    }

    fn run(&self, config: &TrainConfig, cx: &mut Context) -> Result<()> {
        run(config, cx)
    }

    fn present(&self, config: &TrainConfig, results: &Results) -> Presentation {
        words::present(config, results)
    }
}

fn run(config: &TrainConfig, cx: &mut Context) -> Result<()> {
    let common = config.common();
    let sets = Sets::open(&config.eval, None, cx)?;
    let text = Text::count(&common.corpus, &common.counting, cx)?;
    cx.note(text.note());
    cx.record(stage("count", text.seconds));
    let speed = |tokens: f64, seconds: f64| {
        Metric::new("tokens_per_second", tokens / seconds.max(1e-2)).better(Better::Higher)
    };
    cx.record(speed(text.tokens as f64, text.seconds).at("stage", "count"));
    cx.record(Metric::new("words", text.vocabulary.len() as f64));
    let objective = &text.objective;
    cx.record(Metric::new("bound", objective.bound()).better(Better::Higher));

    let fitted = match config.method {
        Method::Riemannian => {
            let riemannian = Riemannian {
                objective,
                dim: config.dim,
                config: common.solving.config(),
                every: config.checkpoint_every,
                key: "riemannian".to_owned(),
                place: Labels::default(),
            };
            let (fitted, history) = riemannian.run(cx)?;
            for (iteration, value) in history.objectives.iter().enumerate() {
                record_objective(*value, objective.gap_ratio(*value), Some(iteration), cx);
            }
            if history.rejected > 0 {
                let shortest = history.steps.last().copied().unwrap_or(f64::NAN);
                cx.note(format!(
                    "{} steps were taken back and halved; the last one was {shortest:.3e}.",
                    history.rejected
                ));
            }
            cx.record(stage("start", history.start));
            cx.record(stage("optimise", history.optimise));
            fitted
        }
        Method::Svd => {
            let watch = Stopwatch::start();
            let fitted = factorise(objective, config.dim, cx.seed())?;
            cx.record(stage("optimise", watch.seconds()));
            let value = fitted.objective(objective)?;
            record_objective(value, objective.gap_ratio(value), None, cx);
            fitted
        }
        Method::Sgd => {
            let sgd = common.sgd.word2vec(&common.counting, config.dim, cx.seed());
            let read = (text.tokens * sgd.epochs as u64) as f64;
            let (fitted, seconds) = super::stochastic::train(&text, sgd, "sgd", cx)?;
            cx.record(stage("optimise", seconds));
            cx.record(speed(read, seconds).at("stage", "optimise"));
            let value = fitted.objective(objective)?;
            record_objective(value, objective.gap_ratio(value), None, cx);
            fitted
        }
    };
    let vectors = fitted.vectors(&text.vocabulary, &common.post.config())?;
    write(&vectors, cx)?;
    if let Some(sets) = sets {
        let watch = Stopwatch::start();
        let scored = sets.score(&vectors)?;
        cx.record(stage("evaluate", watch.seconds()));
        for metric in scored.metrics() {
            cx.record(metric);
        }
        for note in scored.notes() {
            cx.note(note);
        }
    }
    cx.forget_checkpoints()
}

/// `objective` and `gap_ratio`, of an iteration or of what a method ends with.
fn record_objective(value: f64, gap: f64, iteration: Option<usize>, cx: &mut Context) {
    for (name, value) in [("objective", value), ("gap_ratio", gap)] {
        let metric = Metric::new(name, value).better(Better::Higher);
        cx.record(match iteration {
            Some(iteration) => metric.at("iteration", iteration),
            None => metric,
        });
    }
}

/// Writes the vectors in all forms, each whole or not at all.
fn write(vectors: &WordVectors, cx: &mut Context) -> Result<()> {
    for (name, format) in FILES {
        vectors.save(cx.path(name), format)?;
    }
    cx.note(format!(
        "vectors.txt, vectors.bin and vectors.safetensors in the run directory hold {} vectors of \
         length {}; where there are several seeds, those of the last.",
        vectors.len(),
        vectors.dim()
    ));
    Ok(())
}
