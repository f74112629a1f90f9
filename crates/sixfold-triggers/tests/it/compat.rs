//! The path of the published code, worked out by hand.

use std::ops::ControlFlow;

use ndarray::{Array2, Array3};
use sixfold_triggers::{Example, Forwards, Rate, Search, SearchConfig, SearchOutcome, Stop};

use crate::toy::{Bag, Told, allowed, text};

/// Class 0 unless tokens take it away. Token 2 is in all texts once, with 1 for class 0; a text of n has n − 1 more of
/// them. Tokens 3, 4, 5 give 1.5, 2.5, 3.5 to class 1; 6 gives 1 to class 0; 7 nothing.
fn bag() -> Bag {
    let mut weights = Array2::zeros((8, 2));
    weights[(2, 0)] = 1.0;
    weights[(3, 1)] = 1.5;
    weights[(4, 1)] = 2.5;
    weights[(5, 1)] = 3.5;
    weights[(6, 0)] = 1.0;
    Bag::new(weights)
}

/// Texts that token 3, 4, 5 fool alone: of 1, 2 and 3 tokens; and one of 9, that two of 5 do not fool.
fn examples() -> Vec<Example> {
    [1, 2, 3, 9].map(|n| text(&vec![2; n])).to_vec()
}

fn config() -> SearchConfig {
    SearchConfig {
        length: 2,
        top_k: 2,
        batch: 4,
        updates: 3,
        init: vec![7],
        paper_compat: true,
        ..SearchConfig::default()
    }
}

/// Scores that put tokens in this order at each place of each update.
fn told(updates: &[[[u32; 2]; 2]]) -> Told {
    let mut values = Array3::zeros((updates.len(), 2, 8));
    for (update, places) in updates.iter().enumerate() {
        for (place, tokens) in places.iter().enumerate() {
            values[(update, place, tokens[0] as usize)] = 2.0;
            values[(update, place, tokens[1] as usize)] = 1.0;
        }
    }
    Told::new(values)
}

fn run(config: SearchConfig, scorer: &mut Told) -> SearchOutcome {
    let (bag, examples) = (bag(), examples());
    let search = Search::new(config, &examples, allowed(8), &bag).unwrap();
    search.run(&mut search.start(), scorer, |_| ControlFlow::Continue(())).unwrap()
}

fn fooled(rate: Option<Rate>) -> u64 {
    rate.unwrap().fooled
}

#[test]
fn the_incumbent_is_lost_and_the_best_update_comes_out() {
    let mut scorer = told(&[
        // Place 0: 6 fools none, 3 one: 3. Place 1: (3, 7) fools one, (3, 4) 1.5 + 2.5 = 4 beats 1, 2, 3: three.
        [[6, 3], [6, 4]],
        // Place 0: (7, 4) fools two, (6, 4) 2.5 against n + 1 fools one: 7, although (3, 4) fools three.
        // Place 1: (7, 4) two, (7, 6) none, (7, 3) one: stays.
        [[6, 7], [6, 3]],
        // Place 0: (6, 4) fools one, (5, 4) 6 beats all but 9: three. Place 1: (5, 4) three, (5, 5) 7: three: the
        // one that came first stays.
        [[6, 5], [5, 6]],
    ]);
    let found = run(config(), &mut scorer);
    let paths: Vec<_> = found.history.iter().map(|update| update.path.clone()).collect();
    assert_eq!(
        paths,
        [[vec![3, 7], vec![3, 4]], [vec![7, 4], vec![7, 4]], [vec![5, 4], vec![5, 4]],]
    );
    let watched: Vec<u64> = found.history.iter().map(|update| fooled(update.watched)).collect();
    assert_eq!(watched, [3, 2, 3]);
    let improved: Vec<bool> = found.history.iter().map(|update| update.improved).collect();
    assert_eq!(improved, [true, false, false]);
    assert_eq!(found.trigger.ids, [3, 4]);
    assert_eq!(found.rate.fooled, 3);
    assert_eq!(found.stop, Stop::Updates);
    assert!(found.history.iter().all(|update| update.incumbent.is_none()));
}

/// Ours, told the same, keeps what it has.
#[test]
fn ours_keeps_it() {
    let mut scorer = told(&[[[6, 3], [6, 4]], [[6, 7], [6, 3]]]);
    let config = SearchConfig { paper_compat: false, updates: 2, ..config() };
    let found = run(config, &mut scorer);
    assert_eq!(found.history[0].trigger, [3, 4]);
    assert_eq!(found.history[1].trigger, [3, 4]);
}

/// Equal candidates: the higher score comes first, whatever the drop and the ids.
#[test]
fn ties_go_to_the_higher_score() {
    // Both fool two texts at place 0: 4 alone does, 5 three. Place 1: none adds one.
    let mut scorer = told(&[[[7, 6], [7, 6]]]);
    let found = run(SearchConfig { updates: 1, ..config() }, &mut scorer);
    // 7 and 6 fool none: 7 has the higher score; then (7, 7) itself came first.
    assert_eq!(found.history[0].path, [vec![7, 7], vec![7, 7]]);
    let mut scorer = told(&[[[6, 7], [6, 7]]]);
    let found = run(SearchConfig { updates: 1, ..config() }, &mut scorer);
    // (6, 7) is the first of equals, and stays so: 6 at place 1 fools no more.
    assert_eq!(found.history[0].path, [vec![6, 7], vec![6, 7]]);
}

/// Two triggers are kept from place to place, each before those that come of it.
#[test]
fn a_beam_of_two_follows_both() {
    let mut scorer = told(&[[[3, 4], [5, 7]]]);
    let found = run(SearchConfig { updates: 1, beam: 2, ..config() }, &mut scorer);
    // Place 0: (4, 7) fools two, (3, 7) one. Place 1: (4, 7), (4, 5) three, (4, 7); (3, 7), (3, 5) three, (3, 7).
    assert_eq!(found.history[0].path, [vec![4, 7], vec![4, 5]]);
    // A beam of two costs two sets of candidates at place 1; (4, 7) and (3, 7) are known there.
    assert_eq!(found.ledger.verify, Forwards(4.0 * 4.0));
}

/// Ten updates that are no better are borne; the eleventh ends it.
#[test]
fn patience_is_the_published_one() {
    let mut scorer = told(&[[[7, 6], [7, 6]]]);
    let found = run(SearchConfig { updates: 50, ..config() }, &mut scorer);
    // The first update is better than nothing, eleven more are not.
    assert_eq!((found.stop, found.history.len()), (Stop::Patience, 12));
    // Every update is evaluated on all examples.
    assert!(found.history.iter().all(|update| update.watched.unwrap().examples == 4));
}
