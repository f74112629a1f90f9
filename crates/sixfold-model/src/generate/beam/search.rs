//! The engine: hypotheses that are carried side by side.

use burn::tensor::activation::log_softmax;

use super::super::{NextScores, in_range, to_rows};
use super::{BeamConfig, Hypothesis};
use crate::{Batch, Result};

/// A hypothesis that has not ended.
struct Running {
    source: usize,
    tokens: Vec<u32>,
    log_prob: f64,
}

/// One more token for a running hypothesis.
#[derive(Clone, Copy)]
struct Candidate {
    log_prob: f64,
    /// Row of the running hypothesis among all.
    row: usize,
    token: u32,
}

/// The hypotheses of every row of `first`, best first.
///
/// Of each source's continuations, the best `beams · (stop tokens + 1)` are looked at in order:
/// those that end are kept if they are among the first `beams`, and the first `beams` that do not
/// end run on. Equal ones go by row, then by token.
pub(in crate::generate) fn search(
    model: &mut impl NextScores,
    first: &Batch,
    config: &BeamConfig,
) -> Result<Vec<Vec<Hypothesis>>> {
    in_range(&config.problems())?;
    let mut found: Vec<Vec<Hypothesis>> = vec![Vec::new(); first.rows()];
    let mut running: Vec<Running> = (0..first.rows())
        .map(|source| Running { source, tokens: Vec::new(), log_prob: 0.0 })
        .collect();
    let mut batch = first.clone();
    for step in 1..=config.max_new_tokens {
        let log_probs = to_rows(log_softmax(model.next_scores(&batch)?, 1));
        let (mut rows, mut next) = (Vec::new(), Vec::new());
        let mut row = 0;
        for beams in running.chunk_by(|a, b| a.source == b.source) {
            let candidates = best(beams, row, &log_probs[row..row + beams.len()], config);
            row += beams.len();
            let source = beams[0].source;
            let ended = &mut found[source];
            let runs_from = next.len();
            for (rank, candidate) in candidates.into_iter().enumerate() {
                let stops = config.stop.contains(&candidate.token);
                if stops || step == config.max_new_tokens {
                    if rank < config.beams {
                        ended.push(candidate.end(&running, stops, config));
                    }
                } else if next.len() - runs_from < config.beams {
                    rows.push(candidate.row);
                    next.push(candidate.go_on(&running));
                }
            }
            // A stable sort: of equals, the one that ended first stays first.
            ended.sort_by(|a, b| b.score.total_cmp(&a.score));
            ended.truncate(config.beams);
            let best =
                next.get(runs_from).map_or(f64::NEG_INFINITY, |best: &Running| best.log_prob);
            if config.is_done(ended, best, step) {
                rows.truncate(runs_from);
                next.truncate(runs_from);
            }
        }
        running = next;
        if running.is_empty() {
            break;
        }
        model.select(&rows);
        let tokens = running.iter().filter_map(|beam| beam.tokens.last().copied()).collect();
        batch = Batch::from_parts(running.len(), tokens, vec![true; running.len()])?;
    }
    Ok(found)
}

/// The best continuations of one source's hypotheses, which stand from row `first_row` on.
fn best(
    beams: &[Running],
    first_row: usize,
    log_probs: &[Vec<f32>],
    config: &BeamConfig,
) -> Vec<Candidate> {
    // Every stop token may end each of the beams; this many always leave enough that run on.
    let wanted = config.beams.saturating_mul(config.stop.len() + 1);
    let mut all = Vec::new();
    for (i, (beam, log_probs)) in beams.iter().zip(log_probs).enumerate() {
        let candidate = |token: u32| Candidate {
            log_prob: beam.log_prob + f64::from(log_probs[token as usize]),
            row: first_row + i,
            token,
        };
        let mut of_row: Vec<Candidate> = (0..log_probs.len() as u32).map(candidate).collect();
        if wanted < of_row.len() {
            of_row.select_nth_unstable_by(wanted, Candidate::order);
            of_row.truncate(wanted);
        }
        all.append(&mut of_row);
    }
    all.sort_unstable_by(Candidate::order);
    all.truncate(wanted);
    all
}

impl Candidate {
    fn order(&self, other: &Self) -> std::cmp::Ordering {
        other
            .log_prob
            .total_cmp(&self.log_prob)
            .then(self.row.cmp(&other.row))
            .then(self.token.cmp(&other.token))
    }

    fn tokens(self, running: &[Running]) -> Vec<u32> {
        let so_far = &running[self.row].tokens;
        so_far.iter().copied().chain([self.token]).collect()
    }

    fn go_on(self, running: &[Running]) -> Running {
        Running {
            source: running[self.row].source,
            tokens: self.tokens(running),
            log_prob: self.log_prob,
        }
    }

    fn end(self, running: &[Running], ended: bool, config: &BeamConfig) -> Hypothesis {
        let tokens = self.tokens(running);
        let score = self.log_prob / config.length_penalty.divisor(tokens.len());
        Hypothesis { tokens, log_prob: self.log_prob, score, ended }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Tensor, TensorData};

    use super::super::{EarlyStop, LengthPenalty};
    use super::*;

    const END: u32 = 1;
    const A: u32 = 2;
    const B: u32 = 3;

    /// A chain of tokens: the next one depends on the last one alone. Keeps what it was fed.
    struct Chain {
        rows: Vec<Vec<u32>>,
        steps: usize,
    }

    impl NextScores for Chain {
        fn next_scores(&mut self, batch: &Batch) -> Result<Tensor<2>> {
            self.steps += 1;
            self.rows.resize(batch.rows(), Vec::new());
            let mut scores = Vec::new();
            for (row, &token) in self.rows.iter_mut().zip(batch.ids()) {
                row.push(token);
                let next = match token {
                    A => [1e-6, 0.35, 0.36, 0.29],
                    B => [1e-6, 0.98, 0.01, 0.01],
                    _ => [1e-6, 1e-6, 0.6, 0.4],
                };
                scores.extend(next.map(f32::ln));
            }
            let device = crate::device("flex")?;
            Ok(Tensor::from_data(TensorData::new(scores, [batch.rows(), 4]), &device))
        }

        fn select(&mut self, rows: &[usize]) {
            self.rows = rows.iter().map(|&row| self.rows[row].clone()).collect();
        }
    }

    fn run(config: &BeamConfig) -> (Vec<Hypothesis>, Chain) {
        let mut chain = Chain { rows: Vec::new(), steps: 0 };
        let first = Batch::from_parts(1, vec![0], vec![true]).unwrap();
        let mut found = search(&mut chain, &first, config).unwrap();
        (found.remove(0), chain)
    }

    #[test]
    fn two_beams_avoid_the_greedy_choice() {
        let config = |beams| BeamConfig {
            beams,
            length_penalty: LengthPenalty::None,
            ..BeamConfig::new(5, [END])
        };
        let (greedy, _) = run(&config(1));
        assert_eq!(greedy[0].tokens[0], A);
        let (found, _) = run(&config(2));
        assert_eq!(found[0].tokens, [B, END]);
        assert!((found[0].log_prob - (0.4_f64 * 0.98).ln()).abs() < 1e-5);
        assert!(found[0].log_prob > greedy[0].log_prob && found[0].ended);
    }

    #[test]
    fn rows_follow_their_hypotheses() {
        let config = BeamConfig { beams: 3, ..BeamConfig::new(4, []) };
        let (found, chain) = run(&config);
        assert!(found.iter().all(|found| !found.ended && found.tokens.len() == 4));
        for found in &found {
            let fed = [&[0], &found.tokens[..3]].concat();
            assert!(chain.rows.contains(&fed), "{fed:?} was not fed to one row: {:?}", chain.rows);
        }
    }

    #[test]
    fn the_rules_stop_one_after_the_other() {
        // A strong penalty makes long hypotheses attractive: full early, exhausted late.
        let steps = |early_stop| {
            let length_penalty = LengthPenalty::Power(1.0);
            let config =
                BeamConfig { beams: 2, length_penalty, early_stop, ..BeamConfig::new(30, [END]) };
            run(&config).1.steps
        };
        let full = steps(EarlyStop::WhenFull);
        // `B END` ends at the second token; `A END` is the third best there, behind `A A`.
        assert_eq!(full, 3);
        assert!(steps(EarlyStop::Unlikely) >= full);
        assert!(steps(EarlyStop::Impossible) > steps(EarlyStop::Unlikely));
    }
}
