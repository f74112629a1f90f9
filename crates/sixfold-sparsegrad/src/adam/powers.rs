//! Powers of the betas, each computed once a step and not once an entry.

use crate::adam::config::{BiasCorrection, Rule, SparseAdamConfig};

/// Corrections of entries that were touched from `least` to `most` times.
///
/// With a fixed mask all entries are as old, and there is one pair.
pub(super) struct Corrections {
    least: u32,
    /// Factors of m and of √v.
    pairs: Vec<[f32; 2]>,
}

impl Corrections {
    pub(super) fn new(config: &SparseAdamConfig, least: u32, most: u32) -> Self {
        if config.rule == Rule::Momentum {
            return Self { least: 0, pairs: vec![[1.0, 1.0]] };
        }
        let (beta_1, beta_2) = (config.beta_1, config.beta_2);
        let global = config.bias_correction == BiasCorrection::Global;
        let mut powers = [beta_1.powf(f64::from(least)), beta_2.powf(f64::from(least))];
        let mut pairs = Vec::new();
        for _ in least..=most {
            let [first, second] = powers.map(|power| 1.0 - power);
            // SparseAdam adds ε to √v as it is, Adam to the corrected one.
            pairs.push(if global {
                [(second.sqrt() / first) as f32, 1.0]
            } else {
                [(1.0 / first) as f32, (1.0 / second.sqrt()) as f32]
            });
            // No later power tells in f32.
            if powers.iter().all(|power| *power < 1e-9) {
                break;
            }
            powers = [powers[0] * beta_1, powers[1] * beta_2];
        }
        Self { least, pairs }
    }

    /// Of an entry with so many touches.
    #[inline(always)]
    pub(super) fn of(&self, touches: u32) -> [f32; 2] {
        let at = touches.saturating_sub(self.least) as usize;
        self.pairs[at.min(self.pairs.len() - 1)]
    }
}

/// β₁ and β₂ to the number of steps missed.
pub(super) struct Decays(Vec<[f32; 2]>);

impl Decays {
    pub(super) fn new(config: &SparseAdamConfig, most: u32) -> Self {
        let mut powers = [1.0_f64; 2];
        let mut pairs = vec![[1.0; 2]];
        for _ in 0..most {
            powers = [powers[0] * config.beta_1, powers[1] * config.beta_2];
            pairs.push(powers.map(|power| power as f32));
            // Nothing is left of either in f32.
            if powers.iter().all(|power| *power < 1e-46) {
                break;
            }
        }
        Self(pairs)
    }

    #[inline(always)]
    pub(super) fn of(&self, missed: u32) -> [f32; 2] {
        self.0[(missed as usize).min(self.0.len() - 1)]
    }
}
