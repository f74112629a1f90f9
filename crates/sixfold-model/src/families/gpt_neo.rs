//! GPT-Neo: GPT-2 with local layers and scores that are not scaled.

use serde_json::Value;

use super::{Family, ModelSpec, heads, last_token, layer_norm_decoder, model, plain_head};
use crate::checkpoint::{ConfigReader, linear, norm, table};
use crate::{AttentionSpec, MlpSpec, PositionRule, Positions, Result, TransformerSpec};

pub(super) static FAMILY: Family = Family {
    name: "gpt_neo",
    prefixes: &["transformer.", ""],
    architectures: ["GPTNeoModel", "GPTNeoForCausalLM", "GPTNeoForSequenceClassification"],
    spec,
    body: &[
        table("embed.tokens", "{p}wte"),
        table("embed.positions", "{p}wpe"),
        norm("blocks.{i}.norm_1", "{p}h.{i}.ln_1"),
        linear("blocks.{i}.attention.query", "{p}h.{i}.attn.attention.q_proj"),
        linear("blocks.{i}.attention.key", "{p}h.{i}.attn.attention.k_proj"),
        linear("blocks.{i}.attention.value", "{p}h.{i}.attn.attention.v_proj"),
        linear("blocks.{i}.attention.output", "{p}h.{i}.attn.attention.out_proj"),
        norm("blocks.{i}.norm_2", "{p}h.{i}.ln_2"),
        linear("blocks.{i}.mlp.up", "{p}h.{i}.mlp.c_fc"),
        linear("blocks.{i}.mlp.down", "{p}h.{i}.mlp.c_proj"),
        norm("final_norm", "{p}ln_f"),
    ],
    lm: &[linear("head.output", "lm_head")],
    classifier: &[linear("head.output", "score")],
    buffers: &[".attention.bias", ".attention.masked_bias"],
    heads: &["lm_head.", "score.", "classifier.", "qa_outputs."],
};

fn spec(config: &ConfigReader<'_>) -> Result<ModelSpec> {
    config.ignore(&[
        "classifier_dropout",
        "summary_activation",
        "summary_first_dropout",
        "summary_proj_to_labels",
        "summary_type",
        "summary_use_proj",
    ]);
    let rows = config.count("max_position_embeddings")?;
    let d_model = config.count("hidden_size")?;
    let n_heads = heads(config, "hidden_size", "num_heads")?;
    let n_layers = config.count("num_layers")?;
    let body = TransformerSpec {
        vocab_size: config.count("vocab_size")?,
        positions: Positions::Learned { rows, rule: PositionRule::Tokens { offset: 0 } },
        max_positions: Some(rows),
        attention: AttentionSpec {
            scale: 1.0,
            qkv_bias: false,
            windows: windows(config, n_layers)?,
            dropout: config.probability("attention_dropout", 0.0)?,
            ..AttentionSpec::new(n_heads, d_model / n_heads, true)
        },
        mlp: MlpSpec {
            d_hidden: config.count_opt("intermediate_size")?.unwrap_or(4 * d_model),
            gated: false,
            activation: config.activation("activation_function", "gelu_new")?,
            bias: true,
        },
        norm_epsilon: config.number("layer_norm_epsilon", 1e-5)?,
        dropout: config.probability("resid_dropout", 0.0)?,
        ..layer_norm_decoder(d_model, n_layers, n_heads)
    };
    config.probability("embed_dropout", 0.0)?;
    let lm = plain_head(config, true)?;
    let classifier = last_token(config, 0.0)?;
    model(config, body, lm, classifier)
}

/// The window of each layer, from `attention_layers`, or from the shorter `attention_types`.
fn windows(config: &ConfigReader<'_>, n_layers: usize) -> Result<Vec<Option<usize>>> {
    let window = config.count_opt("window_size")?.unwrap_or(256);
    let of = |key: &str, kind: &Value| match kind.as_str() {
        Some("global") => Ok(None),
        Some("local") => Ok(Some(window)),
        _ => Err(config.error(key, "expected `global` and `local`")),
    };
    let mut windows = Vec::new();
    // Read both, so that neither counts as unknown.
    let types = config.value("attention_types").and_then(Value::as_array);
    if let Some(layers) = config.value("attention_layers").and_then(Value::as_array) {
        for kind in layers {
            windows.push(of("attention_layers", kind)?);
        }
    } else {
        for item in types.into_iter().flatten() {
            let kinds = item.get(0).and_then(Value::as_array);
            let times = item.get(1).and_then(Value::as_u64);
            let (Some(kinds), Some(times)) = (kinds, times) else {
                return Err(config.error("attention_types", "expected [[kinds], times] pairs"));
            };
            for _ in 0..times {
                for kind in kinds {
                    windows.push(of("attention_types", kind)?);
                }
            }
        }
    }
    if windows.len() != n_layers {
        let key = "attention_types";
        return Err(
            config.error(key, format!("expected {n_layers} layers, found {}", windows.len()))
        );
    }
    Ok(windows)
}
