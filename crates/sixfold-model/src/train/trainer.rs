//! The loop: batches, gradients, steps, metrics, checkpoints.

use std::path::PathBuf;

use burn::module::Module;
use serde_json::{Value, json};

use super::{
    AdamW, Epochs, Gradients, Objective, Optimizer, Outcome, ParamGroups, TrainCheckpoint,
    TrainState, TrainerConfig, frozen,
};
use crate::{Error, Observer, Result, Seed, Step, seed_dropout};

/// A model in training.
///
/// A step depends on nothing but parameters, moments, settings and its number: the order of the
/// data comes from the seed and the epoch, and before each step the device's generator is set
/// from the seed and the step, so that dropout draws the same masks after a resume. On `flex` a
/// training that was interrupted and resumed is equal to the bit to one that was not.
///
/// Masks of dropout come from the calling thread's own stream ([`seed_dropout`]): trainings on two
/// threads do not disturb each other.
///
/// [`mod@crate::train`] has an example.
#[derive(Debug)]
pub struct Trainer<M: Module, O = AdamW> {
    /// Away only while a step is being taken.
    model: Option<M>,
    optimizer: O,
    config: TrainerConfig,
    epochs: Epochs,
    /// The running epoch's order.
    order: Option<(u64, Vec<usize>)>,
    state: TrainState,
    settings: Value,
    checkpoints: Option<(PathBuf, u64)>,
}

/// What a step showed.
struct Metrics {
    loss: f64,
    norm: f64,
    lr: f64,
}

impl<M: Module> Trainer<M> {
    /// A training of `model` on examples `0..n_examples` that has not begun.
    ///
    /// # Errors
    /// [`Error::Hyperparameters`] with all that is wrong, [`Error::NoSuchParameter`] for a
    /// pattern that matches nothing.
    pub fn new(
        model: M,
        n_examples: usize,
        config: &TrainerConfig,
        groups: &ParamGroups,
    ) -> Result<Self> {
        let mut problems = config.problems();
        problems.extend(groups.problems());
        if n_examples == 0 {
            problems.push("there are no examples".to_owned());
        }
        if model.devices().iter().any(|device| !device.is_autodiff()) {
            problems.push("the model lies on a device without autodiff".to_owned());
        }
        if !problems.is_empty() {
            return Err(Error::Hyperparameters { problems });
        }
        let settings = json!({
            "config": config,
            "groups": groups,
            "examples": n_examples,
            "frozen": frozen(&model),
        });
        Ok(Self {
            optimizer: AdamW::new(config.optimizer, groups, &model)?,
            model: Some(model),
            epochs: if config.shuffle {
                Epochs::shuffled(n_examples, Seed::new(config.seed))
            } else {
                Epochs::in_order(n_examples)
            },
            config: config.clone(),
            order: None,
            state: TrainState::default(),
            settings,
            checkpoints: None,
        })
    }

    /// The training with another optimiser, made of the one it has: for [`Optimizer`]s that treat some
    /// parameters in a way of their own.
    pub fn with_optimizer<O: Optimizer<M>>(self, make: impl FnOnce(AdamW) -> O) -> Trainer<M, O> {
        let Self { model, optimizer, config, epochs, order, state, mut settings, checkpoints } =
            self;
        let optimizer = make(optimizer);
        settings["optimizer"] = optimizer.settings();
        Trainer { model, optimizer, config, epochs, order, state, settings, checkpoints }
    }
}

impl<M: Module, O: Optimizer<M>> Trainer<M, O> {
    /// Keeps the state in a directory: after every `every` steps (0 for never), when the observer
    /// interrupts, and at the end.
    pub fn with_checkpoints(mut self, dir: impl Into<PathBuf>, every: u64) -> Self {
        self.checkpoints = Some((dir.into(), every));
        self
    }

    /// Goes on from the last state in the directory of checkpoints, if there is one. Says whether
    /// there was.
    ///
    /// # Errors
    /// [`Error::Resume`] where settings, groups, examples or frozen parameters are not those that
    /// the state was saved under; files that are truncated or do not fit the model.
    pub fn resume(&mut self) -> Result<bool> {
        let Some((dir, _)) = &self.checkpoints else { return Ok(false) };
        let Some(checkpoint) = TrainCheckpoint::open(dir)? else { return Ok(false) };
        checkpoint.check_settings(&self.settings)?;
        let (moments, extra) = checkpoint.load_moments(self.model())?;
        checkpoint.restore(&mut self.optimizer, extra)?;
        self.model = Some(checkpoint.load_parameters(self.model().clone())?);
        self.optimizer.dense_mut().state = moments;
        self.state = checkpoint.state().clone();
        Ok(true)
    }

    /// The model as it stands.
    ///
    /// # Panics
    /// After a step that panicked.
    pub fn model(&self) -> &M {
        self.model.as_ref().expect("every step puts the model back")
    }

    /// The model as it stands, for good.
    ///
    /// # Panics
    /// After a step that panicked.
    pub fn into_model(self) -> M {
        self.model.expect("every step puts the model back")
    }

    /// The optimiser.
    pub fn optimizer(&self) -> &O {
        &self.optimizer
    }

    /// Where the training stands.
    pub fn state(&self) -> &TrainState {
        &self.state
    }

    /// Steps of the whole training.
    pub fn total_steps(&self) -> u64 {
        self.config.total_steps(self.epochs.n_examples())
    }

    /// Takes the steps that are left.
    ///
    /// The observer sees the loop `train`, and after each step the values `loss` (the mean over
    /// the step), `grad_norm` (before clipping), `lr` and `epoch`.
    ///
    /// # Errors
    /// What the objective fails with; [`Error::NonFiniteGradient`]: the step was not taken, and
    /// the training stands where it stood before it; a checkpoint that cannot be written.
    pub fn run(
        &mut self,
        objective: &mut impl Objective<M>,
        observer: &mut dyn Observer,
    ) -> Result<Outcome> {
        observer.on_start("train", usize::try_from(self.total_steps()).ok());
        let outcome = self.steps(objective, observer);
        observer.on_end("train");
        outcome
    }

    fn steps(
        &mut self,
        objective: &mut impl Objective<M>,
        observer: &mut dyn Observer,
    ) -> Result<Outcome> {
        let total = self.total_steps();
        while self.state.step < total {
            let epoch = self.state.epoch;
            let Metrics { loss, norm, lr } = self.step(objective, total)?;
            let values = [("loss", loss), ("grad_norm", norm), ("lr", lr), ("epoch", epoch as f64)];
            let index = (self.state.step - 1) as usize;
            let step = Step::new("train", index).with_values(&values);
            let interrupted = observer.on_step(&step).is_break();
            let finished = self.state.step == total;
            let due = self.checkpoints.as_ref().is_some_and(|(_, every)| {
                interrupted || finished || (*every > 0 && self.state.step.is_multiple_of(*every))
            });
            if due {
                self.save()?;
            }
            if interrupted && !finished {
                return Ok(Outcome::Interrupted);
            }
        }
        Ok(Outcome::Finished)
    }

    /// Writes the state to the directory of checkpoints, if there is one.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save(&self) -> Result<()> {
        let Some((dir, _)) = &self.checkpoints else { return Ok(()) };
        let _span = tracing::debug_span!("save", step = self.state.step).entered();
        let extra = self.optimizer.extra();
        let dense = self.optimizer.dense();
        TrainCheckpoint::save(dir, self.model(), dense, &extra, &self.state, &self.settings)
    }

    /// One step. An error leaves everything as it was.
    fn step(&mut self, objective: &mut impl Objective<M>, total: u64) -> Result<Metrics> {
        let (step, epoch, begin) = (self.state.step, self.state.epoch, self.state.position);
        let _span = tracing::debug_span!("step", step).entered();
        if self.order.as_ref().is_none_or(|(of, _)| *of != epoch) {
            self.order = Some((epoch, self.epochs.order(epoch)));
        }
        let order = self.order.as_ref().map_or(&[][..], |(_, order)| order);
        let end = order.len().min(begin + self.config.batch_size * self.config.accumulation);
        let model = self.model();
        let random = Seed::new(self.config.seed).derive("step").derive(&step.to_string());
        seed_dropout(random);
        // For what a model of the user's own draws from burn.
        for device in model.devices() {
            device.seed(random.value());
        }

        let batches: Vec<&[usize]> = order[begin..end].chunks(self.config.batch_size).collect();
        let weights: Vec<f64> = batches.iter().map(|batch| objective.weight(batch)).collect();
        let weight: f64 = weights.iter().sum();
        self.optimizer.begin(batches.len());
        let model = self.model.as_ref().expect("every step puts the model back");
        let mut gradients = Gradients::default();
        let mut loss_sum = 0.0;
        for (batch, batch_weight) in batches.iter().zip(&weights) {
            let loss = objective.loss(model, batch)?;
            let value = loss.clone().into_data().iter::<f64>().sum::<f64>();
            loss_sum += value * batch_weight;
            // A factor on the loss is cheaper than one on every gradient.
            let share = batch_weight / weight;
            let loss = if batches.len() == 1 { loss } else { loss * share };
            gradients.add(Gradients::from_backward(loss, model));
        }
        let gradients = self.optimizer.gather(gradients)?.clip(self.config.clip_norm)?;
        let norm = gradients.norm();
        let lr = self.config.learning_rate(step, total);
        let finished_epoch = end == order.len();
        if let Some(model) = self.model.take() {
            self.model = Some(self.optimizer.step(model, gradients, lr));
        }

        let state = &mut self.state;
        state.step += 1;
        state.position = end;
        state.loss_sum += loss_sum;
        state.weight_sum += weight;
        if finished_epoch {
            state.epoch_losses.push(state.loss_sum / state.weight_sum);
            state.epoch += 1;
            state.position = 0;
            (state.loss_sum, state.weight_sum) = (0.0, 0.0);
        }
        Ok(Metrics { loss: loss_sum / weight, norm, lr })
    }
}
