//! Qwen2 (arXiv 2407.10671): Llama with biases on queries, keys and values.

use serde_json::Value;

use super::{Family, ModelSpec, last_token, llama, llama_like, model, plain_head};
use crate::Result;
use crate::checkpoint::ConfigReader;

pub(super) static FAMILY: Family = Family {
    name: "qwen2",
    prefixes: llama::PREFIXES,
    architectures: ["Qwen2Model", "Qwen2ForCausalLM", "Qwen2ForSequenceClassification"],
    spec,
    body: llama::BODY,
    lm: llama::LM,
    classifier: llama::CLASSIFIER,
    buffers: llama::BUFFERS,
    heads: llama::HEADS,
};

fn spec(config: &ConfigReader<'_>) -> Result<ModelSpec> {
    config.only("use_mrope", &false.into())?;
    let mut body = llama_like(config)?;
    body.attention.qkv_bias = true;
    body.attention.windows = windows(config, body.n_layers())?;
    let lm = plain_head(config, false)?;
    let classifier = last_token(config, 0.0)?;
    model(config, body, lm, classifier)
}

/// The window of each layer: as `layer_types` says, else from `max_window_layers` on.
fn windows(config: &ConfigReader<'_>, n_layers: usize) -> Result<Vec<Option<usize>>> {
    let used = config.flag("use_sliding_window", false)?;
    let window = config.count_opt("sliding_window")?.unwrap_or(4096);
    // 0 is a valid number of layers here: all of them slide.
    let first = match config.value("max_window_layers") {
        None => 28,
        Some(value) => value
            .as_u64()
            .ok_or_else(|| config.error("max_window_layers", "expected an integer"))?
            as usize,
    };
    let types = config.value("layer_types").and_then(Value::as_array);
    let Some(types) = types else {
        return Ok((0..n_layers).map(|i| (used && i >= first).then_some(window)).collect());
    };
    if types.len() != n_layers {
        return Err(config.error("layer_types", format!("expected {n_layers} layers")));
    }
    let kinds = types.iter().map(|kind| match kind.as_str() {
        Some("full_attention") => Ok(None),
        Some("sliding_attention") => Ok(Some(window)),
        _ => Err(config.error("layer_types", "supported: full_attention, sliding_attention")),
    });
    kinds.collect()
}
