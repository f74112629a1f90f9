//! Fine-tuning a real model: the loss of every step against PyTorch's.
//!
//! The test takes the first 20 of 156 steps, which is what fits into a build that is not fully
//! optimised. The whole curve is checked by the example `finetune` in a release build; its last
//! result stands in `benches/record`.

use std::path::{Path, PathBuf};

use serde_json::Value;
use sixfold_model::train::Outcome;
use sixfold_model::{SequenceClassifier, Tokenizer};
use sixfold_testkit::{data_dir, fixtures};

use crate::rte::{BATCH, Curve, Pairs, classifier, numbers, place, trainer};
use crate::train_common::{alone, flex};

const STEPS: usize = 20;

fn golden() -> Value {
    let path = fixtures("sixfold-model").join("finetune-rte/golden.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn pairs(data: &Path) -> (PathBuf, Pairs) {
    let dir = data.join("models/all-minilm-l6-v2");
    let tokenizer = Tokenizer::from_dir(&dir).unwrap();
    let pairs = Pairs::read(&data.join("glue/RTE/train.tsv"), &tokenizer).unwrap();
    (dir, pairs)
}

/// A list of lists of ids, in one.
fn ids(value: &Value) -> Vec<u32> {
    let rows = value.as_array().unwrap().iter();
    rows.flat_map(|row| numbers(row).into_iter().map(|id| id as u32)).collect()
}

#[test]
fn pairs_are_tokenised_as_in_python() {
    let Some(data) = data_dir() else { return };
    let (_, pairs) = pairs(&data);
    let golden = golden();
    let n = pairs.len();
    let order: Vec<usize> = (0..n).map(|k| place(k, n)).collect();
    let lengths: Vec<f64> =
        order.chunks(BATCH).map(|examples| pairs.batch(examples).0.len() as f64).collect();
    assert_eq!(lengths, numbers(&golden["lengths"]));

    let (batch, classes) = pairs.batch(&order[..BATCH]);
    let expected = &golden["first_batch"];
    assert_eq!(batch.ids(), ids(&expected["ids"]));
    assert_eq!(batch.token_types().unwrap(), ids(&expected["token_types"]));
    let classes: Vec<f64> = classes.into_iter().map(f64::from).collect();
    assert_eq!(classes, numbers(&expected["classes"]));
    let tokens = |row: &[bool]| row.iter().filter(|&&token| token).count() as f64;
    let tokens: Vec<f64> = batch.mask().chunks(batch.len()).map(tokens).collect();
    assert_eq!(tokens, numbers(&expected["lengths"]));
}

#[test]
fn minilm_learns_rte_as_in_pytorch() {
    let Some(data) = data_dir() else { return };
    let _alone = alone();
    let golden = golden();
    let (dir, pairs) = pairs(&data);
    let n = pairs.len();
    let model = classifier(&dir, &flex()).unwrap();
    let mut trainer = trainer(model, n, golden["peak_rate"].as_f64().unwrap()).unwrap();
    assert_eq!(trainer.total_steps() as usize, numbers(&golden["losses"]).len());
    let mut loss = |model: &SequenceClassifier, examples: &[usize]| {
        let examples: Vec<usize> = examples.iter().map(|&k| place(k, n)).collect();
        let (batch, classes) = pairs.batch(&examples);
        model.loss(&batch, &classes)
    };
    let mut curve = Curve::new(STEPS, |_, _, _| ());
    let outcome = trainer.run(&mut loss, &mut curve).unwrap();
    assert_eq!(outcome, Outcome::Interrupted);
    assert_eq!(curve.losses.len(), STEPS);

    let close = |found: &[f64], key: &str, tolerance: f64| {
        for (step, (found, expected)) in found.iter().zip(numbers(&golden[key])).enumerate() {
            // The first rate is 0.
            let error = (found - expected).abs() / expected.abs().max(1e-12);
            assert!(error <= tolerance, "{key}, step {step}: {found} instead of {expected}");
        }
    };
    println!("largest relative error of the loss: {:.1e}", curve.errors(&golden).0);
    close(&curve.rates, "rates", 1e-8);
    // A model that does not learn is 1.4e-2 off; another order of PyTorch's sums, 2e-7.
    close(&curve.losses, "losses", 1e-4);
    close(&curve.norms, "gradient_norms", 1e-3);
}
