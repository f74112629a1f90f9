//! What a recipe builds before it is trained.

use std::path::Path;

use anyhow::Result;
use serde_json::Value;
use sixfold_model::{Checkpoint, EncoderSizes};

use super::config::{Pieces, Recipe, TrainingConfig};
use super::vocabulary;
use crate::context::Context;

/// The longest sequence of a small model.
const POSITIONS: usize = 512;

/// The `tokenizer.json` of a recipe; `None` where a directory brings its own.
pub(super) fn tokenizer(
    recipe: Recipe,
    training: &TrainingConfig,
    texts: &[&str],
    cx: &Context,
) -> Result<Option<Value>> {
    let place = |key: &str, path: &str| {
        (!path.is_empty()).then(|| cx.locator().existing(key, path)).transpose()
    };
    Ok(match (recipe, training.pieces(recipe)) {
        (Recipe::Minilm, _) => None,
        (_, Pieces::WordPiece) => {
            let file = place("training.wordpiece", &training.wordpiece)?;
            Some(vocabulary::wordpiece(texts, file.as_deref())?)
        }
        (_, Pieces::ByteLevel) => {
            let folder = place("training.bpe", &training.bpe)?;
            Some(vocabulary::byte_level(texts, folder.as_deref())?)
        }
    })
}

/// The description of a small model with a vocabulary of `vocab` tokens, as a directory that holds its tokenizer.
pub(super) fn small(
    recipe: Recipe,
    training: &TrainingConfig,
    vocab: usize,
    dir: &Path,
) -> Result<Checkpoint> {
    // Ids of the special tokens of both kinds of vocabulary.
    let pad_id = match training.pieces(recipe) {
        Pieces::WordPiece => 0,
        Pieces::ByteLevel => 1,
    };
    let sizes = EncoderSizes {
        vocab_size: vocab,
        d_model: training.width,
        n_layers: training.layers,
        n_heads: training.heads,
        max_tokens: POSITIONS,
        pad_id,
    };
    Ok(Checkpoint::small_encoder(dir, recipe.name(), &sizes)?)
}
