//! ALBERT (arXiv 1909.11942): shared layers and a factorised token table.

use super::{Family, ModelSpec, bert_like, first_token, model, transform_head};
use crate::checkpoint::{ConfigReader, linear, norm, plain, table};
use crate::{Activation, EmbedProjection, PositionRule, Result, TransformerSpec};

pub(super) static FAMILY: Family = Family {
    name: "albert",
    prefixes: &["albert.", ""],
    architectures: ["AlbertModel", "AlbertForMaskedLM", "AlbertForSequenceClassification"],
    spec,
    body: &[
        table("embed.tokens", "{p}embeddings.word_embeddings"),
        table("embed.positions", "{p}embeddings.position_embeddings"),
        table("embed.token_types", "{p}embeddings.token_type_embeddings"),
        norm("embed.norm", "{p}embeddings.LayerNorm"),
        linear("embed.projection", "{p}encoder.embedding_hidden_mapping_in"),
        linear(
            "blocks.{i}.attention.query",
            concat!("{p}encoder.albert_layer_groups.{g}.albert_layers.{j}", ".attention.query"),
        ),
        linear(
            "blocks.{i}.attention.key",
            concat!("{p}encoder.albert_layer_groups.{g}.albert_layers.{j}", ".attention.key"),
        ),
        linear(
            "blocks.{i}.attention.value",
            concat!("{p}encoder.albert_layer_groups.{g}.albert_layers.{j}", ".attention.value"),
        ),
        linear(
            "blocks.{i}.attention.output",
            concat!("{p}encoder.albert_layer_groups.{g}.albert_layers.{j}", ".attention.dense"),
        ),
        norm(
            "blocks.{i}.norm_1",
            concat!("{p}encoder.albert_layer_groups.{g}.albert_layers.{j}", ".attention.LayerNorm"),
        ),
        linear(
            "blocks.{i}.mlp.up",
            concat!("{p}encoder.albert_layer_groups.{g}.albert_layers.{j}", ".ffn"),
        ),
        linear(
            "blocks.{i}.mlp.down",
            concat!("{p}encoder.albert_layer_groups.{g}.albert_layers.{j}", ".ffn_output"),
        ),
        norm(
            "blocks.{i}.norm_2",
            concat!(
                "{p}encoder.albert_layer_groups.{g}.albert_layers.{j}",
                ".full_layer_layer_norm"
            ),
        ),
    ],
    lm: &[
        linear("head.dense", "predictions.dense"),
        norm("head.norm", "predictions.LayerNorm"),
        linear("head.output", "predictions.decoder"),
        plain("head.bias", "predictions.bias"),
    ],
    classifier: &[linear("head.dense", "{p}pooler"), linear("head.output", "classifier")],
    buffers: &["embeddings.position_ids", "embeddings.token_type_ids", "predictions.decoder.bias"],
    heads: &["{p}pooler.", "predictions.", "sop_classifier.", "classifier.", "qa_outputs."],
};

fn spec(config: &ConfigReader<'_>) -> Result<ModelSpec> {
    // Names of dropouts and memory that no released model uses.
    config.ignore(&[
        "down_scale_factor",
        "gap_size",
        "net_structure_type",
        "num_memory_blocks",
        "layers_to_keep",
    ]);
    let body = bert_like(config, PositionRule::Column)?;
    let groups = config.count_opt("num_hidden_groups")?.unwrap_or(1);
    let group = config.count_opt("inner_group_num")?.unwrap_or(1);
    let n_layers = body.n_layers();
    if groups > n_layers {
        return Err(config.error("num_hidden_groups", format!("expected at most {n_layers}")));
    }
    let schedule = (0..n_layers)
        // Layer i uses the group whose share of the depth it lies in.
        .map(|layer| layer * groups / n_layers)
        .flat_map(|g| (0..group).map(move |j| g * group + j))
        .collect();
    let body = TransformerSpec {
        d_embed: config.count_opt("embedding_size")?.unwrap_or(128),
        embed_projection: Some(EmbedProjection { bias: true, after_norm: true, back: false }),
        schedule,
        ..body
    };
    let lm = transform_head(config, body.mlp.activation, body.norm_epsilon)?;
    let classifier = first_token(config, Activation::Tanh, "classifier_dropout_prob")?;
    Ok(ModelSpec { group, ..model(config, body, lm, classifier)? })
}
