//! The experiments on compressed tables: configs, and runs of seconds.

use crate::binary::error;
use crate::started::{assert_same, interrupt, run};

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
    assert!(run.report.contains("points against the dense table"), "{}", run.report);
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
    let out = dir.path().join("parts");
    let cells = out.join("cells");
    interrupt("tensor-train/ctr", &out, &[], || cells.read_dir().is_ok_and(|dir| dir.count() > 1));
    let resumed = run("tensor-train/ctr", &out, &["--resume"]);
    assert_same(&resumed, &whole);
    assert!(!out.join("checkpoints").exists(), "what the trainings kept is gone");
}
