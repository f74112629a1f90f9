//! Oracle A21 and the loop: trainings resume to the bit, and micro-batches choose what a whole batch does.

use std::ops::ControlFlow;
use std::path::Path;

use burn::module::Module;
use sixfold_model::train::{Outcome, ParamGroups, Trainer, TrainerConfig};
use sixfold_model::{Observer, PathTracker, Step};
use sixfold_sparsegrad::config::{Mode, Policy, Realisation};
use sixfold_sparsegrad::{
    Adaptable, AdaptedModel, Error, SparseAdam, SparseAdamConfig, SparseGradConfig, adapter_of,
    attach, calibrate, merge, unload, with_adapter,
};

use crate::{Tuned, classifier, distance, examples, loss, numbers};

const STEPS: u64 = 12;

fn settings(mode: Mode, realisation: Realisation) -> SparseGradConfig {
    SparseGradConfig {
        calibration_batches: 4,
        rank: (mode == Mode::Default).then_some(8),
        fraction: 0.04,
        realisation,
        mode,
        modules_to_save: vec!["head.**".to_owned()],
        ..SparseGradConfig::default()
    }
}

fn trainer(
    config: &SparseGradConfig,
    [batch_size, accumulation]: [usize; 2],
    dir: Option<&Path>,
) -> Trainer<Tuned, SparseAdam> {
    let device = sixfold_model::device("flex").unwrap().autodiff();
    let data = examples(64);
    let model = classifier(&device);
    let found = calibrate(&model, config, |model, i| {
        loss(model, &data, &(8 * i..8 * i + 8).collect::<Vec<_>>())
    });
    let tuned = attach(model, config, &found.unwrap(), &SparseAdamConfig::default()).unwrap();
    let training = TrainerConfig {
        batch_size,
        accumulation,
        max_steps: Some(STEPS),
        peak_lr: 5e-3,
        ..TrainerConfig::default()
    };
    let trainer = tuned.trainer(64, &training, &ParamGroups::default()).unwrap();
    match dir {
        Some(dir) => trainer.with_checkpoints(dir, 0),
        None => trainer,
    }
}

/// Trains to the end; the loss of each step.
fn losses(trainer: &mut Trainer<Tuned, SparseAdam>, stop_after: Option<usize>) -> Vec<f64> {
    let data = examples(64);
    let mut watch = Watch { losses: Vec::new(), stop_after };
    let mut objective = |model: &Tuned, chosen: &[usize]| loss(model, &data, chosen);
    let outcome = trainer.run(&mut objective, &mut watch).unwrap();
    assert_eq!(outcome == Outcome::Finished, stop_after.is_none());
    watch.losses
}

/// Keeps the losses, and stops after some steps.
struct Watch {
    losses: Vec<f64>,
    stop_after: Option<usize>,
}

impl Observer for Watch {
    fn on_step(&mut self, step: &Step<'_>) -> ControlFlow<()> {
        let loss = step.values.iter().find(|(name, _)| *name == "loss").unwrap();
        self.losses.push(loss.1);
        match self.stop_after {
            Some(n) if self.losses.len() == n => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }
}

/// All of a core, and entries chosen once, at each step, and every four steps, in truncated and in full cores.
fn ways() -> Vec<SparseGradConfig> {
    let in_place = settings(Mode::Default, Realisation::InPlace);
    vec![
        settings(Mode::Default, Realisation::Adapter),
        in_place.clone(),
        SparseGradConfig {
            selection: Policy::TopK,
            ..settings(Mode::Default, Realisation::Adapter)
        },
        SparseGradConfig { selection: Policy::Dynamic, ..in_place.clone() },
        SparseGradConfig { selection: Policy::TopK, ..in_place.clone() },
        SparseGradConfig { selection: Policy::TopK, refresh_every: Some(4), ..in_place },
        settings(Mode::Paper, Realisation::InPlace),
        settings(Mode::Reference, Realisation::InPlace),
    ]
}

#[test]
fn trainings_learn_and_resume_to_the_bit() {
    for config in ways() {
        let mut whole = trainer(&config, [16, 1], None);
        let expected = losses(&mut whole, None);
        assert!(expected[11] < expected[0], "{config:?}: {expected:?}");

        let dir = tempfile::tempdir().unwrap();
        let mut first = trainer(&config, [16, 1], Some(dir.path()));
        let mut found = losses(&mut first, Some(5));
        drop(first);
        let mut second = trainer(&config, [16, 1], Some(dir.path()));
        assert!(second.resume().unwrap());
        found.extend(losses(&mut second, None));
        assert_eq!(found, expected, "{config:?}");
        assert!(bits(whole.model()) == bits(second.model()), "{config:?}");
    }
}

#[test]
fn micro_batches_choose_and_move_what_a_whole_batch_does() {
    for config in ways() {
        let (mut whole, mut parts) =
            (trainer(&config, [32, 1], None), trainer(&config, [8, 4], None));
        let (expected, found) = (losses(&mut whole, None), losses(&mut parts, None));
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() <= 2e-3 * expected.abs(), "{found} {expected}");
        }
        if config.is_dynamic() {
            let path = "body.blocks.1.mlp.up";
            let of = |trainer: &Trainer<Tuned, SparseAdam>| {
                trainer.optimizer().table(path).unwrap().indices().to_vec()
            };
            let (a, b) = (of(&whole), of(&parts));
            let common = a.iter().filter(|index| b.contains(index)).count();
            assert!(common as f64 >= 0.97 * a.len() as f64, "{common} of {}", a.len());
        }
    }
}

#[test]
fn weights_of_the_paper_mode_change_and_their_adapter_is_refused() {
    let config = settings(Mode::Paper, Realisation::InPlace);
    let mut trainer = trainer(&config, [16, 1], None);
    let before = weight(trainer.model());
    losses(&mut trainer, None);
    let after = weight(trainer.model());
    assert!(before.iter().zip(&after).any(|(a, b)| a.to_bits() != b.to_bits()));
    let error = adapter_of(trainer.model(), &Default::default()).unwrap_err();
    assert!(matches!(error, Error::Config { .. }), "{error}");
    let merged = merge(trainer.into_model());
    let found = match &merged.body.blocks[0] {
        sixfold_model::Block::Full(block) => numbers(block.mlp.up.weight.val()),
        sixfold_model::Block::Affine(_) => panic!("a full block"),
    };
    assert_eq!(found, after);
}

#[test]
fn moving_entries_of_a_truncated_core_make_an_adapter_and_come_out_again() {
    let config = SparseGradConfig {
        selection: Policy::TopK,
        refresh_every: Some(3),
        modules_to_save: Vec::new(),
        ..settings(Mode::Default, Realisation::InPlace)
    };
    let mut trainer = trainer(&config, [16, 1], None);
    let before = weight(trainer.model());
    losses(&mut trainer, None);
    let tuned = trainer.into_model();
    let after = weight(&tuned);
    assert!(distance(&after, &before) > 1e-3);

    let adapter = adapter_of(&tuned, &Default::default()).unwrap();
    let plain = unload(tuned);
    let unloaded = |model: &sixfold_model::SequenceClassifier| {
        let mut found = Vec::new();
        model.visit_projections(&mut |path, linear| {
            if path == PATH {
                found = numbers(linear.weight.val());
            }
        });
        found
    };
    assert!(distance(&unloaded(&plain), &before) <= 1e-6);
    let again = with_adapter(plain, &adapter, Realisation::InPlace).unwrap();
    assert!(distance(&weight(&again), &after) <= 1e-6);
}

const PATH: &str = "body.blocks.0.mlp.up";

fn weight(model: &Tuned) -> Vec<f64> {
    let mut found = Vec::new();
    model.visit_adapted(&mut |path, adapted| {
        if path == PATH {
            found = numbers(adapted.weight());
        }
    });
    found
}

/// Every float parameter by path, as raw bytes.
fn bits<M: Module>(model: &M) -> std::collections::BTreeMap<String, Vec<u8>> {
    #[derive(Default)]
    struct Bits {
        tracker: PathTracker,
        found: std::collections::BTreeMap<String, Vec<u8>>,
    }
    impl burn::module::ModuleVisitor for Bits {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.tracker.enter(name, container);
        }
        fn exit_module(&mut self, _: &str, container: &str) {
            self.tracker.exit(container);
        }
        fn visit_float<const D: usize>(
            &mut self,
            param: &burn::module::Param<burn::tensor::Tensor<D>>,
        ) {
            let data = param.val().into_data();
            self.found.insert(self.tracker.path(), data.as_bytes().to_vec());
        }
    }
    let mut bits = Bits::default();
    model.visit(&mut bits);
    bits.found
}
