//! The arithmetic of a step, on a block of entries that lie side by side.

use sixfold_linalg::simd::simd;

use crate::adam::config::{Rule, SparseAdamConfig};

/// Entries of a block; their numbers stay in the first-level cache.
pub(super) const BLOCK: usize = 256;

/// Numbers of a block, one each per entry.
pub(super) struct Block {
    pub(super) first: [f32; BLOCK],
    pub(super) second: [f32; BLOCK],
    /// Factors of m and of √v.
    pub(super) corrections: [[f32; BLOCK]; 2],
    /// Δ/lr, without decay of weights.
    pub(super) direction: [f32; BLOCK],
}

impl Block {
    pub(super) fn new() -> Self {
        Self {
            first: [0.0; BLOCK],
            second: [0.0; BLOCK],
            corrections: [[1.0; BLOCK]; 2],
            direction: [0.0; BLOCK],
        }
    }

    /// Moves the moments by the gradients, and finds where that leads.
    pub(super) fn step(&mut self, config: &SparseAdamConfig, gradients: &[f32]) {
        let n = gradients.len();
        let (first, direction) = (&mut self.first[..n], &mut self.direction[..n]);
        if config.rule == Rule::Momentum {
            let beta_1 = config.beta_1 as f32;
            for ((m, g), direction) in first.iter_mut().zip(gradients).zip(direction) {
                *m = beta_1 * *m + g;
                *direction = -*m;
            }
            return;
        }
        let second = &mut self.second[..n];
        let [of_first, of_second] = &self.corrections;
        let (of_first, of_second) = (&of_first[..n], &of_second[..n]);
        let epsilon = config.epsilon as f32;
        // Differences in f64: β₂ in f32 would be off by more than its distance from 1 allows.
        let (rest_1, rest_2) = ((1.0 - config.beta_1) as f32, (1.0 - config.beta_2) as f32);
        simd(
            #[inline(always)]
            || {
                for i in 0..n {
                    let g = gradients[i];
                    let m = first[i] + rest_1 * (g - first[i]);
                    let v = second[i] + rest_2 * (g * g - second[i]);
                    (first[i], second[i]) = (m, v);
                    direction[i] = -(m * of_first[i]) / (v.sqrt() * of_second[i] + epsilon);
                }
            },
        );
    }
}
