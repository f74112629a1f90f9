//! The settings of a fine-tuning.

use proptest::prelude::*;
use sixfold_sparsegrad::Error;
use sixfold_sparsegrad::config::{BasisKind, Mode, Policy, Realisation, Sharing, SparseGradConfig};

#[test]
fn defaults_are_sound() {
    let config = SparseGradConfig::default();
    config.validate().unwrap();
    assert_eq!(config.targets, ["**.mlp.*"]);
    assert!((config.fraction - 0.012).abs() < 1e-12);
    assert_eq!((config.calibration_batches, config.sharing), (30, Sharing::Blocks(2)));
    assert_eq!(
        serde_json::to_string(&config).unwrap(),
        r#"{"targets":["**.mlp.*"],"exclude":[],"layers-to-transform":null,"basis":"gradients","#
            .to_owned()
            + r#""sharing":{"blocks":2},"calibration-batches":30,"rank":null,"fraction":0.012,"#
            + r#""selection":"all","refresh-every":null,"modules-to-save":[],"realisation":"adapter","#
            + r#""mode":"default","seed":0}"#
    );
}

#[test]
fn entries_are_chosen_in_a_quarter_in_steps_of_16() {
    let config = SparseGradConfig { selection: Policy::TopK, ..SparseGradConfig::default() };
    for (d_in, d_out, expected) in [
        (768, 3072, 192),
        (3072, 768, 192),
        (1024, 4096, 256),
        (4096, 11_008, 1024),
        (192, 768, 48),
        // 40 is nearer to 48 than to 32 by the rule of halves; 39 is not.
        (160, 640, 48),
        (156, 640, 32),
        (64, 256, 16),
        (20, 80, 16),
        (10, 40, 10),
    ] {
        assert_eq!(config.core_of(d_in, d_out), [expected; 2], "{d_in} × {d_out}");
    }
    let chosen = SparseGradConfig { rank: Some(100), ..config.clone() };
    assert_eq!((chosen.core_of(768, 3072), chosen.core_of(64, 256)), ([100; 2], [64, 100]));
    let paper = SparseGradConfig { mode: Mode::Paper, ..config };
    assert_eq!((paper.core_of(768, 3072), paper.k_of(768, 3072)), ([768, 3072], 28_312));
}

#[test]
fn entries_are_of_the_full_matrix_and_fit_the_core() {
    let config = SparseGradConfig { selection: Policy::TopK, ..SparseGradConfig::default() };
    // 1.2 % of 64 × 1024 are 786, but the corner of 16 × 16 has 256.
    assert_eq!(config.k_of(64, 1024), 256);
    let identity = SparseGradConfig { basis: BasisKind::Identity, ..config.clone() };
    assert_eq!(identity.k_of(64, 1024), 786);
    assert_eq!(config.k_of(4, 4), 1);
}

#[test]
fn a_core_that_is_trained_whole_is_as_small_as_the_fraction() {
    let of = |fraction: f64, d_in, d_out| {
        let config = SparseGradConfig { fraction, ..SparseGradConfig::default() };
        let [r_in, r_out] = config.core_of(d_in, d_out);
        assert_eq!(config.k_of(d_in, d_out), r_in * r_out);
        [r_in, r_out]
    };
    assert_eq!(of(0.012, 768, 3072), [168, 168]);
    assert_eq!(of(0.012, 1536, 384), [84, 84]);
    assert_eq!(of(1e-9, 4, 4), [1, 1]);
    // A square of more than the smaller side is a strip.
    assert_eq!((of(0.5, 384, 1536), of(0.5, 1536, 384)), ([384, 768], [768, 384]));
    assert_eq!(of(1.0, 384, 1536), [384, 1536]);
}

#[test]
fn coordinates_are_named_after_those_who_share_them() {
    let name = |sharing: Sharing, path: &str| sharing.name(path);
    assert_eq!(name(Sharing::Type, "body.blocks.12.mlp.up"), "body.blocks.*.mlp.up");
    assert_eq!(name(Sharing::Blocks(3), "body.blocks.12.mlp.up"), "body.blocks.12-14.mlp.up");
    for sharing in [Sharing::Type, Sharing::Blocks(2)] {
        assert_eq!(name(sharing, "head.output"), "head.output");
        assert_eq!(name(sharing, "head.2.output"), "head.2.output");
    }
    let paper = SparseGradConfig { mode: Mode::Paper, ..SparseGradConfig::default() };
    assert_eq!(paper.sharing(), Sharing::Type);
}

#[test]
fn all_problems_are_listed() {
    let config = SparseGradConfig {
        targets: vec![String::new()],
        layers_to_transform: Some(Vec::new()),
        fraction: 1.5,
        rank: Some(0),
        sharing: Sharing::Blocks(0),
        refresh_every: Some(0),
        calibration_batches: 0,
        mode: Mode::Reference,
        basis: BasisKind::Random,
        selection: Policy::Magnitude,
        ..SparseGradConfig::default()
    };
    let Err(Error::Config { problems }) = config.validate() else { panic!("nothing is right") };
    for expected in [
        "targets has an empty pattern",
        "layers-to-transform is empty",
        "fraction is 1.5",
        "rank is 0",
        "sharing is by 0 blocks",
        "refresh-every is 0",
        "refresh-every is for selection = \"top-k\"",
        "need realisation = \"in-place\"",
        "rank is of no use",
        "the reference has no basis but",
        "needs basis = \"identity\"",
    ] {
        assert!(problems.iter().any(|problem| problem.contains(expected)), "{expected}");
    }
    assert_eq!(problems.len(), 11, "{problems:?}");
    let refused = |config: SparseGradConfig, expected: &str| {
        assert_eq!(config.validate().unwrap_err().to_string(), expected);
    };
    let nothing = SparseGradConfig { targets: Vec::new(), ..SparseGradConfig::default() };
    refused(nothing, "targets is empty, expected a pattern");
    let nan = SparseGradConfig { fraction: f64::NAN, ..SparseGradConfig::default() };
    refused(nan, "fraction is NaN, expected above 0 and at most 1");
    let all = SparseGradConfig { basis: BasisKind::Identity, ..SparseGradConfig::default() };
    refused(
        all,
        "selection \"all\" in the basis \"identity\" is all of the matrix, expected another",
    );
    let uncalibrated = SparseGradConfig { calibration_batches: 0, ..SparseGradConfig::default() };
    refused(
        uncalibrated,
        "calibration-batches is 0, but the basis or the selection is made of gradients",
    );
}

#[test]
fn the_paper_and_controls_are_sound() {
    let in_place = SparseGradConfig {
        realisation: Realisation::InPlace,
        mode: Mode::Paper,
        ..SparseGradConfig::default()
    };
    in_place.validate().unwrap();
    assert!(in_place.is_dynamic());
    let uncalibrated = SparseGradConfig {
        basis: BasisKind::Random,
        selection: Policy::Random,
        calibration_batches: 0,
        ..SparseGradConfig::default()
    };
    uncalibrated.validate().unwrap();
}

#[test]
fn keys_are_those_that_are_documented() {
    let read = serde_json::from_str::<SparseGradConfig>;
    let text = r#"{"targets":["a"],"selection":"dynamic","realisation":"in-place"}"#;
    let config = read(text).unwrap();
    assert_eq!((config.targets, config.selection), (vec!["a".to_owned()], Policy::Dynamic));
    let error = read(r#"{"rnak":3}"#).unwrap_err().to_string();
    assert!(error.contains("unknown field `rnak`, expected one of `targets`"), "{error}");
}

#[test]
fn a_rank_above_a_side_leaves_all_of_it() {
    let of = |rank, basis| {
        let config = SparseGradConfig { rank, basis, ..SparseGradConfig::default() };
        config.core_of(384, 1536)
    };
    assert_eq!(of(None, BasisKind::Gradients), [84, 84]);
    assert_eq!(of(Some(200), BasisKind::Random), [200, 200]);
    assert_eq!(of(Some(1000), BasisKind::Gradients), [384, 1000]);
    assert_eq!(of(Some(9999), BasisKind::Gradients), [384, 1536]);
    assert_eq!(of(Some(9999), BasisKind::Weights), [384, 384]);
    assert_eq!(of(None, BasisKind::Identity), [384, 1536]);
    let whole = SparseGradConfig { rank: Some(9999), fraction: 1.0, ..SparseGradConfig::default() };
    assert_eq!(whole.k_of(384, 1536), 384 * 1536);
}

proptest! {
    #[test]
    fn the_core_always_holds_k(d_in in 1_usize..5_000, d_out in 1_usize..5_000, f in 1e-4_f64..1.0) {
        for selection in [Policy::All, Policy::TopK] {
            let config = SparseGradConfig { fraction: f, selection, ..SparseGradConfig::default() };
            let ([r_in, r_out], k) = (config.core_of(d_in, d_out), config.k_of(d_in, d_out));
            prop_assert!((1..=d_in).contains(&r_in) && (1..=d_out).contains(&r_out));
            prop_assert!((1..=r_in * r_out).contains(&k));
            if selection == Policy::TopK {
                prop_assert_eq!(r_in, r_out);
                prop_assert!(r_in % 16 == 0 || r_in == d_in.min(d_out));
            }
        }
    }
}
