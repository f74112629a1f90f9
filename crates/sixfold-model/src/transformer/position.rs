//! Positions: rows of learned tables, rotations, and linear penalties.

use burn::tensor::{Device, Tensor, TensorData};

use crate::{Batch, PositionRule, RopeScaling, Rotary, ops};

/// The rows of a learned position table that the batch's tokens take, row by row.
pub(crate) fn learned_rows(rule: PositionRule, batch: &Batch, past: &[u32]) -> Vec<u32> {
    let len = batch.len();
    match rule {
        PositionRule::Column => {
            (0..batch.rows()).flat_map(|row| (0..len as u32).map(move |i| i + past[row])).collect()
        }
        PositionRule::Tokens { offset } => batch
            .positions()
            .iter()
            .enumerate()
            .map(|(i, position)| position + offset + past[i / len])
            .collect(),
        PositionRule::Unpadded { pad_id } => {
            let mut rows = Vec::with_capacity(batch.ids().len());
            for (row, ids) in batch.ids().chunks(len).enumerate() {
                let mut next = pad_id + 1 + past[row];
                for &id in ids {
                    rows.push(if id == pad_id { pad_id } else { next });
                    next += u32::from(id != pad_id);
                }
            }
            rows
        }
    }
}

/// Cosines and sines of the rotation at each position: `[len, dim/2]` each.
#[derive(Clone, Debug)]
pub(crate) struct Rotation {
    cos: Tensor<2>,
    sin: Tensor<2>,
}

impl Rotation {
    /// The rotation of positions `start..start + len`.
    pub(crate) fn new(rotary: &Rotary, start: usize, len: usize, device: &Device) -> Self {
        let half = rotary.dim / 2;
        let (frequencies, factor) = frequencies(rotary);
        let (mut cos, mut sin) = (Vec::with_capacity(len * half), Vec::with_capacity(len * half));
        for position in start..start + len {
            for frequency in &frequencies {
                let (s, c) = (position as f64 * frequency).sin_cos();
                cos.push((c * factor) as f32);
                sin.push((s * factor) as f32);
            }
        }
        let on_device = |values| Tensor::from_data(TensorData::new(values, [len, half]), device);
        Self { cos: on_device(cos), sin: on_device(sin) }
    }

    /// The same outside the tape.
    pub(super) fn inner(&self) -> Self {
        Self { cos: self.cos.clone().inner(), sin: self.sin.clone().inner() }
    }

    /// Rotates the first `dim` features of each head.
    ///
    /// # Shapes
    /// `[batch, len, n_heads · d_head]` → the same
    pub(crate) fn apply(&self, x: Tensor<3>, n_heads: usize) -> Tensor<3> {
        ops::rotate(x, self.cos.clone(), self.sin.clone(), n_heads)
    }
}

/// The frequency of each pair of features, and the factor on the rotation.
fn frequencies(rotary: &Rotary) -> (Vec<f64>, f64) {
    let dim = rotary.dim as f64;
    let plain =
        (0..rotary.dim / 2).map(|i| rotary.theta.powf(-2.0 * i as f64 / dim)).collect::<Vec<_>>();
    let turns = |frequency: f64, context: usize| context as f64 * frequency / std::f64::consts::TAU;
    match rotary.scaling {
        RopeScaling::None => (plain, 1.0),
        RopeScaling::Linear { factor } => (plain.iter().map(|f| f / factor).collect(), 1.0),
        RopeScaling::Llama3 {
            factor,
            low_freq_factor,
            high_freq_factor,
            original_max_positions,
        } => {
            let scaled = plain.iter().map(|&f| {
                let turns = turns(f, original_max_positions);
                let kept = ((turns - low_freq_factor) / (high_freq_factor - low_freq_factor))
                    .clamp(0.0, 1.0);
                kept * f + (1.0 - kept) * f / factor
            });
            (scaled.collect(), 1.0)
        }
        RopeScaling::Yarn {
            factor,
            original_max_positions,
            beta_fast,
            beta_slow,
            attention_factor,
        } => {
            // The pair of features that makes the given number of turns in the original context.
            let pair = |turns: f64| {
                dim * (original_max_positions as f64 / (turns * std::f64::consts::TAU)).ln()
                    / (2.0 * rotary.theta.ln())
            };
            let low = pair(beta_fast).floor().max(0.0);
            let mut high = pair(beta_slow).ceil().min(dim - 1.0);
            if (high - low).abs() < 1e-9 {
                high += 0.001;
            }
            let scaled = plain.iter().enumerate().map(|(i, &f)| {
                let divided = ((i as f64 - low) / (high - low)).clamp(0.0, 1.0);
                divided * f / factor + (1.0 - divided) * f
            });
            (scaled.collect(), attention_factor)
        }
    }
}

/// The penalty of each head (arXiv 2108.12409, §3): a geometric sequence for powers of two;
/// otherwise that of the next lower power, filled up with every other slope of the next higher.
pub(crate) fn alibi_slopes(n_heads: usize) -> Vec<f64> {
    let geometric = |n: usize| (1..=n).map(move |i| 2f64.powf(-8.0 * i as f64 / n as f64));
    let lower = 1 << n_heads.ilog2();
    geometric(lower).chain(geometric(2 * lower).step_by(2)).take(n_heads).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_of_eight_and_of_six_heads() {
        let close = |found: &[f64], expected: &[f64]| {
            found.len() == expected.len()
                && found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12)
        };
        let eight: Vec<f64> = (1..=8).map(|i| 0.5_f64.powi(i)).collect();
        assert!(close(&alibi_slopes(8), &eight));
        assert!(close(&alibi_slopes(6), &[0.25, 0.0625, 0.015_625, 0.003_906_25, 0.5, 0.125]));
    }

    #[test]
    fn llama3_keeps_fast_and_divides_slow_frequencies() {
        let rotary = Rotary {
            dim: 64,
            theta: 500_000.0,
            scaling: RopeScaling::Llama3 {
                factor: 8.0,
                low_freq_factor: 1.0,
                high_freq_factor: 4.0,
                original_max_positions: 8192,
            },
        };
        let plain = frequencies(&Rotary { scaling: RopeScaling::None, ..rotary.clone() }).0;
        let scaled = frequencies(&rotary).0;
        assert!((scaled[0] - plain[0]).abs() < 1e-15);
        assert!((scaled[31] - plain[31] / 8.0).abs() < 1e-15);
    }

    #[test]
    fn padding_by_id_takes_the_padding_row() {
        let batch = Batch::pad(&[vec![7, 8], vec![9]], 1, crate::PaddingSide::Left);
        let rule = PositionRule::Unpadded { pad_id: 1 };
        assert_eq!(learned_rows(rule, &batch, &[0, 0]), [2, 3, 1, 2]);
        assert_eq!(learned_rows(PositionRule::Tokens { offset: 2 }, &batch, &[0, 5]), [2, 3, 7, 7]);
    }
}
