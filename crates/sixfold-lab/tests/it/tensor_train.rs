//! The experiments on compressed tables: configs, and runs of seconds.

use crate::binary::error;
use crate::started::run;

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
