//! Phi-1 to Phi-2: one norm for attention and MLP in parallel, partial rotary positions.

use super::{Family, ModelSpec, heads, last_token, layer_norm_decoder, model, plain_head, rope};
use crate::checkpoint::{ConfigReader, linear, norm, plain, table};
use crate::{BlockForm, LmHeadSpec, MlpSpec, Positions, Result, TransformerSpec};

pub(super) static FAMILY: Family = Family {
    name: "phi",
    prefixes: &["model.", ""],
    architectures: ["PhiModel", "PhiForCausalLM", "PhiForSequenceClassification"],
    spec,
    body: &[
        table("embed.tokens", "{p}embed_tokens"),
        norm("blocks.{i}.norm_1", "{p}layers.{i}.input_layernorm"),
        linear("blocks.{i}.attention.query", "{p}layers.{i}.self_attn.q_proj"),
        linear("blocks.{i}.attention.key", "{p}layers.{i}.self_attn.k_proj"),
        linear("blocks.{i}.attention.value", "{p}layers.{i}.self_attn.v_proj"),
        linear("blocks.{i}.attention.output", "{p}layers.{i}.self_attn.dense"),
        norm("blocks.{i}.attention.query_norm", "{p}layers.{i}.self_attn.q_layernorm"),
        norm("blocks.{i}.attention.key_norm", "{p}layers.{i}.self_attn.k_layernorm"),
        linear("blocks.{i}.mlp.up", "{p}layers.{i}.mlp.fc1"),
        linear("blocks.{i}.mlp.down", "{p}layers.{i}.mlp.fc2"),
        norm("final_norm", "{p}final_layernorm"),
    ],
    lm: &[linear("head.output", "lm_head"), plain("head.bias", "lm_head.bias")],
    classifier: &[linear("head.output", "score")],
    buffers: &[".rotary_emb.inv_freq"],
    heads: &["lm_head.", "score.", "classifier."],
};

fn spec(config: &ConfigReader<'_>) -> Result<ModelSpec> {
    let d_model = config.count("hidden_size")?;
    let n_heads = heads(config, "hidden_size", "num_attention_heads")?;
    let n_kv_heads = config.count_opt("num_key_value_heads")?.unwrap_or(n_heads);
    if n_heads % n_kv_heads != 0 {
        return Err(config.error("num_key_value_heads", format!("expected a divisor of {n_heads}")));
    }
    let mut rotary = rope::rotary(config, d_model / n_heads)?;
    if config.value("partial_rotary_factor").is_none() {
        rotary.dim = d_model / n_heads / 2;
    }
    let mut body = TransformerSpec {
        vocab_size: config.count("vocab_size")?,
        positions: Positions::Rotary(rotary),
        max_positions: config.count_opt("max_position_embeddings")?,
        block: BlockForm::ParallelSharedNorm,
        mlp: MlpSpec {
            d_hidden: config.count("intermediate_size")?,
            gated: false,
            activation: config.activation("hidden_act", "gelu_new")?,
            bias: true,
        },
        norm_epsilon: config.number("layer_norm_eps", 1e-5)?,
        dropout: config.probability("resid_pdrop", 0.0)?,
        ..layer_norm_decoder(d_model, config.count("num_hidden_layers")?, n_heads)
    };
    config.probability("embd_pdrop", 0.0)?;
    body.attention.n_kv_heads = n_kv_heads;
    body.attention.qk_norm = config.flag("qk_layernorm", false)?;
    body.attention.dropout = config.probability("attention_dropout", 0.0)?;
    let lm = LmHeadSpec { bias: true, ..plain_head(config, false)? };
    let classifier = last_token(config, 0.0)?;
    model(config, body, lm, classifier)
}
