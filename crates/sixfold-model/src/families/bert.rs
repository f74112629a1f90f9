//! BERT (arXiv 1810.04805): encoder, norms after, learned positions, token types.

use super::{Family, ModelSpec, bert_like, first_token, model, transform_head};
use crate::checkpoint::{ConfigReader, Entry, linear, norm, plain, table};
use crate::{Activation, PositionRule, Result};

pub(super) static FAMILY: Family = Family {
    name: "bert",
    prefixes: &["bert.", ""],
    architectures: ["BertModel", "BertForMaskedLM", "BertForSequenceClassification"],
    spec,
    body: BODY,
    lm: &[
        linear("head.dense", "cls.predictions.transform.dense"),
        norm("head.norm", "cls.predictions.transform.LayerNorm"),
        linear("head.output", "cls.predictions.decoder"),
        plain("head.bias", "cls.predictions.bias"),
    ],
    classifier: &[linear("head.dense", "{p}pooler.dense"), linear("head.output", "classifier")],
    buffers: &[
        "embeddings.position_ids",
        "embeddings.token_type_ids",
        "cls.predictions.decoder.bias",
    ],
    heads: &["{p}pooler.", "cls.", "classifier.", "qa_outputs."],
};

/// Shared with RoBERTa and ELECTRA, which name the same parts the same way.
pub(super) const BODY: &[Entry] = &[
    table("embed.tokens", "{p}embeddings.word_embeddings"),
    table("embed.positions", "{p}embeddings.position_embeddings"),
    table("embed.token_types", "{p}embeddings.token_type_embeddings"),
    norm("embed.norm", "{p}embeddings.LayerNorm"),
    linear("embed.projection", "{p}embeddings_project"),
    linear("blocks.{i}.attention.query", "{p}encoder.layer.{i}.attention.self.query"),
    linear("blocks.{i}.attention.key", "{p}encoder.layer.{i}.attention.self.key"),
    linear("blocks.{i}.attention.value", "{p}encoder.layer.{i}.attention.self.value"),
    linear("blocks.{i}.attention.output", "{p}encoder.layer.{i}.attention.output.dense"),
    norm("blocks.{i}.norm_1", "{p}encoder.layer.{i}.attention.output.LayerNorm"),
    linear("blocks.{i}.mlp.up", "{p}encoder.layer.{i}.intermediate.dense"),
    linear("blocks.{i}.mlp.down", "{p}encoder.layer.{i}.output.dense"),
    norm("blocks.{i}.norm_2", "{p}encoder.layer.{i}.output.LayerNorm"),
];

fn spec(config: &ConfigReader<'_>) -> Result<ModelSpec> {
    let body = bert_like(config, PositionRule::Column)?;
    let lm = transform_head(config, body.mlp.activation, body.norm_epsilon)?;
    let classifier = first_token(config, Activation::Tanh, "classifier_dropout")?;
    model(config, body, lm, classifier)
}
