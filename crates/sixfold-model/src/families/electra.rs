//! ELECTRA (arXiv 2003.10555): BERT with a narrower token table.

use super::{Family, ModelSpec, bert, bert_like, first_token, model, transform_head};
use crate::checkpoint::{ConfigReader, linear, norm, plain};
use crate::{Activation, EmbedProjection, PositionRule, Result, TransformerSpec};

pub(super) static FAMILY: Family = Family {
    name: "electra",
    prefixes: &["electra.", ""],
    architectures: ["ElectraModel", "ElectraForMaskedLM", "ElectraForSequenceClassification"],
    spec,
    body: bert::BODY,
    lm: &[
        linear("head.dense", "generator_predictions.dense"),
        norm("head.norm", "generator_predictions.LayerNorm"),
        linear("head.output", "generator_lm_head"),
        plain("head.bias", "generator_lm_head.bias"),
    ],
    classifier: &[
        linear("head.dense", "classifier.dense"),
        linear("head.output", "classifier.out_proj"),
    ],
    buffers: &["embeddings.position_ids", "embeddings.token_type_ids"],
    heads: &["generator_", "discriminator_", "classifier.", "qa_outputs.", "sequence_summary."],
};

fn spec(config: &ConfigReader<'_>) -> Result<ModelSpec> {
    // Settings of a head for multiple choice.
    config.ignore(&[
        "summary_activation",
        "summary_last_dropout",
        "summary_type",
        "summary_use_proj",
    ]);
    let body = bert_like(config, PositionRule::Column)?;
    let d_embed = config.count_opt("embedding_size")?.unwrap_or(128);
    let body = TransformerSpec {
        d_embed,
        embed_projection: (d_embed != body.d_model).then_some(EmbedProjection {
            bias: true,
            after_norm: true,
            back: false,
        }),
        ..body
    };
    // The reference fixes GELU in both heads, whatever `hidden_act` says.
    let lm = transform_head(config, Activation::Gelu, body.norm_epsilon)?;
    let classifier = first_token(config, Activation::Gelu, "classifier_dropout")?;
    model(config, body, lm, classifier)
}
