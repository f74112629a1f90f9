use std::ops::ControlFlow;

use sixfold_model::{EncodeOptions, Tokenizer};
use sixfold_testkit::fixtures;
use sixfold_triggers::{
    EncodeConfig, Error, Luat, LuatConfig, ModelVictim, Placement, Search, SearchConfig, Sequence,
    Text, Uat, Victim, encode, round_trip, vocabulary,
};

use crate::common::{FAMILIES, device, examples, victim};

#[test]
fn scores_do_not_depend_on_the_neighbours() {
    for family in FAMILIES {
        let victim = victim(family, &device("flex")).with_positions(40);
        let sequences: Vec<Sequence> =
            examples(17, victim.vocab_size()).iter().map(|e| e.clean().clone()).collect();
        let together = victim.scores(&sequences).unwrap();
        for (i, sequence) in sequences.iter().enumerate() {
            let alone = victim.scores(std::slice::from_ref(sequence)).unwrap();
            for class in 0..victim.n_classes() {
                let gap = (alone[[0, class]] - together[[i, class]]).abs();
                assert!(gap < 1e-5, "{family}, {i}: {gap}");
            }
        }
    }
}

#[test]
fn a_search_over_a_model_gives_the_same_trigger_twice() {
    let victim = victim("bert", &device("flex"));
    let examples = examples(40, victim.vocab_size());
    let allowed: Vec<bool> = (0..victim.vocab_size()).map(|id| id >= 4).collect();
    let config = SearchConfig {
        length: 2,
        batch: 20,
        updates: 3,
        top_k: 4,
        racing: None,
        ..SearchConfig::default()
    };
    let search = Search::new(config, &examples, allowed, &victim).unwrap();
    let run = |layerwise: bool| {
        let mut state = search.start();
        let go = |_: &_| ControlFlow::Continue(());
        let outcome = match layerwise {
            true => {
                let mut luat = Luat::new(&victim, LuatConfig::default()).unwrap();
                search.run(&mut state, &mut luat, go)
            }
            false => search.run(&mut state, &mut Uat::new(&victim), go),
        };
        outcome.unwrap()
    };
    for layerwise in [true, false] {
        let (first, second) = (run(layerwise), run(layerwise));
        assert_eq!(first.trigger.ids, second.trigger.ids);
        assert_eq!(first.ledger, second.ledger);
    }
}

#[test]
fn a_model_without_a_classifier_is_named() {
    let dir = fixtures("models").join("stories260k");
    match ModelVictim::from_dir(&dir, &device("flex")) {
        Err(Error::NoClassifier { path, architecture }) => {
            assert_eq!((path, architecture.as_str()), (dir, "LlamaForCausalLM"));
        }
        other => panic!("{:?}", other.map(|_| ())),
    }
}

fn tokenizer() -> Tokenizer {
    Tokenizer::from_dir(fixtures("models").join("stories260k")).unwrap()
}

#[test]
fn a_trigger_goes_before_in_and_after_the_text() {
    let tokenizer = tokenizer();
    let examples =
        encode(&tokenizer, &[Text::One("Once upon a time")], &EncodeConfig::default()).unwrap();
    let plain = tokenizer.encode("Once upon a time", &EncodeOptions::default()).unwrap().ids;
    let special = plain.len() - examples[0].fields()[0].len();
    assert_eq!(examples[0].clean().ids, plain);
    let field = sixfold_triggers::Field::First;
    assert_eq!(examples[0].seat(field, Placement::Front).unwrap(), special);
    assert_eq!(examples[0].seat(field, Placement::End).unwrap(), plain.len());
    let middle = examples[0].seat(field, Placement::Middle).unwrap();
    assert!(special < middle && middle < plain.len());
    let attacked = examples[0].with_trigger(&[7, 8], special);
    assert_eq!(attacked.ids, [&plain[..special], &[7, 8], &plain[special..]].concat());
}

#[test]
fn texts_that_leave_no_room_or_have_no_token_are_named() {
    let tokenizer = tokenizer();
    let texts = [Text::One("Once"), Text::One("Once upon a time there was a little girl")];
    let tight = EncodeConfig { limit: Some(8), trigger: 3, truncate: false };
    match encode(&tokenizer, &texts, &tight) {
        Err(Error::TooLong { example: 1, trigger: 3, limit: 8, tokens }) => assert!(tokens > 5),
        other => panic!("{other:?}"),
    }
    let cut = encode(&tokenizer, &texts, &EncodeConfig { truncate: true, ..tight }).unwrap();
    assert!(cut.iter().all(|example| example.clean().ids.len() <= 5));
    let empty = [Text::One("Once"), Text::One("")];
    let found = encode(&tokenizer, &empty, &EncodeConfig::default());
    assert!(matches!(found, Err(Error::EmptyText { example: 1 })), "{found:?}");
    assert!(matches!(encode(&tokenizer, &[], &tight), Err(Error::Empty { .. })));
}

#[test]
fn the_vocabulary_of_a_tokenizer_and_what_can_be_typed() {
    let tokenizer = tokenizer();
    let words = vocabulary(&tokenizer, tokenizer.vocab_size() + 3).unwrap();
    assert_eq!(words.len(), tokenizer.vocab_size() + 3);
    let once = tokenizer.token_id("\u{2581}Once").expect("stories begin so");
    assert!(words.begins_word(once) && words.surface(once) == "Once");
    assert!(words.is_special(tokenizer.vocab_size() as u32), "a row without a token");
    let typed = round_trip(&tokenizer);
    assert!(typed(&[once]));
    // Two pieces that make one token are never encoded as two.
    let pieces: Vec<u32> =
        ["\u{2581}O", "n", "c", "e"].iter().filter_map(|piece| tokenizer.token_id(piece)).collect();
    assert!(!typed(&pieces));
}
