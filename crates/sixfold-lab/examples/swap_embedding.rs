//! A model with a tensor train in the place of its token table: trained, saved, loaded, and exported as a dense
//! checkpoint.
//!
//! `cargo run --release -p sixfold-lab --example swap_embedding -- MODEL_DIR OUT_DIR [RANK]` with a causal
//! model of Hugging Face; `fixtures/sixfold-tensor-train/check_export.py OUT_DIR` reads the export with
//! `transformers` and compares its scores with those that are kept beside it.
#![expect(clippy::print_stdout, reason = "it is there to print")]

use std::error::Error;
use std::path::Path;

use burn::module::Module;
use burn::nn::Embedding;
use ndarray::Array2;
use sixfold_model::train::{ParamGroups, TrainCheckpoint, Trainer, TrainerConfig};
use sixfold_model::{Batch, CausalLm, Checkpoint, EncodeOptions, PaddingSide, Tokenizer};
use sixfold_tensor_train::shape::{column_factors, row_factors};
use sixfold_tensor_train::{Target, TtEmbedding, decompose};

const TEXT: &str =
    "Once upon a time there was a little train. It was small, and it could carry a lot.";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(dir), Some(out)) = (arguments.next(), arguments.next()) else {
        return Err("usage: swap_embedding MODEL_DIR OUT_DIR [RANK]".into());
    };
    let rank = arguments.next().map_or(Ok(16), |rank| rank.parse())?;
    let out = Path::new(&out);
    let device = sixfold_model::device("flex")?.autodiff();
    let checkpoint = Checkpoint::open(&dir)?;
    let model = checkpoint.causal_lm(&device)?;

    // The five lines: a train of the model's own table in its place.
    let table = table(&model.body.embed.tokens)?;
    let (rows, columns) = (row_factors(table.nrows(), 3), column_factors(table.ncols(), 3));
    let found = decompose(&table, &rows, &columns, &Target::Rank(rank))?;
    let train = TtEmbedding::from_cores(found.cores(), &device);
    let model = CausalLm { body: model.body.map_embedding(|_| train), head: model.head };
    println!(
        "swapped: {:.1} times smaller, error {:.3}",
        found.cores().shape().compression(),
        found.relative_error()
    );

    let tokenizer = Tokenizer::from_dir(&dir)?;
    let ids = tokenizer.encode(TEXT, &EncodeOptions::default())?.ids;
    let batch = Batch::pad(std::slice::from_ref(&ids), 0, PaddingSide::Right);
    let mut loss = |model: &CausalLm<TtEmbedding>, _: &[usize]| model.loss(&batch);
    let config = TrainerConfig {
        batch_size: 1,
        max_steps: Some(20),
        peak_lr: 2e-3,
        ..TrainerConfig::default()
    };
    let kept = out.join("training");
    let untrained = model.clone();
    let mut trainer =
        Trainer::new(model, 1, &config, &ParamGroups::default())?.with_checkpoints(&kept, 0);
    let before = trainer.model().loss(&batch)?.into_scalar::<f32>();
    let _ = trainer.run(&mut loss, &mut ())?;
    let after = trainer.model().loss(&batch)?.into_scalar::<f32>();
    println!("trained: loss {before:.3} before, {after:.3} after 20 steps on one sentence");

    let saved = TrainCheckpoint::open(&kept)?.ok_or("nothing was saved")?;
    let model = saved.load_parameters(untrained)?.valid();
    println!("saved and loaded: loss {:.3}", model.loss(&batch)?.into_scalar::<f32>());

    let scores = model.forward(&batch)?.into_data().try_to_vec::<f32>()?;
    let dense =
        CausalLm { body: model.body.map_embedding(|train| train.to_dense()), head: model.head };
    checkpoint.save(&dense, out.join("dense"))?;
    let text = serde_json::json!({ "ids": ids, "scores": scores });
    std::fs::write(out.join("scores.json"), text.to_string())?;
    println!("exported: {}", out.join("dense").display());
    Ok(())
}

/// The values of a table.
fn table(table: &Embedding) -> Result<Array2<f32>, Box<dyn Error>> {
    let [rows, columns] = table.weight.dims();
    let values = table.weight.val().into_data().try_to_vec::<f32>()?;
    Ok(Array2::from_shape_vec((rows, columns), values)?)
}
