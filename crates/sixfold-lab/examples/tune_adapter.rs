//! A model tuned through 1.2 % of a rotated gradient: calibrated, trained, its adapter saved and loaded, exported as
//! LoRA for PEFT, and merged into a checkpoint.
//!
//! `cargo run --release -p sixfold-lab --example tune_adapter -- MODEL_DIR OUT_DIR` with a causal model of Hugging Face;
//! `fixtures/sixfold-sparsegrad/check_tuned.py MODEL_DIR OUT_DIR` loads the LoRA with `peft` and the checkpoint with
//! `transformers`, and compares their scores with those that are kept beside them.
#![expect(clippy::print_stdout, reason = "it is there to print")]

use std::error::Error;
use std::path::Path;

use burn::module::Module;
use burn::nn::Embedding;
use sixfold_model::train::{ParamGroups, TrainerConfig};
use sixfold_model::{Batch, CausalLm, Checkpoint, EncodeOptions, HeadKind, PaddingSide, Tokenizer};
use sixfold_sparsegrad::config::Realisation;
use sixfold_sparsegrad::{
    Adapted, Adapter, LoraRank, SparseAdamConfig, SparseGradConfig, adapter_of, attach, calibrate,
    merge, with_adapter,
};

const TEXTS: [&str; 4] = [
    "Once upon a time there was a little train. It was small, and it could carry a lot.",
    "Lily had a red ball. She threw it high, and a big bird took it away.",
    "The sun was hot. Tom and his dog went to the lake, and they swam all day.",
    "Mum made a cake. Ben ate it all, and then he was sad, for his friends had none.",
];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(dir), Some(out)) = (arguments.next(), arguments.next()) else {
        return Err("usage: tune_adapter MODEL_DIR OUT_DIR".into());
    };
    let out = Path::new(&out);
    let device = sixfold_model::device("flex")?.autodiff();
    let checkpoint = Checkpoint::open(&dir)?;
    let model = checkpoint.causal_lm(&device)?;
    let tokenizer = Tokenizer::from_dir(&dir)?;
    let mut texts = Vec::new();
    for text in TEXTS {
        texts.push(tokenizer.encode(text, &EncodeOptions::default())?.ids);
    }
    let mut loss = |model: &CausalLm<Embedding, Adapted>, chosen: &[usize]| {
        let texts: Vec<_> = chosen.iter().map(|&i| texts[i % texts.len()].clone()).collect();
        model.loss(&Batch::pad(&texts, 0, PaddingSide::Right))
    };

    let config = SparseGradConfig { calibration_batches: 8, ..SparseGradConfig::default() };
    let found = calibrate(&model, &config, |model, i| loss(model, &[i]))?;
    let tuned = attach(model.clone(), &config, &found, &SparseAdamConfig::default())?;
    let settings = tuned.adapter.clone();
    let training = TrainerConfig {
        batch_size: 4,
        max_steps: Some(40),
        peak_lr: 1e-2,
        ..TrainerConfig::default()
    };
    let mut trainer = tuned.trainer(4, &training, &ParamGroups::default())?;
    let before = loss(trainer.model(), &[0, 1, 2, 3])?.into_scalar::<f32>();
    let _ = trainer.run(&mut loss, &mut ())?;
    let after = loss(trainer.model(), &[0, 1, 2, 3])?.into_scalar::<f32>();
    println!("tuned: loss {before:.3} before, {after:.3} after 40 steps on four sentences");

    let adapter = adapter_of(trainer.model(), &settings)?;
    adapter.save(out.join("adapter"))?;
    println!("saved: {} trained numbers of {}", adapter.parameters(), model.num_params());
    let opened = Adapter::open(out.join("adapter"))?;
    let model = with_adapter(model, &opened, Realisation::Adapter)?;
    println!("loaded: loss {:.3}", loss(&model, &[0, 1, 2, 3])?.into_scalar::<f32>());

    let name = |path: &str| {
        let tensor = checkpoint.hf_name(&format!("{path}.weight"), HeadKind::LanguageModel);
        let tensor = tensor.unwrap_or_else(|| path.to_owned());
        tensor.strip_suffix(".weight").unwrap_or(&tensor).to_owned()
    };
    opened.to_lora(name, LoraRank::Basis)?.save(out.join("lora"))?;
    let merged = merge(model).valid();
    let batch = Batch::pad(&texts[..1], 0, PaddingSide::Right);
    let scores = merged.forward(&batch)?.into_data().try_to_vec::<f32>()?;
    checkpoint.save(&merged, out.join("merged"))?;
    let text = serde_json::json!({ "ids": texts[0], "scores": scores });
    std::fs::write(out.join("scores.json"), text.to_string())?;
    println!("exported: {} and {}", out.join("lora").display(), out.join("merged").display());
    Ok(())
}
