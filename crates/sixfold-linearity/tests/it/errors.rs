//! Input that has no score.

use ndarray::Array2;
use sixfold_linalg::{CrossMoments, Moments, PairMoments};
use sixfold_linearity::{Error, Transition};

use crate::clouds::{normal, pair};

#[test]
fn one_token_and_equal_tokens_are_errors() {
    let x = normal(1, 3, 1);
    let one = pair(x.view(), x.view());
    let error = Transition::from(&one).linearity().unwrap_err();
    assert!(matches!(error, Error::TooFewTokens { found: 1, needed: 2, .. }), "{error}");
    let (x, y) = (Array2::<f64>::ones((9, 3)), normal(9, 3, 2));
    for (pair, side) in [
        (pair(x.view(), y.view()), "before the layer"),
        (pair(y.view(), x.view()), "after the layer"),
    ] {
        let error = Transition::from(&pair).linearity().unwrap_err();
        let expected = format!("linearity is not defined: all 9 tokens are equal {side}");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn sides_that_saw_other_tokens_are_an_error() {
    let (x, y) = (normal(20, 3, 1), normal(20, 2, 2));
    let both = pair(x.view(), y.view());
    let mut fewer = Moments::new(3);
    fewer.update(x.slice(ndarray::s![..10, ..])).unwrap();
    let error = Transition { x: &fewer, y: &both.y, xy: &both.xy }.linearity().unwrap_err();
    assert!(matches!(error, Error::Unpaired { x: 10, y: 20, xy: 20 }), "{error}");
    let other = CrossMoments::new(4, 2);
    let error = Transition { x: &both.x, y: &both.y, xy: &other }.linearity().unwrap_err();
    assert!(matches!(error, Error::ShapeMismatch { what: "xy", .. }), "{error}");
}

#[test]
fn values_that_are_not_finite_never_enter() {
    let mut x = normal(5, 2, 1);
    x[(3, 1)] = f64::NAN;
    let y = normal(5, 2, 2);
    let mut moments = PairMoments::new(2, 2);
    let error = moments.update(x.view(), y.view()).unwrap_err();
    assert_eq!(error.to_string(), "x is not finite at row 3, column 1");
    assert_eq!(moments.count(), 0);
}

#[test]
fn as_many_columns_as_tokens_have_no_adjusted_score() {
    let (x, y) = (normal(8, 12, 1), normal(8, 12, 2));
    let found = Transition::from(&pair(x.view(), y.view())).linearity().unwrap();
    assert!((found.score - 1.0).abs() < 1e-9);
    assert!((found.floor - 1.0).abs() < 1e-12);
    assert_eq!((found.adjusted, found.without_residual_adjusted), (None, None));
}
