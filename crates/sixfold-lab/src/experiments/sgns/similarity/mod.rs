//! `sgns/similarity`: the paper's Table 2, word similarity by method, with analogies, intervals and
//! coverage.

mod config;
mod words;

pub use config::SimilarityConfig;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::clock::stage;
use super::config::Common;
use super::counting::Text;
use super::evaluation::{Scored, Sets};
use super::fit::fit;
use super::method::Method;
use crate::config::ExperimentFile;
use crate::context::Context;
use crate::data::Input;
use crate::experiment::Experiment;
use crate::experiments::experiment_file;
use crate::present::Presentation;
use crate::record::{Better, Labels, Metric, Results};

/// The experiment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Similarity;

/// Vectors of one method and length: what is compared, and what it took.
#[derive(Serialize, Deserialize)]
struct Measured {
    scored: Scored,
    objective: f64,
    /// Of the bound. Kept as it is: made anew of an objective that JSON rounded, it would be another.
    gap: f64,
    seconds: f64,
}

impl Experiment for Similarity {
    type Config = SimilarityConfig;

    fn name(&self) -> &'static str {
        "sgns/similarity"
    }

    fn title(&self) -> &'static str {
        "word similarity by SVD, SGD and Riemannian optimisation"
    }

    fn file(&self) -> ExperimentFile {
        experiment_file!("sgns/similarity")
    }

    fn inputs(&self, config: &SimilarityConfig) -> Vec<Input> {
        config.inputs()
    }

    fn run(&self, config: &SimilarityConfig, cx: &mut Context) -> Result<()> {
        run(config, cx)
    }

    fn present(&self, config: &SimilarityConfig, results: &Results) -> Presentation {
        words::present(config, results)
    }
}

/// A cell for each method and length.
fn run(config: &SimilarityConfig, cx: &mut Context) -> Result<()> {
    let common = config.common();
    let Some(sets) = Sets::open(&config.eval, Some(&config.sets), cx)? else { return Ok(()) };
    let text = Text::count(&common.corpus, &common.counting, cx)?;
    cx.note(text.note());
    cx.record(Metric::new("bound", text.objective.bound()).better(Better::Higher));
    for &dim in &config.dims {
        let mut all: Vec<(Method, Measured)> = Vec::new();
        for &method in &config.methods {
            let key = format!("{} {dim}", method.name());
            let measured = cx.cell(&key, |cx| measure(method, dim, &common, &text, &sets, cx))?;
            record(method, dim, &measured, cx);
            all.push((method, measured));
        }
        let Some((_, ours)) = all.iter().find(|(method, _)| *method == Method::Riemannian) else {
            continue;
        };
        for (other, theirs) in all.iter().filter(|(method, _)| *method != Method::Riemannian) {
            for (name, set, found) in sets.compare(&ours.scored, &theirs.scored)? {
                let metric = Metric::new(name, found.value).ci95(Some([found.low, found.high]));
                let metric =
                    metric.at("method", Method::Riemannian.name()).at("over", other.name());
                cx.record(metric.at("dim", dim).at("set", set).better(Better::Higher));
            }
        }
    }
    cx.forget_checkpoints()
}

fn measure(
    method: Method,
    dim: usize,
    common: &Common,
    text: &Text,
    sets: &Sets,
    cx: &Context,
) -> Result<Measured> {
    let mut place = Labels::default();
    place.set("dim", dim);
    let place = (format!("{}-{dim}", method.name()), place);
    let (fitted, seconds) = fit(method, dim, common, text, place, cx)?;
    let vectors = fitted.vectors(&text.vocabulary, &common.post.config())?;
    let objective = fitted.objective(&text.objective)?;
    let gap = text.objective.gap_ratio(objective);
    Ok(Measured { scored: sets.score(&vectors)?, objective, gap, seconds })
}

fn record(method: Method, dim: usize, measured: &Measured, cx: &mut Context) {
    let place = |metric: Metric| metric.at("method", method.name()).at("dim", dim);
    for metric in measured.scored.metrics() {
        let set = metric.place.text("set");
        let labelled = Metric { place: Labels::default(), ..metric };
        cx.record(place(labelled).at("set", set));
    }
    for note in measured.scored.notes() {
        cx.note(note);
    }
    for (name, value) in [("objective", measured.objective), ("gap_ratio", measured.gap)] {
        cx.record(place(Metric::new(name, value)).better(Better::Higher));
    }
    cx.record(place(stage("optimise", measured.seconds)));
}
