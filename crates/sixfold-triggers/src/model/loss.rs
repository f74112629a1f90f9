//! UAT: tokens in the direction that raises the loss.

use burn::module::Module;
use burn::nn::{Embedding, Linear};
use burn::tensor::{Int, Tensor};
use ndarray::Array2;
use rand_chacha::ChaCha8Rng;
use sixfold_model::{Projection, SequenceClassifier, TokenEmbedding, cross_entropy};

use super::passes::in_groups;
use super::victim::ModelVictim;
use crate::score::rank::token_scores;
use crate::score::{Query, Scorer, TokenScores};
use crate::{Forwards, Result};

/// A tracked forward pass and the backward pass to the inputs: measured 1.9 forwards.
const COST: f64 = 2.0;

/// The loss-gradient method: `S = (Σ_x ∂ℓ(x)/∂e_i)·Eᵀ`, ℓ the cross-entropy of the class without a trigger.
///
/// The current token's part −e_i·g is the same for all candidates of a place and left out.
///
/// # Complexity
/// One forward and one backward pass to the inputs for each example, 2·length·vocab·d operations for the scores.
///
/// # References
/// Wallace et al., Universal Adversarial Triggers for Attacking and Analyzing NLP (EMNLP 2019), eq. 2.
#[doc(alias = "universal adversarial triggers")]
#[derive(Debug)]
pub struct Uat<'a, E: TokenEmbedding = Embedding, P: Projection = Linear> {
    victim: &'a ModelVictim<E, P>,
    tracked: SequenceClassifier<E, P>,
}

impl<'a, E: TokenEmbedding, P: Projection> Uat<'a, E, P> {
    /// The scorer of a victim. Weights are shared, not copied.
    pub fn new(victim: &'a ModelVictim<E, P>) -> Self {
        Self { victim, tracked: victim.classifier().clone().no_grad().train() }
    }
}

impl<E: TokenEmbedding, P: Projection> Scorer for Uat<'_, E, P> {
    fn name(&self) -> &'static str {
        "uat"
    }

    fn cost(&self, examples: usize) -> Forwards {
        Forwards(COST * examples as f64)
    }

    fn score(&mut self, query: Query<'_>, _: &mut ChaCha8Rng) -> Result<TokenScores> {
        let table = self.victim.table();
        let mut sum = Array2::<f64>::zeros((query.trigger.len(), table.ncols()));
        in_groups(self.victim, query, |group| {
            let x = Tensor::from_inner(group.vectors(self.victim)?).require_grad();
            let state = self.tracked.body.embed_vectors(&group.batch, x.clone())?;
            let SequenceClassifier { body, head } = &self.tracked;
            let scores = match head.spec().pooling.positions(&group.batch) {
                Some(positions) => head.scores(body.forward_from_at(state, &positions)),
                None => head.forward(body.forward_from(state), &group.batch),
            };
            let clean: Vec<i32> = group.examples.iter().map(|&i| query.clean[i] as i32).collect();
            let clean = Tensor::<1, Int>::from_ints(clean.as_slice(), &x.device());
            let gradients = cross_entropy(scores, clean).sum().backward();
            let gradient = x.grad(&gradients).expect("the input is tracked");
            group.gather(gradient, &mut sum)
        })?;
        let directions = sum.mapv(|value| value as f32);
        let values = token_scores(directions.view(), table.view());
        Ok(TokenScores { values, cost: self.cost(query.examples.len()) })
    }
}
