//! What racing saves and what it gives away.

use std::ops::ControlFlow;

use sixfold_triggers::{
    Forwards, RacingConfig, RandomControl, Search, SearchConfig, SearchOutcome,
};

use crate::toy::{Bag, allowed, texts};

const VOCAB: usize = 400;

fn run(bag: &Bag, examples: &[sixfold_triggers::Example], config: SearchConfig) -> SearchOutcome {
    let search = Search::new(config, examples, allowed(VOCAB), bag).unwrap();
    search.run(&mut search.start(), &mut RandomControl, |_| ControlFlow::Continue(())).unwrap()
}

fn config(racing: Option<RacingConfig>, seed: u64) -> SearchConfig {
    SearchConfig { updates: 1, seed, racing, init: vec![2], ..SearchConfig::default() }
}

/// One update of the default settings: all 30 candidates on 128 examples, or 576 forwards a place, and 128 for the
/// trigger before. With 3 forwards of a batch for gradients and 256 on the monitor it is 2,496 forwards.
#[test]
fn racing_costs_less_than_half() {
    let bag = Bag::random(VOCAB, 2, 1);
    let examples = texts(600, VOCAB, 2);
    let cost = |racing| run(&bag, &examples, config(racing, 3)).ledger.verify.0;
    let (raced, full) = (cost(Some(RacingConfig::default())), cost(None));
    assert_eq!((raced, full), (3.0 * 576.0 + 128.0, 3.0 * 1280.0 + 128.0));
    let share = raced / full;
    assert!((0.45..=0.5).contains(&share), "{share}");
}

/// The same candidates, raced or not: the winner fools at most a little less of the batch.
#[test]
fn racing_gives_little_away() {
    let (mut regret, mut same, mut decisions) = (0.0, 0, 0);
    for seed in 0..40 {
        let bag = Bag::random(VOCAB, 2, seed);
        let examples = texts(300, VOCAB, seed + 1000);
        let [raced, full] = [Some(RacingConfig::default()), None].map(|racing| {
            let config = SearchConfig { length: 1, ..config(racing, seed) };
            run(&bag, &examples, config).history[0].batch.unwrap()
        });
        assert!(raced.order(&full).is_le());
        regret += full.share() - raced.share();
        same += u32::from(raced.fooled == full.fooled);
        decisions += 1;
    }
    let mean = regret / f64::from(decisions);
    assert!(mean <= 0.005, "mean regret {mean}");
    assert!(f64::from(same) / f64::from(decisions) >= 0.85, "{same} of {decisions}");
}

/// Stages that a batch is too small for are left out; few candidates are all kept.
#[test]
fn small_batches_race_less() {
    let bag = Bag::random(VOCAB, 2, 1);
    let examples = texts(40, VOCAB, 2);
    let found = run(&bag, &examples, config(Some(RacingConfig::default()), 3));
    // 10 on 32, 4 on the other 8, and the trigger before on all.
    assert_eq!(found.ledger.verify, Forwards(3.0 * (320.0 + 32.0) + 40.0));
}
