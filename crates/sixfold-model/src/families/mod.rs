//! The families: one small file each, from `config.json` to a description, and from parameter
//! paths to tensor names.

mod albert;
mod bert;
mod bloom;
mod distilbert;
mod electra;
mod gpt2;
mod gpt_neo;
mod gpt_neox;
mod llama;
mod mistral;
mod opt;
mod phi;
mod qwen2;
mod roberta;
mod rope;

use crate::checkpoint::{ConfigReader, Entry};
use crate::{
    Activation, AttentionSpec, BlockForm, ClassifierSpec, LmHeadSpec, MlpSpec, NormKind, Pooling,
    PositionRule, Positions, Result, TransformerSpec,
};

/// A family of checkpoints.
#[derive(Debug)]
pub(crate) struct Family {
    /// `model_type` in `config.json`.
    pub(crate) name: &'static str,
    /// Prefixes under which the body's tensors are found, the one that is written first.
    pub(crate) prefixes: &'static [&'static str],
    /// Class names by head: bare, language model, classifier.
    pub(crate) architectures: [&'static str; 3],
    /// Reads the config.
    pub(crate) spec: fn(&ConfigReader<'_>) -> Result<ModelSpec>,
    /// Tensors of the body.
    pub(crate) body: &'static [Entry],
    /// Tensors of the language-model head.
    pub(crate) lm: &'static [Entry],
    /// Tensors of the classification head.
    pub(crate) classifier: &'static [Entry],
    /// Ends of names that are buffers, or copies of other tensors.
    pub(crate) buffers: &'static [&'static str],
    /// Beginnings of names that belong to some head; `{p}` stands for the prefix.
    pub(crate) heads: &'static [&'static str],
}

/// Everything a config says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ModelSpec {
    pub(crate) body: TransformerSpec,
    pub(crate) lm: LmHeadSpec,
    pub(crate) classifier: ClassifierSpec,
    /// Blocks in a group of shared layers (ALBERT); otherwise 1.
    pub(crate) group: usize,
    pub(crate) pad_token: Option<u32>,
    pub(crate) bos_token: Option<u32>,
    pub(crate) eos_token: Option<u32>,
}

/// All families.
pub(crate) static FAMILIES: &[&Family] = &[
    &albert::FAMILY,
    &bert::FAMILY,
    &bloom::FAMILY,
    &distilbert::FAMILY,
    &electra::FAMILY,
    &gpt2::FAMILY,
    &gpt_neo::FAMILY,
    &gpt_neox::FAMILY,
    &llama::FAMILY,
    &mistral::FAMILY,
    &opt::FAMILY,
    &phi::FAMILY,
    &qwen2::FAMILY,
    &roberta::FAMILY,
];

/// The names of all families, as `model_type` writes them.
pub fn families() -> impl Iterator<Item = &'static str> {
    FAMILIES.iter().map(|family| family.name)
}

/// The parts that most encoders of BERT's line share.
fn bert_like(config: &ConfigReader<'_>, rule: PositionRule) -> Result<TransformerSpec> {
    config.only("position_embedding_type", &"absolute".into())?;
    config.only("is_decoder", &false.into())?;
    config.only("add_cross_attention", &false.into())?;
    // Splits the work of the MLP; the numbers stay.
    config.ignore(&["chunk_size_feed_forward"]);
    let rows = config.count("max_position_embeddings")?;
    let (d_model, n_heads) =
        (config.count("hidden_size")?, heads(config, "hidden_size", "num_attention_heads")?);
    Ok(TransformerSpec {
        vocab_size: config.count("vocab_size")?,
        token_types: config.count("type_vocab_size")?,
        positions: Positions::Learned { rows, rule },
        max_positions: Some(match rule {
            PositionRule::Unpadded { pad_id } => rows.saturating_sub(pad_id as usize + 1),
            _ => rows,
        }),
        attention: AttentionSpec {
            dropout: config.probability("attention_probs_dropout_prob", 0.1)?,
            ..AttentionSpec::new(n_heads, d_model / n_heads, true)
        },
        mlp: MlpSpec {
            d_hidden: config.count("intermediate_size")?,
            gated: false,
            activation: config.activation("hidden_act", "gelu")?,
            bias: true,
        },
        norm_epsilon: config.number("layer_norm_eps", 1e-12)?,
        dropout: config.probability("hidden_dropout_prob", 0.1)?,
        ..TransformerSpec::encoder(0, d_model, config.count("num_hidden_layers")?, n_heads)
    })
}

/// The parts that Llama, Mistral and Qwen2 share.
fn llama_like(config: &ConfigReader<'_>) -> Result<TransformerSpec> {
    let n_heads = config.count("num_attention_heads")?;
    let d_model = config.count("hidden_size")?;
    let d_head = match config.count_opt("head_dim")? {
        Some(d_head) => d_head,
        None => d_model / heads(config, "hidden_size", "num_attention_heads")?,
    };
    let n_kv_heads = config.count_opt("num_key_value_heads")?.unwrap_or(n_heads);
    if n_heads % n_kv_heads != 0 {
        return Err(config.error("num_key_value_heads", format!("expected a divisor of {n_heads}")));
    }
    Ok(TransformerSpec {
        vocab_size: config.count("vocab_size")?,
        positions: Positions::Rotary(rope::rotary(config, d_head)?),
        max_positions: config.count_opt("max_position_embeddings")?,
        attention: AttentionSpec {
            n_kv_heads,
            dropout: config.probability("attention_dropout", 0.0)?,
            ..AttentionSpec::new(n_heads, d_head, false)
        },
        mlp: MlpSpec {
            d_hidden: config.count("intermediate_size")?,
            gated: true,
            activation: config.activation("hidden_act", "silu")?,
            bias: false,
        },
        norm_epsilon: config.number("rms_norm_eps", 1e-6)?,
        ..TransformerSpec::decoder(0, d_model, config.count("num_hidden_layers")?, n_heads)
    })
}

/// The number of heads, which must divide the width.
fn heads(config: &ConfigReader<'_>, width: &str, key: &str) -> Result<usize> {
    let (d_model, n_heads) = (config.count(width)?, config.count(key)?);
    if d_model % n_heads != 0 {
        return Err(config.error(key, format!("expected a divisor of {width} = {d_model}")));
    }
    Ok(n_heads)
}

/// A head that scores the last token, as decoders have it.
fn last_token(config: &ConfigReader<'_>, dropout: f64) -> Result<ClassifierSpec> {
    Ok(ClassifierSpec {
        n_classes: config.classes()?,
        pooling: Pooling::Last,
        dense: None,
        bias: false,
        dropout,
    })
}

/// A head that reads the first token through a dense layer, as encoders have it.
fn first_token(config: &ConfigReader<'_>, dense: Activation, key: &str) -> Result<ClassifierSpec> {
    let dropout = config.probability("hidden_dropout_prob", 0.1)?;
    Ok(ClassifierSpec {
        n_classes: config.classes()?,
        pooling: Pooling::First,
        dense: Some(dense),
        bias: true,
        dropout: config.probability(key, dropout)?,
    })
}

/// Adds the heads and the special tokens to a body.
fn model(
    config: &ConfigReader<'_>,
    body: TransformerSpec,
    lm: LmHeadSpec,
    classifier: ClassifierSpec,
) -> Result<ModelSpec> {
    Ok(ModelSpec {
        body,
        lm,
        classifier,
        group: 1,
        pad_token: config.token_opt("pad_token_id")?,
        bos_token: config.token_opt("bos_token_id")?,
        eos_token: config.token_opt("eos_token_id")?,
    })
}

/// A language-model head without transform.
fn plain_head(config: &ConfigReader<'_>, tied_by_default: bool) -> Result<LmHeadSpec> {
    let tied = config.flag("tie_word_embeddings", tied_by_default)?;
    Ok(LmHeadSpec { tied, ..LmHeadSpec::TIED })
}

/// A masked-language-model head with transform and bias.
fn transform_head(
    config: &ConfigReader<'_>,
    activation: Activation,
    norm_epsilon: f64,
) -> Result<LmHeadSpec> {
    Ok(LmHeadSpec {
        transform: Some(activation),
        norm_epsilon,
        tied: config.flag("tie_word_embeddings", true)?,
        bias: true,
    })
}

/// The description that GPT-2, GPT-Neo, OPT, BLOOM, GPT-NeoX and Phi start from.
fn layer_norm_decoder(d_model: usize, n_layers: usize, n_heads: usize) -> TransformerSpec {
    TransformerSpec {
        block: BlockForm::PreNorm,
        attention: AttentionSpec::new(n_heads, d_model / n_heads, true),
        norm: NormKind::Layer,
        ..TransformerSpec::decoder(0, d_model, n_layers, n_heads)
    }
}
