//! OPT (arXiv 2205.01068): learned positions from row 2, ReLU; the 350M model norms after and
//! projects its token table.

use super::{Family, ModelSpec, heads, last_token, layer_norm_decoder, model, plain_head};
use crate::checkpoint::{ConfigReader, linear, norm, table};
use crate::{
    BlockForm, EmbedProjection, MlpSpec, PositionRule, Positions, Result, TransformerSpec,
};

/// Rows of the position table before that of the first token.
const OFFSET: u32 = 2;

pub(super) static FAMILY: Family = Family {
    name: "opt",
    prefixes: &["model.decoder.", "decoder.", ""],
    architectures: ["OPTModel", "OPTForCausalLM", "OPTForSequenceClassification"],
    spec,
    body: &[
        table("embed.tokens", "{p}embed_tokens"),
        table("embed.positions", "{p}embed_positions"),
        linear("embed.projection", "{p}project_in"),
        linear("project_back", "{p}project_out"),
        norm("blocks.{i}.norm_1", "{p}layers.{i}.self_attn_layer_norm"),
        linear("blocks.{i}.attention.query", "{p}layers.{i}.self_attn.q_proj"),
        linear("blocks.{i}.attention.key", "{p}layers.{i}.self_attn.k_proj"),
        linear("blocks.{i}.attention.value", "{p}layers.{i}.self_attn.v_proj"),
        linear("blocks.{i}.attention.output", "{p}layers.{i}.self_attn.out_proj"),
        norm("blocks.{i}.norm_2", "{p}layers.{i}.final_layer_norm"),
        linear("blocks.{i}.mlp.up", "{p}layers.{i}.fc1"),
        linear("blocks.{i}.mlp.down", "{p}layers.{i}.fc2"),
        norm("final_norm", "{p}final_layer_norm"),
    ],
    lm: &[linear("head.output", "lm_head")],
    classifier: &[linear("head.output", "score")],
    buffers: &[],
    heads: &["lm_head.", "score.", "qa_outputs."],
};

fn spec(config: &ConfigReader<'_>) -> Result<ModelSpec> {
    config.ignore(&["init_std", "layerdrop"]);
    config.only("layer_norm_elementwise_affine", &true.into())?;
    let positions = config.count("max_position_embeddings")?;
    let d_model = config.count("hidden_size")?;
    let n_heads = heads(config, "hidden_size", "num_attention_heads")?;
    let d_embed = config.count_opt("word_embed_proj_dim")?.unwrap_or(d_model);
    let bias = config.flag("enable_bias", true)?;
    let before = config.flag("do_layer_norm_before", true)?;
    let removed = config.flag("_remove_final_layer_norm", false)?;
    let mut body = TransformerSpec {
        vocab_size: config.count("vocab_size")?,
        d_embed,
        embed_projection: (d_embed != d_model).then_some(EmbedProjection {
            bias: false,
            after_norm: false,
            back: true,
        }),
        positions: Positions::Learned {
            rows: positions + OFFSET as usize,
            rule: PositionRule::Tokens { offset: OFFSET },
        },
        max_positions: Some(positions),
        block: if before { BlockForm::PreNorm } else { BlockForm::PostNorm },
        mlp: MlpSpec {
            d_hidden: config.count("ffn_dim")?,
            gated: false,
            activation: config.activation("activation_function", "relu")?,
            bias,
        },
        final_norm: before && !removed,
        dropout: config.probability("dropout", 0.1)?,
        ..layer_norm_decoder(d_model, config.count("num_hidden_layers")?, n_heads)
    };
    body.attention.qkv_bias = bias;
    body.attention.output_bias = bias;
    body.attention.dropout = config.probability("attention_dropout", 0.0)?;
    let lm = plain_head(config, true)?;
    let classifier = last_token(config, 0.0)?;
    model(config, body, lm, classifier)
}
