//! The three ways to word vectors.

use std::path::Path;

use anyhow::Result;
use ndarray::{Array1, Array2, ArrayView2, s};
use serde::{Deserialize, Serialize};
use sixfold_sgns::sweep::{HostSweep, Sweep};
use sixfold_sgns::{
    Factors, Objective, Solver, SolverConfig, Sppmi, State, VectorsConfig, Vocabulary, WordVectors,
    initial,
};

use super::clock::Stopwatch;
use super::config::Common;
use super::counting::Text;
use super::method::Method;
use crate::context::Context;
use crate::record::Labels;

/// What a method leaves.
pub(super) enum Fitted {
    /// A singular value decomposition U·diag(Σ)·Vᵀ.
    Factors(Array2<f32>, Array1<f32>, Array2<f32>),
    /// Vectors of words and of contexts.
    Pair(Array2<f32>, Array2<f32>),
}

impl Fitted {
    /// Word vectors.
    pub(super) fn vectors(
        &self,
        vocabulary: &Vocabulary,
        config: &VectorsConfig,
    ) -> Result<WordVectors> {
        Ok(match self {
            Self::Factors(u, s, v) => {
                let (u, s, v) = (u.clone(), s.clone(), v.clone());
                Factors::new(vocabulary.clone(), u, s, v)?.vectors(config)?
            }
            Self::Pair(words, contexts) => {
                let matrix = match config.add_contexts {
                    true => words + contexts,
                    false => words.clone(),
                };
                let vectors = WordVectors::new(vocabulary.clone(), matrix)?;
                if config.normalise { vectors.normalised() } else { vectors }
            }
        })
    }

    /// F.
    pub(super) fn objective(&self, objective: &Objective) -> Result<f64> {
        match self {
            Self::Factors(u, s, v) => value(objective, (u * s).view(), v.view()),
            Self::Pair(words, contexts) => value(objective, words.view(), contexts.view()),
        }
    }
}

/// F at A·Bᵀ.
fn value(objective: &Objective, a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>) -> Result<f64> {
    // The product that comes with it is of one column.
    Ok(HostSweep::new(objective).rows(a, b, b.slice(s![.., ..1]))?.0)
}

/// The truncated SVD of SPPMI.
pub(super) fn factorise(objective: &Objective, dim: usize, seed: u64) -> Result<Fitted> {
    let (u, s, v) = Sppmi::new(objective).svd(dim, seed)?;
    Ok(Fitted::Factors(u, s, v))
}

/// What a method makes of a text with the options of a config, and the seconds that it took. `key` is
/// its place among the checkpoints, `place` the labels of what is logged.
pub(super) fn fit(
    method: Method,
    dim: usize,
    common: &Common,
    text: &Text,
    (key, place): (String, Labels),
    cx: &Context,
) -> Result<(Fitted, f64)> {
    match method {
        Method::Svd => {
            let watch = Stopwatch::start();
            let fitted = factorise(&text.objective, dim, cx.seed())?;
            Ok((fitted, watch.seconds()))
        }
        Method::Sgd => {
            let sgd = common.sgd.word2vec(&common.counting, dim, cx.seed());
            super::stochastic::train(text, sgd, &key, cx)
        }
        Method::Riemannian => {
            let (objective, config) = (&text.objective, common.solving.config());
            let riemannian = Riemannian { objective, dim, config, every: 5, key, place };
            let (fitted, history) = riemannian.run(cx)?;
            Ok((fitted, history.start + history.optimise))
        }
    }
}

/// The way of an optimisation, as its checkpoint keeps it beside the solver's own state.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct History {
    /// F at the start and after each iteration.
    #[serde(with = "bits")]
    pub(super) objectives: Vec<f64>,
    /// The step of each iteration.
    #[serde(with = "bits")]
    pub(super) steps: Vec<f64>,
    /// Steps that were taken back.
    pub(super) rejected: usize,
    /// Seconds of the start, and of the iterations.
    pub(super) start: f64,
    pub(super) optimise: f64,
}

/// An optimisation and what it is called.
pub(super) struct Riemannian<'a> {
    pub(super) objective: &'a Objective,
    pub(super) dim: usize,
    pub(super) config: SolverConfig,
    /// Iterations after which the state is kept.
    pub(super) every: usize,
    /// Its place among the checkpoints of the run.
    pub(super) key: String,
    /// Labels of what is logged.
    pub(super) place: Labels,
}

impl Riemannian<'_> {
    /// Goes on where an earlier run stopped, else from the SVD of SPPMI.
    ///
    /// # Errors
    /// A signal: the state is kept, and a later run goes on from it to the bit.
    pub(super) fn run(&self, cx: &Context) -> Result<(Fitted, History)> {
        let dir = cx.checkpoints().join(&self.key);
        let (mut solver, mut history) = match self.kept(&dir) {
            Some((state, history)) => {
                let sweep = HostSweep::new(self.objective);
                (Solver::resume(self.objective, sweep, self.config, state)?, history)
            }
            None => {
                let watch = Stopwatch::start();
                let (a, b) = initial::from_sppmi(self.objective, self.dim, cx.seed())?;
                let sweep = HostSweep::new(self.objective);
                let solver = Solver::new(self.objective, sweep, (&a, &b), self.config)?;
                let (objectives, start) = (vec![solver.objective()], watch.seconds());
                (solver, History { objectives, start, ..History::default() })
            }
        };
        let total = self.config.iterations as u64;
        let mut task = cx.progress().task(&self.key, total, "iterations");
        task.begin_at(solver.state().iteration() as u64);
        let before = history.optimise;
        let watch = Stopwatch::start();
        loop {
            let done = solver.state().iteration();
            let stop = cx.interrupt().signal().is_some();
            if done > 0 && done < self.config.iterations && (stop || done % self.every == 0) {
                // The history first: one that is too long is cut, one that is too short is of no use.
                crate::create_dir(&dir)?;
                crate::atomic_write(&dir.join("history.json"), serde_json::to_vec(&history)?)?;
                solver.state().save(dir.join("state.safetensors"))?;
            }
            cx.check_interrupt()?;
            let Some(step) = solver.step()? else { break };
            history.objectives.push(step.objective);
            history.steps.push(step.step);
            history.rejected += step.rejected;
            history.optimise = before + watch.seconds();
            cx.log(step.iteration as u64, "objective", &self.place, step.objective)?;
            task.say(&format!("objective {:.5e}", step.objective));
            task.advance(1);
        }
        let (u, s, v) = solver.svd()?;
        Ok((Fitted::Factors(u, s, v), history))
    }

    /// What an earlier run left; nothing where it does not fit.
    fn kept(&self, dir: &Path) -> Option<(State<f32>, History)> {
        let state = State::<f32>::open(dir.join("state.safetensors")).ok()?;
        let text = std::fs::read(dir.join("history.json")).ok()?;
        let mut history: History = serde_json::from_slice(&text).ok()?;
        let (n, m) = self.objective.dim();
        let point = state.point();
        let fits = point.u().dim() == (n, self.dim) && point.v().dim() == (m, self.dim);
        let done = state.iteration();
        if !fits || history.objectives.len() <= done || history.steps.len() < done {
            return None;
        }
        history.objectives.truncate(done + 1);
        history.steps.truncate(done);
        Some((state, history))
    }
}

/// Numbers by their bits: as decimals JSON may lose the last one.
pub(super) mod bits {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(in super::super) fn serialize<S: Serializer>(
        values: &[f64],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        values.iter().map(|value| value.to_bits()).collect::<Vec<_>>().serialize(to)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<f64>, D::Error> {
        Ok(Vec::<u64>::deserialize(from)?.into_iter().map(f64::from_bits).collect())
    }
}
