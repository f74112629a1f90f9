//! Models: forward, backward, loading, tokenising.

use std::hint::black_box;
use std::path::PathBuf;

use burn::tensor::{Device, Tensor, TensorData};
use sixfold_benches::batch;
use sixfold_model::{Checkpoint, EncodeOptions, Seed, Tokenizer, Transformer, TransformerSpec};

use sixfold_benches::peer::{Result, Run, Unit, Work};

/// The device of everything here.
pub(crate) const DEVICE: &str = "flex";

/// Sequences and their length.
const MINILM: [usize; 2] = [32, 64];
const BERT_BASE: [usize; 2] = [8, 128];

/// Where the text to tokenise lies.
const TEXT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/text/shakespeare.txt");

/// Makes a model on a device.
type Make = fn(&Device) -> Result<Transformer>;

/// What is done with models; PyTorch's side has the same names.
pub(crate) fn works() -> Vec<Work> {
    let models: [(&str, Make, [usize; 2]); 2] =
        [("minilm", minilm, MINILM), ("bert_base", bert_base, BERT_BASE)];
    let mut works = Vec::new();
    for (name, make, shape) in models {
        let tokens = shape.iter().product::<usize>() as f64;
        works.push(Work::new(format!("{name}_forward"), tokens, Unit::Token, move |_| {
            forward(make, shape)
        }));
        works.push(Work::new(format!("{name}_forward_backward"), tokens, Unit::Token, move |_| {
            forward_backward(make, shape)
        }));
    }
    let file = minilm_dir().and_then(|dir| Ok(dir.join("model.safetensors").metadata()?.len()));
    works.push(Work::new("minilm_load", file.unwrap_or(0) as f64, Unit::Byte, |_| load()));
    let text = std::fs::metadata(TEXT).map_or(0, |text| text.len());
    works.push(Work::new("tokenise", text as f64, Unit::Byte, |_| tokenise()));
    works
}

fn forward(make: Make, [rows, len]: [usize; 2]) -> Result<Run> {
    let model = make(&sixfold_model::device(DEVICE)?)?;
    let batch = batch(rows, len, model.spec().vocab_size);
    Ok(Box::new(move || {
        // A device may compute lazily; reading makes it finish.
        black_box(model.forward(&batch)?.into_data());
        Ok(())
    }))
}

/// The gradient of Σ hidden ⊙ g, with a fixed random g: the plain sum of a LayerNorm's output
/// has none where the gains are 1.
fn forward_backward(make: Make, [rows, len]: [usize; 2]) -> Result<Run> {
    use rand::Rng;
    let device = sixfold_model::device(DEVICE)?.autodiff();
    let model = make(&device)?;
    let spec = model.spec();
    let batch = batch(rows, len, spec.vocab_size);
    let shape = [rows, len, spec.d_output()];
    let mut rng = Seed::new(0).stream("direction");
    let draw = |_| rng.next_u32() as f32 / u32::MAX as f32 - 0.5;
    let direction: Vec<f32> = (0..shape.iter().product::<usize>()).map(draw).collect();
    let direction = Tensor::<3>::from_data(TensorData::new(direction, shape), &device);
    Ok(Box::new(move || {
        let loss = (model.forward(&batch)? * direction.clone()).sum();
        black_box(loss.backward());
        Ok(())
    }))
}

fn load() -> Result<Run> {
    let device = sixfold_model::device(DEVICE)?;
    let dir = minilm_dir()?;
    Ok(Box::new(move || {
        black_box(Checkpoint::open(&dir)?.transformer(&device)?);
        Ok(())
    }))
}

fn tokenise() -> Result<Run> {
    let tokenizer = Tokenizer::from_dir(minilm_dir()?)?;
    let text = std::fs::read_to_string(TEXT)?;
    Ok(Box::new(move || {
        let texts: Vec<&str> = text.split("\n\n").collect();
        black_box(tokenizer.encode_all(&texts, &EncodeOptions::default())?);
        Ok(())
    }))
}

/// MiniLM as stored, without dropout: PyTorch's side is in eval mode, where it is off.
fn minilm(device: &Device) -> Result<Transformer> {
    Ok(Checkpoint::open(minilm_dir()?)?.without_dropout().transformer(device)?)
}

/// Random weights in BERT-base's shape.
fn bert_base(device: &Device) -> Result<Transformer> {
    let spec = TransformerSpec { token_types: 2, ..TransformerSpec::encoder(30_522, 768, 12, 12) };
    let model = Transformer::new(&spec, Seed::new(0), device);
    // Values are drawn when they are first asked for, which is not to count as work.
    model.forward(&batch(1, 1, spec.vocab_size))?;
    Ok(model)
}

/// Where MiniLM lies.
pub(crate) fn minilm_dir() -> Result<PathBuf> {
    let data = std::env::var_os("SIXFOLD_DATA").ok_or("SIXFOLD_DATA is not set")?;
    Ok(PathBuf::from(data).join("models/all-minilm-l6-v2"))
}
