//! Unit tests of the pass over the values and of the powers of two.

#![expect(clippy::float_cmp, reason = "powers of two are exact")]

use ndarray::{Array2, s};

use super::{max_abs, normaliser, power_of_two};
use crate::Error;

#[test]
fn a_single_bad_value_is_found_wherever_it_stands() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for place in 0..7 * 9 {
            let mut a = Array2::from_elem((7, 9), 1.5_f32);
            a[(place / 9, place % 9)] = bad;
            let expected = Err(Error::NotFinite { what: "a", row: place / 9, col: place % 9 });
            assert_eq!(max_abs("a", a.view()), expected);
        }
    }
}

#[test]
fn strided_views_are_scanned() {
    let mut a = Array2::from_shape_fn((6, 40), |(i, j)| (i * 40 + j) as f64);
    a[(2, 3)] = f64::NAN;
    assert_eq!(max_abs("a", a.slice(s![.., ..;2])), Ok(238.0));
    assert_eq!(max_abs("a", a.slice(s![3.., 1..39])), Ok(238.0));
    assert_eq!(
        max_abs("a", a.slice(s![2.., ..;3])),
        Err(Error::NotFinite { what: "a", row: 0, col: 1 })
    );
    assert_eq!(max_abs("a", Array2::<f64>::zeros((0, 3)).view()), Ok(0.0));
}

#[test]
fn scales_are_exact_powers_of_two() {
    assert_eq!(power_of_two(0.0, 1000), 1.0);
    assert_eq!(power_of_two(-5.0, 1000), 4.0);
    assert_eq!(power_of_two(1e-30, 10), 1.0 / 1024.0);
    for x in [5e-324, 1e-150, 0.3, 1.0, 1e150, f64::MAX] {
        let (factor, back) = normaliser(x);
        assert_eq!(factor * back, 1.0);
        assert!((x * factor).is_finite() && x * factor > 0.0);
    }
}
