//! A search that is put aside and taken up again.

use std::ops::ControlFlow;

use ndarray::Array3;
use rand::{RngExt, SeedableRng};
use sixfold_triggers::{
    Error, Example, Forwards, GradRandomControl, RandomControl, Search, SearchConfig, SearchState,
    Stop,
};

use crate::toy::{Bag, Told, allowed, texts};

const VOCAB: usize = 40;

fn set_up() -> (Bag, Vec<Example>, SearchConfig) {
    let config = SearchConfig {
        batch: 48,
        monitor: 60,
        updates: 9,
        init: vec![2],
        ..SearchConfig::default()
    };
    (Bag::random(VOCAB, 3, 5), texts(120, VOCAB, 6), config)
}

#[test]
fn interrupted_after_every_update_it_ends_the_same() {
    let (bag, examples, config) = set_up();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("search.json");
    for paper_compat in [false, true] {
        let config = SearchConfig { paper_compat, ..config.clone() };
        let search = Search::new(config, &examples, allowed(VOCAB), &bag).unwrap();
        let scorer = || GradRandomControl::new(bag.weights.clone()).unwrap();
        let mut whole_state = search.start();
        let whole =
            search.run(&mut whole_state, &mut scorer(), |_| ControlFlow::Continue(())).unwrap();
        search.start().save(&path).unwrap();
        for stop in 1..=whole.history.len() {
            let mut state = SearchState::load(&path).unwrap();
            let stopped = search.run(&mut state, &mut scorer(), |_| ControlFlow::Break(()));
            assert!(matches!(stopped, Err(Error::Stopped { updates }) if updates == stop));
            state.save(&path).unwrap();
            assert_eq!(SearchState::load(&path).unwrap(), state);
        }
        let mut state = SearchState::load(&path).unwrap();
        let pieces = search.run(&mut state, &mut scorer(), |_| ControlFlow::Continue(())).unwrap();
        assert_eq!(pieces, whole);
        assert_eq!(state, whole_state);
        // At its end it says the same again.
        let again = search.run(&mut state, &mut scorer(), |_| ControlFlow::Continue(())).unwrap();
        assert_eq!(again, whole);
    }
}

/// Costs that are no whole numbers survive the file to the last bit.
#[test]
fn a_file_keeps_all_digits() {
    let (bag, examples, config) = set_up();
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
    let values = Array3::from_shape_simple_fn((9, 3, VOCAB), || rng.random::<f32>());
    let mut scorer = Told { cost_each: 2.9 / 3.0, ..Told::new(values) };
    let search = Search::new(config, &examples, allowed(VOCAB), &bag).unwrap();
    let mut state = search.start();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("search.json");
    let mut seen = 0;
    search
        .run(&mut state, &mut scorer, |state| {
            state.save(&path).unwrap();
            assert_eq!(SearchState::load(&path).unwrap(), *state);
            seen += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(seen, 9);
}

#[test]
fn a_state_of_another_search_is_refused() {
    let (bag, examples, config) = set_up();
    let search = Search::new(config.clone(), &examples, allowed(VOCAB), &bag).unwrap();
    let mut state = search.start();
    let stopped = search.run(&mut state, &mut RandomControl, |_| ControlFlow::Break(()));
    assert!(matches!(stopped, Err(Error::Stopped { updates: 1 })));

    let refused = |search: &Search<'_, Bag>, what: &str| {
        let result =
            search.run(&mut state.clone(), &mut RandomControl, |_| ControlFlow::Continue(()));
        let Err(error) = result else { panic!("{what} is not seen") };
        let message = error.to_string();
        assert!(message.contains(what), "{message}");
        let hash: &str = &search.fingerprint().config;
        assert!(what != "settings" || message.contains(hash), "{message}");
    };
    let other = SearchConfig { seed: 1, ..config.clone() };
    refused(&Search::new(other, &examples, allowed(VOCAB), &bag).unwrap(), "settings");
    let fewer = &examples[1..];
    refused(&Search::new(config.clone(), fewer, allowed(VOCAB), &bag).unwrap(), "data");
    let all = vec![true; VOCAB];
    refused(&Search::new(config.clone(), &examples, all, &bag).unwrap(), "allowed tokens");

    let mut scorer = GradRandomControl::new(bag.weights.clone()).unwrap();
    let result = search.run(&mut state.clone(), &mut scorer, |_| ControlFlow::Continue(()));
    let message = result.err().unwrap().to_string();
    assert!(message.contains("gradient-random, expected random"), "{message}");
}

/// Neither the number of updates nor the budget belongs to a state: both can be raised later.
#[test]
fn a_search_can_go_on_for_longer() {
    let (bag, examples, config) = set_up();
    let run = |config: &SearchConfig, state: Option<SearchState>| {
        let search = Search::new(config.clone(), &examples, allowed(VOCAB), &bag).unwrap();
        let mut state = state.unwrap_or_else(|| search.start());
        let found =
            search.run(&mut state, &mut RandomControl, |_| ControlFlow::Continue(())).unwrap();
        (found, state)
    };
    let (whole, _) = run(&config, None);
    let bounded = SearchConfig { budget: Some(Forwards(5000.0)), ..config.clone() };
    let (first, state) = run(&bounded, None);
    assert_eq!(first.stop, Stop::Budget);
    assert!(first.history.len() < whole.history.len());
    assert_eq!(run(&config, Some(state)).0, whole);
}

#[test]
fn files_that_are_no_state_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("search.json");
    assert!(
        matches!(SearchState::load(&path), Err(Error::Io { path: named, .. }) if named == path)
    );
    std::fs::write(&path, "{\"version\": 1}").unwrap();
    let error = SearchState::load(&path).unwrap_err();
    assert!(matches!(error, Error::Malformed { .. }));
    assert!(error.to_string().contains("search.json"), "{error}");
    let (bag, examples, config) = set_up();
    let search = Search::new(config, &examples, allowed(VOCAB), &bag).unwrap();
    search.start().save(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap().replace("\"version\":1", "\"version\":2");
    std::fs::write(&path, text).unwrap();
    let error = SearchState::load(&path).unwrap_err().to_string();
    assert!(error.contains("version 2"), "{error}");
    let nowhere = dir.path().join("none").join("search.json");
    assert!(matches!(search.start().save(nowhere), Err(Error::Io { .. })));
}

/// A scorer that fails leaves the state as it was, costs included.
#[test]
fn a_failed_update_changes_no_state() {
    let (bag, examples, config) = set_up();
    let search = Search::new(config, &examples, allowed(VOCAB), &bag).unwrap();
    let mut state = search.start();
    let mut values = Array3::zeros((2, 3, VOCAB));
    values[(1, 0, 9)] = f32::NAN;
    let mut scorer = Told { cost_each: 1.0, ..Told::new(values) };
    let mut after_first = None;
    let result = search.run(&mut state, &mut scorer, |state| {
        after_first = Some(state.clone());
        ControlFlow::Continue(())
    });
    assert!(matches!(result, Err(Error::NotFinite { .. })));
    assert_eq!(Some(state), after_first);
}
