//! The audits: configs, runs of seconds, and what they refuse.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::binary::error;
use crate::interrupt::start;
use crate::started::{REPO, Run, VARIABLES, assert_same, interrupt, run};

#[test]
fn config_errors_name_key_and_choices() {
    for (experiment, argument, expected) in [
        ("audit", "methods=[\"luatt\"]", "unknown value `luatt`; did you mean `luat`?"),
        ("audit", "methods=[]", "methods: is empty"),
        ("audit", "methods=[\"uat\",\"uat\"]", "methods: `uat` stands twice"),
        ("audit", "task=sst22", "`sst22` is no task"),
        ("audit", "task=stsb", "task: `stsb` has no classes"),
        ("audit", "length=9", "length: is 9, expected 1 to 8"),
        ("audit", "q=[0.5]", "q: 0.5, expected a number of at least 1"),
        ("audit", "budget=0", "budget: 0, expected example-forwards above 0"),
        ("audit", "fail_above=2.0", "fail_above: 2, expected a rate from 0 to 1"),
        ("audit", "search.batch=0", "search: batch is 0"),
        ("audit", "filter.exclude=[\"\"]", "filter: exclude has an empty word"),
        ("audit", "training.heads=5", "training.width: is no multiple of training.heads"),
        ("audit", "victim.recipe=brt", "unknown value `brt`; did you mean `bert`?"),
        ("transfer", "methods=[\"luat\"]", "methods: lacks `uat`"),
        ("transfer", "victims=[\"bert\"]", "victims: has fewer than two"),
        ("defend", "layers=[1,1]", "layers: 1 stands twice"),
        ("transfer", "victims=[\"bert\",\"bert\"]", "victims: `bert` stands twice"),
        ("transfer", "select=0", "select: is 0"),
        ("defend", "augment_share=0.0", "augment_share: 0, expected above 0"),
        ("defend", "victim.dir=x", "retrain: takes a recipe"),
    ] {
        let text = error(&["run", &format!("triggers/{experiment}"), argument]);
        assert!(text.starts_with("2 error: ") && text.contains(expected), "{argument}: {text}");
    }
    let text = error(&["run", "triggers/audit", "victim.dir=nowhere"]);
    assert!(text.starts_with("3 error: ") && text.contains("nowhere"), "{text}");
}

/// Without times.
fn timeless(mut run: Run) -> Run {
    let metrics = run.results["metrics"].as_array_mut().unwrap();
    metrics.retain(|metric| metric["name"] != "train_seconds");
    run
}

/// What a run that fails says, and its status.
fn fails(name: &str, out: &Path, more: &[&str]) -> String {
    let out_text = out.display().to_string();
    let mut arguments = vec!["run", name, "--no-progress", "--out", &out_text];
    arguments.extend(more);
    let output = start(&arguments, &VARIABLES).wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// The only directory of a cache whose name begins so.
fn kept(cache: &Path, name: &str) -> PathBuf {
    let entries = std::fs::read_dir(cache).unwrap().flatten().map(|entry| entry.path());
    let fits = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with(name);
    let found: Vec<PathBuf> = entries.filter(fits).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found.into_iter().next().unwrap()
}

#[test]
fn an_audit_keeps_its_budget_goes_on_after_a_stop_and_fails_where_it_should() {
    let dir = tempfile::tempdir().unwrap();
    let straight = run("triggers/audit", &dir.path().join("run"), &[]);
    let clean = straight.value("accuracy", &[("split", "dev".into()), ("method", Value::Null)]);
    assert!(clean > 0.85, "the victim learned its task: {clean}");
    for method in ["luat", "uat", "random", "gradient-random"] {
        let of = |name: &str, split: &str| {
            straight.value(name, &[("method", method.into()), ("split", split.into())])
        };
        let spent = of("forwards", "search");
        assert!(spent > 700.0 && spent <= 1200.0, "{method}: {spent}");
        let (seen, dev) = (of("fooling_rate", "search"), of("fooling_rate", "dev"));
        assert!((0.0..=1.0).contains(&dev) && seen >= 0.0, "{method}: {seen} {dev}");
        assert!(of("saturation", "dev") >= 0.5);
        // Whoever changes answers that were right changes accuracy by no more.
        assert!((clean - of("accuracy", "dev")).abs() <= dev + 1e-12);
    }
    let worst = straight
        .named("fooling_rate", &[("split", "dev".into())])
        .iter()
        .map(|one| one["value"].as_f64().unwrap())
        .fold(0.0, f64::max);
    assert!(worst > 0.1, "tokens that go with a class are allowed here: {worst}");
    let table = std::fs::read_to_string(straight.out.join("tables/triggers_seed_0.csv")).unwrap();
    assert_eq!(table.lines().count(), 5, "{table}");
    assert!(straight.report.contains("SHA-256") && straight.report.contains("PASS"));

    // In the middle of the training.
    let out = dir.path().join("elsewhere/interrupted");
    let log = |out: &Path| std::fs::read_to_string(out.join("metrics.jsonl")).unwrap_or_default();
    interrupt("triggers/audit", &out, &[], || log(&out).matches("train_loss").count() > 20);
    assert_eq!(std::fs::read_dir(out.join("checkpoints/seed-0")).unwrap().count(), 1);
    let resumed = run("triggers/audit", &out, &["--resume"]);
    assert!(!out.join("checkpoints").exists(), "nothing is left to go on with");
    assert_same(&timeless(resumed), &timeless(straight));

    // In the middle of a search, of which there is time enough.
    let long = ["methods=[\"uat\"]", "budget=20000"];
    let out = dir.path().join("long");
    interrupt("triggers/audit", &out, &long, || log(&out).contains("batch_fooling_rate"));
    let states = std::fs::read_dir(out.join("checkpoints/seed-0")).unwrap().flatten();
    assert_eq!(states.filter(|one| one.file_name().to_string_lossy().contains("uat")).count(), 1);
    let resumed = run("triggers/audit", &out, &[&long[..], &["--resume"]].concat());
    let whole = run("triggers/audit", &dir.path().join("whole"), &long);
    assert!(whole.value("updates", &[]) > 20.0);
    assert_same(&timeless(resumed), &timeless(whole));

    // The victim that was kept is the one that was trained.
    let model = kept(&dir.path().join(".cache"), "bert-synthetic");
    let own = format!("victim.dir={}", model.display());
    let one = ["methods=[\"random\"]", "--fail-above", "0.05"];
    let out = dir.path().join("own");
    let said = fails("triggers/audit", &out, &[&[own.as_str()], &one[..]].concat());
    assert!(said.contains("changes") && said.contains("above 5"), "{said}");
    let results: Value =
        serde_json::from_str(&std::fs::read_to_string(out.join("results.json")).unwrap()).unwrap();
    assert_eq!(results["status"], "complete");
    let metrics = results["metrics"].as_array().unwrap();
    let accuracy = metrics.iter().find(|one| one["name"] == "accuracy").unwrap();
    assert!((accuracy["value"].as_f64().unwrap() - clean).abs() < 1e-12);
}

#[test]
fn what_cannot_be_audited_is_refused_with_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    let fixture = |name: &str| format!("victim.dir={REPO}/fixtures/sixfold-model/{name}");
    let out = |name: &str| dir.path().join(name);
    let said = fails("triggers/audit", &out("bare"), &[&fixture("bert-base")]);
    assert!(said.contains("no sequence classification head"), "{said}");
    let said = fails(
        "triggers/audit",
        &out("empty"),
        &["filter.association=true", "filter.min_count=1000000"],
    );
    assert!(said.contains("the filter leaves no token of") && said.contains("rare"), "{said}");
    // A classifier of three classes for a task of two.
    let three = dir.path().join("three");
    std::fs::create_dir(&three).unwrap();
    for file in ["config.json", "model.safetensors"] {
        let from = format!("{REPO}/fixtures/sixfold-model/bert-classify/{file}");
        std::fs::copy(from, three.join(file)).unwrap();
    }
    let model = kept(&dir.path().join(".cache"), "bert-synthetic");
    std::fs::copy(model.join("tokenizer.json"), three.join("tokenizer.json")).unwrap();
    let own = format!("victim.dir={}", three.display());
    let said = fails("triggers/audit", &out("classes"), &[&own]);
    assert!(said.contains("the number of classes of the model is 3, expected 2"), "{said}");
    // A text that leaves no room for a trigger.
    let glue = dir.path().join("glue");
    sentences(&glue, &"very ".repeat(520));
    let glue = format!("glue={}", glue.display());
    let said = fails("triggers/audit", &out("long"), &["task=sst2", &glue]);
    assert!(said.contains("the model reads 512"), "{said}");
}

/// Files of SST-2 and RTE made of a few words; `more` stands in one sentence that reports.
fn sentences(glue: &Path, more: &str) {
    let (good, bad) = (["happy", "kind", "warm", "funny"], ["sad", "mean", "cold", "dull"]);
    let nouns = ["girl", "boy", "dog", "cat", "king"];
    let sentence = |i: usize| {
        let class = (i * 7 + i / 5) % 2;
        let words = if class == 1 { good } else { bad };
        let (noun, other) = (nouns[i % 5], nouns[(i / 3) % 5]);
        (format!("the {} {noun} met the {other}", words[i % 4]), class)
    };
    std::fs::create_dir_all(glue.join("SST-2")).unwrap();
    std::fs::create_dir_all(glue.join("RTE")).unwrap();
    for (file, range) in [("train.tsv", 0..300), ("dev.tsv", 300..360)] {
        let mut one = "sentence\tlabel\n".to_owned();
        let mut two = "index\tsentence1\tsentence2\tlabel\n".to_owned();
        for i in range {
            let (text, class) = sentence(i);
            let add = if i == 310 { more } else { "" };
            one.push_str(&format!("{text} {add}\t{class}\n"));
            let label = ["not_entailment", "entailment"][class];
            two.push_str(&format!("{i}\t{text}\tsomebody met the {}\t{label}\n", nouns[i % 5]));
        }
        std::fs::write(glue.join("SST-2").join(file), one).unwrap();
        std::fs::write(glue.join("RTE").join(file), two).unwrap();
    }
}

#[test]
fn gains_stand_beside_their_matched_control_between_models_and_tasks() {
    let dir = tempfile::tempdir().unwrap();
    let run_of = |name: &str, more: &[&str]| run("triggers/transfer", &dir.path().join(name), more);
    let models = run_of("models", &["q=[2.0,5.0]", "budget=500"]);
    for source in ["bert", "roberta", "albert"] {
        let accuracy = models.value("accuracy", &[("victim", source.into())]);
        assert!(accuracy > 0.7, "{source}: {accuracy}");
        for target in ["bert", "roberta", "albert"] {
            let rate = |selection: &str| {
                let place = [
                    ("source", source.into()),
                    ("target", target.into()),
                    ("method", "luat".into()),
                    ("selection", selection.into()),
                ];
                models.value("fooling_rate", &place)
            };
            let difference = rate("paper") - rate("matched");
            assert!(difference.abs() < 1e-12, "luat chooses alike in both");
        }
    }
    for against in ["uat", "random"] {
        for selection in ["single", "paper", "matched"] {
            let place = [("against", against.into()), ("selection", selection.into())];
            let gain = models.value("gain", &place);
            let found = models.named("gain", &place)[0];
            let ends = [0, 1].map(|end| found["ci95"][end].as_f64().unwrap());
            assert!(ends[0] <= gain && gain <= ends[1]);
        }
    }
    assert!(models.report.contains("chosen among as many"), "{}", models.report);
    let table =
        std::fs::read_to_string(models.out.join("tables/trials_models_seed_0.csv")).unwrap();
    // Two searches of three methods on three victims, each on three.
    assert_eq!(table.lines().count(), 1 + 2 * 3 * 3 * 3);

    let glue = dir.path().join("glue");
    sentences(&glue, "");
    let glue = format!("glue={}", glue.display());
    let tasks = ["victims=[]", "tasks=[\"sst2\",\"rte\"]", "select=40", "task=sst2", &glue];
    let tasks = run_of("tasks", &tasks);
    for (task, other) in [("sst2", "rte"), ("rte", "sst2")] {
        let place = [
            ("task", task.into()),
            ("target_task", other.into()),
            ("method", "uat".into()),
            ("selection", "matched".into()),
        ];
        assert!((0.0..=1.0).contains(&tasks.value("fooling_rate", &place)));
    }
    let gain = [("across", "tasks".into()), ("against", "uat".into())];
    assert_eq!(tasks.named("gain", &gain).len(), 3);
    let text = crate::binary::compared("triggers/transfer");
    assert!(text.contains("0.093") && text.contains("task to task"), "{text}");
}

#[test]
fn defences_are_measured_and_certain_answers_are_fewer_for_longer_prefixes() {
    let dir = tempfile::tempdir().unwrap();
    let straight = run("triggers/defend", &dir.path().join("run"), &[]);
    let of = |name: &str, defence: &str, more: &[(&str, Value)]| {
        let mut place = vec![("defence", defence.into())];
        place.extend(more.iter().cloned());
        straight.value(name, &place)
    };
    let mean = [("trigger", Value::Null)];
    for detector in
        ["leading-window", "prefix-ratio", "perplexity", "onion", "mahalanobis", "deletion"]
    {
        for name in ["auroc", "tpr_at_5fpr"] {
            let value = of(name, detector, &mean);
            assert!((0.0..=1.0).contains(&value), "{detector} {name}: {value}");
        }
    }
    // Two words before sentences that all begin alike: `the the brave` is no such sentence.
    assert!(of("auroc", "prefix-ratio", &mean) > 0.9);
    let certified =
        [1, 2].map(|length| of("certified", "erase-vote", &[("length", length.into())]));
    assert!(certified[0] >= certified[1], "{certified:?}");
    let [before, voted] = ["none", "erase-vote"].map(|one| of("fooling_rate", one, &mean));
    // What is certified for two tokens is not fooled by them.
    assert!(voted <= 1.0 - certified[1] + 1e-12, "{voted} {certified:?}");
    assert!(before > 0.1, "{before}");
    let old = of("fooling_rate", "retrain", &[("search", "old".into()), ("trigger", Value::Null)]);
    assert!(old < before, "a victim that has seen the triggers stands them better: {old} {before}");
    assert!(of("accuracy", "retrain", &[]) > 0.8);

    let out = dir.path().join("elsewhere/interrupted");
    let log = || std::fs::read_to_string(out.join("metrics.jsonl")).unwrap_or_default();
    interrupt("triggers/defend", &out, &[], || log().contains("\"method\":\"luat\""));
    let resumed = run("triggers/defend", &out, &["--resume"]);
    assert_same(&timeless(resumed), &timeless(straight));
}
