//! A training that stops goes on to the bit; damaged and foreign checkpoints are refused.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use sixfold_model::train::{
    GroupRule, Outcome, ParamGroups, Patterns, TrainCheckpoint, Trainer, TrainerConfig, freeze,
};
use sixfold_model::{Error, Observer, SequenceClassifier, Step};

use crate::train_common::{Task, alone, bits, classifier, flex, message};

/// Keeps the bits of every metric, and stops after a step.
#[derive(Default)]
struct Record {
    metrics: Vec<(usize, Vec<u64>)>,
    stop_after: Option<usize>,
    ends: usize,
}

impl Observer for Record {
    fn on_step(&mut self, step: &Step<'_>) -> ControlFlow<()> {
        let values = step.values.iter().map(|(_, value)| value.to_bits()).collect();
        self.metrics.push((step.index, values));
        match self.stop_after {
            Some(stop) if step.index + 1 == stop => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }

    fn on_end(&mut self, _: &str) {
        self.ends += 1;
    }
}

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
    let rule = GroupRule { lr_factor: 2.0, weight_decay: None };
    ParamGroups::default().with(["head.**"], rule).unwrap()
}

/// A trainer with dropout on, and frozen positions.
fn trainer(seed: u64, dir: &Path) -> Trainer<SequenceClassifier> {
    let model = classifier(seed, 0.2, &flex());
    let model = freeze(model, &Patterns::new(["body.embed.positions.**"]).unwrap()).unwrap();
    Trainer::new(model, N, &config(), &groups()).unwrap().with_checkpoints(dir, 2)
}

/// Runs a trainer on the task and notes the examples that it asks for.
fn run(
    trainer: &mut Trainer<SequenceClassifier>,
    record: &mut Record,
    seen: &mut Vec<Vec<usize>>,
) -> Outcome {
    let task = Task::new(N);
    let mut objective = |model: &SequenceClassifier, examples: &[usize]| {
        seen.push(examples.to_vec());
        task.loss(model, examples)
    };
    trainer.run(&mut objective, record).unwrap()
}

#[test]
fn an_interrupted_training_goes_on_to_the_bit() {
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    let mut straight = trainer(0, &dir.path().join("straight"));
    let (mut record, mut seen) = (Record::default(), Vec::new());
    assert_eq!(run(&mut straight, &mut record, &mut seen), Outcome::Finished);
    assert_eq!((straight.state().step, straight.state().epoch), (12, 4));
    assert_eq!((record.metrics.len(), record.ends), (12, 1));

    // Step 5 ends within the second epoch; step 7 right after the first of the third.
    let path = dir.path().join("resumed");
    let (mut metrics, mut order) = (Vec::new(), Vec::new());
    for (round, stop_after) in [Some(5), Some(7), None].into_iter().enumerate() {
        // Other initial values: all must come from the checkpoint.
        let mut part = trainer(round as u64, &path);
        assert_eq!(part.resume().unwrap(), round > 0);
        if round == 1 {
            assert_eq!((part.state().epoch, part.state().position), (1, 8));
            assert!(part.state().running_loss().is_some());
        }
        let mut record = Record { stop_after, ..Record::default() };
        let outcome = run(&mut part, &mut record, &mut order);
        metrics.extend(record.metrics);
        if stop_after.is_some() {
            assert_eq!(outcome, Outcome::Interrupted);
            continue;
        }
        assert_eq!(outcome, Outcome::Finished);
        assert_eq!(bits(part.model()), bits(straight.model()), "parameters");
        assert_eq!(part.state(), straight.state());
        for path in bits(part.model()).keys() {
            let (found, expected) = (part.optimizer(), straight.optimizer());
            assert_eq!(found.moments(path), expected.moments(path), "{path}");
        }
    }
    assert_eq!(metrics, record.metrics, "loss, norm, learning rate, epoch");
    assert_eq!(order, seen, "order of the data");

    // A training that is over stays as it is.
    let mut done = trainer(5, &path);
    assert!(done.resume().unwrap());
    assert_eq!(run(&mut done, &mut Record::default(), &mut order), Outcome::Finished);
    assert_eq!(order.len(), seen.len());
    // Its parameters load without a trainer.
    let checkpoint = TrainCheckpoint::open(&path).unwrap().unwrap();
    let loaded = checkpoint.load_parameters(classifier(9, 0.0, &flex())).unwrap();
    assert_eq!(bits(&loaded), bits(straight.model()));
}

/// A training that stopped at step 5, in a directory of its own.
fn stopped(dir: &Path) -> PathBuf {
    let mut first = trainer(0, dir);
    let mut record = Record { stop_after: Some(5), ..Record::default() };
    assert_eq!(run(&mut first, &mut record, &mut Vec::new()), Outcome::Interrupted);
    dir.join("step-5")
}

#[test]
fn a_crash_while_saving_leaves_the_last_state() {
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    let folder = stopped(dir.path());
    let names = |dir: &Path| {
        let entries = fs::read_dir(dir).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(names(dir.path()), ["latest", "step-5"], "older states are gone");

    // Killed while the folder was being written, and once more before it was named.
    for leftover in [".partial", "step-6"] {
        fs::create_dir(dir.path().join(leftover)).unwrap();
        fs::write(dir.path().join(leftover).join("parameters.safetensors"), b"half").unwrap();
    }
    let mut second = trainer(1, dir.path());
    assert!(second.resume().unwrap());
    assert_eq!(second.state().step, 5);
    let mut record = Record { stop_after: Some(6), ..Record::default() };
    assert_eq!(run(&mut second, &mut record, &mut Vec::new()), Outcome::Interrupted);
    assert_eq!(names(dir.path()), ["latest", "step-6.1"]);
    assert!(!folder.exists());
    let mut third = trainer(2, dir.path());
    assert!(third.resume().unwrap());
    assert_eq!(bits(third.model()), bits(second.model()));
    // The same state again.
    third.save().unwrap();
    assert_eq!(names(dir.path()), ["latest", "step-6"]);
}

#[test]
fn damaged_checkpoints_name_file_and_key() {
    let _alone = alone();
    let whole = tempfile::tempdir().unwrap();
    let folder = stopped(whole.path());
    let refuse = |what: &str, damage: &dyn Fn(&Path), expected: &[&str]| {
        let dir = tempfile::tempdir().unwrap();
        let copy = dir.path().join("step-5");
        fs::create_dir(&copy).unwrap();
        for entry in fs::read_dir(&folder).unwrap() {
            let from = entry.unwrap().path();
            fs::copy(&from, copy.join(from.file_name().unwrap())).unwrap();
        }
        fs::write(dir.path().join("latest"), "step-5\n").unwrap();
        damage(dir.path());
        let mut trainer = trainer(1, dir.path());
        let before = bits(trainer.model());
        let error = trainer.resume().map(|_| ()).expect_err(what);
        let text = message(&error);
        for part in expected {
            assert!(text.contains(part), "{what}: {text}");
        }
        assert_eq!(bits(trainer.model()), before, "{what} changed the model");
        assert_eq!(trainer.state().step, 0, "{what}");
        assert!(trainer.optimizer().moments("head.output.bias").is_none(), "{what}");
    };
    let shorten = |file: &'static str, by: u64| {
        move |dir: &Path| {
            let file = fs::OpenOptions::new().write(true).open(dir.join("step-5").join(file));
            let file = file.unwrap();
            file.set_len(file.metadata().unwrap().len() - by).unwrap();
        }
    };
    let parameters = "step-5/parameters.safetensors";
    refuse(
        "truncated",
        &shorten("parameters.safetensors", 3),
        &[parameters, "truncated: tensor `"],
    );
    refuse(
        "truncated",
        &shorten("optimizer.safetensors", 9),
        &["step-5/optimizer.safetensors", "truncated: tensor `"],
    );
    let cut = |dir: &Path| fs::write(dir.join(parameters), [1, 2, 3]).unwrap();
    refuse("no header", &cut, &[parameters, "truncated"]);
    let gone = |dir: &Path| fs::remove_file(dir.join(parameters)).unwrap();
    refuse("no file", &gone, &[parameters, "No such file"]);
    let garbled = |dir: &Path| fs::write(dir.join("latest"), "../elsewhere").unwrap();
    refuse("another place", &garbled, &["latest", "`../elsewhere`"]);
    let edit = |from: &'static str, to: &'static str| {
        move |dir: &Path| {
            let path = dir.join("step-5/state.json");
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.contains(from), "{text}");
            fs::write(path, text.replace(from, to)).unwrap();
        }
    };
    refuse("a key is missing", &edit("\"position\"", "\"place\""), &["state.json", "`place`"]);
    refuse("a later format", &edit("\"format\": 1", "\"format\": 2"), &["`format` = 2"]);
    // The last bytes of the file stand for one tensor less.
    let swap = |dir: &Path| {
        let copy = dir.join("step-5");
        fs::copy(copy.join("optimizer.safetensors"), dir.join(parameters)).unwrap();
    };
    refuse("another file", &swap, &[parameters, "missing: body.blocks.0", "unexpected: first."]);
}

#[test]
fn other_settings_are_refused() {
    let _alone = alone();
    let dir = tempfile::tempdir().unwrap();
    stopped(dir.path());
    let refuse = |trainer: Trainer<SequenceClassifier>, wanted: [&str; 3]| {
        let error = trainer.with_checkpoints(dir.path(), 0).resume().unwrap_err();
        match &error {
            Error::Resume { path, key, saved, current } => {
                assert!(path.ends_with("step-5/state.json"));
                assert_eq!([key.as_str(), saved, current], wanted);
            }
            _ => panic!("{error}"),
        }
    };
    let model = |patterns: &[&str]| {
        freeze(classifier(0, 0.2, &flex()), &Patterns::new(patterns).unwrap()).unwrap()
    };
    let positions = ["body.embed.positions.**"];
    let make = |config: TrainerConfig| Trainer::new(model(&positions), N, &config, &groups());
    let other = TrainerConfig { peak_lr: 0.3, ..config() };
    refuse(make(other).unwrap(), ["config.peak_lr", "0.01", "0.3"]);
    let mut other = config();
    other.optimizer.weight_decay = 0.1;
    refuse(make(other).unwrap(), ["config.optimizer.weight_decay", "0.01", "0.1"]);
    let more = Trainer::new(model(&positions), N + 1, &config(), &groups());
    refuse(more.unwrap(), ["examples", "10", "11"]);
    let plain = Trainer::new(model(&positions), N, &config(), &ParamGroups::default()).unwrap();
    let error = plain.with_checkpoints(dir.path(), 0).resume().unwrap_err().to_string();
    assert!(error.contains("key `groups.0`") && error.contains("with nothing"), "{error}");
    let all = Trainer::new(model(&["body.embed.**"]), N, &config(), &groups()).unwrap();
    let error = all.with_checkpoints(dir.path(), 0).resume().unwrap_err().to_string();
    assert!(error.contains("key `frozen.0`"), "{error}");
}
