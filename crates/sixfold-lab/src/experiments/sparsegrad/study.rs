//! A comparison of methods on one subject: a learning rate for each, then a training with it.

use std::collections::BTreeMap;
use std::ops::Range;

use anyhow::{Result, ensure};
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use rand::seq::index::sample;
use sixfold_model::ops::host;
use sixfold_model::{Seed, parameter_shapes, seed_dropout};
use sixfold_sparsegrad::Adaptable;

use super::outcome::{Outcome, last_tenth, median};
use super::prepare::{Calibrations, prepare};
use super::recipe::{ChosenBy, TuningRecipe};
use super::session;
use super::ways::{Common, Way};
use crate::context::Context;
use crate::heap;
use crate::record::Labels;

/// The adapted form of a model.
pub(super) type AdaptedOf<S> = <<S as Subject>::Model as Adaptable>::Adapted;

/// What is tuned: a model, what it learns from, and what it is scored on.
pub(super) trait Subject {
    /// The model.
    type Model: Adaptable;

    /// A fresh model, with a head that the seed draws.
    fn model(&self, seed: Seed, device: &Device) -> Result<Self::Model>;

    /// Examples of the training split, in the order whose end is held out.
    fn n_train(&self) -> usize;

    /// Mean tokens of an example.
    fn tokens(&self) -> f64;

    /// The mean loss of some examples.
    fn loss(&self, model: &AdaptedOf<Self>, chosen: &[usize]) -> sixfold_model::Result<Tensor<1>>;

    /// The mean loss of examples that nothing was learned from.
    fn held_out_loss(&self, model: &AdaptedOf<Self>, rows: Range<usize>) -> Result<f64>;

    /// Scores by name.
    fn scores(&self, model: &AdaptedOf<Self>) -> Result<Vec<(String, f64)>>;
}

/// Trainings of one subject with one seed.
pub(super) struct Study<'a, S> {
    pub(super) subject: &'a S,
    pub(super) recipe: &'a TuningRecipe,
    pub(super) common: Common,
    pub(super) calibrations: Calibrations,
}

/// A learning rate, and the held-out losses of those that were tried, where several were.
pub(super) struct Chosen {
    pub(super) lr: f64,
    pub(super) tried: Vec<(f64, Option<f64>)>,
}

impl<'a, S: Subject> Study<'a, S> {
    /// With a seed: `common` says the rest.
    ///
    /// # Errors
    /// Where the recipe asks for more examples than there are.
    pub(super) fn new(
        subject: &'a S,
        recipe: &'a TuningRecipe,
        common: &Common,
        seed: u64,
    ) -> Result<Self> {
        let (asked, all) = (recipe.examples, subject.n_train());
        ensure!(asked <= all, "recipe.examples: {asked}, but the training split has {all}");
        let common = Common { seed, ..common.clone() };
        Ok(Self { subject, recipe, common, calibrations: Calibrations::default() })
    }

    /// Shapes of the adapted matrices.
    pub(super) fn shapes(&self, device: &Device) -> Result<Vec<[usize; 2]>> {
        let model = self.subject.model(Seed::new(self.common.seed), device)?;
        Ok(self.common.adapted(&model)?.into_values().collect())
    }

    /// The examples that a training learns from.
    fn n_train(&self) -> usize {
        match self.recipe.examples {
            0 => self.subject.n_train(),
            n => n,
        }
    }

    /// The examples that one trial learns from, and those that are held out.
    pub(super) fn split(&self) -> (usize, Range<usize>) {
        let n = self.subject.n_train();
        let kept = n - self.recipe.held_out.min(n / 2);
        (kept.min(self.n_train()), kept..n)
    }

    /// The learning rate whose trial has the lowest loss, as [`ChosenBy`] says; of equal ones the first.
    ///
    /// A trial that breaks down, with a gradient that is not finite, is out of the question.
    ///
    /// # Errors
    /// Where all break down.
    pub(super) fn learning_rate(
        &mut self,
        way: &Way,
        name: &str,
        place: &Labels,
        cx: &mut Context,
    ) -> Result<Chosen> {
        if let [lr] = self.recipe.learning_rates[..] {
            return Ok(Chosen { lr, tried: Vec::new() });
        }
        let mut tried = Vec::new();
        for &lr in &self.recipe.learning_rates {
            let key = format!("tune {name} {lr}");
            let mut place = place.clone();
            place.set("tuning_lr", lr);
            let dir = session::folder(&key, cx);
            let loss = cx.cell_of(self.common.seed, &key, |cx| {
                let (n, held_out) = self.split();
                let found = self.train(way, lr, n, &dir, &place, cx);
                match found {
                    Ok((model, outcome)) => Ok(Some(match self.recipe.chosen_by {
                        ChosenBy::HeldOutLoss => self.subject.held_out_loss(&model, held_out)?,
                        ChosenBy::TrainLoss => outcome.train_loss,
                    })),
                    Err(error) if broke_down(&error) => Ok(None),
                    Err(error) => Err(error),
                }
            })?;
            session::forget(&dir)?;
            tried.push((lr, loss.filter(|loss| loss.is_finite())));
        }
        let usable = tried.iter().filter_map(|(lr, loss)| Some((*lr, (*loss)?)));
        let best = usable.min_by(|a, b| a.1.total_cmp(&b.1));
        let (lr, _) =
            best.ok_or_else(|| anyhow::anyhow!("{name}: no learning rate of the grid works"))?;
        Ok(Chosen { lr, tried })
    }

    /// Trains on all that is to be learned from, and scores.
    pub(super) fn outcome(
        &mut self,
        way: &Way,
        lr: f64,
        name: &str,
        place: &Labels,
        cx: &mut Context,
    ) -> Result<Outcome> {
        let key = format!("train {name}");
        let dir = session::folder(&key, cx);
        let outcome = cx.cell(&key, |cx| {
            let n = self.n_train();
            let (model, mut outcome) = self.train(way, lr, n, &dir, place, cx)?;
            outcome.scores = self.subject.scores(&model)?;
            Ok(outcome)
        })?;
        session::forget(&dir)?;
        Ok(outcome)
    }

    /// Batches of the calibration, drawn from what is not held out.
    fn calibration_batches(&self) -> Vec<Vec<usize>> {
        let mut random = Seed::new(self.common.seed).stream("calibration");
        let (n, _) = self.split();
        let size = self.recipe.batch_size.min(n);
        let draw = |_| sample(&mut random, n, size).into_vec();
        (0..self.recipe.calibration_batches).map(draw).collect()
    }

    /// Finds the coordinates and entries of a method, if it has any and they are not known.
    ///
    /// # Errors
    /// A signal, between two batches.
    pub(super) fn calibrate(&mut self, way: &Way, device: &Device, cx: &Context) -> Result<()> {
        let Way::Sparse(sparse) = way else { return Ok(()) };
        if self.calibrations.has(sparse) {
            return Ok(());
        }
        let seed = Seed::new(self.common.seed);
        let model = self.subject.model(seed, device)?;
        let batches = self.calibration_batches();
        let subject = self.subject;
        let mut signal = Ok(());
        let found = self.calibrations.of(&model, sparse, |model, batch| {
            signal = cx.check_interrupt();
            if signal.is_err() {
                // Ends the calibration; the signal is what is handed on.
                let source = std::io::ErrorKind::Interrupted.into();
                return Err(sixfold_model::Error::Io { path: "calibration".into(), source });
            }
            seed_dropout(seed.derive("calibration").derive(&batch.to_string()));
            subject.loss(model, &batches[batch])
        });
        signal?;
        found?;
        Ok(())
    }

    /// One training on examples `0..n`, without scores.
    fn train(
        &mut self,
        way: &Way,
        lr: f64,
        n: usize,
        dir: &std::path::Path,
        place: &Labels,
        cx: &Context,
    ) -> Result<(AdaptedOf<S>, Outcome)> {
        let device = sixfold_model::device(cx.device_name())?.autodiff();
        let subject = self.subject;
        // First, so that what it needs is not counted below.
        self.calibrate(way, &device, cx)?;
        // Buffers that others left would be used again, and not be counted.
        host::keep_at_most(host::keep_at_most(0));
        let before = heap::settled();
        let model = subject.model(Seed::new(self.common.seed), &device)?;
        let adapted = self.common.adapted(&model)?;
        let sizes = self.sizes(&model, &adapted);
        let known = |_: &AdaptedOf<S>, _: usize| -> sixfold_model::Result<Tensor<1>> {
            unreachable!("the calibration is known")
        };
        let prepared = prepare(model, way, &self.common, &mut self.calibrations, known)?;
        let tokens = (subject.tokens() * self.recipe.batch_size as f64).round() as usize;
        let plan = way.plan(&self.common, &adapted, sizes, tokens, None)?;
        let trainable = prepared.trainable(way);
        let config = self.recipe.trainer(lr, self.common.seed);
        heap::restart();
        let trained = session::run(prepared, n, &config, dir, place, cx, |model, chosen| {
            subject.loss(model, chosen)
        })?;
        let peak = heap::is_counted().then(|| heap::peak().saturating_sub(before));
        let (losses, times): (Vec<f64>, Vec<f64>) =
            trained.steps.iter().map(|[loss, ms]| (*loss, *ms)).unzip();
        let outcome = Outcome {
            train_loss: last_tenth(&losses),
            step_ms: median(times),
            trainable,
            planned: [plan.persistent(), plan.peak()],
            peak_bytes: peak,
            scores: Vec::new(),
        };
        Ok((trained.model.valid(), outcome))
    }

    /// Parameters beside the adapted matrices, and those of them that every method trains.
    fn sizes(&self, model: &S::Model, adapted: &BTreeMap<String, [usize; 2]>) -> [usize; 2] {
        let weights = |path: &str| {
            path.strip_suffix(".weight").is_some_and(|matrix| adapted.contains_key(matrix))
        };
        let head = sixfold_model::train::Patterns::new(&self.common.head).unwrap_or_default();
        let mut sizes = [0, 0];
        for (path, shape) in parameter_shapes(model) {
            let n: usize = shape.iter().product();
            sizes[0] += if weights(&path) { 0 } else { n };
            sizes[1] += if head.matches(&path) { n } else { 0 };
        }
        sizes
    }
}

/// Whether a training ended in a gradient that is not finite.
fn broke_down(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref::<sixfold_model::Error>(),
        Some(sixfold_model::Error::NonFiniteGradient { .. })
    )
}
