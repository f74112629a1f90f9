//! The whole search again, by plain loops.

use std::ops::ControlFlow;

use ndarray::{Array3, ArrayView2};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use sixfold_triggers::{Example, Search, SearchConfig};

use crate::toy::{Bag, Told, allowed, texts};

const VOCAB: usize = 15;

/// Examples fooled, and 10⁻⁹ nats that the clean class lost.
type Key = (usize, i64);

struct Oracle<'a> {
    bag: &'a Bag,
    examples: &'a [Example],
    beam: usize,
    top_k: usize,
}

impl Oracle<'_> {
    fn probabilities(&self, ids: &[u32]) -> Vec<f64> {
        let sums: Vec<f64> = (0..self.bag.weights.ncols())
            .map(|class| {
                // In f32 and in the order of the tokens, as the victim adds.
                let sum: f32 = ids.iter().map(|id| self.bag.weights[(*id as usize, class)]).sum();
                f64::from(sum)
            })
            .collect();
        let most = sums.iter().copied().fold(f64::MIN, f64::max);
        let total: f64 = sums.iter().map(|sum| (sum - most).exp()).sum();
        sums.iter().map(|sum| sum - most - total.ln()).collect()
    }

    fn key(&self, trigger: &[u32]) -> Key {
        let (mut fooled, mut drop) = (0, 0);
        let best =
            |p: &[f64]| (1..p.len()).fold(0, |best, c| if p[c] > p[best] { c } else { best });
        for example in self.examples {
            let clean = &example.clean().ids;
            let attacked = [&clean[..1], trigger, &clean[1..]].concat();
            let (before, after) = (self.probabilities(clean), self.probabilities(&attacked));
            let class = best(&before);
            fooled += usize::from(best(&after) != class);
            drop += ((before[class] - after[class]) * 1e9).round() as i64;
        }
        (fooled, drop)
    }

    /// The best trigger of one update.
    fn update(&self, trigger: &[u32], scores: ArrayView2<'_, f32>, keeps: bool) -> Vec<u32> {
        let mut beam = vec![trigger.to_vec()];
        for (place, row) in scores.rows().into_iter().enumerate() {
            let mut order: Vec<u32> = (2..VOCAB as u32).collect();
            order.sort_by(|a, b| row[*b as usize].total_cmp(&row[*a as usize]).then(a.cmp(b)));
            let mut pool = if keeps || place > 0 { beam.clone() } else { Vec::new() };
            for kept in &beam {
                for token in &order[..self.top_k] {
                    let mut grown = kept.clone();
                    grown[place] = *token;
                    pool.push(grown);
                }
            }
            let key = |ids: &Vec<u32>| {
                let (fooled, drop) = self.key(ids);
                (std::cmp::Reverse(fooled), std::cmp::Reverse(drop), ids.clone())
            };
            pool.sort_by_cached_key(key);
            pool.dedup();
            pool.truncate(self.beam);
            beam = pool;
        }
        beam.swap_remove(0)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn every_update_is_that_of_plain_loops(
        seed in 0_u64..10_000,
        classes in 2_usize..4,
        length in 1_usize..4,
        beam in 1_usize..4,
        top_k in 1_usize..6,
        keep_incumbent: bool,
        levels in 2_u8..9,
    ) {
        let bag = Bag::random(VOCAB, classes, seed);
        let examples = texts(25, VOCAB, seed + 1);
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        // Few different scores: ties go to the lower id.
        let values = Array3::from_shape_simple_fn((4, length, VOCAB), || {
            f32::from(rng.random_range(0..levels))
        });
        let config = SearchConfig {
            length, beam, top_k, keep_incumbent,
            batch: 25,
            monitor: 25,
            updates: 4,
            racing: None,
            init: vec![3],
            ..SearchConfig::default()
        };
        let search = Search::new(config, &examples, allowed(VOCAB), &bag).unwrap();
        let mut scorer = Told::new(values.clone());
        let found = search
            .run(&mut search.start(), &mut scorer, |_| ControlFlow::Continue(()))
            .unwrap();
        let oracle = Oracle { bag: &bag, examples: &examples, beam, top_k };
        let mut trigger = vec![3; length];
        let mut best = (oracle.key(&trigger).0, trigger.clone());
        for (update, scores) in found.history.iter().zip(values.outer_iter()) {
            trigger = oracle.update(&trigger, scores, keep_incumbent);
            prop_assert_eq!(&update.trigger, &trigger);
            let (fooled, drop) = oracle.key(&trigger);
            let rate = update.batch.unwrap();
            prop_assert_eq!((rate.fooled as usize, rate.drop), (fooled, drop));
            if fooled > best.0 {
                best = (fooled, trigger.clone());
            }
        }
        prop_assert_eq!((found.rate.fooled as usize, found.trigger.ids), best);
    }
}
