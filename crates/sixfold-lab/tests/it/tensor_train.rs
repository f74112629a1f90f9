//! The experiments on compressed tables: configs, and runs of seconds.

use serde_json::Value;
use sixfold_lab::bleu::Counts;

use crate::binary::error;
use crate::started::{Run, assert_same, interrupt, run};

#[test]
fn config_errors_name_key_and_choices() {
    for (argument, expected) in [
        ("cores=1", "cores: 1, expected 2 to 8"),
        ("ranks=[]", "ranks: is empty, and so is `eps`"),
        ("ranks=[4,0]", "ranks: has a 0"),
        ("eps=[1.5]", "eps: has a number that is not between 0 and 1"),
        ("order=[]", "order: is empty"),
        ("order=[\"clusters\"]", "unknown value `clusters`; did you mean `cluster`?"),
        ("rank=[4]", "unknown key `rank`; did you mean `ranks`?"),
        ("table.path=some.npy", "order: has `frequency`, but a table in a file has no tokenizer"),
    ] {
        let text = error(&["run", "tensor-train/compress", argument]);
        assert!(text.starts_with("2 error: ") && text.contains(expected), "{argument}: {text}");
    }
    for argument in ["model.dir=nowhere", "glue.dir=nowhere", "text.path=nowhere.txt"] {
        let text = error(&["run", "tensor-train/compress", argument]);
        assert!(text.starts_with("3 error: ") && text.contains("nowhere"), "{argument}: {text}");
    }
}

#[test]
fn a_train_of_full_rank_is_the_table_and_smaller_ones_lose_more() {
    let dir = tempfile::tempdir().unwrap();
    let run = run("tensor-train/compress", &dir.path().join("run"), &["eps=[0.5]"]);
    for order in ["identity", "frequency", "cluster"] {
        let at = |name: &str, rank: f64| {
            let place =
                [("embedding", "tt".into()), ("order", order.into()), ("rank", rank.into())];
            run.value(name, &place)
        };
        // The table is 512 × 64: three cores of 8·4 each have rank 32 at most, and then miss nothing.
        assert!(at("relative_error", 32.0) < 1e-5, "{order}");
        let errors = [2.0, 8.0, 32.0].map(|rank| at("relative_error", rank));
        assert!(errors.is_sorted_by(|a, b| a > b) && errors[0] < 1.0, "{order}: {errors:?}");
        let sizes = [2.0, 8.0, 32.0].map(|rank| at("parameters", rank));
        assert_eq!(sizes.map(|size| size as usize), [256, 2_560, 34_816]);
        // An order that is not the identity takes 9 bits a token.
        let bytes = 4.0 * sizes[1] + if order == "identity" { 0.0 } else { 576.0 };
        assert!((at("compression", 8.0) - 4.0 * 512.0 * 64.0 / bytes).abs() < 1e-9);
        let within = run.named("relative_error", &[("order", order.into())]);
        assert_eq!(within.len(), 4);
        let kept = within.iter().filter_map(|metric| metric["value"].as_f64());
        assert!(kept.filter(|error| *error <= 0.5 && *error > 0.05).count() >= 1, "{order}");
    }
    let low = run.named("relative_error", &[("embedding", "low-rank".into())]);
    assert!(low.len() >= 3 && low.iter().all(|metric| metric["where"]["order"].is_null()));
    assert!(run.named("similarity", &[]).is_empty(), "no pairs, no similarity");
    assert!(run.report.contains("the best low rank"), "{}", run.report);
}

#[test]
fn config_errors_of_trainings_name_the_key() {
    for (experiment, argument, expected) in [
        ("sentiment", "embeddings=[]", "embeddings: is empty; `dense`"),
        ("sentiment", "embeddings=[\"tt-0\"]", "`tt-0` is no table"),
        ("sentiment", "embeddings=[\"tt\",\"tt\"]", "embeddings: `tt` stands twice"),
        ("sentiment", "embeddings=[\"tt-tied\"]", "there is nothing to tie"),
        ("sentiment", "reviews.held_out=3", "generated sentences have a split of their own"),
        ("sentiment", "recipe.std=0.0", "recipe.std: 0, expected a positive number"),
        ("sentiment", "dropout=1.0", "dropout: 1, expected 0 or more and below 1"),
        ("ctr", "d_hidden=[]", "d_hidden: is empty or has a 0"),
        ("ctr", "clicks.train=a.csv", "clicks.dev: is empty, and the other log is given"),
        ("ctr", "recipe.epochs=0", "recipe: epochs is 0"),
    ] {
        let text = error(&["run", &format!("tensor-train/{experiment}"), argument]);
        assert!(text.starts_with("2 error: ") && text.contains(expected), "{argument}: {text}");
    }
    let text =
        error(&["run", "tensor-train/sentiment", "reviews.path=no.tsv", "reviews.held_out=9"]);
    assert!(text.starts_with("3 error: ") && text.contains("no.tsv"), "{text}");
}

#[test]
fn sentiments_are_read_through_small_tables() {
    let dir = tempfile::tempdir().unwrap();
    let more = ["embeddings=[\"dense\",\"tt\",\"low-rank\"]"];
    let run = run("tensor-train/sentiment", &dir.path().join("run"), &more);
    let majority = run.value("majority", &[]);
    for name in ["dense", "tt", "low-rank"] {
        let at = |metric: &str| run.value(metric, &[("embedding", name.into())]);
        assert!(at("accuracy") > majority + 0.3, "{name}: {}", at("accuracy"));
        assert!(at("step_ms") > 0.0 && at("model_parameters") > at("parameters"), "{name}");
    }
    let of = |metric: &str, name: &str| run.value(metric, &[("embedding", name.into())]);
    assert!((of("compression", "dense") - 1.0).abs() < 1e-12 && of("compression", "tt") > 4.0);
    assert!(of("parameters", "low-rank") <= of("parameters", "tt"));
    assert!((of("accuracy", "tt") - of("accuracy_int8", "tt")).abs() < 0.02);
    assert!(run.report.contains("With cores in 8 bits"), "{}", run.report);
}

#[test]
fn clicks_are_predicted_better_than_by_their_share_and_a_stop_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let whole = run("tensor-train/ctr", &dir.path().join("whole"), &[]);
    let constant = whole.value("logloss_constant", &[]);
    for name in ["dense", "tt", "tr", "low-rank", "hash"] {
        let at = |metric: &str| whole.value(metric, &[("embedding", name.into())]);
        assert!(
            at("auc") > 0.65 && at("logloss") < constant,
            "{name}: {} {}",
            at("auc"),
            at("logloss")
        );
    }
    resumes("tensor-train/ctr", &[], "tt", whole);
}

#[test]
fn errors_of_compared_tables_name_their_keys() {
    let [translation, language] = ["tensor-train/translation", "tensor-train/language-model"];
    for (name, argument, expected) in [
        (translation, "embeddings=[]", "embeddings: is empty"),
        (translation, "embeddings=[\"tt-8\",\"tt-8\"]", "embeddings: `tt-8` stands twice"),
        (translation, "embeddings=[\"train-8\"]", "`train-8` is no table"),
        (translation, "cores=9", "cores: 9, expected 2 to 8"),
        (translation, "beams=0", "beams: is 0"),
        (translation, "vocab=100", "vocab: 100 is too few"),
        (translation, "max_tokens=1000", "recipe.batch_tokens: 256 is less than the 1000"),
        (translation, "train.source=a.de", "train.target: is empty"),
        (translation, "recipe.d_model=30", "recipe.d_model: is not a multiple of 2 · n_heads"),
        (language, "held_out=1", "held_out: 1, expected 2 or more"),
        (language, "context=1", "context: is below 2"),
        (language, "recipe.epochs=0", "recipe: epochs is 0"),
        (language, "recipe.batch_tokens=8", "recipe.batch_tokens: 8 is less than one example of"),
        (language, "rank=0", "rank: is 0"),
    ] {
        let text = error(&["run", name, argument]);
        assert!(text.starts_with("2 error: ") && text.contains(expected), "{argument}: {text}");
    }
    let text = error(&["run", translation, "--preset", "small", "--data", "nowhere"]);
    assert!(text.starts_with("3 error: train.source: nowhere"), "{text}");
    let text = error(&["run", language, "text.path=nowhere.txt"]);
    assert!(text.starts_with("3 error: ") && text.contains("nowhere.txt"), "{text}");
}

/// Sizes by which a table is tied or not, and smaller or not.
fn sizes(run: &Run, embedding: &str) -> [f64; 3] {
    ["parameters", "model_parameters", "compression"]
        .map(|name| run.value(name, &[("embedding", embedding.into())]))
}

/// Without the times, which no two runs share.
fn timeless(mut run: Run) -> Run {
    let metrics = run.results["metrics"].as_array_mut().unwrap();
    assert!(metrics.iter().any(|metric| metric["name"] == "step_ms"));
    metrics.retain(|metric| metric["name"] != "step_ms");
    run
}

/// Goes on after an interruption in the second training, and comes to the same.
fn resumes(name: &str, arguments: &[&str], second: &str, straight: Run) {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("interrupted");
    let begun = || {
        let log = std::fs::read_to_string(out.join("metrics.jsonl")).unwrap_or_default();
        log.contains(&format!("\"embedding\":\"{second}\""))
    };
    interrupt(name, &out, arguments, begun);
    assert!(out.join("checkpoints/seed-0").join(second).is_dir(), "its state is kept");
    let resumed = run(name, &out, &[arguments, &["--resume"]].concat());
    assert!(!out.join("checkpoints").exists(), "nothing is left to go on with");
    assert_same(&timeless(resumed), &timeless(straight));
}

#[test]
fn translations_are_learned_kept_and_scored() {
    let tiny = [
        "embeddings=[\"dense-tied\",\"tt-4\",\"tt-4-tied\"]",
        "beams=1",
        "recipe.d_model=32",
        "recipe.n_heads=2",
        "recipe.epochs=2",
        "recipe.peak_lr=4e-3",
    ];
    let dir = tempfile::tempdir().unwrap();
    let run = run("tensor-train/translation", &dir.path().join("run"), &tiny);
    let lines = |name: &str| -> Vec<String> {
        let text = std::fs::read_to_string(run.out.join("translations").join(name)).unwrap();
        text.lines().map(str::to_owned).collect()
    };
    let references = lines("references.txt");
    assert_eq!(references.len(), 128);
    let of = |name: &str, embedding: &str| run.named(name, &[("embedding", embedding.into())]);
    for embedding in ["dense-tied", "tt-4", "tt-4-tied"] {
        let written = lines(&format!("{embedding}-0.txt"));
        let pairs = written.iter().zip(&references);
        let counts: Counts = pairs.map(|(written, reference)| Counts::of(written, reference)).sum();
        let bleu = of("bleu", embedding)[0];
        let value = bleu["value"].as_f64().unwrap();
        assert!((counts.bleu() - value).abs() < 1e-9, "{embedding}: {value}");
        let ends = [&bleu["ci95"][0], &bleu["ci95"][1]].map(|end| end.as_f64().unwrap());
        assert!(ends[0] <= value && value <= ends[1], "{embedding}: {ends:?}");
        // Untrained models guess among hundreds of subwords.
        let perplexity = of("perplexity", embedding)[0]["value"].as_f64().unwrap();
        assert!(perplexity < 10.0, "{embedding}: {perplexity}");
    }
    let [dense, two, one] = ["dense-tied", "tt-4", "tt-4-tied"].map(|name| sizes(&run, name));
    assert!((dense[2] - 1.0).abs() < 1e-12);
    assert!((two[0] - 2.0 * one[0]).abs() < 0.5 && (one[2] - 2.0 * two[2]).abs() < 1e-9);
    assert!((dense[1] - dense[0] - (one[1] - one[0])).abs() < 0.5, "all else is the same");
    assert!(of("bleu_change", "dense-tied").is_empty(), "it is what the others are compared with");
    let change = of("bleu_change", "tt-4")[0]["value"].as_f64().unwrap();
    let bleu = |name| of("bleu", name)[0]["value"].as_f64().unwrap();
    assert!((change - (bleu("tt-4") - bleu("dense-tied"))).abs() < 1e-9);
    assert!(bleu("tt-4") > 2.0, "some words are right");
    assert!(run.report.contains("`tt-4-tied` ("), "{}", run.report);
    resumes("tensor-train/translation", &tiny, "tt-4", run);
}

#[test]
fn language_models_learn_more_than_frequencies_of_words() {
    let tiny = [
        "embeddings=[\"dense\",\"low-rank-tied\",\"tt-16\"]",
        "text.max_tokens=20000",
        "rank=16",
        "recipe.d_model=32",
        "recipe.n_heads=2",
        "recipe.batch_tokens=256",
        "recipe.epochs=4",
        "recipe.peak_lr=4e-3",
    ];
    let dir = tempfile::tempdir().unwrap();
    let run = run("tensor-train/language-model", &dir.path().join("run"), &tiny);
    let unigram = run.value("unigram_perplexity", &[]);
    let words = run.value("words", &[]);
    let unknown = run.value("unknown", &[]);
    assert!(words > 500.0 && unigram < words && (0.01..0.5).contains(&unknown));
    for embedding in ["dense", "low-rank-tied", "tt-16"] {
        let found = run.named("perplexity", &[("embedding", embedding.into())])[0];
        let value = found["value"].as_f64().unwrap();
        assert!(value < unigram, "{embedding}: {value} and {unigram}");
        let ends = [&found["ci95"][0], &found["ci95"][1]].map(|end: &Value| end.as_f64().unwrap());
        assert!(ends[0] < value && value < ends[1], "{embedding}: {ends:?}");
    }
    let [dense, low_rank, train] =
        ["dense", "low-rank-tied", "tt-16"].map(|name| sizes(&run, name));
    assert_eq!((dense[2], dense[0]), (0.5, 2.0 * 32.0 * words));
    assert!(2.0 * low_rank[0] <= train[0] && train[2] > 1.5, "{low_rank:?} and {train:?}");
    let change = run.value("loss_change", &[("embedding", "tt-16".into())]);
    let perplexity = |name: &str| run.value("perplexity", &[("embedding", name.into())]);
    assert!((change - (perplexity("tt-16") / perplexity("dense")).ln()).abs() < 1e-9);
    assert!(run.report.contains("not in it and count as the one unknown word"), "{}", run.report);
    resumes("tensor-train/language-model", &tiny, "low-rank-tied", run);
}
