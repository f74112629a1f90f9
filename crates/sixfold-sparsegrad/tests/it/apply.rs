//! Rotations and updates beside plain loops in f64.

use ndarray::{Array2, s};
use proptest::prelude::*;
use sixfold_sparsegrad::{Basis, Error, Mask, Side, Update};

use crate::common::{bits, by_threads, random, relative, times, transposed, wide};

fn matrix(side: &Side) -> Array2<f64> {
    side.columns().map_or_else(|| Array2::eye(side.width()), |columns| wide(columns.view()))
}

/// A basis with either side, or both, or none of columns.
fn basis([d_in, d_out]: [usize; 2], [r_in, r_out]: [usize; 2], sides: usize) -> Basis {
    let basis = Basis::random(d_in, d_out, r_in, r_out, 5).unwrap();
    match sides {
        0 => Basis::identity(d_in, d_out),
        1 => basis.input_only(),
        2 => basis.output_only(),
        _ => basis,
    }
}

/// Every `stride`-th entry of a core.
fn mask(core: [usize; 2], stride: usize) -> Mask {
    let size = core[0] * core[1];
    Mask::new(core, (0..size).step_by(stride).map(|i| i as u32).collect()).unwrap()
}

fn filled(mask: &Mask, values: &[f32]) -> Array2<f64> {
    let mut dense = Array2::zeros(mask.shape());
    let all: Vec<u32> = (0..(mask.shape()[0] * mask.shape()[1]) as u32).collect();
    for (index, value) in mask.indices().unwrap_or(&all).iter().zip(values) {
        let (row, column) = (*index as usize / mask.shape()[1], *index as usize % mask.shape()[1]);
        dense[(row, column)] = f64::from(*value);
    }
    dense
}

fn check(weights: [usize; 2], ranks: [usize; 2], sides: usize, stride: usize) {
    let basis = basis(weights, ranks, sides);
    let (u, v) = (matrix(&basis.input), matrix(&basis.output));
    let w = random(weights[0], weights[1], 2);

    let expected = times(&times(&transposed(&u), &wide(w.view())), &v);
    let core = basis.rotate(w.view()).unwrap();
    assert!(relative(core.view(), &expected) <= 1e-5);
    let across = w.t().as_standard_layout().into_owned();
    assert!(relative(basis.rotate(across.t()).unwrap().view(), &expected) <= 1e-5);

    let mask = mask(basis.core(), stride);
    let values = random(1, mask.len(), 3).into_raw_vec_and_offset().0;
    let change = filled(&mask, &values);
    let expected = wide(w.view()) + times(&times(&u, &change), &transposed(&v)) * -0.5;
    let dense = change.mapv(|x| x as f32);
    for update in [Update::Sparse(&mask, &values), Update::Dense(dense.view())] {
        let mut found = w.clone();
        basis.apply(update, -0.5, found.view_mut()).unwrap();
        assert!(relative(found.view(), &expected) <= 1e-5, "{weights:?} {ranks:?} {sides}");
        // Weights that lie transposed in memory.
        let mut found = across.clone();
        basis.apply(update, -0.5, found.view_mut().reversed_axes()).unwrap();
        assert!(relative(found.t(), &expected) <= 1e-5);
    }
}

#[test]
fn panels_of_large_matrices_join() {
    for (weights, ranks) in [([70, 300], [20, 40]), ([300, 60], [50, 30]), ([33, 129], [33, 129])] {
        for sides in 0..4 {
            for stride in [1, 2, 37] {
                check(weights, ranks, sides, stride);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn updates_equal_the_loops(
        d_in in 1_usize..40, d_out in 1_usize..40, sides in 0_usize..4,
        of_in in 0.0..1.0_f64, of_out in 0.0..1.0_f64, stride in 1_usize..12,
    ) {
        let rank = |d: usize, share: f64| 1 + (share * (d - 1) as f64) as usize;
        check([d_in, d_out], [rank(d_in, of_in), rank(d_out, of_out)], sides, stride);
    }
}

#[test]
fn threads_change_no_bit() {
    let basis = basis([300, 200], [50, 60], 3);
    let gradient = random(300, 200, 1);
    let mask = mask([50, 60], 9);
    let values = random(1, mask.len(), 3).into_raw_vec_and_offset().0;
    let found = by_threads(|| {
        let mut weights = gradient.clone();
        basis.apply(Update::Sparse(&mask, &values), 0.1, weights.view_mut()).unwrap();
        (bits(&basis.rotate(gradient.view()).unwrap()), bits(&weights))
    });
    assert!(found[0] == found[1] && found[0] == found[2]);
}

#[test]
fn what_does_not_fit_is_named_and_changes_nothing() {
    let basis = basis([6, 5], [3, 2], 3);
    let mask = Mask::new([3, 2], vec![0, 4]).unwrap();
    let other = Mask::new([2, 3], vec![0, 4]).unwrap();
    let before = random(6, 5, 0);
    let mut weights = before.clone();
    let dense = random(2, 2, 0);
    for (update, expected) in [
        (Update::Sparse(&mask, &[1.0]), "values of the mask"),
        (Update::Sparse(&other, &[1.0, 2.0]), "mask"),
        (Update::Dense(dense.view()), "update"),
    ] {
        let error = basis.apply(update, 1.0, weights.view_mut()).unwrap_err();
        assert!(matches!(error, Error::Shape { what, .. } if what == expected), "{error}");
    }
    let error =
        basis.apply(Update::Sparse(&mask, &[1.0, 2.0]), 1.0, weights.slice_mut(s![..5, ..]));
    assert!(matches!(error, Err(Error::Shape { what: "weights", .. })));
    assert_eq!(weights, before);
    assert!(matches!(
        basis.rotate(random(5, 6, 0).view()),
        Err(Error::Shape { what: "gradient", .. })
    ));
}

#[test]
fn half_precision_changes_a_basis_once_and_little() {
    let single = Basis::random(96, 64, 12, 8, 3).unwrap();
    let half = single.in_half();
    assert_eq!(half.in_half(), half);
    for (a, b) in [(&single.input, &half.input), (&single.output, &half.output)] {
        for (x, y) in a.columns().unwrap().iter().zip(b.columns().unwrap()) {
            assert!((x - y).abs() <= x.abs() / 256.0, "{x} {y}");
        }
    }
    assert_eq!(Basis::identity(3, 4).in_half(), Basis::identity(3, 4));
}
