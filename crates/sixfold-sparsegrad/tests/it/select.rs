//! Selections beside a full sort.

use ndarray::{Array2, array};
use proptest::prelude::*;
use sixfold_sparsegrad::{Basis, Budget, Error, Mask, Scores, Selection, top_k, top_k_global};

use crate::common::{by_threads, random};

/// All pairs (list, index), the largest magnitudes first and lower places before higher ones.
fn sorted(lists: &[&[f32]], k: usize) -> Vec<Vec<u32>> {
    let place = |(list, values): (usize, &&[f32])| -> Vec<(u32, usize, usize)> {
        let bits = |(i, x): (usize, &f32)| (x.abs().to_bits(), list, i);
        values.iter().enumerate().map(bits).collect()
    };
    let mut all: Vec<_> = lists.iter().enumerate().flat_map(place).collect();
    all.sort_by(|a, b| b.0.cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let mut kept = vec![Vec::new(); lists.len()];
    all[..k].iter().for_each(|(_, list, i)| kept[*list].push(*i as u32));
    kept.iter_mut().for_each(|kept| kept.sort_unstable());
    kept
}

/// Numbers of all magnitudes, denormals, both zeros, and many that are equal.
fn number() -> impl Strategy<Value = f32> {
    prop_oneof![
        any::<f32>().prop_filter("finite", |x| x.is_finite()),
        (0_u32..2000, any::<bool>())
            .prop_map(|(bits, sign)| f32::from_bits(bits | u32::from(sign) << 31)),
        (-3_i32..4).prop_map(|x| x as f32),
        Just(1.0 + f32::EPSILON),
        Just(f32::MAX),
        Just(-0.0),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn the_largest_are_those_of_a_sort(
        lists in prop::collection::vec(prop::collection::vec(number(), 0..60), 1..4), share in 0.0..=1.0_f64,
    ) {
        let lists: Vec<&[f32]> = lists.iter().map(Vec::as_slice).collect();
        let size: usize = lists.iter().map(|list| list.len()).sum();
        let k = (share * size as f64).round() as usize;
        prop_assert_eq!(top_k_global(&lists, k).unwrap(), sorted(&lists, k));
        let k = (share * lists[0].len() as f64).round() as usize;
        prop_assert_eq!(top_k(lists[0], k).unwrap(), sorted(&lists[..1], k).remove(0));
    }
}

#[test]
fn many_chunks_and_ties_across_them_give_the_same_for_any_threads() {
    let values: Vec<f32> =
        random(1, 300_000, 1).iter().map(|x| (x * 40.0).round() / 40.0).collect();
    for k in [0, 1, 3_600, 150_000, 300_000] {
        let expected = sorted(&[&values], k).remove(0);
        for found in by_threads(|| top_k(&values, k).unwrap()) {
            assert!(found == expected, "{k}");
        }
    }
}

#[test]
fn what_cannot_be_kept_is_named() {
    assert!(matches!(top_k(&[1.0], 2), Err(Error::TooMany { k: 2, size: 1 })));
    assert!(top_k(&[], 0).unwrap().is_empty());
    for wrong in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut values = vec![1.0; 70_000];
        values[69_000] = wrong;
        assert!(matches!(top_k(&values, 0), Err(Error::NotFinite { index: 69_000, .. })));
        let error = top_k_global(&[&[1.0], &values], 3).unwrap_err();
        assert!(
            matches!(&error, Error::NotFinite { path, index: 69_000, .. } if path == "1"),
            "{error}"
        );
    }
}

fn resolved(selection: &Selection, basis: &Basis, scores: &Scores<'_>) -> Vec<u32> {
    let mask = selection.resolve(basis, scores).unwrap();
    assert_eq!(mask.shape(), basis.core());
    let all = (0..mask.len() as u32).collect();
    mask.indices().map_or(all, <[u32]>::to_vec)
}

#[test]
fn policies_choose_what_they_say() {
    let basis = Basis::identity(4, 5);
    let scores = random(4, 5, 1);
    let (saliency, none) = (Scores::of_saliency(scores.view()), Scores::default());
    let weights = Scores::of_weights(scores.view());
    let budget = Budget::Entries(7);
    let expected = top_k(scores.as_slice().unwrap(), 7).unwrap();
    assert_eq!(resolved(&Selection::TopK { budget }, &basis, &saliency), expected);
    assert_eq!(resolved(&Selection::Magnitude { budget }, &basis, &weights), expected);
    assert_eq!(resolved(&Selection::All, &basis, &none).len(), 20);
    let corner = |r| Selection::Corner { r, budget };
    assert_eq!(resolved(&corner(Some(2)), &basis, &none), [0, 1, 5, 6]);
    assert_eq!(resolved(&corner(None), &basis, &none), [0, 1, 5, 6]);
    let strip = |rows| Selection::Strip { rows, budget };
    assert_eq!(resolved(&strip(None), &basis, &none), [0, 1, 2, 3, 4]);
    let rows = array![[1.0_f32], [0.0], [-3.0], [2.0]] * Array2::<f32>::ones((4, 5));
    let kept = resolved(&strip(Some(2)), &basis, &Scores::of_saliency(rows.view()));
    assert_eq!(kept, (10..20).collect::<Vec<_>>());
    let draw = |seed| resolved(&Selection::Random { budget, seed }, &basis, &none);
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
    assert_eq!(draw(1).len(), 7);
}

#[test]
fn budgets_count_against_the_whole_matrix() {
    let basis = Basis::random(40, 50, 10, 20, 1).unwrap();
    let scores = random(10, 20, 1);
    let of = Scores::of_saliency(scores.view());
    let k = |share| Selection::TopK { budget: Budget::Fraction(share) };
    assert_eq!(resolved(&k(0.05), &basis, &of).len(), 100);
    assert_eq!(resolved(&k(0.1), &basis, &of).len(), 200);
    assert!(matches!(k(0.2).resolve(&basis, &of), Err(Error::TooMany { k: 400, size: 200 })));
    // 144 entries as 10 × 14: twelve rows are not there.
    let corner = Selection::Corner { r: None, budget: Budget::Entries(144) };
    let mask = corner.resolve(&basis, &Scores::default()).unwrap();
    assert_eq!((mask.len(), mask.indices().unwrap()[139]), (140, 9 * 20 + 13));
    assert_eq!(Budget::default().entries([2, 3]), 1);
}

#[test]
fn settings_are_read_from_files_and_checked() {
    let written = serde_json::to_string(&Selection::default()).unwrap();
    assert_eq!(written, r#"{"kind":"top-k","budget":{"fraction":0.012}}"#);
    let read = |text: &str| serde_json::from_str::<Selection>(text);
    assert_eq!(read(&written).unwrap(), Selection::default());
    assert_eq!(read(r#"{"kind":"top-k"}"#).unwrap(), Selection::default());
    let corner = Selection::Corner { r: None, budget: Budget::Entries(9) };
    assert_eq!(read(r#"{"kind":"corner","budget":{"k":9}}"#).unwrap(), corner);
    assert!(read(r#"{"kind":"top-k","budgets":{"k":9}}"#).is_err());
    for wrong in [
        r#"{"kind":"top-k","budget":{"fraction":0.0}}"#,
        r#"{"kind":"random","budget":{"fraction":1.5}}"#,
        r#"{"kind":"magnitude","budget":{"k":0}}"#,
        r#"{"kind":"corner","r":0}"#,
        r#"{"kind":"strip","rows":0}"#,
    ] {
        assert!(matches!(read(wrong).unwrap().validate(), Err(Error::Config { .. })), "{wrong}");
    }
}

#[test]
fn scores_that_are_missing_or_do_not_fit_are_errors() {
    let basis = Basis::random(4, 5, 4, 5, 1).unwrap();
    let (wrong, right) = (random(5, 4, 1), random(4, 5, 1));
    let budget = Budget::Entries(3);
    let top = Selection::TopK { budget };
    assert!(top.needs_saliency() && !Selection::All.needs_saliency());
    assert!(matches!(top.resolve(&basis, &Scores::default()), Err(Error::Config { .. })));
    let error = top.resolve(&basis, &Scores::of_saliency(wrong.view()));
    assert!(matches!(error, Err(Error::Shape { what: "saliency", .. })));
    let magnitude = Selection::Magnitude { budget };
    for scores in [Scores::default(), Scores::of_weights(right.view())] {
        assert!(matches!(magnitude.resolve(&basis, &scores), Err(Error::Config { .. })));
    }
    let large = Selection::Corner { r: Some(5), budget };
    assert!(matches!(large.resolve(&basis, &Scores::default()), Err(Error::TooMany { .. })));
    // A transposed view selects what it shows, not what lies beneath.
    let across = right.t().as_standard_layout().into_owned();
    let scores = [Scores::of_saliency(right.view()), Scores::of_saliency(across.t())];
    let [a, b] = scores.map(|scores| top.resolve(&basis, &scores).unwrap());
    assert_eq!(a, b);
    assert_eq!(a, Mask::new([4, 5], top_k(right.as_slice().unwrap(), 3).unwrap()).unwrap());
}
