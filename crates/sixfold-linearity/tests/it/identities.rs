//! Identities that tie the scores together.

use proptest::prelude::*;
use sixfold_linearity::Transition;

use crate::clouds::{normal, pair, rotation, scores};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// 1 − L_without = (1 − L)·‖Y‖²/‖Y − X‖², and the rotation never beats the affine map.
    #[test]
    fn both_panels_of_the_paper_are_one(seed in 0_u64..1000, d in 1_usize..12, mix in 0.01..3.0) {
        let x = normal(40 + 5 * d, d, seed);
        let added = x.mapv(f64::tanh).dot(&normal(d, d, seed + 1)) * mix;
        let y = &x + &added;
        let found = scores(&x, &y);
        let direct = scores(&x, &added).score;
        prop_assert!((found.without_residual.unwrap() - direct).abs() < 1e-9);
        prop_assert!(rotation(&x, &y).unwrap() <= found.score + 1e-12);
    }

    /// A span of two maps is the map of the span, where both are exact.
    #[test]
    fn maps_compose(seed in 0_u64..1000, d in 1_usize..8) {
        let x = normal(60, d, seed);
        let y = x.dot(&normal(d, d + 1, seed + 1)) + 1.0;
        let z = y.dot(&normal(d + 1, 3, seed + 2)) - 2.0;
        let first = Transition::from(&pair(x.view(), y.view())).affine_map().unwrap();
        let second = Transition::from(&pair(y.view(), z.view())).affine_map().unwrap();
        let both = first.then(&second).unwrap();
        let error = (both.apply(x.view()).unwrap() - &z).mapv(f64::abs);
        prop_assert!(error.iter().all(|e| *e < 1e-6), "{error:?}");
    }
}

#[test]
fn a_layer_that_adds_nothing_has_no_linearity_without_the_residual() {
    let x = normal(500, 8, 1);
    let found = scores(&x, &x);
    assert_eq!(found.without_residual, None);
    assert_eq!(found.without_residual_adjusted, None);
    assert!((found.score - 1.0).abs() < 1e-12);
}

#[test]
fn different_widths_have_a_score_but_no_residual() {
    let x = normal(500, 8, 1);
    let y = x.dot(&normal(8, 3, 2));
    let found = scores(&x, &y);
    assert!((found.score - 1.0).abs() < 1e-9);
    assert_eq!((found.norm_ratio, rotation(&x, &y)), (None, None));
}
