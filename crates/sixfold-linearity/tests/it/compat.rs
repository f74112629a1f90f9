//! The paper's own score.

use ndarray::Array2;
use sixfold_linearity::{Error, compat};
use sixfold_testkit::Golden;

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

/// States in f32 and the scores of PyTorch: of Y and of Y − X, in f32 and in f64.
fn golden(case: &str) -> ([Array2<f32>; 2], [Vec<f64>; 2]) {
    let dir = sixfold_testkit::repository().join("fixtures/sixfold-linearity");
    let golden = Golden::open(dir.join("compat.safetensors"));
    let states = ["x", "y"].map(|side| {
        let (shape, values) = golden.f32(&format!("{case}.{side}"));
        Array2::from_shape_vec((shape[0], shape[1]), values).unwrap()
    });
    (states, ["f32", "f64"].map(|kind| golden.f64(&format!("{case}.{kind}")).1))
}

/// Our two scores in the order of the golden ones.
fn both(x: &Array2<f32>, y: &Array2<f32>) -> [f64; 2] {
    [
        compat::procrustes_similarity(x.view(), y.view()).unwrap(),
        compat::without_residual(x.view(), y.view()).unwrap(),
    ]
}

#[test]
fn it_reproduces_what_pytorch_gives() {
    for case in ["tanh", "relu", "step", "scaled", "sinks", "few"] {
        let ([x, y], official) = golden(case);
        let found = both(&x, &y);
        for official in &official {
            for (found, official) in found.iter().zip(official) {
                assert!((found - official).abs() < 1e-6, "{case}: {found} and {official}");
            }
        }
        let ours = scores(&x.mapv(f64::from), &y.mapv(f64::from));
        assert!((ours.score - official[1][0]).abs() < 1e-6, "{case}: {}", ours.score);
    }
}

#[test]
fn where_f32_is_too_short_it_is_the_score_in_f64() {
    for case in ["near", "deficient"] {
        let ([x, y], [single, double]) = golden(case);
        for (found, (single, double)) in both(&x, &y).iter().zip(single.iter().zip(&double)) {
            assert!((single - double).abs() > 5e-6, "{case}: {single} is as good as {double}");
            assert!((found - double).abs() < 1e-6, "{case}: {found} and {double}");
        }
    }
}

#[test]
fn with_no_more_tokens_than_dimensions_only_one_is_right() {
    let ([x, y], official) = golden("fewer");
    // The original divides rounding by a zero; a map that fits every token exists.
    assert!(official.iter().flatten().all(|score| *score < 1.0 - 1e-6), "{official:?}");
    for found in both(&x, &y) {
        assert!((found - 1.0).abs() < 1e-6, "{found}");
    }
}

#[test]
fn where_directions_are_missing_the_original_has_no_meaning() {
    let ([x, y], [single, double]) = golden("deficient");
    let ours = scores(&x.mapv(f64::from), &y.mapv(f64::from));
    assert_eq!(ours.rank, 6);
    // Below zero in f32, and the noise of ten directions too high in f64.
    assert!(single[0] < 0.0 && double[0] > ours.score + 0.02, "{single:?} {double:?} {ours:?}");
}

#[test]
fn equal_tokens_are_an_error() {
    let x = normal(10, 3, 1);
    let error = compat::procrustes_similarity(x.view(), (&x * 0.0).view()).unwrap_err();
    assert!(matches!(error, Error::AllEqual { side: "after the layer", n: 10, .. }), "{error}");
}
