//! `sgns/neighbours`: the paper's Table 3, the nearest words of a few words.

mod config;
mod words;

pub use config::NeighboursConfig;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::counting::Text;
use super::fit::fit;
use crate::config::ExperimentFile;
use crate::context::Context;
use crate::data::Input;
use crate::error::config;
use crate::experiment::Experiment;
use crate::experiments::experiment_file;
use crate::present::Presentation;
use crate::record::{Labels, Metric, Results};

/// The experiment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Neighbours;

/// A word near another one.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Near {
    word: String,
    neighbour: String,
    rank: usize,
    cosine: f64,
}

impl Experiment for Neighbours {
    type Config = NeighboursConfig;

    fn name(&self) -> &'static str {
        "sgns/neighbours"
    }

    fn title(&self) -> &'static str {
        "nearest words by SVD, SGD and Riemannian optimisation"
    }

    fn file(&self) -> ExperimentFile {
        experiment_file!("sgns/neighbours")
    }

    fn inputs(&self, config: &NeighboursConfig) -> Vec<Input> {
        config.inputs()
    }

    fn run(&self, config: &NeighboursConfig, cx: &mut Context) -> Result<()> {
        run(config, cx)
    }

    fn present(&self, config: &NeighboursConfig, results: &Results) -> Presentation {
        words::present(config, results)
    }
}

/// A cell for each method.
fn run(config: &NeighboursConfig, cx: &mut Context) -> Result<()> {
    let common = config.common();
    let text = Text::count(&common.corpus, &common.counting, cx)?;
    cx.note(text.note());
    let (known, unknown): (Vec<&str>, Vec<&str>) = config
        .words
        .iter()
        .map(String::as_str)
        .partition(|word| text.vocabulary.id(word).is_some());
    if known.is_empty() {
        let words = unknown.join(", ");
        return Err(self::config(format!("words: the vocabulary has none of {words}")));
    }
    for word in unknown {
        cx.note(format!("The vocabulary does not have `{word}`."));
    }
    for &method in &config.methods {
        let all = cx.cell(method.name(), |cx| {
            let place = (method.name().to_owned(), Labels::default());
            let (fitted, _) = fit(method, config.dim, &common, &text, place, cx)?;
            let vectors = fitted.vectors(&text.vocabulary, &common.post.config())?;
            let found = vectors.index().neighbours_of(&known, config.k)?;
            let of = |(word, found): (&&str, &Vec<sixfold_sgns::vectors::Similar<'_>>)| {
                let near = |(rank, one): (usize, &sixfold_sgns::vectors::Similar<'_>)| Near {
                    word: (*word).to_owned(),
                    neighbour: one.word.to_owned(),
                    rank: rank + 1,
                    cosine: one.score.into(),
                };
                found.iter().enumerate().map(near).collect::<Vec<_>>()
            };
            Ok(known.iter().zip(&found).flat_map(of).collect::<Vec<Near>>())
        })?;
        for Near { word, neighbour, rank, cosine } in all {
            let metric = Metric::new("cosine", cosine).at("method", method.name());
            let metric = metric.at("word", word).at("rank", rank);
            cx.record(metric.at("neighbour", neighbour));
        }
    }
    cx.forget_checkpoints()
}
