//! The paper's own program, written anew from its description, against ours.

use ndarray::{Array2, ArrayView2, Axis};
use sixfold_geometry::dimension::{TwoNnConfig, TwoNnMethod, compat, two_nn};
use sixfold_geometry::manifolds::{gaussian, torus};
use sixfold_geometry::{Error, neighbours};

use crate::support::mean_sd;

/// Step by step what LLM-Microscope does, in f64: one point after the other, −1 for the copies,
/// a sort, and a quantile that still counts whom it dropped.
fn official(x: ArrayView2<'_, f64>, reduction_factor: usize) -> f64 {
    let n = x.nrows();
    let centred = &x - &x.mean_axis(Axis(0)).unwrap();
    let mean_norm =
        centred.rows().into_iter().map(|row| row.dot(&row).sqrt()).sum::<f64>() / n as f64;
    let points = centred / mean_norm;
    let mut ratios = Vec::new();
    for i in 0..n {
        let mut others: Vec<f64> = (0..n)
            .filter(|&j| j != i)
            .map(|j| (&points.row(i) - &points.row(j)).mapv(|t| t * t).sum().sqrt())
            .collect();
        others.sort_by(f64::total_cmp);
        ratios.push(if others[0] < 1e-8 { -1.0 } else { others[1] / others[0] });
    }
    ratios.sort_by(f64::total_cmp);
    let dropped = ratios.iter().take_while(|&&ratio| ratio <= 1.0 + 1e-8).count();
    let kept = &ratios[dropped..];
    let used = (kept.len() / reduction_factor).min(kept.len() - 1);
    let x: Vec<f64> = kept[..used].iter().map(|ratio| ratio.ln()).collect();
    let y: Vec<f64> =
        (0..used).map(|i| -(1.0 - (dropped + i + 1) as f64 / n as f64).ln()).collect();
    let products: f64 = x.iter().zip(&y).map(|(x, y)| x * y).sum();
    products / x.iter().map(|x| x * x).sum::<f64>()
}

/// The first `copies` rows become copies of the next ones.
fn with_copies(mut x: Array2<f64>, copies: usize) -> Array2<f64> {
    for i in 0..copies {
        let row = x.row(copies + i).to_owned();
        x.row_mut(i).assign(&row);
    }
    x
}

#[test]
fn the_official_number_is_reproduced_with_and_without_copies() {
    for (seed, copies) in [(0, 0), (1, 1), (2, 12), (3, 60)] {
        let shifted = with_copies(gaussian(300, 4, seed), copies) * 3.0 + 50.0;
        for reduction_factor in [1, 3, 5, 20] {
            let expected = official(shifted.view(), reduction_factor);
            let found = compat::intrinsic_dimension(shifted.view(), reduction_factor).unwrap();
            assert!((found / expected - 1.0).abs() < 1e-9, "{copies}: {found} {expected}");
        }
    }
    let x = torus(200, 2, 7).mapv(|v| v as f32);
    let found = compat::intrinsic_dimension(x.view(), 5).unwrap();
    let expected = official(x.mapv(f64::from).view(), 5);
    assert!((found / expected - 1.0).abs() < 1e-9);
}

#[test]
fn copies_shift_it_and_not_ours() {
    // 3.1 % of the rows are dropped: the research table has +22 % at N = 4096.
    let (n, copies) = (512, 8);
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    for seed in 0..24 {
        let x = gaussian(n, 3, seed);
        let copied = with_copies(x.clone(), copies);
        let both = |f: &dyn Fn(&Array2<f64>) -> f64| f(&copied) / f(&x);
        theirs.push(both(&|x| compat::intrinsic_dimension(x.view(), 5).unwrap()));
        let method = TwoNnMethod::Fit { discard: 0.8 };
        let config = TwoNnConfig { method, ..TwoNnConfig::default() };
        ours.push(both(&|x| two_nn(&neighbours(x.view(), 2).unwrap(), &config).unwrap().value));
    }
    let ((theirs, _), (ours, _)) = (mean_sd(&theirs), mean_sd(&ours));
    assert!((0.12..0.35).contains(&(theirs - 1.0)), "{theirs}");
    assert!((ours - 1.0).abs() < 0.05, "{ours}");
}

#[test]
fn clouds_that_it_cannot_judge_are_errors() {
    let x = gaussian(30, 2, 0);
    assert!(matches!(
        compat::intrinsic_dimension(x.view(), 0),
        Err(Error::InvalidParameter { name: "reduction_factor", .. })
    ));
    let few = x.slice(ndarray::s![..4, ..]);
    assert!(matches!(compat::intrinsic_dimension(few, 5), Err(Error::TooFewPoints { .. })));
    let equal = Array2::from_elem((9, 2), 4.0);
    assert!(matches!(
        compat::intrinsic_dimension(equal.view(), 5),
        Err(Error::AllEqual { n: 9, .. })
    ));
    let mut holed = x;
    holed[(7, 1)] = f64::NAN;
    assert!(matches!(
        compat::intrinsic_dimension(holed.view(), 5),
        Err(Error::NotFinite { row: 7, col: 1, .. })
    ));
}
