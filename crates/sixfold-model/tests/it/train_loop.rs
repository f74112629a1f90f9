//! The loop: what it learns, what it refuses, how it weighs and fails.

use std::ops::ControlFlow;

use burn::tensor::Tensor;
use sixfold_model::train::{
    Objective, Outcome, ParamGroups, Patterns, Trainer, TrainerConfig, freeze,
};
use sixfold_model::{Error, Observer, Result, SequenceClassifier, Step};

use crate::train_common::{Task, alone, bits, classifier, devices, flex};

const N: usize = 10;

/// Three steps an epoch, the last of which is smaller.
fn config() -> TrainerConfig {
    TrainerConfig {
        batch_size: 2,
        accumulation: 2,
        epochs: 4,
        peak_lr: 1e-2,
        seed: 11,
        ..TrainerConfig::default()
    }
}

fn groups() -> ParamGroups {
    ParamGroups::default()
}

/// Keeps one value of every step.
#[derive(Default)]
struct Keep(Vec<f64>);

impl Observer for Keep {
    fn on_step(&mut self, step: &Step<'_>) -> ControlFlow<()> {
        let (name, value) = step.values[0];
        assert_eq!(name, "loss");
        self.0.push(value);
        ControlFlow::Continue(())
    }
}

#[test]
fn a_gradient_that_is_not_finite_stops_before_the_step() {
    let _alone = alone();
    let task = Task::new(N);
    let model = classifier(0, 0.0, &flex());
    let mut trainer = Trainer::new(model, N, &config(), &groups()).unwrap();
    let mut calls = 0;
    let mut objective = |model: &SequenceClassifier, examples: &[usize]| {
        calls += 1;
        let loss = task.loss(model, examples)?;
        let bias = model.head.output.bias.as_ref().unwrap().val();
        // The fourth micro-batch is the second of the second step.
        Ok(if calls == 4 { loss + bias.sum() * f64::NAN } else { loss })
    };
    let mut keep = Keep::default();
    match trainer.run(&mut objective, &mut keep).unwrap_err() {
        Error::NonFiniteGradient { path } => assert_eq!(path, "head.output.bias"),
        error => panic!("{error}"),
    }
    assert_eq!((keep.0.len(), trainer.state().step), (1, 1));
    let (.., steps) = trainer.optimizer().moments("head.output.bias").unwrap();
    assert_eq!(steps, 1);
    // The step is taken again from where it failed, and the end is that of a run without fault.
    assert_eq!(trainer.run(&mut objective, &mut ()).unwrap(), Outcome::Finished);
    let mut whole = Trainer::new(classifier(0, 0.0, &flex()), N, &config(), &groups()).unwrap();
    let mut objective = |model: &SequenceClassifier, examples: &[usize]| task.loss(model, examples);
    assert_eq!(whole.run(&mut objective, &mut ()).unwrap(), Outcome::Finished);
    assert_eq!(bits(trainer.model()), bits(whole.model()));
}

#[test]
fn a_classifier_learns_a_rule_beside_frozen_parts() {
    let _alone = alone();
    let task = Task::new(64);
    for (name, device) in devices() {
        let model = classifier(0, 0.0, &device);
        let patterns = Patterns::new(["body.blocks.0.**", "body.embed.positions.**"]).unwrap();
        let model = freeze(model, &patterns).unwrap();
        let before = bits(&model);
        let config = TrainerConfig {
            batch_size: 16,
            epochs: if name == "wgpu" { 10 } else { 15 },
            peak_lr: 1e-2,
            ..TrainerConfig::default()
        };
        let mut trainer = Trainer::new(model, 64, &config, &ParamGroups::default()).unwrap();
        let mut objective =
            |model: &SequenceClassifier, examples: &[usize]| task.loss(model, examples);
        assert_eq!(trainer.run(&mut objective, &mut ()).unwrap(), Outcome::Finished);
        let losses = &trainer.state().epoch_losses;
        assert_eq!(losses.len() as u64, config.epochs);
        let (first, last) = (losses[0], losses[losses.len() - 1]);
        assert!(last < 0.5 * first, "{name}: {losses:?}");
        let after = bits(trainer.model());
        for (path, bytes) in &before {
            assert_eq!(patterns.matches(path), after[path] == *bytes, "{name} {path}");
        }
    }
}

#[test]
fn a_trainer_refuses_what_cannot_work() {
    let plain = sixfold_model::device("flex").unwrap();
    let config = TrainerConfig { batch_size: 0, ..TrainerConfig::default() };
    let error = Trainer::new(classifier(0, 0.0, &plain), 0, &config, &ParamGroups::default());
    let Err(Error::Hyperparameters { problems }) = error else { panic!("{error:?}") };
    assert_eq!(problems.len(), 3, "{problems:?}");
    // An objective that fails takes no step.
    let mut trainer =
        Trainer::new(classifier(0, 0.0, &flex()), N, &TrainerConfig::default(), &groups()).unwrap();
    let mut objective =
        |_: &SequenceClassifier, _: &[usize]| -> Result<_> { Err(Error::NoTargets) };
    let _alone = alone();
    assert!(matches!(trainer.run(&mut objective, &mut ()), Err(Error::NoTargets)));
    assert_eq!(trainer.state().step, 0);
}

/// A loss that is a mean over something else than examples.
struct Weighted<'a> {
    task: &'a Task,
    weights: [f64; 2],
    calls: usize,
}

impl Objective<SequenceClassifier> for Weighted<'_> {
    fn loss(&mut self, model: &SequenceClassifier, examples: &[usize]) -> Result<Tensor<1>> {
        self.calls += 1;
        self.task.loss(model, examples)
    }

    fn weight(&self, examples: &[usize]) -> f64 {
        // The order is that of the data, so these are the two micro-batches of the step.
        self.weights[examples[0] / 2]
    }
}

#[test]
fn micro_batches_count_by_their_weight() {
    let _alone = alone();
    let task = Task::new(4);
    let config = TrainerConfig { shuffle: false, max_steps: Some(1), ..config() };
    let model = classifier(0, 0.0, &flex());
    let losses: Vec<f64> = [[0, 1], [2, 3]]
        .iter()
        .map(|batch| f64::from(task.loss(&model, batch).unwrap().into_scalar::<f32>()))
        .collect();
    let mut trainer = Trainer::new(model, 4, &config, &groups()).unwrap();
    let mut objective = Weighted { task: &task, weights: [3.0, 1.0], calls: 0 };
    let mut keep = Keep::default();
    assert_eq!(trainer.run(&mut objective, &mut keep).unwrap(), Outcome::Finished);
    assert_eq!(objective.calls, 2);
    let expected = (3.0 * losses[0] + losses[1]) / 4.0;
    assert!((keep.0[0] - expected).abs() < 1e-12, "{:?} {expected}", keep.0);
}
