//! `sgns/objective`: the paper's Table 1, SGD, SVD and Riemannian optimisation on one objective.

mod claims;
mod config;
mod words;

pub use config::{EuclideanRef, ObjectiveConfig, VocabularyRef};

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use super::clock::{Stopwatch, stage};
use super::counting::Text;
use super::fit::{Riemannian, factorise};
use super::method::Solving;
use crate::config::ExperimentFile;
use crate::context::Context;
use crate::data::Input;
use crate::experiment::Experiment;
use crate::experiments::experiment_file;
use crate::present::Presentation;
use crate::record::{Better, Labels, Metric, Results};

/// The methods, as their records are called.
const SVD: &str = "svd";
const SGD: &str = "sgd";
const WORD2VEC: &str = "sgd-word2vec";
const PAPER: &str = "riemannian-paper";
const OURS: &str = "riemannian";

/// The experiment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Objective;

/// What a method came to, as its cell keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Way {
    /// F at the start and after each iteration; of methods without iterations the last one.
    #[serde(with = "super::fit::bits")]
    objectives: Vec<f64>,
    /// λ, where the method has one.
    step: Option<f64>,
    /// The iteration at which it left the range of numbers.
    diverged: Option<usize>,
    seconds: f64,
}

impl Way {
    /// How often the objective fell.
    fn falls(&self) -> usize {
        self.objectives.windows(2).filter(|pair| pair[1] < pair[0]).count()
    }

    fn last(&self) -> f64 {
        self.objectives.last().copied().filter(|_| self.diverged.is_none()).unwrap_or(f64::NAN)
    }
}

impl Experiment for Objective {
    type Config = ObjectiveConfig;

    fn name(&self) -> &'static str {
        "sgns/objective"
    }

    fn title(&self) -> &'static str {
        "SGD, SVD and Riemannian optimisation on one objective"
    }

    fn file(&self) -> ExperimentFile {
        experiment_file!("sgns/objective")
    }

    fn inputs(&self, config: &ObjectiveConfig) -> Vec<Input> {
        vec![config.corpus.input()]
    }

    fn run(&self, config: &ObjectiveConfig, cx: &mut Context) -> Result<()> {
        for vocabulary in &config.vocabularies {
            let counting = config.counting(vocabulary);
            let text = Text::count(&config.corpus, &counting, cx)?;
            cx.note(text.note());
            let study = Study { config, vocabulary, text };
            let words = study.text.vocabulary.len();
            let bound = Metric::new("bound", study.text.objective.bound()).at("words", words);
            cx.record(bound.better(Better::Higher));
            for &dim in &config.dims {
                ensure!(dim <= words, "dims: {dim} of {words} words");
                study.run(dim, cx)?;
            }
        }
        cx.forget_checkpoints()
    }

    fn present(&self, config: &ObjectiveConfig, results: &Results) -> Presentation {
        words::present(config, results)
    }
}

/// One objective.
struct Study<'a> {
    config: &'a ObjectiveConfig,
    vocabulary: &'a VocabularyRef,
    text: Text,
}

impl Study<'_> {
    /// All methods at one rank, each a resumable cell.
    fn run(&self, dim: usize, cx: &mut Context) -> Result<()> {
        let words = self.text.vocabulary.len();
        let key = |method: &str| format!("{method} {words} words d={dim}");
        let objective = &self.text.objective;
        let svd = cx.cell(&key(SVD), |cx| {
            let watch = Stopwatch::start();
            let fitted = factorise(objective, dim, cx.seed())?;
            let seconds = watch.seconds();
            Ok(Way::end(fitted.objective(objective)?, seconds))
        })?;
        self.record(SVD, dim, &svd, cx);
        let counting = self.config.counting(self.vocabulary);
        for method in [SGD, WORD2VEC] {
            let way = cx.cell(&key(method), |cx| {
                let sgd = match method {
                    SGD => self.config.sgd.matched(&counting, dim, cx.seed())?,
                    _ => {
                        let counting = self.config.word2vec(self.vocabulary);
                        self.config.sgd.word2vec(&counting, dim, cx.seed())
                    }
                };
                let (fitted, seconds) =
                    super::stochastic::train(&self.text, sgd, &key(method), cx)?;
                Ok(Way::end(fitted.objective(objective)?, seconds))
            })?;
            self.record(method, dim, &way, cx);
        }
        let ours = cx.cell(&key(OURS), |cx| {
            self.climb(OURS, dim, &self.config.frequency(), &key(OURS), cx)
        })?;
        self.record(OURS, dim, &ours, cx);
        self.paper(dim, &key(PAPER), cx)
    }

    /// The paper's update with all its steps; the way of the best one.
    fn paper(&self, dim: usize, key: &str, cx: &mut Context) -> Result<()> {
        let words = self.text.vocabulary.len();
        let mut best: Option<Way> = None;
        for (number, solving) in self.config.euclidean().iter().enumerate() {
            let key = format!("{key} step {number}");
            let way = cx.cell(&key, |cx| self.climb(PAPER, dim, solving, &key, cx))?;
            let lambda = way.step.unwrap_or(f64::NAN);
            let place =
                |metric: Metric| metric.at("words", words).at("dim", dim).at("lambda", lambda);
            if let Some(iteration) = way.diverged {
                cx.note(format!(
                    "The paper's update with λ = {lambda:.2e} on {words} words at d = {dim} left the \
                     range of numbers at iteration {iteration}."
                ));
            } else {
                cx.record(place(Metric::new("step_objective", way.last())).better(Better::Higher));
                cx.record(place(Metric::new("falls", way.falls() as f64)).better(Better::Lower));
            }
            // One that never falls is preferred to any that does; diverged ones have no last value.
            let rank = |way: &Way| (way.falls() == 0, way.last());
            let better = match &best {
                _ if way.diverged.is_some() => false,
                None => true,
                Some(best) => {
                    let (a, b) = (rank(&way), rank(best));
                    (a.0 && !b.0) || a.0 == b.0 && a.1 > b.1
                }
            };
            if better {
                best = Some(way);
            }
        }
        if let Some(best) = best {
            self.record(PAPER, dim, &best, cx);
        }
        Ok(())
    }

    /// A Riemannian optimisation from the SVD of SPPMI.
    fn climb(
        &self,
        method: &str,
        dim: usize,
        solving: &Solving,
        key: &str,
        cx: &Context,
    ) -> Result<Way> {
        let mut place = Labels::default();
        place.set("method", method);
        place.set("words", self.text.vocabulary.len());
        place.set("dim", dim);
        let riemannian = Riemannian {
            objective: &self.text.objective,
            dim,
            config: solving.config(),
            every: 10,
            key: key.replace(' ', "-"),
            place,
        };
        let error = match riemannian.run(cx) {
            Ok((_, history)) => {
                return Ok(Way {
                    step: history.steps.first().copied(),
                    seconds: history.start + history.optimise,
                    objectives: history.objectives,
                    diverged: None,
                });
            }
            Err(error) => error,
        };
        match error.downcast_ref::<sixfold_sgns::Error>() {
            Some(sixfold_sgns::Error::Diverged { iteration, step, .. }) => Ok(Way {
                objectives: Vec::new(),
                step: Some(*step),
                diverged: Some(*iteration),
                seconds: 0.0,
            }),
            _ => Err(error),
        }
    }

    fn record(&self, method: &str, dim: usize, way: &Way, cx: &mut Context) {
        let words = self.text.vocabulary.len();
        let place = |metric: Metric| metric.at("method", method).at("words", words).at("dim", dim);
        let iterates = way.step.is_some();
        for (iteration, &value) in way.objectives.iter().enumerate() {
            let gap = self.text.objective.gap_ratio(value);
            for (name, value) in [("objective", value), ("gap_ratio", gap)] {
                let metric = place(Metric::new(name, value)).better(Better::Higher);
                cx.record(if iterates { metric.at("iteration", iteration) } else { metric });
            }
        }
        if let Some(step) = way.step {
            cx.record(place(Metric::new("lambda", step)));
        }
        cx.record(place(stage("optimise", way.seconds)));
    }
}

impl Way {
    /// Of a method that has an end and no way.
    fn end(value: f64, seconds: f64) -> Self {
        Self { objectives: vec![value], step: None, diverged: None, seconds }
    }
}
