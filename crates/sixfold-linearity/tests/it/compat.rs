//! The paper's own score.

use sixfold_linearity::{Error, compat};

use crate::clouds::{normal, scores, single};

#[test]
fn on_sound_input_it_is_our_score() {
    let x = normal(600, 24, 1);
    let y = x.mapv(|v| v.max(0.0)).dot(&normal(24, 24, 2)) + 0.5;
    let ours = scores(&x, &y).score;
    let theirs = compat::procrustes_similarity(x.view(), y.view()).unwrap();
    assert!((ours - theirs).abs() < 1e-9, "{ours} and {theirs}");
    let theirs = compat::procrustes_similarity(single(&x).view(), single(&y).view()).unwrap();
    assert!((ours - theirs).abs() < 1e-6, "{ours} and {theirs}");
}

#[test]
fn on_deficient_input_it_counts_noise_as_rank() {
    // Fifteen true directions of 24; rounding fills the rest.
    let x = single(&normal(100, 15, 3).dot(&normal(15, 24, 4)));
    let y = single(&normal(100, 24, 5));
    let theirs = compat::procrustes_similarity(x.view(), y.view()).unwrap();
    let (wide_x, wide_y) = (x.mapv(f64::from), y.mapv(f64::from));
    let ours = scores(&wide_x, &wide_y);
    assert_eq!(ours.rank, 15);
    assert!(theirs > ours.score + 0.05, "{theirs} against {}", ours.score);
}

#[test]
fn equal_tokens_are_an_error() {
    let x = normal(10, 3, 1);
    let error = compat::procrustes_similarity(x.view(), (&x * 0.0).view()).unwrap_err();
    assert!(matches!(error, Error::AllEqual { side: "after the layer", n: 10, .. }), "{error}");
}
