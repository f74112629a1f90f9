//! Real trained models: the embedded one always, the others where the evaluation data is.

use std::path::Path;

use sixfold_model::{
    Batch, Checkpoint, EncodeOptions, GenerateConfig, PaddingSide, Tokenizer, mean_pool,
};
use sixfold_testkit::{data_dir, fixtures};

const BOS: u32 = 1;

fn stories() -> std::path::PathBuf {
    fixtures("models").join("stories260k")
}

fn plain() -> EncodeOptions {
    EncodeOptions { special_tokens: false, ..EncodeOptions::default() }
}

fn with_bos(tokens: &[u32]) -> Vec<u32> {
    std::iter::once(BOS).chain(tokens.iter().copied()).collect()
}

#[test]
fn stories260k_continues_a_story() {
    let device = sixfold_model::device("flex").unwrap();
    let model = Checkpoint::open(stories()).unwrap().causal_lm(&device).unwrap();
    let tokenizer = Tokenizer::from_dir(stories()).unwrap();
    let prompt = with_bos(&tokenizer.encode("Once upon a time", &plain()).unwrap().ids);
    let prompt = Batch::pad(&[prompt], 0, PaddingSide::Left);
    let new = model.generate(&prompt, &GenerateConfig::greedy(40)).unwrap();
    let story = tokenizer.decode(&new[0]).unwrap();
    assert!(story.contains("there was a little girl named Lily."), "{story}");
}

/// Bits per character in windows of that many tokens, each with the beginning token first.
fn bits_per_character(dir: &Path, text: &str, window: usize) -> f64 {
    let device = sixfold_model::device("flex").unwrap();
    let checkpoint = Checkpoint::open(dir).unwrap();
    let model = checkpoint.causal_lm(&device).unwrap();
    let tokenizer = Tokenizer::from_dir(dir).unwrap();
    let tokens = tokenizer.encode(text, &plain()).unwrap().ids;
    let mut nats = 0.0;
    for window in tokens.chunks(window - 1) {
        let batch = Batch::pad(&[with_bos(window)], 0, PaddingSide::Right);
        let loss = f64::from(model.loss(&batch).unwrap().into_scalar::<f32>());
        nats += loss * window.len() as f64;
    }
    nats / std::f64::consts::LN_2 / text.chars().count() as f64
}

#[test]
fn stories260k_needs_as_many_bits_as_known() {
    let Some(data) = data_dir() else { return };
    let text = std::fs::read_to_string(data.join("lm/tinystories_head.txt")).unwrap();
    let text: String = text.chars().take(8000).collect();
    // `transformers` 4.57.6 gives 1.03627 in windows of 512 tokens, the context in the config.
    let bits = bits_per_character(&stories(), &text, 512);
    println!("stories260K: {bits:.4} bits per character in windows of 512");
    assert!((bits - 1.03627).abs() <= 1e-4, "{bits}");
    let bits = bits_per_character(&stories(), &text, 256);
    println!("stories260K: {bits:.4} bits per character in windows of 256");
    assert!((bits - 1.10).abs() <= 0.03, "{bits}");
}

#[test]
fn minilm_knows_that_bread_is_food() {
    let Some(data) = data_dir() else { return };
    let dir = data.join("models/all-minilm-l6-v2");
    let device = sixfold_model::device("flex").unwrap();
    let model = Checkpoint::open(&dir).unwrap().transformer(&device).unwrap();
    let tokenizer = Tokenizer::from_dir(&dir).unwrap();
    let texts = ["A man is eating food.", "A man is eating a piece of bread."];
    let batch = tokenizer.batch(&texts, &EncodeOptions::default()).unwrap();
    let vectors = mean_pool(model.forward(&batch).unwrap(), &batch);
    let values: Vec<f64> = vectors.into_data().iter::<f32>().map(f64::from).collect();
    let (a, b) = values.split_at(values.len() / 2);
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    let cosine = dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
    println!("MiniLM: cosine {cosine:.4}");
    assert!((cosine - 0.755).abs() <= 0.002, "{cosine}");
}
