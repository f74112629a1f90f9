//! Norms and directions: the closed form against all pairs, and rows without a direction.

use ndarray::{Array1, Array2, array, s};
use proptest::prelude::*;
use sixfold_linalg::{Directions, Error, Real};

use crate::support::{Case, Kind, config, of_kinds, widen};

fn of<T: Real>(x: &Array2<T>) -> Directions {
    let mut directions = Directions::new(x.ncols());
    directions.update(x.view()).unwrap();
    directions
}

/// Mean norm, and mean cosine over all pairs of rows that are not zero.
fn by_pairs(x: &Array2<f64>) -> (f64, f64) {
    let unit = x.iter().fold(f64::MIN_POSITIVE, |m, v| m.max(v.abs()));
    let x = x / unit;
    let norms: Vec<f64> = x.rows().into_iter().map(|row| row.dot(&row).sqrt()).collect();
    let directed: Vec<usize> = (0..x.nrows()).filter(|&i| norms[i] > 0.0).collect();
    let (mut sum, mut pairs) = (0.0, 0.0);
    for &i in &directed {
        for &j in directed.iter().filter(|&&j| j != i) {
            sum += x.row(i).dot(&x.row(j)) / (norms[i] * norms[j]);
            pairs += 1.0;
        }
    }
    (norms.iter().sum::<f64>() / x.nrows() as f64 * unit, sum / pairs)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_closed_form_is_the_mean_of_all_pairs(
        case in of_kinds(&[Kind::Dense, Kind::LowRank, Kind::Constant, Kind::Sparse])
    ) {
        let case = Case { m: case.m + 2, ..case };
        let x = case.matrix();
        let found = of(&x);
        let (norm, cosine) = by_pairs(&x);
        prop_assert!((found.mean_norm().unwrap() / norm - 1.0).abs() < 1e-12);
        if found.directed() > 1 {
            prop_assert!((found.mean_cosine().unwrap() - cosine).abs() < 1e-12);
        }
        let single = case.single();
        let (norm, cosine) = by_pairs(&widen(&single));
        let found = of(&single);
        prop_assert!((found.mean_norm().unwrap() / norm - 1.0).abs() < 1e-12);
        if found.directed() > 1 {
            prop_assert!((found.mean_cosine().unwrap() - cosine).abs() < 1e-12);
        }
    }

    #[test]
    fn blocks_and_merges_change_nothing(case in of_kinds(&[Kind::Dense, Kind::Sparse]), cut in 0.0..1.0) {
        let x = case.matrix();
        let cut = (cut * case.m as f64) as usize;
        let (mut first, second) =
            (of(&x.slice(s![..cut, ..]).to_owned()), of(&x.slice(s![cut.., ..]).to_owned()));
        first.merge(&second).unwrap();
        let whole = of(&x);
        prop_assert_eq!((first.count(), first.directed()), (whole.count(), whole.directed()));
        let (norm, expected) = (first.mean_norm().unwrap(), whole.mean_norm().unwrap());
        prop_assert!((norm - expected).abs() <= 1e-13 * expected);
        prop_assert_eq!(Directions::from_parts(first.to_parts()).unwrap(), first);
    }
}

#[test]
fn rows_of_zeros_count_apart() {
    let found = of(&array![[0.0_f32, 0.0], [1.0, 0.0], [0.0, 0.0], [0.0, 5.0]]);
    assert_eq!((found.count(), found.directed()), (4, 2));
    assert_eq!(found.mean_norm(), Ok(1.5));
    assert_eq!(found.mean_cosine(), Ok(0.0));
    let zeros = of(&Array2::<f64>::zeros((3, 2)));
    assert_eq!(zeros.mean_norm(), Ok(0.0));
    assert_eq!(zeros.mean_cosine(), Err(Error::TooFewRows { found: 0, needed: 2 }));
    assert_eq!(Directions::new(2).mean_norm(), Err(Error::TooFewRows { found: 0, needed: 1 }));
}

#[test]
fn an_error_leaves_the_state_alone() {
    let mut found = of(&array![[1.0, 2.0], [3.0, 4.0]]);
    let before = found.clone();
    let nan = array![[1.0, 2.0], [f64::NAN, 0.0]];
    assert_eq!(found.update(nan.view()), Err(Error::NotFinite { what: "x", row: 1, col: 0 }));
    assert!(matches!(
        found.update(Array2::<f64>::zeros((1, 3)).view()),
        Err(Error::ShapeMismatch { what: "x", .. })
    ));
    let units = Array1::zeros(2);
    assert!(matches!(
        found.add_block(1, 2, 0.0, units.view()),
        Err(Error::InvalidParameter { name: "directed", .. })
    ));
    assert!(matches!(
        found.add_block(1, 1, f64::NAN, units.view()),
        Err(Error::InvalidParameter { name: "norms", .. })
    ));
    assert_eq!(found, before);
    found.add_block(1, 1, 5.0, array![0.6, 0.8].view()).unwrap();
    assert_eq!(found.count(), 3);
}
