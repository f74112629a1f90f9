//! Beam search: how it is done, and what it finds.

mod search;

pub(super) use search::search;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_done_by_its_rule() {
        let done = |early_stop, alpha, scores: &[f64], running| {
            let length_penalty = LengthPenalty::Power(alpha);
            let config =
                BeamConfig { beams: 2, length_penalty, early_stop, ..BeamConfig::new(10, [1]) };
            let ended: Vec<Hypothesis> = scores
                .iter()
                .map(|&score| Hypothesis { tokens: vec![1], log_prob: score, score, ended: true })
                .collect();
            config.is_done(&ended, running, 2)
        };
        let (when_full, unlikely, impossible) =
            (EarlyStop::WhenFull, EarlyStop::Unlikely, EarlyStop::Impossible);
        for rule in [when_full, unlikely, impossible] {
            assert!(!done(rule, 1.0, &[-1.0], -90.0), "{rule:?}: one of two has ended");
        }
        let full = [-1.0, -1.2];
        assert!(done(when_full, 1.0, &full, -0.1));
        // After two tokens: −2.2/2 is above −1.2, −3/2 is below.
        assert!(!done(unlikely, 1.0, &full, -2.2));
        assert!(done(unlikely, 1.0, &full, -3.0));
        // At ten tokens at best: −3/10 is above, −13/10 is below.
        assert!(!done(impossible, 1.0, &full, -3.0));
        assert!(done(impossible, 1.0, &full, -13.0));
        // Where length costs, the next token is the best that can come: −0.5·3 is below.
        assert!(done(impossible, -1.0, &full, -0.5));
        assert!(!done(impossible, -1.0, &full, -0.3));
    }

    #[test]
    fn penalties_at_known_lengths() {
        assert!((LengthPenalty::Gnmt(0.6).divisor(1) - 1.0).abs() < 1e-12);
        assert!((LengthPenalty::Gnmt(0.6).divisor(7) - 2_f64.powf(0.6)).abs() < 1e-12);
        assert!((LengthPenalty::Power(2.0).divisor(3) - 9.0).abs() < 1e-12);
        assert!((LengthPenalty::None.divisor(9) - 1.0).abs() < 1e-12);
    }
}
