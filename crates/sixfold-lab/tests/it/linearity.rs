//! The linearity experiments: configs, trainings of a second, surgery, the microscope.

use std::path::Path;

use serde_json::Value;

use crate::binary::error;
use crate::started::{REPO, assert_same, interrupt, run};

#[test]
fn config_errors_name_key_and_choices() {
    for (arguments, expected) in [
        (["linearity/pretrain", "lambda=[]"], "lambda: is empty"),
        (["linearity/pretrain", "lambda=[0.0,-1.0]"], "-1 is no weight"),
        (["linearity/pretrain", "lambda=[0.5,0.5]"], "0.5 stands twice"),
        (["linearity/pretrain", "regulariser=\"cosin\""], "expected cosine or mse"),
        (["linearity/pretrain", "probe.tasks=[\"stsb\"]"], "`stsb` has not two classes"),
        (["linearity/pretrain", "probe.tasks=[\"colla\"]"], "`colla` is no task"),
        (["linearity/pretrain", "recipe.layers=3"], "`recipe.n_layers`"),
        (["linearity/replace", "layers=[0]"], "layers"),
        (["linearity/replace", "methods=[\"prun\"]"], "prune"),
        (["linearity/replace", "orders=[]"], "orders"),
        (["linearity/replace", "distill.peak_lr=-1.0"], "distill"),
        (["linearity/finetune", "tasks=[]"], "tasks"),
        (["linearity/finetune", "tasks=[\"stsb\"]"], "`stsb` has no classes"),
        (["linearity/finetune", "recipe.epochs=0"], "recipe.epochs"),
        (["linearity/microscope", "show.tokens=1"], "show.tokens"),
        (["linearity/microscope", "show.token=9"], "`show.tokens`"),
    ] {
        let text = error(&["run", arguments[0], arguments[1]]);
        assert!(text.starts_with("2 error: ") && text.contains(expected), "{arguments:?}: {text}");
    }
    for (arguments, expected) in [
        (["linearity/replace", "model.dir=nowhere"], "model.dir: nowhere"),
        (["linearity/microscope", "text.path=nowhere.txt"], "model.dir: "),
    ] {
        let text = error(&["run", arguments[0], arguments[1]]);
        assert!(text.starts_with("3 error: ") && text.contains(expected), "{arguments:?}: {text}");
    }
}

/// Trainings that take a second.
const TINY: [&str; 13] = [
    "recipe.d_model=16",
    "recipe.n_layers=2",
    "recipe.n_heads=2",
    "recipe.context=16",
    "recipe.batch_size=4",
    "recipe.max_tokens=6000",
    "recipe.warmup_steps=4",
    "recipe.peak_lr=0.01",
    "recipe.steps=150",
    "text.max_tokens=512",
    "loss_examples=16",
    "lambda=[0.0,4.0]",
    "filters=[\"all\"]",
];

#[test]
fn the_penalty_does_what_it_asks_and_a_training_goes_on_after_an_interruption() {
    let dir = tempfile::tempdir().unwrap();
    let straight = run("linearity/pretrain", &dir.path().join("straight"), &TINY);
    let of = |name: &str, lambda: f64| straight.named(name, &[("lambda", lambda.into())]);
    assert_eq!(of("linearity_without_residual", 4.0).len(), 2);
    let penalty = |lambda: f64| of("penalty", lambda)[0]["value"].as_f64().unwrap();
    assert!(penalty(4.0) < penalty(0.0) / 2.0, "{} and {}", penalty(4.0), penalty(0.0));
    for lambda in [0.0, 4.0] {
        let held = [("lambda", lambda.into()), ("split", "heldout".into())];
        assert!(straight.value("loss", &held) < 512f64.ln() - 0.5);
        for layer in [0, 1] {
            // 1 − L = (1 − L without)·ratio ties the three records together.
            let at =
                |name| straight.value(name, &[("lambda", lambda.into()), ("layer", layer.into())]);
            let predicted = (1.0 - at("linearity_without_residual")) * at("norm_ratio");
            assert!((1.0 - at("linearity") - predicted).abs() < 1e-9);
        }
        // Sites 0 to 2 of the generated sentences.
        assert_eq!(of("accuracy", lambda).len(), 3);
    }
    assert!(!straight.out.join("checkpoints").exists(), "nothing is left to go on with");
    assert!(straight.report.contains("cannot be judged"), "one seed judges nothing");

    let out = dir.path().join("interrupted");
    // In the middle of the second training.
    let second = || {
        let log = std::fs::read_to_string(out.join("metrics.jsonl")).unwrap_or_default();
        log.contains("\"lambda\":4.0")
    };
    interrupt("linearity/pretrain", &out, &TINY, second);
    assert!(out.join("checkpoints/seed-0/lambda-4").is_dir(), "its state is kept");
    let again = [&TINY[..], &["--resume"]].concat();
    let resumed = run("linearity/pretrain", &out, &again);
    assert_same(&resumed, &straight);
}

#[test]
fn changed_models_are_measured_kept_and_loaded_again() {
    let dir = tempfile::tempdir().unwrap();
    let more = [
        "text.max_tokens=4096",
        "eval.max_tokens=1024",
        "layers=[1,3]",
        "methods=[\"prune\",\"affine\",\"affine-span\",\"affine-distill\"]",
        "orders=[\"most-linear\",\"greedy\",\"random\"]",
        "distill.steps=4",
        "probe.tasks=[]",
        "save=true",
    ];
    let run = run("linearity/replace", &dir.path().join("run"), &more);
    let loss = |method: &str, order: &str, n: usize| {
        let place = [("method", method.into()), ("order", order.into()), ("n_layers", n.into())];
        run.value("loss", &place)
    };
    let whole = loss("none", "none", 0);
    for n in [1, 3] {
        assert!(loss("prune", "most-linear", n) > whole, "a part of the model is gone");
        assert!(loss("affine", "most-linear", n) < loss("prune", "most-linear", n));
    }
    // With one layer gone there is nothing to measure anew, and no neighbour.
    assert!((loss("affine", "greedy", 1) - loss("affine", "most-linear", 1)).abs() < 1e-9);
    assert!(
        (loss("affine-span", "most-linear", 1) - loss("affine", "most-linear", 1)).abs() < 1e-9
    );
    assert_eq!(run.named("loss", &[("method", "affine-distill".into())]).len(), 2);

    let kept = run.out.join("models/prune-most-linear-3-seed0");
    assert!(kept.join("tokenizer.json").is_file());
    let model_dir = format!("model.dir={}", kept.display());
    let more = [model_dir.as_str(), "layers=[1]", "methods=[\"prune\"]", "probe.tasks=[]"];
    let texts = ["text.max_tokens=4096", "eval.max_tokens=1024"];
    let again = crate::started::run(
        "linearity/replace",
        &dir.path().join("again"),
        &[&more[..], &texts].concat(),
    );
    let found = again.value("loss", &[("method", "none".into())]);
    assert!((found - loss("prune", "most-linear", 3)).abs() < 1e-5, "{found}");
}

#[test]
fn an_encoder_has_no_loss_but_tasks() {
    // The fixture of BERT has random weights: enough to see what is recorded.
    let model = Path::new(REPO).join("fixtures/sixfold-model/bert-base");
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("bert");
    std::fs::create_dir(&to).unwrap();
    for entry in std::fs::read_dir(&model).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
    let config: Value =
        serde_json::from_str(&std::fs::read_to_string(to.join("config.json")).unwrap()).unwrap();
    let vocab = config["vocab_size"].as_u64().unwrap();
    std::fs::write(to.join("tokenizer.json"), letters_tokenizer(vocab)).unwrap();
    let model_dir = format!("model.dir={}", to.display());
    let more = [model_dir.as_str(), "layers=[1]", "text.max_tokens=4096", "eval.max_tokens=512"];
    let run = run("linearity/replace", &dir.path().join("run"), &more);
    assert!(run.named("loss", &[]).is_empty());
    let accuracy = run.named("accuracy", &[("task", "synthetic".into())]);
    assert_eq!(accuracy.len(), 1 + 3, "the whole model and three methods");
    assert!(run.report.contains("takes the accuracy of bert"), "{}", run.report);
}

/// A tokenizer that knows letters, as many as there is room for.
fn letters_tokenizer(vocab: u64) -> String {
    let letters = "abcdefghijklmnopqrstuvwxyz";
    let mut words: serde_json::Map<String, Value> = serde_json::Map::new();
    words.insert("[UNK]".to_owned(), 0.into());
    let starts = letters.chars().map(|letter| letter.to_string());
    let pieces = starts.chain(letters.chars().map(|letter| format!("##{letter}")));
    for piece in pieces.take(vocab as usize - 1) {
        words.insert(piece, words.len().into());
    }
    serde_json::json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": {"type": "Lowercase"}, "pre_tokenizer": {"type": "Whitespace"},
        "post_processor": null, "decoder": null,
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100, "vocab": words}
    })
    .to_string()
}

#[test]
fn fine_tuning_learns_and_the_control_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let run = run("linearity/finetune", &dir.path().join("run"), &[]);
    let accuracy = |control: &str| run.value("accuracy", &[("control", control.into())]);
    let majority = run.value("majority", &[]);
    assert!(accuracy("none") > majority + 0.2, "{} over {majority}", accuracy("none"));
    assert!(accuracy("shuffled") < majority + 0.15, "{}", accuracy("shuffled"));
    let at = |stage: &str, control: &str| {
        let place = [
            ("stage", stage.into()),
            ("control", control.into()),
            ("layer", 4.into()),
            ("filter", "all".into()),
        ];
        run.value("linearity_without_residual", &place)
    };
    assert!((at("before", "none") - at("before", "shuffled")).abs() < 1e-9, "the same model");
    assert!((at("before", "none") - at("after", "none")).abs() > 1e-4, "training changes it");
    let all = |stage: &str| -> f64 {
        let place = [("stage", stage.into()), ("control", "none".into()), ("filter", "all".into())];
        let found = run.named("linearity_without_residual", &place);
        found.iter().map(|metric| metric["value"].as_f64().unwrap()).sum::<f64>() / 5.0
    };
    let gain = run.value("linearity_without_residual_gain", &[("control", "none".into())]);
    assert!((gain - (all("after") - all("before"))).abs() < 1e-12);
}

#[test]
fn the_microscope_ends_at_the_model_itself() {
    let dir = tempfile::tempdir().unwrap();
    let more =
        ["show.text=\"Once upon a time there was a cat. It sat on a mat.\"", "show.tokens=12"];
    let run = run("linearity/microscope", &dir.path().join("run"), &more);
    // Blocks with every token, sites with every token that has a next one, and their means.
    assert_eq!(run.named("nonlinearity", &[]).len(), 5 * (12 + 1));
    assert_eq!(run.named("lens_loss", &[]).len(), 6 * (11 + 1));
    let mean = |layer: usize| {
        run.value("lens_loss", &[("layer", layer.into()), ("position", Value::Null)])
    };
    assert!(mean(5) < 4.0, "a trained model on its own kind of text: {}", mean(5));
    assert!(mean(0) > mean(5) + 1.0);
    let last = [("layer", 5.into()), ("position", Value::Null)];
    assert!(run.value("lens_divergence", &last).abs() < 1e-5);
    let figures = std::fs::read_dir(run.out.join("figures")).unwrap().count();
    assert_eq!(figures, 4 + 2, "a map of each measure in one piece, and two lines");
    assert!(run.out.join("tables/predictions.csv").is_file());
}

#[test]
fn the_profile_sets_the_official_score_beside_ours_and_the_untrained_control_apart() {
    let dir = tempfile::tempdir().unwrap();
    let more = ["text.max_tokens=4096", "official_tokens=4096", "untrained=true"];
    let run = run("linearity/profile", &dir.path().join("run"), &more);
    let at = |name: &str, layer: usize, control: Value| {
        run.value(name, &[("layer", layer.into()), ("filter", "all".into()), ("control", control)])
    };
    for layer in 0..5 {
        for (ours, official) in [
            ("linearity", "linearity_official"),
            ("linearity_without_residual", "linearity_official_without_residual"),
        ] {
            let apart = at(ours, layer, Value::Null) - at(official, layer, Value::Null);
            assert!(apart.abs() < 1e-5, "{ours} of block {layer}: {apart}");
        }
        let untrained = at("linearity", layer, "untrained".into());
        assert!((untrained - at("linearity", layer, Value::Null)).abs() > 1e-3);
    }
    let table = std::fs::read_to_string(run.out.join("tables/side_by_side.csv")).unwrap();
    assert!(table.starts_with("model,block,official,L,adjusted,held out"), "{table}");
}
