//! GPT-NeoX and Pythia (arXiv 2204.06745): parallel residual, partial rotary positions.

use super::{Family, ModelSpec, heads, last_token, layer_norm_decoder, model, plain_head, rope};
use crate::checkpoint::{ConfigReader, head_part, linear, norm, table};
use crate::{BlockForm, MlpSpec, Positions, Result, Rotary, TransformerSpec};

pub(super) static FAMILY: Family = Family {
    name: "gpt_neox",
    prefixes: &["gpt_neox.", ""],
    architectures: ["GPTNeoXModel", "GPTNeoXForCausalLM", "GPTNeoXForSequenceClassification"],
    spec,
    body: &[
        table("embed.tokens", "{p}embed_in"),
        norm("blocks.{i}.norm_1", "{p}layers.{i}.input_layernorm"),
        head_part("blocks.{i}.attention.query", "{p}layers.{i}.attention.query_key_value", 0),
        head_part("blocks.{i}.attention.key", "{p}layers.{i}.attention.query_key_value", 1),
        head_part("blocks.{i}.attention.value", "{p}layers.{i}.attention.query_key_value", 2),
        linear("blocks.{i}.attention.output", "{p}layers.{i}.attention.dense"),
        norm("blocks.{i}.norm_2", "{p}layers.{i}.post_attention_layernorm"),
        linear("blocks.{i}.mlp.up", "{p}layers.{i}.mlp.dense_h_to_4h"),
        linear("blocks.{i}.mlp.down", "{p}layers.{i}.mlp.dense_4h_to_h"),
        norm("final_norm", "{p}final_layer_norm"),
    ],
    lm: &[linear("head.output", "embed_out")],
    classifier: &[linear("head.output", "score")],
    buffers: &[".attention.bias", ".attention.masked_bias", ".rotary_emb.inv_freq"],
    heads: &["embed_out.", "lm_head.", "score.", "classifier.", "qa_outputs."],
};

fn spec(config: &ConfigReader<'_>) -> Result<ModelSpec> {
    config.ignore(&["classifier_dropout"]);
    let d_model = config.count("hidden_size")?;
    let n_heads = heads(config, "hidden_size", "num_attention_heads")?;
    let bias = config.flag("attention_bias", true)?;
    // Older configs say `rotary_pct` and `rotary_emb_base`; newer ones repeat them.
    let d_head = d_model / n_heads;
    let fraction = config.number("rotary_pct", 0.25)?;
    let fraction = config.number("partial_rotary_factor", fraction)?;
    let theta = config.number("rotary_emb_base", 10_000.0)?;
    let theta = config.number("rope_theta", theta)?;
    let dim = (d_head as f64 * fraction) as usize;
    if dim == 0 || !dim.is_multiple_of(2) {
        return Err(config.error("rotary_pct", format!("expected an even share of {d_head}")));
    }
    let scaling = rope::scaling(config)?;
    let mut body = TransformerSpec {
        vocab_size: config.count("vocab_size")?,
        positions: Positions::Rotary(Rotary { dim, theta, scaling }),
        max_positions: config.count_opt("max_position_embeddings")?,
        block: if config.flag("use_parallel_residual", true)? {
            BlockForm::Parallel
        } else {
            BlockForm::PreNorm
        },
        mlp: MlpSpec {
            d_hidden: config.count("intermediate_size")?,
            gated: false,
            activation: config.activation("hidden_act", "gelu")?,
            bias: true,
        },
        norm_epsilon: config.number("layer_norm_eps", 1e-5)?,
        dropout: config.probability("hidden_dropout", 0.0)?,
        ..layer_norm_decoder(d_model, config.count("num_hidden_layers")?, n_heads)
    };
    body.attention.qkv_bias = bias;
    body.attention.output_bias = bias;
    body.attention.dropout = config.probability("attention_dropout", 0.0)?;
    let lm = plain_head(config, false)?;
    let classifier = last_token(config, 0.0)?;
    model(config, body, lm, classifier)
}
