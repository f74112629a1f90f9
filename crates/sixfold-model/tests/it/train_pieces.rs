//! Patterns, freezing, groups, schedules, the order of the data, settings.

use sixfold_model::Seed;
use sixfold_model::train::{
    AdamWConfig, Epochs, Gradients, GroupRule, ParamGroups, Patterns, Schedule, TrainerConfig,
    freeze, frozen, unfreeze,
};
use sixfold_model::{Error, parameter_shapes};

use crate::train_common::{Task, bits, classifier, flex};

#[test]
fn patterns_match_by_segments() {
    let cases = [
        ("**", "a.b.c", true),
        ("a.*.c", "a.b.c", true),
        ("a.*", "a.b.c", false),
        ("a.**.c", "a.c", true),
        ("**.c", "a.b.c", true),
        ("**.b.**", "a.c", false),
        ("norm_*.gamma", "norm_1.gamma", true),
        ("*_1.gamma", "norm_2.gamma", false),
        ("blocks.{0..2}.x", "blocks.1.x", true),
        ("blocks.{0..2}.x", "blocks.2.x", false),
        ("blocks.{0..=2}.x", "blocks.2.x", true),
        ("blocks.{0..2}.x", "blocks.12.x", false),
        ("blocks.{3,10..12}.x", "blocks.3.x", false),
        ("q.{weight,bias}", "q.bias", true),
        ("q.{weight,bias}", "q.gain", false),
        ("layer{1..3}b", "layer2b", true),
        ("a.b", "a.b.c", false),
        ("a.b.c", "a.b", false),
    ];
    for (pattern, path, expected) in cases {
        match Patterns::new([pattern]) {
            Ok(patterns) => assert_eq!(patterns.matches(path), expected, "{pattern} on {path}"),
            // A list of ranges is none.
            Err(error) => assert!(error.to_string().contains("3,10..12"), "{error}"),
        }
    }
    for (pattern, problem) in [
        ("", "empty"),
        ("a..b", "empty"),
        ("a.{b", "not closed"),
        ("a}.b", "closes nothing"),
        ("a.{3..3}", "no range"),
        ("a.{x..y}", "no range"),
    ] {
        let error = Patterns::new([pattern]).unwrap_err().to_string();
        assert!(error.contains(problem), "{pattern}: {error}");
    }
}

#[test]
fn a_pattern_without_a_parameter_names_those_near_it() {
    let model = classifier(0, 0.0, &flex());
    let patterns = Patterns::new(["head.**", "body.block.0.mlp.up.weight"]).unwrap();
    match freeze(model, &patterns).unwrap_err() {
        Error::NoSuchParameter { pattern, near } => {
            assert_eq!(pattern, "body.block.0.mlp.up.weight");
            assert_eq!(near[0], "body.blocks.0.mlp.up.weight");
        }
        error => panic!("{error}"),
    }
}

#[test]
fn frozen_parameters_have_no_gradient() {
    let task = Task::new(4);
    let model = classifier(0, 0.0, &flex());
    let before = bits(&model);
    let all: Vec<String> = parameter_shapes(&model).into_iter().map(|(path, _)| path).collect();
    let patterns = Patterns::new(["body.embed.**", "body.blocks.{0..1}.**"]).unwrap();
    let model = freeze(model, &patterns).unwrap();
    let (off, on): (Vec<String>, Vec<String>) =
        all.iter().cloned().partition(|path| patterns.matches(path));
    assert!(!off.is_empty() && !on.is_empty());
    assert_eq!(frozen(&model).into_iter().collect::<Vec<_>>().len(), off.len());

    let gradients = Gradients::from_backward(task.loss(&model, &[0, 1]).unwrap(), &model);
    let mut found: Vec<&str> = gradients.paths().collect();
    let mut expected: Vec<&str> = on.iter().map(String::as_str).collect();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert!(off.iter().all(|path| gradients.get(path).is_none()));

    let model = unfreeze(model, &Patterns::new(["body.embed.tokens.*"]).unwrap()).unwrap();
    let gradients = Gradients::from_backward(task.loss(&model, &[0, 1]).unwrap(), &model);
    assert!(gradients.get("body.embed.tokens.weight").is_some());
    assert!(gradients.get("body.blocks.0.mlp.up.weight").is_none());
    assert_eq!(bits(&model), before, "freezing changed values");
}

#[test]
fn the_last_rule_decides_and_biases_do_not_decay() {
    let model = classifier(0, 0.0, &flex());
    let rule = |lr_factor, weight_decay| GroupRule { lr_factor, weight_decay };
    let groups = ParamGroups::default()
        .with(["head.**"], rule(10.0, None))
        .unwrap()
        .with(["**.output.*"], rule(2.0, Some(0.5)))
        .unwrap();
    let groups = groups.resolve(&model, 0.1).unwrap();
    assert_eq!(groups.len(), parameter_shapes(&model).len());
    for (path, lr_factor, weight_decay) in [
        ("body.embed.tokens.weight", 1.0, 0.1),
        ("body.blocks.0.norm_1.gamma", 1.0, 0.0),
        ("body.blocks.0.mlp.up.weight", 1.0, 0.1),
        ("body.blocks.0.mlp.up.bias", 1.0, 0.0),
        ("head.dense.weight", 10.0, 0.1),
        ("head.dense.bias", 10.0, 0.0),
        ("head.output.bias", 2.0, 0.5),
        ("body.blocks.1.attention.output.weight", 2.0, 0.5),
    ] {
        let group = groups.get(path).unwrap_or_else(|| panic!("{path}: {:?}", groups.keys()));
        assert_eq!((group.lr_factor, group.weight_decay), (lr_factor, weight_decay), "{path}");
    }
    let groups = ParamGroups::default().with(["tail.**"], rule(1.0, None)).unwrap();
    assert!(matches!(groups.resolve(&model, 0.1), Err(Error::NoSuchParameter { .. })));
}

/// The formulas of `transformers`, worked out by hand.
#[test]
fn schedules_are_those_of_transformers() {
    let half = 0.5_f64.sqrt();
    let cases: [(Schedule, &[(u64, f64)]); 3] = [
        (Schedule::Constant, &[(0, 0.0), (1, 0.25), (4, 1.0), (11, 1.0)]),
        (Schedule::Linear, &[(0, 0.0), (2, 0.5), (3, 0.75), (4, 1.0), (6, 0.75), (12, 0.0)]),
        (Schedule::Linear, &[(11, 0.125), (13, 0.0)]),
    ];
    for (schedule, values) in cases {
        for &(step, expected) in values {
            let factor = schedule.factor(step, 4, 12);
            assert!((factor - expected).abs() < 1e-15, "{schedule:?} {step}: {factor}");
        }
    }
    for (step, expected) in
        [(0, 0.0), (2, 0.5), (4, 1.0), (6, (1.0 + half) / 2.0), (8, 0.5), (12, 0.0)]
    {
        let factor = Schedule::Cosine.factor(step, 4, 12);
        assert!((factor - expected).abs() < 1e-15, "{step}: {factor}");
    }
    // Without warm-up it begins at the peak; a training of nothing but warm-up ends at zero.
    let edges = [Schedule::Linear.factor(0, 0, 10), Schedule::Linear.factor(5, 5, 5)];
    assert_eq!(edges.map(f64::to_bits), [1.0, 0.0].map(f64::to_bits));
}

#[test]
fn every_epoch_is_a_permutation_of_its_own() {
    let epochs = Epochs::shuffled(50, Seed::new(9));
    let orders: Vec<Vec<usize>> = (0..3).map(|epoch| epochs.order(epoch)).collect();
    for order in &orders {
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..50).collect::<Vec<_>>());
    }
    assert_ne!(orders[0], orders[1]);
    assert_eq!(orders[2], Epochs::shuffled(50, Seed::new(9)).order(2));
    assert_ne!(orders[2], Epochs::shuffled(50, Seed::new(10)).order(2));
    assert_eq!(Epochs::in_order(3).order(7), [0, 1, 2]);
    assert_eq!(Epochs::shuffled(0, Seed::new(1)).order(0), [0; 0]);
    assert_eq!(Epochs::shuffled(1, Seed::new(1)).order(0), [0]);

    // Each value reaches each place about equally often.
    let mut first = [0; 5];
    for epoch in 0..5000 {
        first[Epochs::shuffled(5, Seed::new(1)).order(epoch)[0]] += 1;
    }
    assert!(first.iter().all(|&n| (850..1150).contains(&n)), "{first:?}");
}

#[test]
fn all_problems_of_settings_come_at_once() {
    let config = TrainerConfig {
        batch_size: 0,
        accumulation: 0,
        epochs: 0,
        peak_lr: f64::NAN,
        warmup_ratio: 1.5,
        clip_norm: Some(0.0),
        optimizer: AdamWConfig { beta_2: 1.0, weight_decay: -1.0, ..AdamWConfig::default() },
        ..TrainerConfig::default()
    };
    let error = config.validate().unwrap_err();
    let Error::Hyperparameters { problems } = &error else { panic!("{error}") };
    assert_eq!(problems.len(), 8, "{problems:?}");
    TrainerConfig::default().validate().unwrap();
}

#[test]
fn steps_count_partial_batches() {
    let config = TrainerConfig { batch_size: 4, accumulation: 2, ..TrainerConfig::default() };
    assert_eq!([8, 9, 16, 17].map(|n| config.steps_per_epoch(n)), [1, 2, 2, 3]);
    assert_eq!(config.total_steps(17), 9);
    assert_eq!(TrainerConfig { max_steps: Some(5), ..config.clone() }.total_steps(17), 5);
    assert_eq!(config.warmup(25), 3, "rounded up");
    assert_eq!(TrainerConfig { warmup_steps: Some(0), ..config }.warmup(25), 0);
}
