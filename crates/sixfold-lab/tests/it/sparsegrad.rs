//! The experiments on sparse fine-tuning: configs, and runs of seconds.

use std::path::Path;

use serde_json::{Value, json};
use sixfold_model::{Checkpoint, LoadOptions, Seed};

use crate::binary::error;
use crate::interrupt::start;
use crate::started::{REPO, Run, VARIABLES, assert_same, interrupt, run};

#[test]
fn config_errors_name_key_and_choices() {
    for (experiment, argument, expected) in [
        ("glue", "methods=[\"lore\"]", "unknown value `lore`; did you mean `lora`?"),
        ("glue", "methods=[]", "methods: is empty"),
        ("glue", "methods=[\"lora\",\"lora\"]", "methods: `lora` stands twice"),
        ("glue", "tasks=[\"rtee\"]", "`rtee` is no task"),
        ("glue", "fraction=1.5", "fraction: 1.5, expected above 0 and at most 1"),
        ("glue", "recipe.learning_rates=[]", "recipe.learning_rates: is empty"),
        ("glue", "recipe.learning_rates=[0.0]", "recipe.learning_rates: 0, expected a positive"),
        ("glue", "recipe.steps=0", "recipe: max_steps is 0"),
        ("glue", "recipe.held_out=0", "recipe.held_out: is 0"),
        ("ablation", "policies=[\"all\"]", "policies: has `magnitude` or `all`"),
        ("ablation", "bases=[\"shard\"]", "unknown value `shard`; did you mean `shared`?"),
        ("ablation", "fractions=[0.0]", "fractions: 0, expected above 0"),
        ("ablation", "recipe.held_out=0", "recipe.held_out: is 0"),
        ("cost", "shape=[\"minilm\",\"minilm\"]", "shape: `minilm` stands twice"),
        ("cost", "shape=[\"bert\"]", "unknown value `bert`"),
        ("cost", "rounds=0", "rounds: is 0"),
        ("cost", "tokens=513", "tokens: is not within 1 and 512"),
        ("qa", "answers=0", "answers: is 0"),
        ("qa", "data.test_share=1.0", "data.test_share: is not between 0 and 1"),
        ("qa", "max_tokens=8", "max_tokens: is below 16"),
    ] {
        let text = error(&["run", &format!("sparsegrad/{experiment}"), argument]);
        assert!(text.starts_with("2 error: ") && text.contains(expected), "{argument}: {text}");
    }
    let text = error(&["run", "sparsegrad/glue", "model.dir=nowhere"]);
    assert!(text.starts_with("3 error: ") && text.contains("nowhere"), "{text}");
    let text = error(&["run", "sparsegrad/glue", "tasks=[\"rte\"]", "glue=no-such-folder"]);
    assert!(text.starts_with("3 error: ") && text.contains("no-such-folder"), "{text}");
}

#[test]
fn more_examples_than_there_are_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run").display().to_string();
    let arguments = ["run", "sparsegrad/glue", "--out", &out, "recipe.examples=100000"];
    let output = start(&arguments, &VARIABLES).wait_with_output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("error: recipe.examples: 100000, but the training split has "), "{text}");
}

/// Without what no two runs share: times, and peaks of the heap.
fn timeless(mut run: Run) -> Run {
    let metrics = run.results["metrics"].as_array_mut().unwrap();
    let measured = |metric: &Value| metric["where"]["source"] == "measured";
    assert!(metrics.iter().any(|metric| metric["name"] == "step_ms"));
    metrics.retain(|metric| metric["name"] != "step_ms" && !measured(metric));
    run
}

/// Goes on after an interruption in the training that `begun` names, and comes to the same.
fn resumes(name: &str, arguments: &[&str], begun: &str, straight: Run) {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("interrupted");
    let log = || std::fs::read_to_string(out.join("metrics.jsonl")).unwrap_or_default();
    interrupt(name, &out, arguments, || log().contains(begun));
    let cells = std::fs::read_dir(out.join("cells")).unwrap().count();
    assert!(cells > 0, "what was finished is kept");
    let before = log().lines().count();
    let resumed = run(name, &out, &[arguments, &["--resume"]].concat());
    let whole = std::fs::read_to_string(straight.out.join("metrics.jsonl")).unwrap();
    assert!(before > 0 && log().lines().count() <= whole.lines().count() + 1, "no step twice");
    assert!(!out.join("checkpoints").exists(), "nothing is left to go on with");
    assert_same(&timeless(resumed), &timeless(straight));
}

#[test]
fn methods_learn_sentences_at_equal_size_and_a_stop_changes_nothing() {
    let tiny = [
        "methods=[\"full\",\"sparsegrad\",\"lora\",\"meprop\",\"meprop-paper\",\"sparsegrad-adapter\",\
         \"sparsegrad-paper\",\"random-basis\",\"identity-basis\",\"lora-xs\"]",
        "recipe.calibration_batches=2",
    ];
    let dir = tempfile::tempdir().unwrap();
    let run = run("sparsegrad/glue", &dir.path().join("run"), &tiny);
    let of = |name: &str, method: &str| run.value(name, &[("method", method.into())]);
    for method in ["full", "lora", "sparsegrad", "sparsegrad-paper"] {
        let (score, loss) = (of("score", method), of("train_loss", method));
        assert!((0.0..=100.0).contains(&score) && loss > 0.0 && loss < 0.8, "{method}: {loss}");
        let lr = of("learning_rate", method);
        let tried = run.named("tuning_loss", &[("method", method.into())]);
        let best = tried
            .iter()
            .min_by(|a, b| a["value"].as_f64().unwrap().total_cmp(&b["value"].as_f64().unwrap()));
        assert_eq!((tried.len(), best.unwrap()["where"]["lr"].as_f64().unwrap()), (2, lr));
    }
    assert!(of("train_loss", "full") < 0.68, "the task can be learned");
    // Both realisations of one update are one training.
    let [place, beside] = ["sparsegrad", "sparsegrad-adapter"].map(|m| of("train_loss", m));
    assert!((place - beside).abs() < 1e-2, "{place} {beside}");
    // Two blocks, two matrices of 64 × 256 each; the head has 130 parameters.
    let trained = |method: &str| of("trainable", method).round() as usize;
    for (method, k) in [
        ("sparsegrad", 14 * 14),
        ("sparsegrad-adapter", 14 * 14),
        ("random-basis", 14 * 14),
        ("meprop-paper", 197),
        ("identity-basis", 197),
    ] {
        assert_eq!(trained(method), 4 * k + 130, "{method}");
    }
    assert_eq!(trained("lora"), 4 * 320 + 130);
    assert_eq!(trained("lora-xs"), 4 * 196 + 130);
    assert_eq!(trained("meprop"), 4 * 16_384 + 130);
    let bytes = |name: &str, method: &str, source: &str| {
        run.value(name, &[("method", method.into()), ("source", source.into())])
    };
    let [full, ours] =
        ["full", "sparsegrad"].map(|method| bytes("persistent_bytes", method, "planned"));
    assert!(ours < 0.6 * full, "{ours} {full}");
    assert!(bytes("peak_bytes", "full", "measured") > full - 1e5, "all that was planned was there");
    assert!(run.report.contains("SparseGrad's train loss ≤ LoRA's"), "{}", run.report);
    resumes("sparsegrad/glue", &tiny, "\"method\":\"sparsegrad\"}", run);
}

#[test]
fn few_examples_are_learned_by_heart_and_the_rate_that_fits_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let few = [
        "methods=[\"full\"]",
        "recipe.examples=16",
        "recipe.steps=80",
        "recipe.held_out=0",
        "recipe.chosen_by=train-loss",
        "recipe.learning_rates=[1e-6,3e-3]",
    ];
    let run = run("sparsegrad/glue", &dir.path().join("run"), &few);
    assert!((run.value("learning_rate", &[]) - 3e-3).abs() < 1e-9);
    assert!(run.value("train_loss", &[]) < 0.4, "{}", run.value("train_loss", &[]));
    let told = "always of the same 16 examples, each seen 80 times";
    assert!(run.report.contains(told), "{}", run.report);
}

#[test]
fn a_calibration_stops_between_two_batches() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("interrupted");
    let endless = [
        "methods=[\"full\",\"sparsegrad\"]",
        "recipe.steps=2",
        "recipe.learning_rates=[1e-3]",
        "recipe.calibration_batches=100000",
    ];
    let log = || std::fs::read_to_string(out.join("metrics.jsonl")).unwrap_or_default();
    interrupt("sparsegrad/glue", &out, &endless, || log().contains("\"full\""));
}

#[test]
fn published_tables_stand_beside_ours() {
    let text = crate::binary::compared("sparsegrad/glue");
    assert!(text.contains("Table 9") && text.contains("69.3"), "{text}");
}

#[test]
fn variants_differ_in_one_thing_and_energy_tells_bases_apart() {
    let tiny = [
        "fractions=[0.012,1.0]",
        "bases=[\"random\",\"identity\",\"reference-transposed\",\"weight-svd\",\"per-layer\"]",
        "policies=[\"dynamic\",\"corner\",\"strip\",\"random\"]",
        "recipe.steps=12",
        "recipe.calibration_batches=3",
    ];
    let dir = tempfile::tempdir().unwrap();
    let run = run("sparsegrad/ablation", &dir.path().join("run"), &tiny);
    let of = |name: &str, fraction: f64, basis: &str, policy: &str| {
        let place =
            [("fraction", fraction.into()), ("basis", basis.into()), ("policy", policy.into())];
        run.value(name, &place)
    };
    let energy = |basis: &str| of("energy", 0.012, basis, "top-k");
    assert!((of("energy", 1.0, "shared", "top-k") - 1.0).abs() < 1e-4, "a true 100 %");
    assert_eq!(of("trainable", 1.0, "shared", "top-k").round() as usize, 4 * 16_384 + 130);
    for other in ["random", "identity", "weight-svd"] {
        assert!(
            energy("shared") > energy(other),
            "{other}: {} {}",
            energy("shared"),
            energy(other)
        );
    }
    assert!(energy("random") < 0.4, "{}", energy("random"));
    let policy = |policy: &str| of("energy", 0.012, "shared", policy);
    assert!(policy("dynamic") >= energy("shared") && policy("random") < policy("corner"));
    assert_eq!(run.named("score", &[]).len(), 11);
    assert!(run.report.contains("hold"), "{}", run.report);
    resumes("sparsegrad/ablation", &tiny, "\"policy\":\"corner\"}", run);
}

#[test]
fn costs_are_predicted_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let more = ["shape=[\"tiny\"]", "batch_size=4", "tokens=32", "rounds=2", "steps=2"];
    let run = run("sparsegrad/cost", &dir.path().join("run"), &more);
    let of = |name: &str, method: &str| run.value(name, &[("method", method.into())]);
    for method in [
        "full",
        "lora",
        "lora-xs",
        "meprop",
        "meprop-paper",
        "sparsegrad",
        "sparsegrad-adapter",
        "sparsegrad-shared",
        "sparsegrad-paper",
        "sparsegrad-reference",
        "random-basis",
        "identity-basis",
    ] {
        let (predicted, found) = (of("predicted_bytes", method), of("persistent_bytes", method));
        // So small a model shows what the planner leaves out: names, tables of parameters, the batch.
        assert!((predicted / found - 1.0).abs() < 0.2, "{method}: {predicted} {found}");
        assert!(of("peak_bytes", method) > found && of("step_ms", method) > 0.0, "{method}");
    }
    assert!(of("persistent_bytes", "sparsegrad") < 0.7 * of("persistent_bytes", "full"));
    assert!(run.report.contains("The planner is within 2"), "{}", run.report);
}

#[test]
fn a_decoder_learns_to_answer_and_a_stop_changes_nothing() {
    let tiny =
        ["methods=[\"lora\",\"sparsegrad\"]", "recipe.steps=12", "answers=8", "max_new_tokens=8"];
    let dir = tempfile::tempdir().unwrap();
    let run = run("sparsegrad/qa", &dir.path().join("run"), &tiny);
    let of = |name: &str, method: &str| run.value(name, &[("method", method.into())]);
    for method in ["lora", "sparsegrad"] {
        assert!(of("loss", method) < of("loss", "untuned"), "{method}");
        assert!((of("perplexity", method) - of("loss", method).exp()).abs() < 1e-9, "{method}");
        assert!((0.0..=100.0).contains(&of("token_f1", method)), "{method}");
    }
    // 64 × 172, of which 4.3 % are nearest to 22²; a rank has 236 parameters.
    let trained = |method: &str| of("trainable", method).round() as usize;
    assert_eq!((trained("sparsegrad"), trained("lora")), (15 * 484, 15 * 472));
    resumes("sparsegrad/qa", &tiny, "\"method\":\"sparsegrad\"}", run);
}

/// A directory as a user has it: config, random weights, tokenizer.
fn checkpoint(dir: &Path, config: Value, causal: bool) -> String {
    std::fs::create_dir(dir).unwrap();
    let Value::Object(config) = config else { unreachable!("configs are objects") };
    let checkpoint = Checkpoint::from_config(dir, config, &LoadOptions::default()).unwrap();
    let device = sixfold_model::device("flex").unwrap();
    match causal {
        true => checkpoint.save(&checkpoint.init_causal_lm(Seed::new(7), &device), dir).unwrap(),
        false => checkpoint.save(&checkpoint.init_masked_lm(Seed::new(7), &device), dir).unwrap(),
    };
    let tokenizer = Path::new(REPO).join("fixtures/models/stories260k/tokenizer.json");
    std::fs::copy(tokenizer, dir.join("tokenizer.json")).unwrap();
    format!("model.dir={}", dir.display())
}

/// A few rows of tasks in GLUE's own layout.
fn glue(dir: &Path) -> String {
    for (task, header, row) in [
        ("RTE", "index\tsentence1\tsentence2\tlabel", "0\tA dog ran.\tA dog slept {}.\t"),
        ("CoLA", "", "gj04\t"),
        ("STS-B", "sentence1\tsentence2\tscore", "A dog ran.\tA cat sat {}.\t"),
    ] {
        std::fs::create_dir_all(dir.join(task)).unwrap();
        for split in ["train.tsv", "dev.tsv"] {
            let mut text = if header.is_empty() { String::new() } else { format!("{header}\n") };
            for i in 0..12 {
                let row = row.replace("{}", &"well ".repeat(i % 3));
                let end = match task {
                    "RTE" => ["entailment", "not_entailment"][i % 2].to_owned(),
                    "CoLA" => format!("{}\t\tThe boat {} sank.", i % 2, "has ".repeat(i % 3)),
                    _ => format!("{}.5", i % 5),
                };
                text += &format!("{row}{end}\n");
            }
            std::fs::write(dir.join(task).join(split), text).unwrap();
        }
    }
    format!("glue={}", dir.display())
}

#[test]
fn roberta_is_tuned_from_its_directory_on_tasks_of_glue() {
    let dir = tempfile::tempdir().unwrap();
    // RoBERTa-base, but for blocks and words.
    let config = json!({
        "model_type": "roberta", "architectures": ["RobertaForMaskedLM"], "vocab_size": 512,
        "hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12,
        "num_hidden_layers": 1, "max_position_embeddings": 514, "type_vocab_size": 1,
        "layer_norm_eps": 1e-5, "hidden_act": "gelu", "pad_token_id": 1, "bos_token_id": 0,
        "eos_token_id": 2
    });
    let model = checkpoint(&dir.path().join("roberta-base"), config, false);
    let glue = glue(&dir.path().join("glue"));
    let more = [
        "--preset",
        "paper",
        &model,
        &glue,
        "tasks=[\"rte\",\"cola\",\"stsb\"]",
        "methods=[\"lora\",\"sparsegrad\"]",
        "recipe.steps=2",
        "recipe.batch_size=4",
        "recipe.learning_rates=[1e-4]",
        "recipe.calibration_batches=1",
    ];
    let run = run("sparsegrad/glue", &dir.path().join("run"), &more);
    for (task, least) in [("rte", 0.0), ("cola", -100.0), ("stsb", -100.0)] {
        for method in ["lora", "sparsegrad"] {
            let place = [("task", task.into()), ("method", method.into())];
            let score = run.value("score", &place);
            assert!((least..=100.0).contains(&score), "{task} {method}: {score}");
            let found = run.named("score", &place)[0];
            assert_eq!(found["where"]["model"], "roberta-base");
        }
    }
    // The rest is trained as well.
    let trained =
        run.value("trainable", &[("task", "rte".into()), ("method", "sparsegrad".into())]);
    assert!(trained > 2.0 * 28_312.0 + 512.0 * 768.0, "{trained}");
}

#[test]
fn a_llama_is_tuned_on_message_trees() {
    let dir = tempfile::tempdir().unwrap();
    // LLaMa-2's form, narrower and with two blocks of 32.
    let config = json!({
        "model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": 512,
        "hidden_size": 128, "intermediate_size": 344, "num_attention_heads": 4,
        "num_key_value_heads": 4, "num_hidden_layers": 2, "max_position_embeddings": 4096,
        "rms_norm_eps": 1e-5, "hidden_act": "silu", "tie_word_embeddings": false,
        "bos_token_id": 1, "eos_token_id": 2
    });
    let model = checkpoint(&dir.path().join("llama-2-7b"), config, true);
    let tree = |i: usize| {
        json!({"prompt": {"text": format!("Why {i}?"), "replies": [
            {"text": "worse", "rank": 1, "replies": []},
            {"text": format!("Because of {i}."), "rank": 0, "replies": []}
        ]}})
    };
    let lines: Vec<String> = (0..12).map(|i| tree(i).to_string()).collect();
    let path = dir.path().join("trees.jsonl");
    std::fs::write(&path, lines.join("\n")).unwrap();
    let data = format!("data.path={}", path.display());
    let more = [
        "--preset",
        "paper",
        &model,
        &data,
        "layers=[0]",
        "methods=[\"lora\",\"sparsegrad\"]",
        "max_new_tokens=4",
        "recipe.steps=2",
        "recipe.batch_size=4",
        "recipe.learning_rates=[1e-3]",
        "recipe.calibration_batches=1",
    ];
    let run = run("sparsegrad/qa", &dir.path().join("run"), &more);
    let of = |name: &str, method: &str| run.value(name, &[("method", method.into())]);
    assert!(of("loss", "sparsegrad") < of("loss", "untuned"));
    // One block of three matrices, nearest to 1 % of each.
    assert_eq!(of("trainable", "sparsegrad").round() as usize, 3 * 21 * 21);
}
