//! What a recipe builds before it is trained.

use std::path::Path;

use anyhow::Result;
use serde_json::{Map, Value, json};
use sixfold_model::{Checkpoint, LoadOptions};

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
    let mut config = json!({
        "model_type": recipe.name(),
        "vocab_size": vocab,
        "hidden_size": training.width,
        "num_hidden_layers": training.layers,
        "num_attention_heads": training.heads,
        "intermediate_size": 4 * training.width,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "layer_norm_eps": 1e-12,
        "initializer_range": 0.02,
    });
    // Ids of the special tokens of both kinds of vocabulary.
    let (pad, positions) = match training.pieces(recipe) {
        Pieces::WordPiece => (0, POSITIONS),
        Pieces::ByteLevel => (1, POSITIONS),
    };
    config["pad_token_id"] = pad.into();
    let more = match recipe {
        Recipe::Roberta => json!({
            "bos_token_id": 0, "eos_token_id": 2, "type_vocab_size": 1,
            // RoBERTa counts positions from behind the padding token's row.
            "max_position_embeddings": positions + pad + 1,
        }),
        Recipe::Albert => json!({
            "embedding_size": (training.width / 2).max(1), "num_hidden_groups": 1,
            "inner_group_num": 1, "type_vocab_size": 2, "max_position_embeddings": positions,
        }),
        _ => json!({"type_vocab_size": 2, "max_position_embeddings": positions}),
    };
    let mut all = map(config);
    all.extend(map(more));
    Ok(Checkpoint::from_config(dir, all, &LoadOptions::default())?)
}

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
