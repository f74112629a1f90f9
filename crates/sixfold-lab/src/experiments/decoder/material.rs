//! The text of a training: what is learned from, and what is held out.

use anyhow::{Result, ensure};
use sixfold_model::{Batch, CausalLm, EncodeOptions, PaddingSide, Tokenizer};

use super::Recipe;
use crate::context::Context;
use crate::data::Documents;
use crate::experiments::profile::TextConfig;

/// The text of a training: examples to learn from, and what is held out.
pub(in crate::experiments) struct Material {
    pub(in crate::experiments) tokenizer: Tokenizer,
    /// Documents that are held out, as text.
    pub(in crate::experiments) held_out: Vec<String>,
    pub(super) train: Vec<Vec<u32>>,
    test: Vec<Vec<u32>>,
}

impl Material {
    /// Reads the text. The last tenth of its documents is held out: neighbours in a text are
    /// often parts of one story, so that a random tenth would be known in part.
    pub(in crate::experiments) fn read(
        recipe: &Recipe,
        text: &TextConfig,
        cx: &Context,
    ) -> Result<Self> {
        let Recipe { context, batch_size, max_tokens, .. } = *recipe;
        let dir = cx.locator().existing("recipe.tokenizer", &recipe.tokenizer)?;
        let tokenizer = Tokenizer::from_dir(&dir)?;
        let path = cx.locator().existing("text.path", &text.path)?;
        let mut documents: Vec<(String, Vec<u32>)> = Vec::new();
        let mut n_tokens = 0;
        for document in Documents::open(&path, text.column.as_ref())? {
            if max_tokens > 0 && n_tokens >= max_tokens {
                break;
            }
            let document = document?;
            let ids = tokenizer.encode(&document, &EncodeOptions::default())?.ids;
            n_tokens += ids.len();
            documents.push((document, ids));
        }
        let held_out = documents.split_off(documents.len() - documents.len().div_ceil(10));
        let examples = |documents: &[(String, Vec<u32>)]| -> Vec<Vec<u32>> {
            let stream: Vec<u32> = documents.iter().flat_map(|(_, ids)| ids).copied().collect();
            // The rest of the stream is shorter than the others, and is left out.
            stream.chunks_exact(context).map(<[u32]>::to_vec).collect()
        };
        let (train, test) = (examples(&documents), examples(&held_out));
        ensure!(
            train.len() >= batch_size && !test.is_empty(),
            "{}: {n_tokens} tokens make {} examples of {context} to learn from and {} to test; at \
             least {batch_size} and 1 are needed",
            path.display(),
            train.len(),
            test.len()
        );
        let held_out = held_out.into_iter().map(|(text, _)| text).collect();
        Ok(Self { tokenizer, held_out, train, test })
    }

    /// Tokens to learn from.
    pub(in crate::experiments) fn n_train(&self) -> usize {
        self.train.iter().map(Vec::len).sum()
    }

    /// Mean loss on examples that were learned from, and on held-out ones: on `n` of each, spread
    /// over the text.
    pub(in crate::experiments) fn losses(
        &self,
        model: &CausalLm,
        batch_size: usize,
        n: usize,
    ) -> Result<[f64; 2]> {
        let mean = |examples: &[Vec<u32>]| -> Result<f64> {
            // Spread over the text, so that no one story decides.
            let every = examples.len().div_ceil(n).max(1);
            let chosen: Vec<Vec<u32>> = examples.iter().step_by(every).cloned().collect();
            let mut sum = 0.0;
            for batch in chosen.chunks(batch_size) {
                let loss = model.loss(&Batch::pad(batch, 0, PaddingSide::Right))?;
                sum += f64::from(loss.into_scalar::<f32>()) * batch.len() as f64;
            }
            Ok(sum / chosen.len() as f64)
        };
        Ok([mean(&self.train)?, mean(&self.test)?])
    }
}
