//! Causal and masked language models.

use burn::module::{Module, Param};
use burn::nn::{Embedding, Linear};
use burn::tensor::{Device, Tensor};

use super::{IGNORE, targets};
use crate::batch::indices;
use crate::transformer::{Init, Norm};
use crate::{
    Activation, Batch, NormKind, Projection, Result, Seed, Tap, TokenEmbedding, Transformer,
    TransformerSpec, cross_entropy,
};

/// The description of a language-model head.
#[derive(Clone, Debug, PartialEq)]
pub struct LmHeadSpec {
    /// A dense layer, activation and norm before the scores (BERT's transform).
    pub transform: Option<Activation>,
    /// Kind and epsilon of the transform's norm.
    pub norm_epsilon: f64,
    /// Scores come from the token table.
    pub tied: bool,
    /// Bias of the scores.
    pub bias: bool,
}

impl LmHeadSpec {
    /// Scores from the token table, nothing else.
    pub const TIED: Self = Self { transform: None, norm_epsilon: 1e-5, tied: true, bias: false };

    /// Scores from a matrix of their own.
    pub const UNTIED: Self = Self { tied: false, ..Self::TIED };
}

/// From hidden states to scores over the vocabulary.
#[derive(Module, Debug)]
pub struct LmHead {
    /// The dense layer of the transform.
    pub dense: Option<Linear>,
    /// The norm of the transform.
    pub norm: Option<Norm>,
    /// The matrix of the scores where it is not the token table, `[d, vocab]`.
    pub output: Option<Linear>,
    /// The bias of the scores, `[vocab]`.
    pub bias: Option<Param<Tensor<1>>>,
    #[module(skip)]
    activation: Activation,
}

impl LmHead {
    pub(crate) fn new(spec: &LmHeadSpec, body: &TransformerSpec, init: &Init<'_>) -> Self {
        let (d_in, d_out) = match spec.transform {
            Some(_) => (body.d_output(), body.d_embed),
            None => (body.d_output(), body.d_output()),
        };
        Self {
            dense: spec.transform.map(|_| init.linear("head.dense", d_in, d_out, true)),
            norm: spec
                .transform
                .map(|_| Norm::new(init, NormKind::Layer, spec.norm_epsilon, d_out)),
            output: (!spec.tied).then(|| init.linear("head.output", d_out, body.vocab_size, false)),
            bias: spec.bias.then(|| init.constant(0.0, body.vocab_size)),
            activation: spec.transform.unwrap_or(Activation::Gelu),
        }
    }

    fn transform<const D: usize>(&self, h: Tensor<D>) -> Tensor<D> {
        match (&self.dense, &self.norm) {
            (Some(dense), Some(norm)) => norm.forward(self.activation.apply(dense.project(h))),
            _ => h,
        }
    }

    pub(crate) fn logits<const D: usize>(
        &self,
        h: Tensor<D>,
        table: &impl TokenEmbedding,
    ) -> Tensor<D> {
        let h = self.transform(h);
        let scores = match &self.output {
            Some(output) => output.project(h),
            None => table.logits(h),
        };
        match &self.bias {
            Some(bias) => scores + bias.val().unsqueeze(),
            None => scores,
        }
    }

    /// Mean cross-entropy of the labelled positions of `hidden`, `[batch, seq, d]`.
    pub(crate) fn loss(
        &self,
        hidden: Tensor<3>,
        labels: &[i32],
        table: &impl TokenEmbedding,
    ) -> Result<Tensor<1>> {
        let [batch, seq, d] = hidden.dims();
        let device = hidden.device();
        let (rows, ids) = targets(labels, batch * seq, table.vocab_size())?;
        let n = rows.len();
        let h = hidden.reshape([batch * seq, d]).select(0, indices(&rows, [n], &device));
        let ids = indices(&ids, [n], &device);
        let losses = match (&self.output, &self.bias) {
            // The table may know a cheaper way than all scores.
            (None, None) => table.cross_entropy(self.transform(h), ids),
            _ => cross_entropy(self.logits(h, table), ids),
        };
        Ok(losses.mean())
    }
}

/// Defines a language model; both kinds share all but their default labels.
macro_rules! language_model {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Module, Debug)]
        pub struct $name<E: TokenEmbedding = Embedding, P: Projection = Linear> {
            /// The transformer.
            pub body: Transformer<E, P>,
            /// The head.
            pub head: LmHead,
        }

        impl $name {
            /// A model with random weights.
            ///
            /// # Panics
            /// If the description contradicts itself.
            pub fn new(body: &TransformerSpec, head: &LmHeadSpec, seed: Seed, device: &Device) -> Self {
                Self {
                    body: Transformer::new(body, seed, device),
                    head: LmHead::new(head, body, &Init::new(seed, device)),
                }
            }
        }

        impl<E: TokenEmbedding, P: Projection> $name<E, P> {
            /// Scores over the vocabulary.
            ///
            /// # Shapes
            /// `[batch, seq]` → `[batch, seq, vocab]`
            ///
            /// # Errors
            /// As [`Transformer::forward`].
            pub fn forward(&self, batch: &Batch) -> Result<Tensor<3>> {
                self.forward_with(batch, &mut ())
            }

            /// As [`forward`](Self::forward), past a tap.
            ///
            /// # Errors
            /// As [`Transformer::forward`].
            pub fn forward_with(&self, batch: &Batch, tap: &mut dyn Tap) -> Result<Tensor<3>> {
                Ok(self.logits(self.body.forward_with(batch, tap)?))
            }

            /// Scores of hidden states, `[.., d]` → `[.., vocab]`.
            pub fn logits<const D: usize>(&self, hidden: Tensor<D>) -> Tensor<D> {
                self.head.logits(hidden, &self.body.embed.tokens)
            }

            /// Mean cross-entropy of the positions whose label is not [`IGNORE`], in nats.
            /// Scores are made for those positions only.
            ///
            /// # Shapes
            /// `labels`: `rows · len` values, the target of the very position → `[1]`
            ///
            /// # Errors
            /// As [`Transformer::forward`]; labels that do not fit the batch or the vocabulary.
            pub fn loss_of(&self, batch: &Batch, labels: &[i32]) -> Result<Tensor<1>> {
                let hidden = self.body.forward(batch)?;
                self.loss_of_hidden(hidden, labels)
            }

            /// As [`loss_of`](Self::loss_of), from hidden states `[batch, seq, d]`.
            ///
            /// # Errors
            /// Labels that do not fit the hidden states or the vocabulary.
            pub fn loss_of_hidden(&self, hidden: Tensor<3>, labels: &[i32]) -> Result<Tensor<1>> {
                self.head.loss(hidden, labels, &self.body.embed.tokens)
            }
        }
    };
}

language_model!(
    /// A decoder that predicts the next token.
    ///
    /// ```
    /// use sixfold_model::{Batch, CausalLm, LmHeadSpec, PaddingSide, Seed, TransformerSpec};
    ///
    /// let device = sixfold_model::device("flex")?;
    /// let spec = TransformerSpec::decoder(100, 16, 2, 4);
    /// let model = CausalLm::new(&spec, &LmHeadSpec::TIED, Seed::new(0), &device);
    /// let batch = Batch::pad(&[vec![1, 2, 3]], 0, PaddingSide::Right);
    /// let loss = model.loss(&batch)?.into_scalar::<f32>();
    /// assert!((loss - 100f32.ln()).abs() < 0.1); // an untrained model guesses
    /// # Ok::<(), sixfold_model::Error>(())
    /// ```
    CausalLm
);

language_model!(
    /// An encoder that fills in masked tokens.
    MaskedLm
);

impl<E: TokenEmbedding, P: Projection> CausalLm<E, P> {
    /// Mean cross-entropy of every token given those before it, padding left out, in nats.
    ///
    /// # Errors
    /// As [`Transformer::forward`]; a batch without two tokens in a row.
    pub fn loss(&self, batch: &Batch) -> Result<Tensor<1>> {
        self.loss_of(batch, &next_token_labels(batch))
    }
}

/// The label of each position is the token after it; none where either is padding.
pub fn next_token_labels(batch: &Batch) -> Vec<i32> {
    let len = batch.len();
    (0..batch.ids().len())
        .map(|i| {
            let last = (i + 1) % len == 0;
            if last || !batch.mask()[i] || !batch.mask()[i + 1] {
                IGNORE
            } else {
                batch.ids()[i + 1] as i32
            }
        })
        .collect()
}
