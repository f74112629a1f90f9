//! The logit lens: what a model would predict from each layer.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor, TensorData};
use sixfold_model::{
    Batch, CausalLm, Error, IGNORE, Projection, TokenEmbedding, next_token_labels,
};

use crate::Result;

/// What a site predicts for each position that has a next token.
#[derive(Clone, Debug, PartialEq)]
pub struct LensLayer {
    /// The residual site, 0 for the embeddings.
    pub site: usize,
    /// −ln p of the token that follows, in nats.
    pub loss: Vec<f32>,
    /// Entropy of the prediction, in nats.
    pub entropy: Vec<f32>,
    /// KL divergence from the prediction of the last site to this one, in nats.
    pub divergence: Vec<f32>,
    /// The token that is thought most likely.
    pub top: Vec<u32>,
}

/// Reads every residual site through the final norm and the head.
///
/// The final norm belongs to it: without it the scores of intermediate sites have another scale
/// than the head expects. At the last site the prediction is the model's own.
///
/// # Shapes
/// One value a position whose next token is not padding, row by row, in every layer.
///
/// # Errors
/// As [`CausalLm::forward`]; a batch without two tokens in a row.
///
/// # Complexity
/// One forward pass and a head a site; three `[positions, vocab]` matrices at a time.
///
/// # References
/// nostalgebraist 2020, *interpreting GPT: the logit lens*; Razzhigaev et al. 2025, *LLM-Microscope*.
pub fn logit_lens<E: TokenEmbedding, P: Projection>(
    model: &CausalLm<E, P>,
    batch: &Batch,
) -> Result<Vec<LensLayer>> {
    let labels = next_token_labels(batch);
    let positions = labels.iter().enumerate().filter(|(_, label)| **label != IGNORE);
    let (rows, targets): (Vec<i32>, Vec<i32>) =
        positions.map(|(row, &label)| (row as i32, label)).unzip();
    let n = rows.len();
    if n == 0 {
        return Err(Error::NoTargets.into());
    }
    let body = &model.body;
    let device = body.device();
    let rows = Tensor::<1, Int>::from_data(TensorData::new(rows, [n]), &device);
    let targets = Tensor::<2, Int>::from_data(TensorData::new(targets, [n, 1]), &device);

    let layers = body.n_layers();
    let mut state = body.forward_to(0, batch)?;
    let mut scores = Vec::with_capacity(layers + 1);
    for layer in 0..=layers {
        state = body.advance(state, layer, &mut ());
        let mut end = state.clone();
        end.layer = layers;
        let hidden = body.forward_from(end);
        let [batch, seq, d] = hidden.dims();
        scores.push(hidden.reshape([batch * seq, d]).select(0, rows.clone()));
    }
    let predict = |hidden: &Tensor<2>| log_softmax(model.logits(hidden.clone()), 1);
    let last = predict(&scores[layers]);
    let probability = last.clone().exp();
    let list = |values: Tensor<2>| -> Vec<f32> { values.into_data().iter::<f32>().collect() };
    let layer = |(site, hidden): (usize, &Tensor<2>)| {
        let log = predict(hidden);
        let divergence = (probability.clone() * (last.clone() - log.clone())).sum_dim(1);
        let top = log.clone().argmax(1).into_data();
        LensLayer {
            site,
            loss: list(log.clone().gather(1, targets.clone()).neg()),
            divergence: list(divergence),
            entropy: list((log.clone().exp() * log).sum_dim(1).neg()),
            top: top.iter::<i64>().map(|id| id as u32).collect(),
        }
    };
    Ok(scores.iter().enumerate().map(layer).collect())
}
