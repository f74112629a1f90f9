//! Sequence classification.

use burn::module::Module;
use burn::nn::{Embedding, Linear};
use burn::tensor::{Device, Tensor, TensorData};

use super::targets;
use crate::batch::indices;
use crate::transformer::{Dropout, Init};
use crate::{
    Activation, Batch, Projection, Result, Seed, Tap, TokenEmbedding, Transformer, TransformerSpec,
    cross_entropy,
};

/// The description of a classification head.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassifierSpec {
    /// Classes.
    pub n_classes: usize,
    /// How a sequence becomes one vector.
    pub pooling: Pooling,
    /// A dense layer with this activation before the scores.
    pub dense: Option<Activation>,
    /// Bias of the scores.
    pub bias: bool,
    /// Probability of dropout before the scores.
    pub dropout: f64,
}

/// How a sequence becomes one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// The first token that is not padding.
    First,
    /// The mean of all tokens that are not padding.
    Mean,
    /// The last token that is not padding.
    Last,
}

/// From pooled hidden states to class scores.
#[derive(Module, Debug)]
pub struct ClassifierHead {
    /// The dense layer.
    pub dense: Option<Linear>,
    /// The scores, `[d, classes]`.
    pub output: Linear,
    dropout: Dropout,
    #[module(skip)]
    spec: ClassifierSpec,
}

/// A transformer that assigns each sequence to a class.
#[derive(Module, Debug)]
pub struct SequenceClassifier<E: TokenEmbedding = Embedding, P: Projection = Linear> {
    /// The transformer.
    pub body: Transformer<E, P>,
    /// The head.
    pub head: ClassifierHead,
}

impl SequenceClassifier {
    /// A classifier with random weights.
    ///
    /// # Panics
    /// If the description contradicts itself.
    pub fn new(body: &TransformerSpec, head: &ClassifierSpec, seed: Seed, device: &Device) -> Self {
        let init = Init::new(seed, device);
        let d = body.d_output();
        Self {
            body: Transformer::new(body, seed, device),
            head: ClassifierHead {
                dense: head.dense.map(|_| init.linear("head.dense", d, d, true)),
                output: init.linear("head.output", d, head.n_classes, head.bias),
                dropout: init.dropout(head.dropout),
                spec: head.clone(),
            },
        }
    }
}

impl<E: TokenEmbedding, P: Projection> SequenceClassifier<E, P> {
    /// Scores of the classes.
    ///
    /// Outside training the last block runs at the pooled position alone, where the head pools
    /// one and nothing depends on the others' ([`Transformer::forward_at`]).
    ///
    /// # Shapes
    /// `[batch, seq]` → `[batch, classes]`
    ///
    /// # Errors
    /// As [`Transformer::forward`].
    pub fn forward(&self, batch: &Batch) -> Result<Tensor<2>> {
        match self.head.spec.pooling.positions(batch) {
            Some(positions) if !self.body.device().is_autodiff() => {
                let pooled = self.body.forward_at(batch, &positions)?;
                Ok(self.head.scores(pooled))
            }
            _ => self.forward_with(batch, &mut ()),
        }
    }

    /// As [`forward`](Self::forward), past a tap.
    ///
    /// # Errors
    /// As [`Transformer::forward`].
    pub fn forward_with(&self, batch: &Batch, tap: &mut dyn Tap) -> Result<Tensor<2>> {
        Ok(self.head.forward(self.body.forward_with(batch, tap)?, batch))
    }

    /// Mean cross-entropy over the sequences whose label is not [`IGNORE`](super::IGNORE).
    ///
    /// # Errors
    /// As [`Transformer::forward`]; labels that do not fit the batch or the classes.
    pub fn loss(&self, batch: &Batch, labels: &[i32]) -> Result<Tensor<1>> {
        let (rows, ids) = targets(labels, batch.rows(), self.head.spec.n_classes)?;
        let scores = self.forward(batch)?;
        let device = scores.device();
        let n = rows.len();
        let scores = scores.select(0, indices(&rows, [n], &device));
        Ok(cross_entropy(scores, indices(&ids, [n], &device)).mean())
    }
}

impl ClassifierHead {
    /// The description it was built from.
    pub fn spec(&self) -> &ClassifierSpec {
        &self.spec
    }

    /// Scores from hidden states.
    ///
    /// # Shapes
    /// `[batch, seq, d]` → `[batch, classes]`
    pub fn forward(&self, hidden: Tensor<3>, batch: &Batch) -> Tensor<2> {
        self.scores(self.spec.pooling.pool(hidden, batch))
    }

    /// Scores from pooled vectors.
    ///
    /// # Shapes
    /// `[batch, d]` → `[batch, classes]`
    pub fn scores(&self, pooled: Tensor<2>) -> Tensor<2> {
        let pooled = match (&self.dense, self.spec.dense) {
            (Some(dense), Some(activation)) => activation.apply(dense.project(pooled)),
            _ => pooled,
        };
        self.output.project(self.dropout.forward(pooled))
    }
}

impl Pooling {
    /// One vector a sequence.
    ///
    /// # Shapes
    /// `[batch, seq, d]` → `[batch, d]`
    pub fn pool(self, hidden: Tensor<3>, batch: &Batch) -> Tensor<2> {
        let Some(positions) = self.positions(batch) else { return mean_pool(hidden, batch) };
        let [rows, len, d] = hidden.dims();
        let flat: Vec<u32> =
            positions.iter().enumerate().map(|(row, &at)| (row * len + at) as u32).collect();
        let device = hidden.device();
        hidden.reshape([rows * len, d]).select(0, indices(&flat, [rows], &device))
    }

    /// The position that each row is pooled from; `None` where it is more than one.
    pub fn positions(self, batch: &Batch) -> Option<Vec<usize>> {
        let find: fn(&[bool]) -> Option<usize> = match self {
            Self::Mean => return None,
            Self::First => |mask| mask.iter().position(|&token| token),
            Self::Last => |mask| mask.iter().rposition(|&token| token),
        };
        Some(batch.mask().chunks(batch.len()).map(|mask| find(mask).unwrap_or(0)).collect())
    }
}

/// The mean over tokens that are not padding, the pooling of sentence encoders.
///
/// # Shapes
/// `[batch, seq, d]` → `[batch, d]`; zero for a row of padding only
pub fn mean_pool(hidden: Tensor<3>, batch: &Batch) -> Tensor<2> {
    let [rows, len, _] = hidden.dims();
    let mut weights = Vec::with_capacity(rows * len);
    for mask in batch.mask().chunks(len) {
        let n = mask.iter().filter(|&&token| token).count().max(1) as f32;
        weights.extend(mask.iter().map(|&token| if token { 1.0 / n } else { 0.0 }));
    }
    let weights =
        Tensor::<3>::from_data(TensorData::new(weights, [rows, 1, len]), &hidden.device());
    weights.matmul(hidden).squeeze_dim(1)
}
