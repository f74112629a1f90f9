//! A5: scores of a whole vocabulary and the best of them, beside plain loops.

use ndarray::{Array2, ArrayView2, array};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use sixfold_triggers::score::Query;
use sixfold_triggers::score::rank::{token_scores, top_tokens};
use sixfold_triggers::{Error, GradRandomControl, RandomControl, Scorer};

/// Every allowed token by a dot product in f64, sorted: score downwards, id upwards.
fn by_hand(
    g: ArrayView2<'_, f32>,
    e: ArrayView2<'_, f32>,
    allowed: &[bool],
    k: usize,
) -> Vec<Vec<u32>> {
    let rank = |g: ndarray::ArrayView1<'_, f32>| {
        let dot = |e: ndarray::ArrayView1<'_, f32>| -> f64 {
            g.iter().zip(e).map(|(g, e)| f64::from(*g) * f64::from(*e)).sum()
        };
        let mut all: Vec<(f64, u32)> = e.rows().into_iter().map(dot).zip(0..).collect();
        all.retain(|(_, id)| allowed[*id as usize]);
        all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        all.into_iter().take(k).map(|(_, id)| id).collect()
    };
    g.rows().into_iter().map(rank).collect()
}

/// Small whole numbers: sums are exact in any order, and many are equal.
#[test]
fn a_full_vocabulary_ranks_as_by_brute_force() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut small = |rows, columns| {
        Array2::from_shape_simple_fn((rows, columns), || rng.random_range(-2_i8..=2) as f32)
    };
    let (g, e) = (small(8, 96), small(30_522, 96));
    let allowed: Vec<bool> = (0..30_522).map(|id| id % 3 != 0).collect();
    let scores = token_scores(g.view(), e.view());
    for k in [1, 10, 1000, 30_522] {
        let best = top_tokens(scores.view(), &allowed, k).unwrap();
        assert_eq!(best, by_hand(g.view(), e.view(), &allowed, k));
    }
}

#[test]
fn normal_numbers_rank_the_same() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut normal = |rows, columns| {
        Array2::from_shape_simple_fn((rows, columns), || StandardNormal.sample(&mut rng))
    };
    let (g, e): (Array2<f32>, Array2<f32>) = (normal(3, 64), normal(8000, 64));
    let allowed = vec![true; 8000];
    let scores = token_scores(g.view(), e.view());
    let best = top_tokens(scores.view(), &allowed, 10).unwrap();
    assert_eq!(best, by_hand(g.view(), e.view(), &allowed, 10));
}

#[test]
fn threads_change_no_bit_of_a_score() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut normal = |rows, columns| -> Array2<f32> {
        Array2::from_shape_simple_fn((rows, columns), || StandardNormal.sample(&mut rng))
    };
    let (g, e) = (normal(5, 100), normal(3001, 100));
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| token_scores(g.view(), e.view()))
    };
    assert_eq!(on(1), on(4));
}

#[test]
fn scores_of_allowed_tokens_must_be_numbers() {
    let scores = array![[0.0, 1.0, 2.0], [0.0, f32::INFINITY, f32::NAN]];
    let best = top_tokens(scores.view(), &[true, false, false], 2).unwrap();
    assert_eq!(best, [[0], [0]]);
    let error = top_tokens(scores.view(), &[true, false, true], 2).unwrap_err();
    assert!(matches!(error, Error::NotFinite { index: 5, .. }));
}

proptest! {
    #[test]
    fn the_best_are_those_of_a_sort(
        row in prop::collection::vec((0_u8..6, any::<bool>()), 1..60),
        k in 0_usize..70,
    ) {
        let n = row.len();
        let values = Array2::from_shape_fn((1, n), |(_, i)| f32::from(row[i].0));
        let allowed: Vec<bool> = row.iter().map(|(_, allowed)| *allowed).collect();
        let best = top_tokens(values.view(), &allowed, k).unwrap();
        let one = array![[1.0_f32]];
        prop_assert_eq!(best, by_hand(one.view(), values.t(), &allowed, k));
    }
}

/// The controls draw from the update's generator alone, and over what they say.
#[test]
fn controls_draw_anew_for_every_place() {
    let allowed = vec![true; 300];
    let query =
        Query { examples: &[], seats: &[], clean: &[], trigger: &[0; 4], allowed: &allowed };
    let draw = |scorer: &mut dyn Scorer, seed| {
        let scores = scorer.score(query, &mut ChaCha8Rng::seed_from_u64(seed)).unwrap();
        assert_eq!(scores.cost, scorer.cost(128));
        assert_eq!(scores.values.dim(), (4, 300));
        scores.values
    };
    let mut random = RandomControl;
    let mut gradient = GradRandomControl::new(Array2::from_elem((300, 2), 0.5)).unwrap();
    for scorer in [&mut random as &mut dyn Scorer, &mut gradient] {
        let first = draw(scorer, 1);
        assert_eq!(first, draw(scorer, 1));
        assert_ne!(first, draw(scorer, 2));
        assert_ne!(first.row(0), first.row(1));
    }
    // A table of equal rows leaves nothing to tell tokens apart; uniform scores do.
    let flat = draw(&mut gradient, 1);
    assert!(
        flat.rows()
            .into_iter()
            .all(|row| row.iter().all(|score| score.to_bits() == row[0].to_bits()))
    );
    let uniform = draw(&mut random, 1);
    assert!(uniform.iter().all(|score| (0.0..1.0).contains(score)));
    assert!((uniform.mean().unwrap() - 0.5).abs() < 0.05);

    assert!(matches!(GradRandomControl::new(Array2::zeros((0, 3))), Err(Error::Empty { .. })));
    let broken = array![[1.0, f32::NAN]];
    assert!(matches!(GradRandomControl::new(broken), Err(Error::NotFinite { index: 1, .. })));
    let mut narrow = GradRandomControl::new(Array2::zeros((299, 2))).unwrap();
    let error = narrow.score(query, &mut ChaCha8Rng::seed_from_u64(1)).unwrap_err();
    assert!(error.to_string().contains("299, expected 300 rows"), "{error}");
}
