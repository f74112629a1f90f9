//! Fine-tunes a BERT on pairs of sentences for one epoch, with the loss and the time of every step.
//!
//! `cargo run -p sixfold-model --release --example finetune -- MODEL TRAIN.tsv DEV.tsv [GOLDEN.json]`
//!
//! With MiniLM, GLUE's RTE and `fixtures/sixfold-model/finetune-rte/golden.json`, the whole curve
//! is compared with PyTorch's.

#![expect(clippy::print_stdout, reason = "an example reports what it measured")]

#[path = "../tests/it/rte.rs"]
mod rte;

use std::path::Path;

use rte::{BATCH, Curve, Pairs, classifier, place, trainer};
use serde_json::Value;
use sixfold_model::{SequenceClassifier, Tokenizer};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [dir, train, dev, golden @ ..] = arguments.as_slice() else {
        return Err("usage: finetune MODEL TRAIN.tsv DEV.tsv [GOLDEN.json]".into());
    };
    let golden: Option<Value> = match golden.first() {
        Some(path) => Some(serde_json::from_str(&std::fs::read_to_string(path)?)?),
        None => None,
    };
    let rate = golden.as_ref().and_then(|golden| golden["peak_rate"].as_f64()).unwrap_or(5e-5);

    let device = sixfold_model::device("flex")?.autodiff();
    let tokenizer = Tokenizer::from_dir(dir)?;
    let pairs = Pairs::read(Path::new(train), &tokenizer)?;
    let n = pairs.len();
    let mut loss = |model: &SequenceClassifier, examples: &[usize]| {
        let examples: Vec<usize> = examples.iter().map(|&k| place(k, n)).collect();
        let (batch, classes) = pairs.batch(&examples);
        model.loss(&batch, &classes)
    };

    let mut trainer = trainer(classifier(Path::new(dir), &device)?, n, rate)?;
    let mut curve = Curve::new(usize::MAX, |step, loss, seconds| {
        println!("step {step:4}  loss {loss:.6}  {:7.1} ms", seconds * 1e3);
    });
    // It cannot be interrupted: the observer never asks for it.
    let _ = trainer.run(&mut loss, &mut curve)?;

    let mut seconds = curve.seconds.clone();
    seconds.sort_by(f64::total_cmp);
    println!(
        "ms per step: least {:.1}, median {:.1}, mean {:.1}",
        seconds[0] * 1e3,
        seconds[seconds.len() / 2] * 1e3,
        seconds.iter().sum::<f64>() / seconds.len() as f64 * 1e3,
    );
    let dev = Pairs::read(Path::new(dev), &tokenizer)?;
    println!("right in {} of {}", correct(trainer.model(), &dev)?, dev.len());
    if let Some(golden) = golden {
        let (first, whole) = curve.errors(&golden);
        println!(
            "relative error of the loss: {first:.1e} in the first 20 steps, {whole:.1e} in all"
        );
        if first > 1e-3 || whole > 2e-2 {
            return Err("the curve is not PyTorch's".into());
        }
    }
    Ok(())
}

/// How many examples the model puts into the right class.
fn correct(model: &SequenceClassifier, pairs: &Pairs) -> sixfold_model::Result<usize> {
    let all: Vec<usize> = (0..pairs.len()).collect();
    let mut correct = 0;
    for examples in all.chunks(BATCH) {
        let (batch, classes) = pairs.batch(examples);
        let scores: Vec<f32> = model.forward(&batch)?.into_data().iter::<f32>().collect();
        let found = scores.chunks(2).map(|scores| i32::from(scores[1] > scores[0]));
        correct += found.zip(classes).filter(|(found, class)| found == class).count();
    }
    Ok(correct)
}
