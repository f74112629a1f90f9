//! RoBERTa (arXiv 1907.11692): BERT whose positions start after the padding token's row.

use super::{Family, ModelSpec, bert, bert_like, first_token, model, transform_head};
use crate::checkpoint::{ConfigReader, linear, norm, plain};
use crate::{Activation, PositionRule, Result};

pub(super) static FAMILY: Family = Family {
    name: "roberta",
    prefixes: &["roberta.", ""],
    architectures: ["RobertaModel", "RobertaForMaskedLM", "RobertaForSequenceClassification"],
    spec,
    body: bert::BODY,
    lm: &[
        linear("head.dense", "lm_head.dense"),
        norm("head.norm", "lm_head.layer_norm"),
        linear("head.output", "lm_head.decoder"),
        plain("head.bias", "lm_head.bias"),
    ],
    classifier: &[
        linear("head.dense", "classifier.dense"),
        linear("head.output", "classifier.out_proj"),
    ],
    buffers: &["embeddings.position_ids", "embeddings.token_type_ids", "lm_head.decoder.bias"],
    heads: &["{p}pooler.", "lm_head.", "classifier.", "qa_outputs."],
};

fn spec(config: &ConfigReader<'_>) -> Result<ModelSpec> {
    let pad_id = config
        .token_opt("pad_token_id")?
        .or_else(|| config.value("pad_token_id").is_none().then_some(1))
        .ok_or_else(|| {
            config.error("pad_token_id", "expected a token id: positions depend on it")
        })?;
    let body = bert_like(config, PositionRule::Unpadded { pad_id })?;
    let lm = transform_head(config, Activation::Gelu, body.norm_epsilon)?;
    let classifier = first_token(config, Activation::Tanh, "classifier_dropout")?;
    model(config, body, lm, classifier)
}
