//! Llama (arXiv 2302.13971, 2307.09288, 2407.21783): RMSNorm, rotary positions, gated MLP.

use super::{Family, ModelSpec, last_token, llama_like, model, plain_head};
use crate::Result;
use crate::checkpoint::{ConfigReader, Entry, linear, norm, table};

pub(super) static FAMILY: Family = Family {
    name: "llama",
    prefixes: PREFIXES,
    architectures: ["LlamaModel", "LlamaForCausalLM", "LlamaForSequenceClassification"],
    spec,
    body: BODY,
    lm: LM,
    classifier: CLASSIFIER,
    buffers: BUFFERS,
    heads: HEADS,
};

// Mistral and Qwen2 name the same parts the same way.
pub(super) const PREFIXES: &[&str] = &["model.", ""];
pub(super) const BUFFERS: &[&str] = &[".rotary_emb.inv_freq"];
pub(super) const HEADS: &[&str] = &["lm_head.", "score.", "qa_outputs."];
pub(super) const LM: &[Entry] = &[linear("head.output", "lm_head")];
pub(super) const CLASSIFIER: &[Entry] = &[linear("head.output", "score")];
pub(super) const BODY: &[Entry] = &[
    table("embed.tokens", "{p}embed_tokens"),
    norm("blocks.{i}.norm_1", "{p}layers.{i}.input_layernorm"),
    linear("blocks.{i}.attention.query", "{p}layers.{i}.self_attn.q_proj"),
    linear("blocks.{i}.attention.key", "{p}layers.{i}.self_attn.k_proj"),
    linear("blocks.{i}.attention.value", "{p}layers.{i}.self_attn.v_proj"),
    linear("blocks.{i}.attention.output", "{p}layers.{i}.self_attn.o_proj"),
    norm("blocks.{i}.norm_2", "{p}layers.{i}.post_attention_layernorm"),
    linear("blocks.{i}.mlp.gate", "{p}layers.{i}.mlp.gate_proj"),
    linear("blocks.{i}.mlp.up", "{p}layers.{i}.mlp.up_proj"),
    linear("blocks.{i}.mlp.down", "{p}layers.{i}.mlp.down_proj"),
    norm("final_norm", "{p}norm"),
];

fn spec(config: &ConfigReader<'_>) -> Result<ModelSpec> {
    let mut body = llama_like(config)?;
    body.attention.qkv_bias = config.flag("attention_bias", false)?;
    body.attention.output_bias = body.attention.qkv_bias;
    body.mlp.bias = config.flag("mlp_bias", false)?;
    let lm = plain_head(config, false)?;
    let classifier = last_token(config, 0.0)?;
    model(config, body, lm, classifier)
}
