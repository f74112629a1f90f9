//! The trigram model beside its formulas, and the perplexities made of it.

#![expect(clippy::float_cmp, reason = "the same sum twice is exact")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use sixfold_triggers::detect::{onion_filter, onion_scores};
use sixfold_triggers::{Error, LanguageModel, NgramLm, perplexity, prefix_ratio};

type Gram = Vec<u32>;

/// Interpolated Kneser–Ney by searching lists, from the formulas alone.
struct Plain {
    vocab: u32,
    grams: BTreeMap<Gram, u32>,
    pairs: BTreeMap<Gram, u32>,
    singles: BTreeMap<Gram, u32>,
}

impl Plain {
    fn new(texts: &[Vec<u32>], vocab: u32) -> Self {
        // The id `vocab` marks the start of a text.
        let marked: Vec<Gram> = texts
            .iter()
            .filter(|text| !text.is_empty())
            .map(|text| [&[vocab], &text[..]].concat())
            .collect();
        let count = |n: usize| {
            let mut counts: BTreeMap<Gram, u32> = BTreeMap::new();
            for text in &marked {
                for gram in text.windows(n) {
                    *counts.entry(gram.to_vec()).or_default() += 1;
                }
            }
            counts
        };
        let (grams, all_pairs) = (count(3), count(2));
        let before = |of: &BTreeMap<Gram, u32>, tail: &[u32]| {
            let symbols: BTreeSet<u32> =
                of.keys().filter(|gram| gram[1..] == *tail).map(|gram| gram[0]).collect();
            symbols.len() as u32
        };
        let pairs: BTreeMap<Gram, u32> = all_pairs
            .iter()
            .map(|(pair, &count)| {
                (pair.clone(), if pair[0] == vocab { count } else { before(&grams, pair) })
            })
            .collect();
        let singles = (0..vocab)
            .map(|w| (vec![w], before(&all_pairs, &[w])))
            .filter(|(_, count)| *count > 0)
            .collect();
        Self { vocab, grams, pairs, singles }
    }

    fn discount(counts: &BTreeMap<Gram, u32>) -> f64 {
        let of = |n: u32| counts.values().filter(|&&count| count == n).count() as f64;
        match of(1) + of(2) {
            0.0 => 0.5,
            _ => (of(1) / (of(1) + 2.0 * of(2))).clamp(0.1, 0.9),
        }
    }

    fn level(counts: &BTreeMap<Gram, u32>, context: &[u32], w: u32, below: f64) -> f64 {
        let d = Self::discount(counts);
        let after: Vec<(&Gram, &u32)> =
            counts.iter().filter(|(gram, _)| gram[..gram.len() - 1] == *context).collect();
        let total: u32 = after.iter().map(|(_, count)| **count).sum();
        if total == 0 {
            return below;
        }
        let own = after.iter().find(|(gram, _)| gram.last() == Some(&w)).map_or(0, |x| *x.1);
        (f64::from(own) - d).max(0.0) / f64::from(total)
            + d * after.len() as f64 / f64::from(total) * below
    }

    fn probability(&self, before: &[u32], w: u32) -> f64 {
        let context: Gram = [&[self.vocab], before].concat();
        let uniform = 1.0 / f64::from(self.vocab);
        let one = Self::level(&self.singles, &[], w, uniform);
        let two = Self::level(&self.pairs, &context[context.len() - 1..], w, one);
        match context.len() {
            1 => two,
            n => Self::level(&self.grams, &context[n - 2..], w, two),
        }
    }
}

fn texts() -> impl Strategy<Value = Vec<Vec<u32>>> {
    let text = prop::collection::vec(prop_oneof![3 => 0_u32..3, 1 => 0_u32..6], 0..9);
    prop::collection::vec(text, 1..14)
        .prop_filter("tokens", |texts| texts.iter().any(|text| !text.is_empty()))
}

fn train(texts: &[Vec<u32>], vocab: usize) -> NgramLm {
    NgramLm::train(texts.iter().map(|text| &text[..]), vocab).unwrap()
}

proptest! {
    /// Every probability, after contexts seen and unseen.
    #[test]
    fn probabilities_are_those_of_the_formulas(
        texts in texts(),
        context in prop::collection::vec(0_u32..7, 0..4),
    ) {
        let (model, plain) = (train(&texts, 7), Plain::new(&texts, 7));
        for w in 0..7 {
            let found = model.probability(&context, w).unwrap();
            let expected = plain.probability(&context, w);
            prop_assert!((found - expected).abs() < 1e-12, "{} {}", found, expected);
        }
    }

    /// They sum to one and none is zero, so no surprisal is infinite.
    #[test]
    fn probabilities_sum_to_one(
        texts in texts(),
        context in prop::collection::vec(0_u32..7, 0..4),
    ) {
        let model = train(&texts, 7);
        let p: Vec<f64> = (0..7).map(|w| model.probability(&context, w).unwrap()).collect();
        prop_assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        prop_assert!(p.iter().all(|&p| p > 0.0));
    }

    /// A perplexity is that of the chain of probabilities.
    #[test]
    fn perplexity_is_that_of_a_plain_loop(
        texts in texts(),
        ids in prop::collection::vec(0_u32..7, 1..12),
    ) {
        let (model, plain) = (train(&texts, 7), Plain::new(&texts, 7));
        let mut sum = 0.0;
        for i in 0..ids.len() {
            sum -= plain.probability(&ids[..i], ids[i]).ln();
        }
        let expected = (sum / ids.len() as f64).exp();
        let found = perplexity(&model, &ids).unwrap();
        prop_assert!((found / expected - 1.0).abs() < 1e-10, "{} {}", found, expected);
    }

    /// Deletion scores are those of texts that are built anew.
    #[test]
    fn onion_deletes_each_token_in_turn(
        texts in texts(),
        ids in prop::collection::vec(0_u32..7, 2..9),
    ) {
        let model = train(&texts, 7);
        let whole = perplexity(&model, &ids).unwrap();
        for (i, score) in onion_scores(&model, &ids).unwrap().into_iter().enumerate() {
            let mut rest = ids.clone();
            rest.remove(i);
            prop_assert!((score - (whole - perplexity(&model, &rest).unwrap())).abs() < 1e-12);
        }
    }

    /// The ratio is the best of the sums it is defined by.
    #[test]
    fn the_prefix_ratio_is_its_definition(
        texts in texts(),
        ids in prop::collection::vec(0_u32..7, 1..8),
    ) {
        let model = train(&texts, 7);
        let sum = |ids: &[u32]| model.surprisals(ids).unwrap().iter().sum::<f64>();
        let ratio = |m: usize| sum(&ids) - sum(&ids[m..]) - m as f64 * 5.0_f64.ln();
        let best = (1..=3.min(ids.len())).map(ratio).fold(f64::NEG_INFINITY, f64::max);
        prop_assert_eq!(prefix_ratio(&model, &ids, 3, 5).unwrap(), best);
    }
}

/// A text where one token does not belong.
#[test]
fn the_stranger_is_the_one_that_goes() {
    let texts = vec![vec![0, 1, 2, 3, 4]; 8];
    let model = train(&texts, 9);
    let attacked = [0, 1, 8, 2, 3, 4];
    let scores = onion_scores(&model, &attacked).unwrap();
    let highest = (0..6).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap();
    assert_eq!(highest, 2);
    let threshold = scores[2] - 1e-9;
    assert_eq!(onion_filter(&model, &attacked, threshold).unwrap(), [0, 1, 2, 3, 4]);
    // A filter that would leave nothing leaves all.
    assert_eq!(onion_filter(&model, &attacked, f64::NEG_INFINITY).unwrap(), attacked);
    assert_eq!(onion_scores(&model, &[8]).unwrap(), [0.0]);
}

#[test]
fn what_does_not_fit_is_named() {
    let none: [&[u32]; 2] = [&[], &[]];
    assert!(matches!(NgramLm::train(none, 3).unwrap_err(), Error::Empty { .. }));
    let wrong = NgramLm::train([&[3_u32][..]], 3).unwrap_err();
    assert_eq!(wrong.to_string(), "a token id is 3, expected below 3");
    let model = train(&[vec![0, 1]], 3);
    assert!(model.surprisals(&[0, 7]).is_err());
    assert!(model.probability(&[7, 0], 0).is_err());
    assert!(perplexity(&model, &[]).is_err());
    let wrong = prefix_ratio(&model, &[0], 0, 0).unwrap_err().to_string();
    assert!(wrong.contains("longest is 0") && wrong.contains("candidates is 0"), "{wrong}");
}
