//! Losses of tokens, summed by what an interval draws: sentences, or documents.

use anyhow::Result;
use burn::tensor::{Int, Tensor, TensorData};
use serde::{Deserialize, Serialize};
use sixfold_model::{IGNORE, TokenEmbedding};
use sixfold_sgns::evaluation::bootstrap_interval;

/// Draws of an interval.
pub(super) const DRAWS: usize = 1_000;

/// A value with its 95 % interval over units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Estimate {
    pub(super) value: f64,
    pub(super) ci95: Option<[f64; 2]>,
}

impl Estimate {
    /// A statistic of all of `n` units, and its interval by the bootstrap over them. The draws of
    /// equally many units are the same each time, so that a statistic of two models is paired.
    pub(super) fn over(n: usize, statistic: impl Fn(&[usize]) -> f64 + Sync) -> Result<Self> {
        let all: Vec<usize> = (0..n).collect();
        let (low, high) = bootstrap_interval(n, DRAWS, 0, &statistic)?;
        Ok(Self { value: statistic(&all), ci95: (n > 1).then_some([low, high]) })
    }
}

/// Sums of the losses of tokens, in nats, and how many there are, unit by unit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Losses {
    sums: Vec<f64>,
    tokens: Vec<u32>,
}

impl Losses {
    /// Of `n` units, as yet without tokens.
    pub(super) fn new(n: usize) -> Self {
        Self { sums: vec![0.0; n], tokens: vec![0; n] }
    }

    /// Counts a token of a unit.
    pub(super) fn add(&mut self, unit: usize, loss: f64) {
        self.sums[unit] += loss;
        self.tokens[unit] += 1;
    }

    /// All tokens.
    pub(super) fn n_tokens(&self) -> usize {
        self.tokens.iter().map(|n| *n as usize).sum()
    }

    /// The loss of the drawn units, a token.
    fn mean(&self, drawn: &[usize]) -> f64 {
        let sum: f64 = drawn.iter().map(|&unit| self.sums[unit]).sum();
        sum / drawn.iter().map(|&unit| f64::from(self.tokens[unit])).sum::<f64>()
    }

    /// The exponential of the mean loss of a token.
    pub(super) fn perplexity(&self) -> Result<Estimate> {
        Estimate::over(self.sums.len(), |drawn| self.mean(drawn).exp())
    }

    /// How much higher the mean loss is than that of another model on the same tokens.
    pub(super) fn change_from(&self, other: &Self) -> Result<Estimate> {
        Estimate::over(self.sums.len(), |drawn| self.mean(drawn) - other.mean(drawn))
    }
}

/// The loss at each position that has a label, with the position.
///
/// `hidden`: `[batch, seq, d]`; `labels`: `batch · seq`.
pub(super) fn at_positions(
    table: &impl TokenEmbedding,
    hidden: Tensor<3>,
    labels: &[i32],
) -> Vec<(usize, f64)> {
    let [batch, seq, d] = hidden.dims();
    let device = hidden.device();
    let positions: Vec<usize> = (0..labels.len()).filter(|&at| labels[at] != IGNORE).collect();
    let tensor = |values: Vec<i32>| {
        let n = values.len();
        Tensor::<1, Int>::from_data(TensorData::new(values, [n]), &device)
    };
    let rows = tensor(positions.iter().map(|&at| at as i32).collect());
    let targets = tensor(positions.iter().map(|&at| labels[at]).collect());
    let hidden = hidden.reshape([batch * seq, d]).select(0, rows);
    let losses = table.cross_entropy(hidden, targets).into_data();
    positions.into_iter().zip(losses.iter::<f64>()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn perplexity_is_by_token_and_changes_are_paired() {
        let mut one = Losses::new(3);
        let mut other = Losses::new(3);
        for (unit, loss) in [(0, 1.0), (0, 3.0), (1, 2.0), (2, 9.0)] {
            one.add(unit, loss + 0.5);
            other.add(unit, loss);
        }
        assert_eq!(one.n_tokens(), 4);
        let found = other.perplexity().unwrap();
        assert!((found.value - 3.75_f64.exp()).abs() < 1e-9);
        let [low, high] = found.ci95.unwrap();
        assert!(low >= 2_f64.exp() - 1e-9 && high <= 9_f64.exp() + 1e-6 && low < high);
        // Units differ much; that one model is worse by 0.5 on each of them is certain.
        let change = one.change_from(&other).unwrap();
        let ends = change.ci95.unwrap();
        assert!([change.value, ends[0], ends[1]].iter().all(|end| (end - 0.5).abs() < 1e-12));
    }

    #[test]
    fn positions_without_a_label_have_no_loss() {
        let device = sixfold_model::device("flex").unwrap();
        let weight = Tensor::<2>::from_data([[1.0, 0.0], [0.0, 1.0], [2.0, 0.0]], &device);
        let table = burn::nn::Embedding { weight: burn::module::Param::from_tensor(weight) };
        let hidden = Tensor::<3>::from_data([[[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]]], &device);
        let found = at_positions(&table, hidden, &[2, IGNORE, 1]);
        let log_sum = |scores: [f64; 3]| scores.iter().map(|score| score.exp()).sum::<f64>().ln();
        assert_eq!((found[0].0, found[1].0), (0, 2));
        assert!((found[0].1 - (log_sum([1.0, 0.0, 2.0]) - 2.0)).abs() < 1e-6);
        assert!((found[1].1 - (log_sum([0.0, 1.0, 0.0]) - 1.0)).abs() < 1e-6);
    }
}
