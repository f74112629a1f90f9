//! BLOOM (arXiv 2211.05100): ALiBi, a norm after the embeddings, queries, keys and values head
//! by head in one matrix.

use super::{Family, ModelSpec, heads, last_token, layer_norm_decoder, model, plain_head};
use crate::checkpoint::{ConfigReader, head_part, linear, norm, table};
use crate::{Activation, BlockForm, MlpSpec, Positions, Result, TransformerSpec};

pub(super) static FAMILY: Family = Family {
    name: "bloom",
    prefixes: &["transformer.", ""],
    architectures: ["BloomModel", "BloomForCausalLM", "BloomForSequenceClassification"],
    spec,
    body: &[
        table("embed.tokens", "{p}word_embeddings"),
        norm("embed.norm", "{p}word_embeddings_layernorm"),
        norm("blocks.{i}.norm_1", "{p}h.{i}.input_layernorm"),
        head_part("blocks.{i}.attention.query", "{p}h.{i}.self_attention.query_key_value", 0),
        head_part("blocks.{i}.attention.key", "{p}h.{i}.self_attention.query_key_value", 1),
        head_part("blocks.{i}.attention.value", "{p}h.{i}.self_attention.query_key_value", 2),
        linear("blocks.{i}.attention.output", "{p}h.{i}.self_attention.dense"),
        norm("blocks.{i}.norm_2", "{p}h.{i}.post_attention_layernorm"),
        linear("blocks.{i}.mlp.up", "{p}h.{i}.mlp.dense_h_to_4h"),
        linear("blocks.{i}.mlp.down", "{p}h.{i}.mlp.dense_4h_to_h"),
        norm("final_norm", "{p}ln_f"),
    ],
    lm: &[linear("head.output", "lm_head")],
    classifier: &[linear("head.output", "score")],
    buffers: &[],
    heads: &["lm_head.", "score.", "classifier.", "qa_outputs."],
};

fn spec(config: &ConfigReader<'_>) -> Result<ModelSpec> {
    // How the reference splits and sums its products, how it was trained, and how long.
    config.ignore(&[
        "slow_but_exact",
        "skip_bias_add",
        "skip_bias_add_qkv",
        "attention_softmax_in_fp32",
        "bias_dropout_fusion",
        "masked_softmax_fusion",
        "offset_alibi",
        "seq_length",
        "unk_token_id",
    ]);
    // Older configs say `n_embed` and `num_attention_heads`.
    let width = if config.value("hidden_size").is_some() { "hidden_size" } else { "n_embed" };
    let head = if config.value("n_head").is_some() { "n_head" } else { "num_attention_heads" };
    config.ignore(&["n_embed", "num_attention_heads"]);
    let (d_model, n_heads) = (config.count(width)?, heads(config, width, head)?);
    let mut body = TransformerSpec {
        vocab_size: config.count("vocab_size")?,
        embed_norm: true,
        positions: Positions::Alibi,
        block: if config.flag("apply_residual_connection_post_layernorm", false)? {
            BlockForm::PreNormResidual
        } else {
            BlockForm::PreNorm
        },
        mlp: MlpSpec {
            d_hidden: 4 * d_model,
            gated: false,
            activation: Activation::GeluTanh,
            bias: true,
        },
        norm_epsilon: config.number("layer_norm_epsilon", 1e-5)?,
        dropout: config.probability("hidden_dropout", 0.0)?,
        ..layer_norm_decoder(d_model, config.count("n_layer")?, n_heads)
    };
    body.attention.dropout = config.probability("attention_dropout", 0.0)?;
    let lm = plain_head(config, true)?;
    let classifier = last_token(config, 0.0)?;
    model(config, body, lm, classifier)
}
