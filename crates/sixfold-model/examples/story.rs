//! Loads a decoder, lets it tell a story, and watches the residual stream grow.
//!
//! `cargo run -p sixfold-model --release --example story [DIR]`; without a directory in Hugging Face
//! form, the repository's embedded model.

#![expect(clippy::print_stdout, reason = "an example talks")]

use burn::tensor::Tensor;
use sixfold_model::{
    Batch, Checkpoint, EncodeOptions, GenerateConfig, PaddingSide, Site, Tap, Tokenizer,
};

/// Prints the mean norm of the residual stream at each site.
struct Norms;

impl Tap for Norms {
    fn wants(&self, site: Site) -> bool {
        site.residual_index().is_some()
    }

    fn visit(&mut self, site: Site, x: Tensor<3>) -> Tensor<3> {
        let norm = x.clone().square().sum_dim(2).sqrt().mean().into_scalar::<f32>();
        println!("{site:>28}  mean norm {norm:6.2}");
        x
    }
}

fn main() -> sixfold_model::Result<()> {
    let embedded = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/models/stories260k");
    let dir = std::env::args().nth(1).unwrap_or_else(|| embedded.to_owned());
    let device = sixfold_model::device("flex")?;
    let checkpoint = Checkpoint::open(&dir)?;
    let model = checkpoint.causal_lm(&device)?;
    let tokenizer = Tokenizer::from_dir(&dir)?;

    let plain = EncodeOptions { special_tokens: false, ..EncodeOptions::default() };
    let mut tokens = vec![checkpoint.bos_token().unwrap_or(1)];
    tokens.extend(tokenizer.encode("Once upon a time", &plain)?.ids);
    let prompt = Batch::pad(&[tokens.clone()], 0, PaddingSide::Left);
    let new = model.generate(&prompt, &GenerateConfig::greedy(120))?;
    println!("Once upon a time{}\n", tokenizer.decode(&new[0])?);

    tokens.extend(&new[0]);
    model.forward_with(&Batch::pad(&[tokens], 0, PaddingSide::Right), &mut Norms)?;
    Ok(())
}
