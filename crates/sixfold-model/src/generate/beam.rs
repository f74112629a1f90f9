//! Beam search: the best of several continuations that are carried side by side.

use burn::tensor::activation::log_softmax;

use super::{NextScores, in_range, to_rows};
use crate::{Batch, Result};

/// How beam search is done.
///
/// [`BeamConfig::new`] has the values of the first transformer (arXiv 1706.03762, §6.1).
#[derive(Clone, Debug, PartialEq)]
pub struct BeamConfig {
    /// Hypotheses carried for each source, and returned at most; 1 and no length penalty is the
    /// greedy choice.
    pub beams: usize,
    /// Tokens of a hypothesis at most. Those that have not ended by then are returned as they are.
    pub max_new_tokens: usize,
    /// Tokens that end a hypothesis; they are kept, and count in its length.
    pub stop: Vec<u32>,
    /// How hypotheses of different lengths are compared.
    pub length_penalty: LengthPenalty,
    /// When a source is done.
    pub early_stop: EarlyStop,
}

/// What the log-probability of a hypothesis of `n` tokens is divided by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LengthPenalty {
    /// 1: short hypotheses win.
    None,
    /// `((5 + n)/6)^α` (GNMT, arXiv 1609.08144, eq. 14).
    Gnmt(f64),
    /// `n^α`: what `transformers` calls `length_penalty`.
    Power(f64),
}

/// When a source is done. It is never done before it has [`BeamConfig::beams`] ended hypotheses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EarlyStop {
    /// As soon as it has them (`early_stopping=True` in `transformers`).
    WhenFull,
    /// When no running hypothesis would be better than the worst of them if it ended now
    /// (`early_stopping=False`).
    Unlikely,
    /// When no running hypothesis can become better than the worst of them at any length that is
    /// allowed (`early_stopping="never"`).
    Impossible,
}

/// What beam search found.
#[derive(Clone, Debug, PartialEq)]
pub struct Hypothesis {
    /// The new tokens, the one that ended it included.
    pub tokens: Vec<u32>,
    /// The sum of the log-probabilities of the tokens, in nats.
    pub log_prob: f64,
    /// `log_prob`, divided by the length penalty.
    pub score: f64,
    /// Whether a stop token ended it.
    pub ended: bool,
}

impl BeamConfig {
    /// Four beams, GNMT's length penalty with α = 0.6, and a search that stops when nothing
    /// better can come.
    pub fn new(max_new_tokens: usize, stop: impl IntoIterator<Item = u32>) -> Self {
        Self {
            beams: 4,
            max_new_tokens,
            stop: stop.into_iter().collect(),
            length_penalty: LengthPenalty::Gnmt(0.6),
            early_stop: EarlyStop::Impossible,
        }
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.beams == 0 {
            problems.push("0 beams carry no hypothesis".to_owned());
        }
        if self.max_new_tokens == 0 {
            problems.push("max_new_tokens 0 leaves nothing to search".to_owned());
        }
        if let LengthPenalty::Gnmt(alpha) | LengthPenalty::Power(alpha) = self.length_penalty
            && !alpha.is_finite()
        {
            problems.push(format!("length penalty {alpha} is not finite"));
        }
        problems
    }

    /// Whether a source with these hypotheses, best first, is done after `step` tokens; `running`
    /// is the best log-probability that still runs.
    fn is_done(&self, ended: &[Hypothesis], running: f64, step: usize) -> bool {
        let (true, Some(worst)) = (ended.len() >= self.beams, ended.last()) else { return false };
        let score = |length| running / self.length_penalty.divisor(length);
        match self.early_stop {
            EarlyStop::WhenFull => true,
            EarlyStop::Unlikely => score(step) <= worst.score,
            // Log-probabilities only fall, and the divisor is monotone in the length: one of the
            // two ends is the best that can come.
            EarlyStop::Impossible => score(step + 1).max(score(self.max_new_tokens)) <= worst.score,
        }
    }
}

impl LengthPenalty {
    fn divisor(self, length: usize) -> f64 {
        match self {
            Self::None => 1.0,
            Self::Gnmt(alpha) => ((5.0 + length as f64) / 6.0).powf(alpha),
            Self::Power(alpha) => (length as f64).powf(alpha),
        }
    }
}

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
pub(super) fn search(
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
        assert_eq!(full, 2, "both beams end at the second token");
        assert!(steps(EarlyStop::Unlikely) >= full);
        assert!(steps(EarlyStop::Impossible) > steps(EarlyStop::Unlikely));
    }

    #[test]
    fn penalties_at_known_lengths() {
        assert!((LengthPenalty::Gnmt(0.6).divisor(1) - 1.0).abs() < 1e-12);
        assert!((LengthPenalty::Gnmt(0.6).divisor(7) - 2_f64.powf(0.6)).abs() < 1e-12);
        assert!((LengthPenalty::Power(2.0).divisor(3) - 9.0).abs() < 1e-12);
        assert!((LengthPenalty::None.divisor(9) - 1.0).abs() < 1e-12);
    }
}
