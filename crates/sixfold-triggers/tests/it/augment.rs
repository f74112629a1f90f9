//! Rows with a trigger in them.

use proptest::prelude::*;
use sixfold_triggers::{AugmentConfig, Error, Example, Field, Placement, Sequence, augment};

/// A pair of texts between special tokens.
fn pair(first: usize, second: usize) -> Example {
    let n = first + second + 3;
    let ids = (0..n as u32).collect();
    let token_types = (0..n).map(|i| u32::from(i > first + 1)).collect();
    let fields = vec![1..1 + first, first + 2..first + 2 + second];
    Example::new(Sequence { ids, token_types }, fields).unwrap()
}

proptest! {
    #[test]
    fn rows_keep_their_text_their_label_and_their_order(
        sizes in prop::collection::vec((0_usize..5, 0_usize..5), 1..30),
        share in 0.01_f64..1.0,
        second in any::<bool>(),
        placement in prop_oneof![Just(Placement::Front), Just(Placement::Middle), Just(Placement::End)],
        limit in prop::option::of(6_usize..16),
        seed in any::<u64>(),
    ) {
        let rows: Vec<Example> = sizes.iter().map(|&(a, b)| pair(a, b)).collect();
        let labels: Vec<usize> = (0..rows.len()).map(|i| i * 7).collect();
        let triggers = [vec![100, 101], vec![102]];
        let field = if second { Field::Second } else { Field::First };
        let config = AugmentConfig { share, field, placement, max_tokens: limit, seed };
        let long = |row: &Example| limit.is_some_and(|limit| row.clean().ids.len() + 2 > limit);
        let open = rows.iter().filter(|row| !long(row)).count();
        let added = match augment(&rows, &labels, &triggers, &config) {
            Err(Error::TooLong { .. }) => {
                prop_assert_eq!(open, 0);
                return Ok(());
            }
            added => added.unwrap(),
        };
        let wanted = (share * rows.len() as f64).round() as usize;
        prop_assert_eq!(added.len(), wanted.clamp(1, open));
        prop_assert!(added.windows(2).all(|two| two[0].row < two[1].row));
        for new in &added {
            let (row, trigger) = (&rows[new.row], &triggers[new.trigger]);
            prop_assert_eq!(new.label, labels[new.row]);
            prop_assert!(!long(row));
            let seat = row.seat(field, placement).unwrap();
            prop_assert_eq!(&new.example.clean().ids[seat..seat + trigger.len()], &trigger[..]);
            let mut back = new.example.clean().clone();
            back.ids.drain(seat..seat + trigger.len());
            back.token_types.drain(seat..seat + trigger.len());
            prop_assert_eq!(&back, row.clean());
            // The fields cover what they covered, and the trigger where it belongs.
            for (i, (old, range)) in row.fields().iter().zip(new.example.fields()).enumerate() {
                let mut text = row.clean().ids[old.clone()].to_vec();
                if i == usize::from(second) {
                    let at = seat - old.start;
                    text.splice(at..at, trigger.iter().copied());
                }
                prop_assert_eq!(&new.example.clean().ids[range.clone()], &text[..]);
            }
        }
        prop_assert_eq!(augment(&rows, &labels, &triggers, &config).unwrap(), added);
    }
}

#[test]
fn seeds_and_triggers_vary() {
    let rows: Vec<Example> = (0..200).map(|_| pair(3, 2)).collect();
    let labels = vec![0; 200];
    let triggers = [vec![7], vec![8], vec![9]];
    let added = |seed| {
        augment(&rows, &labels, &triggers, &AugmentConfig { seed, ..Default::default() }).unwrap()
    };
    let first = added(0);
    assert_eq!(first.len(), 100);
    for trigger in 0..3 {
        let count = first.iter().filter(|new| new.trigger == trigger).count();
        assert!((15..55).contains(&count), "{count}");
    }
    assert_ne!(first, added(1));
}

#[test]
fn what_does_not_fit_is_named() {
    let rows = [pair(2, 0), pair(1, 0)];
    let config = AugmentConfig::default();
    let run = |triggers: &[Vec<u32>], config: &AugmentConfig| {
        augment(&rows, &[0, 1], triggers, config).unwrap_err().to_string()
    };
    assert!(run(&[], &config).contains("no triggers"));
    assert!(run(&[vec![]], &config).contains("no token in a trigger"));
    assert!(run(&[vec![1]], &AugmentConfig { share: 0.0, ..config }).contains("share is 0"));
    let short = AugmentConfig { max_tokens: Some(4), ..config };
    let said = run(&[vec![1]], &short);
    assert_eq!(said, "example 1 has 4 tokens and the trigger 1; the model reads 4");
    assert!(augment(&rows, &[0], &[vec![1]], &config).is_err());
    assert!(augment(&[], &[], &[vec![1]], &config).is_err());
    let single = Example::new(
        Sequence { ids: vec![1], token_types: vec![0] },
        std::iter::once(0..1).collect(),
    )
    .unwrap();
    let second = AugmentConfig { field: Field::Second, ..config };
    assert!(matches!(augment(&[single], &[0], &[vec![1]], &second), Err(Error::Mismatch { .. })));
}
