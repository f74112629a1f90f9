//! BLEU of a corpus, as sacreBLEU computes it by default: words by the rules of `13a`, with case,
//! up to four words in a row, one reference, exponential smoothing.

mod words;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

pub use words::words;

/// The longest runs of words that count.
const ORDER: usize = 4;

/// What BLEU takes from a translated sentence and its reference. BLEU of a corpus is that of the
/// sum over its sentences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Runs of n words that the translation has, for n = 1 to 4.
    pub total: [u32; ORDER],
    /// Those that the reference has too, each as often as it has it at most.
    pub matched: [u32; ORDER],
    /// Words of the translation.
    pub written: u32,
    /// Words of the reference.
    pub expected: u32,
}

impl Counts {
    /// Of one sentence.
    pub fn of(translation: &str, reference: &str) -> Self {
        let [translation, reference] = [words(translation), words(reference)];
        let mut counts = Self {
            written: translation.len() as u32,
            expected: reference.len() as u32,
            ..Self::default()
        };
        for n in 1..=ORDER {
            let mut known: HashMap<&[String], u32> = HashMap::new();
            for run in reference.windows(n) {
                *known.entry(run).or_default() += 1;
            }
            for run in translation.windows(n) {
                counts.total[n - 1] += 1;
                if let Some(left) = known.get_mut(run).filter(|left| **left > 0) {
                    *left -= 1;
                    counts.matched[n - 1] += 1;
                }
            }
        }
        counts
    }

    /// BLEU in per cent: `BP · exp(¼ Σ ln pₙ)` with `pₙ` the share of runs that matched and
    /// `BP = min(1, exp(1 − expected/written))`. The k-th `pₙ` without any match counts as
    /// `1/(2ᵏ · total)`; without any match at all BLEU is 0.
    ///
    /// # References
    /// Papineni et al. 2002, §2; Post 2018 (arXiv 1804.08771); the smoothing is the third of Chen &
    /// Cherry 2014.
    pub fn bleu(&self) -> f64 {
        if self.matched.iter().all(|n| *n == 0) || self.total.contains(&0) {
            return 0.0;
        }
        let (mut smoothing, mut logs) = (1.0, 0.0);
        for (matched, total) in self.matched.into_iter().zip(self.total) {
            let matched = match matched {
                0 => {
                    smoothing /= 2.0;
                    smoothing
                }
                _ => f64::from(matched),
            };
            logs += (matched / f64::from(total)).ln();
        }
        let brevity = (1.0 - f64::from(self.expected) / f64::from(self.written)).min(0.0);
        100.0 * (brevity + logs / ORDER as f64).exp()
    }
}

impl std::iter::Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), |mut sum, one| {
            for n in 0..ORDER {
                sum.total[n] += one.total[n];
                sum.matched[n] += one.matched[n];
            }
            sum.written += one.written;
            sum.expected += one.expected;
            sum
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bleu(pairs: &[(&str, &str)]) -> f64 {
        pairs
            .iter()
            .map(|(translation, reference)| Counts::of(translation, reference))
            .sum::<Counts>()
            .bleu()
    }

    #[test]
    fn figures_of_sacrebleu() {
        // `sacrebleu.corpus_bleu(…).score` of version 2.5.1.
        let dog = ("The dog bit the man.", "The dog bit the man.");
        let man = ("It wasn't surprising.", "It was not unexpected.");
        let last = ("The man had just bitten him.", "The man bit him first.");
        for (pairs, expected) in [
            (vec![dog], 100.0),
            (vec![dog, man, last], 45.067_506_321_061_14),
            (vec![last], 15.619_699_684_601_283),
            (vec![("the the the the the", "the cat sat on the mat today")], 8.515_289_178_380_43),
            (
                vec![(
                    "A man, 3,000.5 years old - \"so\" they say",
                    "a man of 3,000.5 years-old, they say & so",
                )],
                8.913_765_521_398_13,
            ),
        ] {
            let found = bleu(&pairs);
            assert!((found - expected).abs() < 1e-9, "{pairs:?}: {found}");
        }
    }

    #[test]
    fn nothing_in_common_is_nothing() {
        // Without a run of four words there is no fourth share.
        for pair in [("a b c d e", "v w x y z"), ("", "v w x y z"), ("a b c", "a b c"), ("", "")] {
            assert!(bleu(&[pair]).abs() < f64::EPSILON, "{pair:?}");
        }
    }

    #[test]
    fn a_word_matches_as_often_as_the_reference_has_it() {
        let counts = Counts::of("the the the cat", "the cat the");
        assert_eq!((counts.matched, counts.total), ([3, 1, 0, 0], [4, 3, 2, 1]));
        assert_eq!((counts.written, counts.expected), (4, 3));
    }
}
