//! GPT-2: decoder, norms before, learned positions, one matrix for queries, keys and values.

use super::{Family, ModelSpec, heads, last_token, layer_norm_decoder, model, plain_head};
use crate::checkpoint::{ConfigReader, conv1d, conv1d_part, linear, norm, table};
use crate::{MlpSpec, PositionRule, Positions, Result, TransformerSpec};

pub(super) static FAMILY: Family = Family {
    name: "gpt2",
    prefixes: &["transformer.", ""],
    architectures: ["GPT2Model", "GPT2LMHeadModel", "GPT2ForSequenceClassification"],
    spec,
    body: &[
        table("embed.tokens", "{p}wte"),
        table("embed.positions", "{p}wpe"),
        norm("blocks.{i}.norm_1", "{p}h.{i}.ln_1"),
        conv1d_part("blocks.{i}.attention.query", "{p}h.{i}.attn.c_attn", 0),
        conv1d_part("blocks.{i}.attention.key", "{p}h.{i}.attn.c_attn", 1),
        conv1d_part("blocks.{i}.attention.value", "{p}h.{i}.attn.c_attn", 2),
        conv1d("blocks.{i}.attention.output", "{p}h.{i}.attn.c_proj"),
        norm("blocks.{i}.norm_2", "{p}h.{i}.ln_2"),
        conv1d("blocks.{i}.mlp.up", "{p}h.{i}.mlp.c_fc"),
        conv1d("blocks.{i}.mlp.down", "{p}h.{i}.mlp.c_proj"),
        norm("final_norm", "{p}ln_f"),
    ],
    lm: &[linear("head.output", "lm_head")],
    classifier: &[linear("head.output", "score")],
    buffers: &[".attn.bias", ".attn.masked_bias"],
    heads: &["lm_head.", "score.", "multiple_choice_head.", "qa_outputs."],
};

fn spec(config: &ConfigReader<'_>) -> Result<ModelSpec> {
    // A head for multiple choice, and a switch of rounding only.
    config.ignore(&[
        "summary_activation",
        "summary_first_dropout",
        "summary_proj_to_labels",
        "summary_type",
        "summary_use_proj",
        "reorder_and_upcast_attn",
        "n_ctx",
    ]);
    config.only("add_cross_attention", &false.into())?;
    let rows = config.count("n_positions")?;
    let (d_model, n_heads) = (config.count("n_embd")?, heads(config, "n_embd", "n_head")?);
    let mut body = TransformerSpec {
        vocab_size: config.count("vocab_size")?,
        positions: Positions::Learned { rows, rule: PositionRule::Tokens { offset: 0 } },
        max_positions: Some(rows),
        mlp: MlpSpec {
            d_hidden: config.count_opt("n_inner")?.unwrap_or(4 * d_model),
            gated: false,
            activation: config.activation("activation_function", "gelu_new")?,
            bias: true,
        },
        norm_epsilon: config.number("layer_norm_epsilon", 1e-5)?,
        dropout: config.probability("resid_pdrop", 0.1)?,
        ..layer_norm_decoder(d_model, config.count("n_layer")?, n_heads)
    };
    config.probability("embd_pdrop", 0.1)?;
    body.attention.dropout = config.probability("attn_pdrop", 0.1)?;
    body.attention.scale_by_layer = config.flag("scale_attn_by_inverse_layer_idx", false)?;
    if !config.flag("scale_attn_weights", true)? {
        body.attention.scale = 1.0;
    }
    let lm = plain_head(config, true)?;
    let classifier = last_token(config, 0.0)?;
    model(config, body, lm, classifier)
}
