//! One token after the other: the likeliest, or one drawn.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::{NextScores, in_range, to_rows};
use crate::{Batch, Result, Seed};

/// How the next token is chosen, and when to stop.
#[derive(Clone, Debug, PartialEq)]
pub struct GenerateConfig {
    /// Tokens to add at most.
    pub max_new_tokens: usize,
    /// How the next token is chosen.
    pub sampling: Sampling,
    /// Tokens that end a sequence; they are kept.
    pub stop: Vec<u32>,
}

/// How the next token is chosen.
#[derive(Clone, Debug, PartialEq)]
pub enum Sampling {
    /// The most likely one; of equals the first.
    Greedy,
    /// One drawn from the softmax, after these cuts in this order.
    Sample {
        /// Divides the scores; above 0.
        temperature: f64,
        /// Keep this many of the most likely tokens.
        top_k: Option<usize>,
        /// Keep the fewest most likely tokens that together reach this probability.
        top_p: Option<f64>,
        /// Draws come from its stream `sample`.
        seed: Seed,
    },
}

impl GenerateConfig {
    /// Greedy, without stop tokens.
    pub fn greedy(max_new_tokens: usize) -> Self {
        Self { max_new_tokens, sampling: Sampling::Greedy, stop: Vec::new() }
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if let Sampling::Sample { temperature, top_k, top_p, .. } = &self.sampling {
            if !(temperature.is_finite() && *temperature > 0.0) {
                problems.push(format!("temperature {temperature} is not above 0"));
            }
            if *top_k == Some(0) {
                problems.push("top_k 0 keeps no token".to_owned());
            }
            if top_p.is_some_and(|p| !(p > 0.0 && p <= 1.0)) {
                problems.push(format!("top_p {} is not in (0, 1]", top_p.unwrap_or_default()));
            }
        }
        problems
    }
}

/// Continues every row of the batch; returns the new tokens of each.
pub(super) fn generate(
    model: &mut impl NextScores,
    first: &Batch,
    config: &GenerateConfig,
) -> Result<Vec<Vec<u32>>> {
    in_range(&config.problems())?;
    let rows = first.rows();
    let mut chooser = Chooser::new(&config.sampling);
    let mut new = vec![Vec::new(); rows];
    let mut done = vec![false; rows];
    let mut batch = first.clone();
    for _ in 0..config.max_new_tokens {
        let scores = to_rows(model.next_scores(&batch)?);
        let mut next = Vec::with_capacity(rows);
        for (row, scores) in scores.iter().enumerate() {
            let token = chooser.choose(scores);
            next.push(token);
            if !done[row] {
                new[row].push(token);
                done[row] = config.stop.contains(&token);
            }
        }
        if done.iter().all(|&done| done) {
            break;
        }
        batch = Batch::from_parts(rows, next, vec![true; rows])?;
    }
    Ok(new)
}

/// Chooses tokens from scores.
struct Chooser<'a> {
    sampling: &'a Sampling,
    rng: ChaCha8Rng,
}

impl<'a> Chooser<'a> {
    fn new(sampling: &'a Sampling) -> Self {
        let seed = match sampling {
            Sampling::Greedy => Seed::new(0),
            Sampling::Sample { seed, .. } => *seed,
        };
        Self { sampling, rng: seed.stream("sample") }
    }

    fn choose(&mut self, scores: &[f32]) -> u32 {
        let Sampling::Sample { temperature, top_k, top_p, .. } = self.sampling else {
            return best(scores);
        };
        let mut order: Vec<u32> = (0..scores.len() as u32).collect();
        order.sort_by(|&a, &b| scores[b as usize].total_cmp(&scores[a as usize]));
        order.truncate(top_k.unwrap_or(usize::MAX));
        let top = f64::from(scores[order[0] as usize]);
        let mut weights: Vec<f64> = order
            .iter()
            .map(|&id| ((f64::from(scores[id as usize]) - top) / temperature).exp())
            .collect();
        if let Some(p) = top_p {
            let total: f64 = weights.iter().sum();
            let mut reached = 0.0;
            let kept = weights.iter().take_while(|&&weight| {
                let more = reached < p * total;
                reached += weight;
                more
            });
            let kept = kept.count();
            weights.truncate(kept);
        }
        let mut left = uniform(&mut self.rng) * weights.iter().sum::<f64>();
        for (weight, &id) in weights.iter().zip(&order) {
            left -= weight;
            if left <= 0.0 {
                return id;
            }
        }
        order[weights.len() - 1]
    }
}

/// Uniform in [0, 1) with 53 bits.
fn uniform(rng: &mut impl Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

fn best(scores: &[f32]) -> u32 {
    let mut best = 0;
    for (i, score) in scores.iter().enumerate() {
        if *score > scores[best] {
            best = i;
        }
    }
    best as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(sampling: &Sampling, scores: &[f32], draws: usize) -> Vec<usize> {
        let mut chooser = Chooser::new(sampling);
        let mut counts = vec![0; scores.len()];
        for _ in 0..draws {
            counts[chooser.choose(scores) as usize] += 1;
        }
        counts
    }

    fn sample(top_k: Option<usize>, top_p: Option<f64>) -> Sampling {
        Sampling::Sample { temperature: 1.0, top_k, top_p, seed: Seed::new(3) }
    }

    #[test]
    fn draws_follow_the_softmax() {
        let scores = [0.5_f32.ln(), 0.3_f32.ln(), 0.2_f32.ln()];
        let counts = counts(&sample(None, None), &scores, 20_000);
        for (count, p) in counts.iter().zip([0.5_f64, 0.3, 0.2]) {
            let sd = (20_000.0 * p * (1.0 - p)).sqrt();
            assert!((*count as f64 - 20_000.0 * p).abs() < 4.0 * sd, "{counts:?}");
        }
    }

    #[test]
    fn cuts_keep_the_most_likely() {
        let scores = [0.2_f32.ln(), 0.5_f32.ln(), 0.3_f32.ln()];
        assert_eq!(counts(&sample(Some(2), None), &scores, 500)[0], 0);
        assert_eq!(counts(&sample(None, Some(0.4)), &scores, 500), [0, 500, 0]);
        assert_eq!(counts(&sample(None, Some(0.75)), &scores, 500)[0], 0);
        assert_eq!(counts(&Sampling::Greedy, &scores, 3), [0, 3, 0]);
    }
}
