//! The description of an encoder–decoder.

use crate::{
    Activation, AttentionSpec, BlockForm, LmHeadSpec, MlpSpec, NormKind, Positions, SinusoidLayout,
    TransformerSpec,
};

/// The description of a [`Seq2Seq`](crate::Seq2Seq).
#[derive(Clone, Debug, PartialEq)]
pub struct Seq2SeqSpec {
    /// The encoder.
    pub encoder: TransformerSpec,
    /// The decoder, causal; its blocks get a cross-attention with the heads of its attention.
    pub decoder: TransformerSpec,
    /// The head on the decoder; tied to the decoder's token table, or not.
    pub head: LmHeadSpec,
    /// Encoder and decoder read one token table, the decoder's.
    pub shared_table: bool,
    /// The token that every target begins with, which the model reads and never writes.
    pub start_token: u32,
}

impl Seq2SeqSpec {
    /// The first transformer (arXiv 1706.03762) of a given size: sinusoidal positions, token
    /// vectors times √d_model, norms after, ReLU in an MLP of 4·d_model, projections of the
    /// attention without bias, one table for source, target and head, dropout 0.1.
    ///
    /// Targets begin with token 0; the paper's base model is `translation(37_000, 512, 6, 8)`.
    pub fn translation(vocab_size: usize, d_model: usize, n_layers: usize, n_heads: usize) -> Self {
        let decoder = TransformerSpec {
            embed_scale: Some((d_model as f64).sqrt()),
            positions: Positions::Sinusoidal(SinusoidLayout::Interleaved),
            block: BlockForm::PostNorm,
            attention: AttentionSpec::new(n_heads, d_model / n_heads, false),
            mlp: MlpSpec {
                d_hidden: 4 * d_model,
                gated: false,
                activation: Activation::Relu,
                bias: true,
            },
            norm: NormKind::Layer,
            final_norm: false,
            dropout: 0.1,
            ..TransformerSpec::decoder(vocab_size, d_model, n_layers, n_heads)
        };
        Self {
            encoder: TransformerSpec { causal: false, ..decoder.clone() },
            decoder,
            head: LmHeadSpec::TIED,
            shared_table: true,
            start_token: 0,
        }
    }

    /// All contradictions within the description; empty for one that can be built.
    pub fn problems(&self) -> Vec<String> {
        let (encoder, decoder) = (&self.encoder, &self.decoder);
        let of = |name: &str, spec: &TransformerSpec| -> Vec<String> {
            spec.problems().into_iter().map(|problem| format!("{name}: {problem}")).collect()
        };
        let mut problems = of("encoder", encoder);
        problems.extend(of("decoder", decoder));
        let mut require = |holds: bool, message: String| {
            if !holds {
                problems.push(message);
            }
        };
        require(decoder.causal, "decoder: not causal, so a token would see those to come".into());
        require(
            matches!(decoder.block, BlockForm::PreNorm | BlockForm::PostNorm),
            format!(
                "decoder: cross-attention has no place in {:?} blocks, only in PreNorm and PostNorm",
                decoder.block
            ),
        );
        require(
            !decoder.attention.qk_norm && !decoder.attention.scale_by_layer,
            "decoder: cross-attention knows neither qk_norm nor scale_by_layer".into(),
        );
        require(
            (self.start_token as usize) < decoder.vocab_size,
            format!("start_token {} is not below {}", self.start_token, decoder.vocab_size),
        );
        let size = |spec: &TransformerSpec| (spec.vocab_size, spec.d_embed);
        require(
            !self.shared_table || size(encoder) == size(decoder),
            format!(
                "one table cannot be {:?} for the encoder and {:?} for the decoder",
                size(encoder),
                size(decoder)
            ),
        );
        require(
            !self.head.tied
                || self.head.transform.is_some()
                || decoder.d_output() == decoder.d_embed,
            format!(
                "head: tied to vectors of {} but reads states of {}",
                decoder.d_embed,
                decoder.d_output()
            ),
        );
        problems
    }
}
