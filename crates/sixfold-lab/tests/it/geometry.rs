//! The geometry experiments: configs, synthetic profiles, a real training of seconds, a list of
//! checkpoints, manifolds.

use std::path::Path;

use serde_json::Value;

use crate::binary::error;
use crate::interrupt::inputs;
use crate::started::{REPO, assert_same, interrupt, run};

#[test]
fn config_errors_name_key_and_choices() {
    for (arguments, expected) in [
        (["geometry/profile", "controls=[\"shufled\"]"], "controls"),
        (["geometry/profile", "controls=[\"none\"]"], "`none` is always measured"),
        (["geometry/profile", "estimators=[\"twonn\"]"], "two-nn"),
        (["geometry/profile", "sample=10"], "sample: 10 is too few"),
        (["geometry/profile", "samples=10"], "`sample`"),
        (["geometry/training", "checkpoints=\"trian\""], "or a list of directories"),
        (["geometry/training", "checkpoints=[\"a/b\"]"], "`b` names no step such as step1000"),
        (["geometry/training", "recipe.n_heads=5"], "recipe.d_model"),
        (["geometry/training", "recipe.step=5"], "`recipe.steps`"),
        (["geometry/manifolds", "repeats=0"], "repeats"),
        (["geometry/manifolds", "n=5"], "n: 5 is too few"),
    ] {
        let text = error(&["run", arguments[0], arguments[1]]);
        assert!(text.starts_with("2 error: ") && text.contains(expected), "{arguments:?}: {text}");
    }
    let missing = error(&["run", "geometry/training", "checkpoints=[\"nowhere/step7\"]"]);
    assert!(missing.starts_with("3 error: checkpoints[0]: nowhere/step7"), "{missing}");
}

#[test]
fn a_profile_judges_claims_and_keeps_controls_apart() {
    let dir = tempfile::tempdir().unwrap();
    let inputs = inputs(dir.path(), &["stories", "minilm"]);
    let more =
        [inputs[0].as_str(), inputs[1].as_str(), "filters=[\"all\",\"no_first\",\"no_sinks\"]"];
    let run = run("geometry/profile", &dir.path().join("run"), &more);
    for control in ["none", "untrained", "shuffled"] {
        let place = [("model", "stories".into()), ("control", control.into())];
        assert_eq!(run.named("anisotropy", &place).len(), 6 * 3, "{control}");
    }
    let gaussian = [("control", "gaussian".into())];
    assert!(run.named("anisotropy", &gaussian).is_empty(), "it is that of the model");
    assert_eq!(run.named("intrinsic_dimension", &gaussian).len(), (6 + 7) * 3);
    assert!(run.value("causal", &[("model", "minilm".into())]).abs() < 1e-12);

    // The made-up anisotropy is a bell, over too few blocks to say so.
    let claims = std::fs::read_to_string(run.out.join("tables/claims.csv")).unwrap();
    let line = |start: &str| {
        claims.lines().find(|line| line.trim_start_matches('"').starts_with(start)).unwrap()
    };
    let bell = line("The anisotropy of a decoder is a bell");
    assert!(bell.contains("cannot be judged") && bell.contains("5 blocks are too few"), "{bell}");
    assert!(claims.contains("Training raises the anisotropy of a decoder (stories),holds here"));
    assert!(!claims.contains("decoder (minilm)"), "an encoder is no decoder: {claims}");
    assert!(run.report.contains("A Gaussian cloud with the same covariance has"), "{}", run.report);

    let figures: Vec<String> = std::fs::read_dir(run.out.join("figures"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for name in [
        "anisotropy.svg",
        "filters_anisotropy_minilm.svg",
        "controls_intrinsic_dimension_stories.svg",
        "scales_stories.svg",
    ] {
        assert!(figures.iter().any(|figure| figure == name), "{name} of {figures:?}");
    }
    for figure in &figures {
        let svg = std::fs::read_to_string(run.out.join("figures").join(figure)).unwrap();
        let lines = svg.matches("<polyline").count() / 2;
        assert!(lines <= 8, "{figure} has {lines} lines");
    }
}

/// A training that takes a second.
const TINY: [&str; 12] = [
    "recipe.d_model=16",
    "recipe.n_layers=1",
    "recipe.n_heads=2",
    "recipe.context=16",
    "recipe.batch_size=4",
    "recipe.max_tokens=6000",
    "recipe.warmup_steps=4",
    "recipe.peak_lr=0.01",
    "text.max_tokens=512",
    "sample=128",
    "estimators=[\"two-nn\",\"levina-bickel\"]",
    "filters=[\"all\"]",
];

#[test]
fn a_training_learns_and_goes_on_after_an_interruption() {
    let dir = tempfile::tempdir().unwrap();
    let more = [&TINY[..], &["recipe.steps=200"]].concat();
    let straight = run("geometry/training", &dir.path().join("straight"), &more);
    let steps = [0, 1, 2, 4, 8, 16, 32, 64, 128, 200];
    for step in steps {
        let place = [("step", step.into()), ("estimator", "two-nn".into())];
        assert_eq!(straight.named("intrinsic_dimension", &place).len(), 2, "step {step}");
    }
    let loss =
        |step: i32| straight.value("loss", &[("step", step.into()), ("split", "heldout".into())]);
    assert!((loss(0) - 512f64.ln()).abs() < 0.2, "untrained: {}", loss(0));
    assert!(loss(200) < loss(0) - 0.5, "from {} to {}", loss(0), loss(200));
    assert!(!straight.out.join("checkpoints").exists(), "nothing is left to go on with");
    assert!(straight.report.contains("rises early in training and then falls"));

    let out = dir.path().join("interrupted");
    let cells = || std::fs::read_dir(out.join("cells")).map_or(0, Iterator::count);
    interrupt("geometry/training", &out, &more, || cells() >= 3);
    assert!(out.join("checkpoints/seed-0").is_dir(), "the state of the training is kept");
    let again = [&more[..], &["--resume"]].concat();
    let resumed = run("geometry/training", &out, &again);
    assert_same(&resumed, &straight);
}

#[test]
fn a_list_of_checkpoints_is_read_by_step_beside_an_untrained_control() {
    let dir = tempfile::tempdir().unwrap();
    let model = Path::new(REPO).join("fixtures/models/stories260k");
    let mut names = Vec::new();
    for name in ["global_step10", "step2"] {
        let to = dir.path().join(name);
        std::fs::create_dir(&to).unwrap();
        for file in ["config.json", "model.safetensors", "tokenizer.json"] {
            std::fs::copy(model.join(file), to.join(file)).unwrap();
        }
        names.push(format!("{:?}", to.display().to_string()));
    }
    let list = format!("checkpoints=[{}]", names.join(","));
    let more = [list.as_str(), "text.max_tokens=600", "sample=256", "estimators=[\"two-nn\"]"];
    let run = run("geometry/training", &dir.path().join("run"), &more);
    let at = |step: Value| {
        run.value("anisotropy", &[("step", step), ("layer", 3.into()), ("filter", "all".into())])
    };
    assert!((at(2.into()) - at(10.into())).abs() < 1e-12, "the same weights");
    let untrained = run.value(
        "anisotropy",
        &[("control", "untrained".into()), ("layer", 3.into()), ("filter", "all".into())],
    );
    assert!((untrained - at(2.into())).abs() > 0.01, "{untrained}");
    let loss = |place: (&str, Value)| run.value("loss", &[place, ("split", "heldout".into())]);
    let (trained, untrained) = (loss(("step", 2.into())), loss(("step", Value::Null)));
    assert!(trained < untrained - 0.5, "{trained} and {untrained}");
    let steps: Vec<&Value> =
        run.named("loss", &[]).iter().map(|metric| &metric["where"]["step"]).collect();
    assert_eq!(steps, [&Value::Null, &2.into(), &10.into()]);
}

#[test]
fn manifolds_of_low_dimension_are_told_and_high_ones_are_underestimated() {
    let dir = tempfile::tempdir().unwrap();
    let more = ["n=256", "repeats=2", "estimators=[\"two-nn\",\"levina-bickel\"]"];
    let run = run("geometry/manifolds", &dir.path().join("run"), &more);
    assert_eq!(run.named("bias", &[]).len(), 17 * 2);
    let bias = |manifold: &str| {
        run.value("bias", &[("manifold", manifold.into()), ("estimator", "two-nn".into())])
    };
    assert!(bias("M7").abs() < 0.2, "a Swiss roll: {}", bias("M7"));
    assert!(bias("M10d") < -0.3, "seventy dimensions: {}", bias("M10d"));
    let coverage =
        run.value("coverage", &[("manifold", "M10d".into()), ("estimator", "two-nn".into())]);
    assert!(coverage.abs() < 1e-12, "an interval does not know the bias: {coverage}");
    assert!(run.report.contains("10\u{a0}% of the truth") && run.report.contains("M10d"));
}
