//! What a search finds, what it costs, and what it refuses.

use std::ops::ControlFlow;

use ndarray::{Array2, Array3, array};
use proptest::prelude::*;
use sixfold_triggers::{
    Clean, Error, Example, Field, Forwards, GradRandomControl, Placement, RacingConfig,
    RandomControl, Result, Scorer, Search, SearchConfig, SearchOutcome, Sequence, Stop,
};

use crate::toy::{Bag, Told, allowed, text, texts};

const VOCAB: usize = 40;

fn config() -> SearchConfig {
    SearchConfig { batch: 64, monitor: 100, updates: 8, init: vec![2], ..SearchConfig::default() }
}

fn run<S: Scorer>(
    config: SearchConfig,
    examples: &[Example],
    bag: &Bag,
    scorer: &mut S,
) -> Result<SearchOutcome> {
    let search = Search::new(config, examples, allowed(bag.weights.nrows()), bag)?;
    search.run(&mut search.start(), scorer, |_| ControlFlow::Continue(()))
}

/// With all tokens tried on all examples, one token is the best of all tokens.
#[test]
fn one_token_is_the_best_of_all() {
    for seed in 0..5 {
        let bag = Bag::random(VOCAB, 3, seed);
        let examples = texts(150, VOCAB, seed + 100);
        let config = SearchConfig {
            length: 1,
            top_k: VOCAB,
            batch: 150,
            monitor: 150,
            racing: None,
            ..config()
        };
        let found = run(config, &examples, &bag, &mut RandomControl).unwrap();
        let most = (2..VOCAB as u32).map(|id| bag.fooled(&examples, &[id])).max().unwrap();
        assert!(most > 0);
        assert_eq!(found.rate.fooled, most);
        assert_eq!(bag.fooled(&examples, &found.trigger.ids), most);
        let differ = found.classes.iter().zip(Clean::of(&bag, &examples, 1000).unwrap().classes);
        assert_eq!(differ.filter(|(with, without)| *with != without).count() as u64, most);
    }
}

/// Class 1 is a token that no text has; a trigger of three of them is the only one that wins.
#[test]
fn a_known_trigger_of_three_is_found() {
    let mut weights = Array2::zeros((VOCAB, 2));
    weights.column_mut(0).fill(0.25);
    weights[(31, 1)] = 1.5;
    let bag = Bag::new(weights);
    let examples: Vec<Example> = (0..50).map(|i| text(&[3 + i % 20; 10])).collect();
    let config = SearchConfig { top_k: VOCAB, updates: 2, ..config() };
    let found = run(config, &examples, &bag, &mut RandomControl).unwrap();
    assert_eq!(found.trigger.ids, [31, 31, 31]);
    assert_eq!(found.rate.fooled, 50);
}

#[test]
fn the_same_seed_gives_the_same_search() {
    let bag = Bag::random(VOCAB, 3, 1);
    let examples = texts(200, VOCAB, 2);
    let table = bag.weights.clone();
    let search = |seed| {
        let mut scorer = GradRandomControl::new(table.clone()).unwrap();
        run(SearchConfig { seed, ..config() }, &examples, &bag, &mut scorer).unwrap()
    };
    assert_eq!(search(3), search(3));
    assert_ne!(search(3).history, search(4).history);
}

#[test]
fn threads_change_nothing() {
    let bag = Bag::random(2000, 3, 1);
    let examples = texts(200, 2000, 2);
    let on = |threads| {
        let pool = rayon_pool(threads);
        let (weights, examples) = (&bag.weights, &examples);
        pool.install(|| {
            let mut scorer = GradRandomControl::new(weights.clone()).unwrap();
            run(config(), examples, &Bag::new(weights.clone()), &mut scorer).unwrap()
        })
    };
    assert_eq!(on(1), on(3));
}

fn rayon_pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

/// The batch never gets worse by an update, and the best on the monitor only better.
#[test]
fn a_kept_incumbent_makes_updates_monotone() {
    for seed in 0..5 {
        let bag = Bag::random(VOCAB, 3, seed);
        let examples = texts(300, VOCAB, seed + 50);
        let config = SearchConfig { seed, beam: 2, patience: 50, updates: 15, ..config() };
        let found = run(config, &examples, &bag, &mut RandomControl).unwrap();
        assert_eq!(found.history.len(), 15);
        let mut best = 0;
        for update in &found.history {
            let (now, before) = (update.batch.unwrap(), update.incumbent.unwrap());
            assert!(now.order(&before).is_ge());
            assert_eq!(update.watched.is_some(), now.fooled > before.fooled);
            if let Some(rate) = update.watched.filter(|_| update.improved) {
                assert!(rate.fooled > best);
                best = rate.fooled;
            }
        }
        assert_eq!(best, found.best.rate.fooled);
    }
}

/// Without it the first token changes to one of those proposed, whatever that does.
#[test]
fn an_incumbent_that_is_not_kept_is_left() {
    let bag = Bag::new(Array2::zeros((8, 2)));
    let examples = texts(20, 8, 1);
    let mut values = Array3::zeros((1, 1, 8));
    values[(0, 0, 5)] = 1.0;
    let config = |keep_incumbent| SearchConfig {
        length: 1,
        top_k: 1,
        updates: 1,
        keep_incumbent,
        ..config()
    };
    let kept = run(config(true), &examples, &bag, &mut Told::new(values.clone())).unwrap();
    let left = run(config(false), &examples, &bag, &mut Told::new(values)).unwrap();
    assert_eq!(kept.history[0].trigger, [2]);
    assert_eq!(left.history[0].trigger, [5]);
}

/// Tokens that come back one by one need not do so side by side: no trigger has 4 before 5.
#[test]
fn triggers_that_do_not_come_back_are_not_tried() {
    let mut weights = Array2::zeros((8, 2));
    weights[(2, 0)] = 1.0;
    weights.column_mut(1).assign(&array![0.0, 0.0, 0.0, 0.0, 1.0, 0.9, 0.0, 0.0]);
    let bag = Bag::new(weights);
    let examples = vec![text(&[2, 2]); 10];
    let mut values = Array3::zeros((1, 2, 8));
    values[(0, 0, 4)] = 1.0;
    values[(0, 1, 5)] = 1.0;
    let config = SearchConfig { length: 2, top_k: 1, updates: 1, init: vec![7], ..config() };
    let reproduces = |ids: &[u32]| !ids.windows(2).any(|pair| pair == [4, 5]);
    for (keep_incumbent, path) in [(true, [[4, 7], [4, 7]]), (false, [[4, 7], [4, 7]])] {
        let config = SearchConfig { keep_incumbent, ..config.clone() };
        let search = Search::new(config, &examples, allowed(8), &bag).unwrap();
        let run = |search: Search<'_, Bag>| {
            let mut scorer = Told::new(values.clone());
            search.run(&mut search.start(), &mut scorer, |_| ControlFlow::Continue(())).unwrap()
        };
        assert_eq!(run(search.with_round_trip(&reproduces)).history[0].path, path);
    }
    // Where nothing may stand, the search goes on with what it has.
    let config = SearchConfig { keep_incumbent: false, ..config };
    let search = Search::new(config, &examples, allowed(8), &bag).unwrap();
    let search = search.with_round_trip(&|_| false);
    let mut scorer = Told::new(values);
    let found = search.run(&mut search.start(), &mut scorer, |_| ControlFlow::Continue(()));
    let found = found.unwrap();
    assert_eq!(found.history[0].path, [[7, 7], [7, 7]]);
    assert_eq!(found.history[0].batch.unwrap().examples, 10);
}

/// Among triggers that fool equally many, the one that takes more of the clean class, then the lower id.
#[test]
fn ties_go_to_the_larger_drop_and_then_to_lower_ids() {
    // Class 0 always, by 1; tokens 4 and 5 take the same from it, 3 and 6 less.
    let mut weights = Array2::zeros((8, 2));
    weights[(7, 0)] = 1.0;
    weights.column_mut(1).assign(&array![0.0, 0.0, 0.0, 0.1, 0.3, 0.3, 0.2, 0.0]);
    let bag = Bag::new(weights);
    let examples = vec![text(&[2, 7, 2]); 10];
    let config = SearchConfig { length: 1, top_k: 8, ..config() };
    let found = run(config, &examples, &bag, &mut RandomControl).unwrap();
    assert_eq!(found.history[0].trigger, [4]);
    assert_eq!(found.rate.fooled, 0);
}

/// The ledger is what the victim was really asked.
#[test]
fn the_ledger_counts_every_sequence() {
    for racing in [None, Some(RacingConfig::default())] {
        let bag = Bag::random(VOCAB, 3, 1);
        let examples = texts(130, VOCAB, 2);
        let config = SearchConfig { racing, ..config() };
        let found = run(config, &examples, &bag, &mut RandomControl).unwrap();
        let ledger = found.ledger;
        assert_eq!(ledger.clean, Forwards(130.0));
        assert_eq!(ledger.full, Forwards(130.0));
        let asked = bag.asked() as f64;
        assert_eq!(Forwards(ledger.clean.0 + ledger.spent().0), Forwards(asked));
    }
}

/// A trigger that is known on a set is not tried there again.
#[test]
fn rates_that_are_known_cost_nothing() {
    let bag = Bag::new(Array2::zeros((8, 2)));
    let examples = texts(20, 8, 1);
    let config =
        SearchConfig { length: 1, top_k: 8, racing: None, monitor: 20, updates: 5, ..config() };
    // All examples are in every batch, and nothing ever changes.
    let found = run(config, &examples, &bag, &mut RandomControl).unwrap();
    assert_eq!(found.history.len(), 5);
    // The first trigger is token 2, known from the monitor; five others are tried once.
    assert_eq!(found.ledger.monitor, Forwards(20.0));
    assert_eq!(found.ledger.verify, Forwards(100.0));
}

#[test]
fn calls_keep_to_their_positions() {
    let bag = Bag::random(VOCAB, 3, 1);
    let examples = texts(100, VOCAB, 2);
    let whole = run(config(), &examples, &bag, &mut RandomControl).unwrap();
    let small = Bag::random(VOCAB, 3, 1);
    let positions = 57;
    let config = SearchConfig { positions, ..config() };
    let cut = run(config, &examples, &small, &mut RandomControl).unwrap();
    assert_eq!(whole, cut);
    assert!(*small.largest.borrow() <= positions && *bag.largest.borrow() > positions);
}

#[test]
fn patience_ends_a_search_that_finds_nothing() {
    let bag = Bag::new(Array2::zeros((8, 2)));
    let examples = texts(20, 8, 1);
    let config = SearchConfig { patience: 3, updates: 50, ..config() };
    let found = run(config, &examples, &bag, &mut RandomControl).unwrap();
    assert_eq!((found.stop, found.history.len()), (Stop::Patience, 4));
}

#[test]
fn a_trigger_stands_where_it_is_told_to() {
    // Only the last token of a sequence but one counts: the text's own, or the trigger's.
    struct Last;
    impl sixfold_triggers::Victim for Last {
        fn n_classes(&self) -> usize {
            2
        }
        fn vocab_size(&self) -> usize {
            8
        }
        fn max_tokens(&self) -> Option<usize> {
            None
        }
        fn scores(&self, sequences: &[Sequence]) -> Result<Array2<f32>> {
            Ok(Array2::from_shape_fn((sequences.len(), 2), |(i, class)| {
                let ids = &sequences[i].ids;
                let is_seven = ids[ids.len() - 2] == 7;
                f32::from(u8::from(is_seven == (class == 1)))
            }))
        }
    }
    let examples = vec![text(&[2, 3, 4]); 10];
    for (placement, fooled) in [(Placement::Front, 0), (Placement::Middle, 0), (Placement::End, 10)]
    {
        let config = SearchConfig { placement, length: 1, ..config() };
        let search = Search::new(config, &examples, allowed(8), &Last).unwrap();
        let found =
            search.run(&mut search.start(), &mut RandomControl, |_| ControlFlow::Continue(()));
        assert_eq!(found.unwrap().rate.fooled, fooled);
    }
}

fn problem(result: Result<SearchOutcome>) -> Error {
    result.expect_err("an error")
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let bag = Bag { limit: Some(9), ..Bag::random(8, 2, 1) };
    let examples = vec![text(&[2, 3]), text(&[2, 3, 4, 5, 6])];
    let error = problem(run(config(), &examples, &bag, &mut RandomControl));
    assert!(matches!(error, Error::TooLong { example: 1, tokens: 7, trigger: 3, limit: 9 }));
    let error = problem(run(config(), &[], &bag, &mut RandomControl));
    assert!(matches!(error, Error::Empty { what } if what.contains("example")));

    let short = &examples[..1];
    let clean = Clean::from_classes(vec![2]);
    let error = Search::with_clean(config(), short, clean, allowed(8), &bag).err().unwrap();
    assert!(matches!(error, Error::Label { label: 2, example: 0, n_classes: 2 }));
    let clean = Clean::from_classes(vec![0, 0]);
    let error = Search::with_clean(config(), short, clean, allowed(8), &bag).err().unwrap();
    assert!(matches!(error, Error::Mismatch { .. }));
    let error = Search::new(config(), short, vec![false; 8], &bag).err().unwrap();
    assert!(matches!(error, Error::EmptyVocabulary { vocabulary: 8, .. }));
    let error = Search::new(config(), short, vec![true; 7], &bag).err().unwrap();
    assert!(error.to_string().contains("7, expected 8"), "{error}");
    let second = SearchConfig { field: Field::Second, ..config() };
    let error = problem(run(second, short, &bag, &mut RandomControl));
    assert!(error.to_string().contains("field"), "{error}");
    let outside = SearchConfig { init: vec![8], ..config() };
    let error = problem(run(outside, short, &bag, &mut RandomControl));
    assert!(error.to_string().contains("first trigger is 8, expected below 8"), "{error}");
}

#[test]
fn scores_that_cannot_be_ranked_are_refused() {
    let bag = Bag::random(8, 2, 1);
    let examples = texts(10, 8, 1);
    let mut values = Array3::zeros((1, 3, 8));
    values[(0, 2, 0)] = f32::NAN;
    run(config(), &examples, &bag, &mut Told::new(values.clone())).expect("it is not allowed");
    values[(0, 2, 4)] = f32::NAN;
    let error = problem(run(config(), &examples, &bag, &mut Told::new(values)));
    assert!(matches!(error, Error::NotFinite { index: 20, .. }));
    let error = problem(run(config(), &examples, &bag, &mut Told::new(Array3::zeros((1, 2, 8)))));
    assert!(error.to_string().contains("[2, 8], expected [3, 8]"), "{error}");

    let mut weights = bag.weights.clone();
    weights[(3, 1)] = f32::INFINITY;
    let error = problem(run(config(), &[text(&[2, 3])], &Bag::new(weights), &mut RandomControl));
    assert!(matches!(error, Error::NotFinite { index: 1, .. }), "{error}");
}

/// A scorer that costs more than it said would break the budget.
#[test]
fn a_scorer_that_costs_more_than_it_said_is_refused() {
    struct Dear(Told);
    impl Scorer for Dear {
        fn name(&self) -> &'static str {
            "dear"
        }
        fn cost(&self, _: usize) -> Forwards {
            Forwards(5.0)
        }
        fn score(
            &mut self,
            query: sixfold_triggers::score::Query<'_>,
            rng: &mut rand_chacha::ChaCha8Rng,
        ) -> Result<sixfold_triggers::TokenScores> {
            self.0.score(query, rng)
        }
    }
    let bag = Bag::random(8, 2, 1);
    let told = Told { cost_each: 1.0, ..Told::new(Array3::zeros((1, 3, 8))) };
    let error = problem(run(config(), &texts(10, 8, 1), &bag, &mut Dear(told)));
    assert!(error.to_string().contains("cost of the scores is 10, expected at most 5"), "{error}");
}

#[test]
fn settings_list_all_problems() {
    let wrong = SearchConfig {
        length: 0,
        top_k: 0,
        init: vec![1, 2],
        budget: Some(Forwards(f64::NAN)),
        racing: Some(RacingConfig { examples: vec![64, 32], keep: vec![5] }),
        ..SearchConfig::default()
    };
    let Err(Error::Config { problems }) = wrong.validate() else { panic!("it fits") };
    assert_eq!(problems.len(), 6, "{problems:?}");
    let beam = SearchConfig { beam: 4, ..SearchConfig::default() };
    let message = beam.validate().unwrap_err().to_string();
    assert!(message.contains("racing.keep is [4, 2]") && message.contains("beam = 4"), "{message}");
    let json = r#"{"length": 2, "paper-compat": true, "placement": "end", "budget": 5000.0}"#;
    let config: SearchConfig = serde_json::from_str(json).unwrap();
    assert_eq!((config.length, config.placement), (2, Placement::End));
    assert!(serde_json::from_str::<SearchConfig>(r#"{"lenght": 2}"#).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whatever the settings, a budget is kept, and what is found is no worse than the start on the monitor.
    #[test]
    fn a_budget_is_never_exceeded(
        seed in 0_u64..1000,
        budget in 400.0_f64..6000.0,
        length in 1_usize..4,
        beam in 1_usize..3,
        races: bool,
        paper_compat: bool,
        cost_each in 0.0_f64..3.0,
    ) {
        let bag = Bag::random(VOCAB, 2, seed);
        let examples = texts(90, VOCAB, seed + 1);
        let racing = races.then(|| RacingConfig { examples: vec![8, 16], keep: vec![5, 3] });
        let config = SearchConfig {
            length, beam, racing, paper_compat, seed,
            budget: Some(Forwards(budget)),
            batch: 32,
            monitor: 40,
            top_k: 6,
            ..config()
        };
        let mut rng = <rand_chacha::ChaCha8Rng as rand::SeedableRng>::seed_from_u64(seed);
        let values = Array3::from_shape_simple_fn((4, length, VOCAB), || {
            rand::RngExt::random::<f32>(&mut rng)
        });
        let mut scorer = Told { cost_each, ..Told::new(values) };
        match run(config, &examples, &bag, &mut scorer) {
            Ok(found) => {
                prop_assert!(found.ledger.spent().0 <= budget);
                prop_assert_eq!(bag.fooled(&examples, &found.trigger.ids), found.rate.fooled);
                let all = Forwards(90.0);
                prop_assert!(found.ledger.full >= all);
            }
            Err(error) => prop_assert!(error.to_string().contains("budget"), "{}", error),
        }
    }
}
