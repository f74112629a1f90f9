//! The vote over deletions, and what its certificate promises.

#![expect(clippy::float_cmp, reason = "forwards are whole numbers")]

use std::cell::Cell;

use ndarray::Array2;
use proptest::prelude::*;
use sixfold_triggers::{
    EraseVote, EraseVoteConfig, Example, Field, Placement, Result, Sequence, Side, Victim,
};

const VOCAB: u32 = 3;

/// Answers by the hash of the ids: no two sequences need agree. One class is the more frequent,
/// `bias` of 256, lest nothing be certified.
#[derive(Debug)]
struct Arbitrary {
    n_classes: usize,
    seed: u64,
    bias: u64,
    asked: Cell<usize>,
}

impl Arbitrary {
    fn class(&self, sequence: &Sequence) -> usize {
        let mix = |hash: u64, id: u64| {
            let x =
                (hash ^ id.wrapping_add(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            x ^ (x >> 29)
        };
        let hash = sequence.ids.iter().fold(self.seed, |hash, &id| mix(hash, u64::from(id)));
        let hash = mix(hash, 77);
        match hash & 255 < self.bias {
            true => 0,
            false => (hash >> 8) as usize % self.n_classes,
        }
    }
}

impl Victim for Arbitrary {
    fn n_classes(&self) -> usize {
        self.n_classes
    }

    fn vocab_size(&self) -> usize {
        VOCAB as usize
    }

    fn max_tokens(&self) -> Option<usize> {
        None
    }

    fn scores(&self, sequences: &[Sequence]) -> Result<Array2<f32>> {
        self.asked.set(self.asked.get() + sequences.len());
        let classes: Vec<usize> = sequences.iter().map(|sequence| self.class(sequence)).collect();
        let score = |(i, class): (usize, usize)| f32::from(u8::from(classes[i] == class));
        Ok(Array2::from_shape_fn((sequences.len(), self.n_classes), score))
    }
}

/// A pair of texts between special tokens, of which the defended one is as given.
fn example(text: &[u32], field: Field) -> Example {
    let other = vec![1, 0];
    let (first, second) = match field {
        Field::First => (text.to_vec(), other),
        Field::Second => (other, text.to_vec()),
    };
    let mut ids = vec![7];
    ids.extend(&first);
    ids.push(8);
    let start = ids.len();
    ids.extend(&second);
    ids.push(9);
    let token_types = (0..ids.len()).map(|i| u32::from(i >= start)).collect();
    let fields = vec![1..1 + first.len(), start..start + second.len()];
    Example::new(Sequence { ids, token_types }, fields).unwrap()
}

/// All token sequences of at most `longest`.
fn all_triggers(longest: usize) -> Vec<Vec<u32>> {
    let mut all = vec![vec![]];
    let mut from = 0;
    for _ in 0..longest {
        let until = all.len();
        for i in from..until {
            for id in 0..VOCAB {
                let mut longer = all[i].clone();
                longer.push(id);
                all.push(longer);
            }
        }
        from = until;
    }
    all
}

/// The answer by all votes, counted the plain way.
fn slow_answer(vote: &EraseVote, victim: &Arbitrary, example: &Example) -> usize {
    let votes = vote.votes(victim, std::slice::from_ref(example)).unwrap().row(0).to_vec();
    let l = vote.config().length;
    let count = |class: usize| votes.iter().filter(|&&vote| vote == class).count();
    let most = (0..victim.n_classes).map(count).max().unwrap();
    let trusted = votes[l..].iter().chain(votes[..l].iter().rev());
    *trusted.into_iter().find(|&&class| count(class) == most).unwrap()
}

fn setting() -> impl Strategy<Value = (EraseVoteConfig, Arbitrary, Vec<u32>)> {
    let field = prop_oneof![Just(Field::First), Just(Field::Second)];
    let side = prop_oneof![Just(Side::Front), Just(Side::End)];
    let text = prop::collection::vec(0..VOCAB, 0..6);
    (field, side, 1_usize..4, 2_usize..5, any::<u64>(), 0_u64..256, text).prop_map(
        |(field, side, length, n_classes, seed, bias, text)| {
            let asked = Cell::new(0);
            let victim = Arbitrary { n_classes, seed, bias, asked };
            (EraseVoteConfig { field, side, length }, victim, text)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Whatever the classifier, no trigger as long as certified changes the answer.
    #[test]
    fn no_trigger_violates_a_certificate((config, victim, text) in setting()) {
        let vote = EraseVote::new(config).unwrap();
        let clean = example(&text, config.field);
        let certificate = vote.certify(&victim, std::slice::from_ref(&clean)).unwrap()[0];
        prop_assert_eq!(
            certificate.class,
            vote.predict(&victim, std::slice::from_ref(&clean)).unwrap().classes()[0]
        );
        let Some(longest) = certificate.length else { return Ok(()) };
        let attacked: Vec<Example> = all_triggers(longest)
            .iter()
            .map(|t| clean.triggered(t, config.field, config.side.placement()).unwrap())
            .collect();
        for class in vote.predict(&victim, &attacked).unwrap().classes() {
            prop_assert_eq!(class, certificate.class);
        }
    }

    /// For triggers of the full length the certificate says that the first L + 1 votes agree.
    #[test]
    fn the_full_certificate_is_the_agreement_of_the_first_votes((config, victim, text) in setting()) {
        let vote = EraseVote::new(config).unwrap();
        let clean = [example(&text, config.field)];
        let votes = vote.votes(&victim, &clean).unwrap().row(0).to_vec();
        let agree = votes[..=config.length].iter().all(|&class| class == votes[0]);
        prop_assert_eq!(vote.certify(&victim, &clean).unwrap()[0].holds_for(config.length), agree);
    }

    /// Stopping early changes no answer, costs no more, and counts what it asks.
    #[test]
    fn early_answers_are_those_of_all_votes((config, victim, text) in setting()) {
        let vote = EraseVote::new(config).unwrap();
        let examples: Vec<Example> =
            (0..=text.len()).map(|k| example(&text[..k], config.field)).collect();
        let slow: Vec<usize> = examples.iter().map(|x| slow_answer(&vote, &victim, x)).collect();
        victim.asked.set(0);
        let found = vote.predict(&victim, &examples).unwrap();
        prop_assert_eq!(found.classes(), slow);
        prop_assert_eq!(found.cost.0, victim.asked.get() as f64);
        prop_assert!(victim.asked.get() <= examples.len() * config.votes());
        for verdict in &found.verdicts {
            prop_assert!(verdict.cast > config.length && verdict.agreeing <= verdict.cast);
        }
    }

    /// The votes are the answers to the deletions, one by one.
    #[test]
    fn votes_are_answers_to_deletions((config, victim, text) in setting()) {
        let vote = EraseVote::new(config).unwrap();
        let clean = example(&text, config.field);
        let votes = vote.votes(&victim, &[example(&[], config.field), clean.clone()]).unwrap();
        for k in 0..config.votes() {
            let kept = text.len() - k.min(text.len());
            let rest = match config.side {
                Side::Front => &text[text.len() - kept..],
                Side::End => &text[..kept],
            };
            let plain = example(rest, config.field);
            let erased = clean.erased(config.field, config.side, k).unwrap();
            prop_assert_eq!(&erased, plain.clean());
            prop_assert_eq!(votes[[1, k]], victim.class(plain.clean()));
        }
    }
}

/// Every text of up to three tokens, every prefix: none violates a certificate, and without one
/// some prefix does change the answer, or the test would prove nothing.
#[test]
fn exhaustive_on_a_toy_vocabulary() {
    let (mut certified, mut changed, mut unchanged) = (0, 0, 0);
    for (seed, length) in (0..12).flat_map(|seed| [(seed, 1), (seed, 2), (seed, 3)]) {
        let config = EraseVoteConfig { length, ..Default::default() };
        let vote = EraseVote::new(config).unwrap();
        let victim = Arbitrary { n_classes: 3, seed, bias: 120, asked: Cell::new(0) };
        for text in all_triggers(3) {
            let clean = example(&text, Field::First);
            let holds =
                vote.certify(&victim, std::slice::from_ref(&clean)).unwrap()[0].holds_for(length);
            let before = slow_answer(&vote, &victim, &clean);
            let attacked: Vec<Example> = all_triggers(length)
                .iter()
                .map(|t| clean.triggered(t, Field::First, Placement::Front).unwrap())
                .collect();
            let after = vote.predict(&victim, &attacked).unwrap().classes();
            let violated = after.iter().any(|&class| class != before);
            assert!(!(holds && violated), "seed {seed}, length {length}, text {text:?}");
            match (holds, violated) {
                (true, _) => certified += 1,
                (false, true) => changed += 1,
                (false, false) => unchanged += 1,
            }
        }
    }
    assert!(certified > 100, "{certified} certified");
    assert!(changed > 500, "{changed} changed, {unchanged} neither");
}

/// One token more than certified can do it: the bound is not idle.
#[test]
fn longer_triggers_can_change_a_certified_answer() {
    let config = EraseVoteConfig { length: 1, ..Default::default() };
    let vote = EraseVote::new(config).unwrap();
    let broken = (0..200).any(|seed| {
        let victim = Arbitrary { n_classes: 2, seed, bias: 0, asked: Cell::new(0) };
        let clean = example(&[0, 1, 2, 0], Field::First);
        let certificate = vote.certify(&victim, std::slice::from_ref(&clean)).unwrap()[0];
        certificate.length == Some(1)
            && all_triggers(2).iter().any(|t| {
                let attacked = clean.triggered(t, Field::First, Placement::Front).unwrap();
                slow_answer(&vote, &victim, &attacked) != certificate.class
            })
    });
    assert!(broken);
}

/// Of equally many votes those count that no short trigger reaches.
#[test]
fn ties_go_to_the_least_erased_trusted_vote() {
    /// Answers by the first token of the first text.
    struct First;
    impl Victim for First {
        fn n_classes(&self) -> usize {
            5
        }
        fn vocab_size(&self) -> usize {
            5
        }
        fn max_tokens(&self) -> Option<usize> {
            None
        }
        fn scores(&self, sequences: &[Sequence]) -> Result<Array2<f32>> {
            let score =
                |(i, c): (usize, usize)| f32::from(u8::from(sequences[i].ids[0] as usize == c));
            Ok(Array2::from_shape_fn((sequences.len(), 5), score))
        }
    }
    let answer = |votes: [u32; 5]| {
        let ids = votes.iter().copied().chain([0, 0]).collect();
        let text = Example::new(
            Sequence { ids, token_types: vec![0; 7] },
            std::iter::once(0..7).collect(),
        )
        .unwrap();
        let vote = EraseVote::new(EraseVoteConfig { length: 2, ..Default::default() }).unwrap();
        let certificate = vote.certify(&First, std::slice::from_ref(&text)).unwrap()[0];
        (vote.predict(&First, &[text]).unwrap().classes()[0], certificate.length)
    };
    // Two and two: vote 2 decides, and a tie certifies nothing.
    assert_eq!(answer([1, 1, 3, 3, 0]), (3, None));
    assert_eq!(answer([3, 3, 1, 1, 0]), (1, None));
    // Vote 2 is for neither of the leaders: vote 3 decides.
    assert_eq!(answer([1, 4, 0, 4, 1]), (4, None));
    // All different: vote 2.
    assert_eq!(answer([0, 1, 2, 3, 4]), (2, None));
    // Three against two: safe without a trigger only.
    assert_eq!(answer([1, 1, 3, 3, 3]), (3, Some(0)));
    // A plurality of four holds against one token.
    assert_eq!(answer([2, 2, 0, 2, 2]), (2, Some(1)));
    assert_eq!(answer([2, 2, 2, 0, 1]), (2, Some(2)));
}

#[test]
fn a_text_without_the_field_is_refused() {
    let single = Example::new(
        Sequence { ids: vec![1], token_types: vec![0] },
        std::iter::once(0..1).collect(),
    )
    .unwrap();
    let config = EraseVoteConfig { field: Field::Second, ..Default::default() };
    let victim = Arbitrary { n_classes: 2, seed: 0, bias: 0, asked: Cell::new(0) };
    let wrong = EraseVote::new(config).unwrap().predict(&victim, &[single]).unwrap_err();
    assert!(wrong.to_string().contains("field of the trigger is second"), "{wrong}");
    assert!(EraseVote::new(EraseVoteConfig { length: 0, ..config }).is_err());
    let known = serde_json::to_string(&config).unwrap();
    assert_eq!(known, r#"{"field":"second","side":"front","length":3}"#);
    assert!(serde_json::from_str::<EraseVoteConfig>(r#"{"lenght":3}"#).is_err());
}
