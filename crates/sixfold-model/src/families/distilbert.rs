//! DistilBERT (arXiv 1910.01108): BERT without token types, under other names.

use super::{Family, ModelSpec, heads, model, transform_head};
use crate::checkpoint::{ConfigReader, linear, norm, plain, table};
use crate::{
    Activation, AttentionSpec, ClassifierSpec, MlpSpec, Pooling, PositionRule, Positions, Result,
    TransformerSpec,
};

pub(super) static FAMILY: Family = Family {
    name: "distilbert",
    prefixes: &["distilbert.", ""],
    architectures: [
        "DistilBertModel",
        "DistilBertForMaskedLM",
        "DistilBertForSequenceClassification",
    ],
    spec,
    body: &[
        table("embed.tokens", "{p}embeddings.word_embeddings"),
        table("embed.positions", "{p}embeddings.position_embeddings"),
        norm("embed.norm", "{p}embeddings.LayerNorm"),
        linear("blocks.{i}.attention.query", "{p}transformer.layer.{i}.attention.q_lin"),
        linear("blocks.{i}.attention.key", "{p}transformer.layer.{i}.attention.k_lin"),
        linear("blocks.{i}.attention.value", "{p}transformer.layer.{i}.attention.v_lin"),
        linear("blocks.{i}.attention.output", "{p}transformer.layer.{i}.attention.out_lin"),
        norm("blocks.{i}.norm_1", "{p}transformer.layer.{i}.sa_layer_norm"),
        linear("blocks.{i}.mlp.up", "{p}transformer.layer.{i}.ffn.lin1"),
        linear("blocks.{i}.mlp.down", "{p}transformer.layer.{i}.ffn.lin2"),
        norm("blocks.{i}.norm_2", "{p}transformer.layer.{i}.output_layer_norm"),
    ],
    lm: &[
        linear("head.dense", "vocab_transform"),
        norm("head.norm", "vocab_layer_norm"),
        linear("head.output", "vocab_projector"),
        plain("head.bias", "vocab_projector.bias"),
    ],
    classifier: &[linear("head.dense", "pre_classifier"), linear("head.output", "classifier")],
    buffers: &["embeddings.position_ids"],
    heads: &["vocab_", "pre_classifier.", "classifier.", "qa_outputs."],
};

fn spec(config: &ConfigReader<'_>) -> Result<ModelSpec> {
    // The table of positions is stored, however it was first filled.
    config.ignore(&["sinusoidal_pos_embds", "qa_dropout", "tie_weights_"]);
    config.only("chunk_size_feed_forward", &0.into())?;
    let rows = config.count("max_position_embeddings")?;
    let (d_model, n_heads) = (config.count("dim")?, heads(config, "dim", "n_heads")?);
    let activation = config.activation("activation", "gelu")?;
    let body = TransformerSpec {
        vocab_size: config.count("vocab_size")?,
        positions: Positions::Learned { rows, rule: PositionRule::Column },
        max_positions: Some(rows),
        attention: AttentionSpec {
            dropout: config.probability("attention_dropout", 0.1)?,
            ..AttentionSpec::new(n_heads, d_model / n_heads, true)
        },
        mlp: MlpSpec {
            d_hidden: config.count("hidden_dim")?,
            gated: false,
            activation,
            bias: true,
        },
        dropout: config.probability("dropout", 0.1)?,
        ..TransformerSpec::encoder(0, d_model, config.count("n_layers")?, n_heads)
    };
    let lm = transform_head(config, activation, body.norm_epsilon)?;
    let classifier = ClassifierSpec {
        n_classes: config.classes()?,
        pooling: Pooling::First,
        dense: Some(Activation::Relu),
        bias: true,
        dropout: config.probability("seq_classif_dropout", 0.2)?,
    };
    model(config, body, lm, classifier)
}
