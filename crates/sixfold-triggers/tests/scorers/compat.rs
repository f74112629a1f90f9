//! The mode `paper-compat` beside a transcript of the published search (`fixtures/sixfold-triggers/compat/make.py`).

use std::ops::ControlFlow;

use serde_json::Value;
use sixfold_testkit::fixtures;
use sixfold_triggers::{Luat, LuatConfig, Search, SearchConfig, Stop, Victim};

use crate::common::{device, examples, victim};

fn ids(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect()
}

fn rows(value: &Value) -> Vec<Vec<u32>> {
    value.as_array().unwrap().iter().map(ids).collect()
}

#[test]
fn scores_beam_and_log_are_those_of_the_published_search() {
    let golden = fixtures("sixfold-triggers").join("compat/golden.json");
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(golden).unwrap()).unwrap();
    let victim = victim("bert", &device("flex"));
    let examples = examples(64, victim.vocab_size());
    let allowed = (0..victim.vocab_size()).map(|id| id >= 4 && id % 9 != 0).collect();
    let config = SearchConfig {
        top_k: 6,
        batch: 64,
        updates: 20,
        init: vec![5],
        paper_compat: true,
        ..SearchConfig::default()
    };
    let search = Search::new(config, &examples, allowed, &victim).unwrap();
    let clean: Vec<u32> = search.clean().classes.iter().map(|&class| class as u32).collect();
    assert_eq!(clean, ids(&golden["clean"]));

    let mut state = search.start();
    let mut luat = Luat::new(&victim, LuatConfig::default()).unwrap();
    let outcome = search.run(&mut state, &mut luat, |_| ControlFlow::Continue(())).unwrap();
    let updates = golden["updates"].as_array().unwrap();
    assert!(updates.len() >= 10);
    assert_eq!((outcome.history.len(), outcome.stop), (updates.len(), Stop::Patience));
    for (found, expected) in outcome.history.iter().zip(updates) {
        let update = found.update;
        assert_eq!(found.candidates, rows(&expected["candidates"]), "best tokens of {update}");
        assert_eq!(found.path, rows(&expected["path"]), "beam of {update}");
        let fooled = found.watched.unwrap().fooled;
        assert_eq!(fooled, expected["fooled"].as_u64().unwrap(), "log of {update}");
        assert_eq!(found.improved, expected["improved"].as_bool().unwrap(), "{update}");
    }
    assert_eq!(outcome.trigger.ids, ids(&golden["best"]["trigger"]));
}
