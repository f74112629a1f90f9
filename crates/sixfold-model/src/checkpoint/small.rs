//! Small encoders of a family, to be trained from nothing and saved as its directories are.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::{Checkpoint, LoadOptions};
use crate::Result;

/// The sizes of a small encoder; all else is as the family's base model has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EncoderSizes {
    /// Tokens.
    pub vocab_size: usize,
    /// Width of the residual stream; a multiple of `n_heads`. MLPs are four times as wide.
    pub d_model: usize,
    /// Layers that a token passes; ALBERT's share one block.
    pub n_layers: usize,
    /// Heads of a layer.
    pub n_heads: usize,
    /// The longest sequence.
    pub max_tokens: usize,
    /// The token that fills batches up.
    pub pad_id: u32,
}

impl Checkpoint {
    /// The description of a small BERT-, RoBERTa- or ALBERT-like encoder (`bert`, `roberta`, `albert`), as a
    /// directory `dir` would hold it. Nothing is read or written: `init_classifier` and its sisters make its
    /// models.
    ///
    /// # Errors
    /// As [`from_config`](Self::from_config): a family that is none of these, sizes that do not fit.
    pub fn small_encoder(
        dir: impl Into<PathBuf>,
        family: &str,
        sizes: &EncoderSizes,
    ) -> Result<Self> {
        let EncoderSizes { vocab_size, d_model, n_layers, n_heads, max_tokens, pad_id } = *sizes;
        let mut config = map(json!({
            "model_type": family,
            "vocab_size": vocab_size,
            "hidden_size": d_model,
            "num_hidden_layers": n_layers,
            "num_attention_heads": n_heads,
            "intermediate_size": 4 * d_model,
            "hidden_act": "gelu",
            "hidden_dropout_prob": 0.1,
            "attention_probs_dropout_prob": 0.1,
            "layer_norm_eps": 1e-12,
            "initializer_range": 0.02,
            "pad_token_id": pad_id,
        }));
        config.extend(map(match family {
            "roberta" => json!({
                "bos_token_id": 0, "eos_token_id": 2, "type_vocab_size": 1,
                // RoBERTa counts positions from behind the padding token's row.
                "max_position_embeddings": max_tokens + pad_id as usize + 1,
            }),
            "albert" => json!({
                "embedding_size": (d_model / 2).max(1), "num_hidden_groups": 1,
                "inner_group_num": 1, "type_vocab_size": 2, "max_position_embeddings": max_tokens,
            }),
            _ => json!({"type_vocab_size": 2, "max_position_embeddings": max_tokens}),
        }));
        Self::from_config(dir, config, &LoadOptions::default())
    }
}

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
