//! Entries of gradients beside loops over tokens in f64.

use ndarray::Array2;
use proptest::prelude::*;
use sixfold_sparsegrad::sampled::{Route, gradient_at_by, route};
use sixfold_sparsegrad::{Basis, Error, Mask, gradient_at};

use crate::common::{bits, by_threads, random};

/// Σ x·dy and Σ |x·dy| over the tokens.
fn entry(x: &Array2<f32>, dy: &Array2<f32>, index: usize) -> [f64; 2] {
    let (row, column) = (index / dy.ncols(), index % dy.ncols());
    let products = (0..x.nrows()).map(|t| f64::from(x[(t, row)]) * f64::from(dy[(t, column)]));
    products.fold([0.0; 2], |[sum, size], x| [sum + x, size + x.abs()])
}

fn check(x: &Array2<f32>, dy: &Array2<f32>, mask: &Mask, found: &[f32]) {
    let all: Vec<u32> = (0..mask.len() as u32).collect();
    let indices = mask.indices().unwrap_or(&all);
    assert_eq!(found.len(), indices.len());
    for (index, found) in indices.iter().zip(found) {
        let [expected, size] = entry(x, dy, *index as usize);
        assert!((f64::from(*found) - expected).abs() <= 2e-6 * size, "{index}: {found} {expected}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn entries_equal_the_loops(
        tokens in 0_usize..70, rows in 1_usize..40, columns in 1_usize..40, stride in 1_usize..20,
    ) {
        let (x, dy) = (random(tokens, rows, 1), random(tokens, columns, 2));
        let entries = (0..rows * columns).step_by(stride).map(|i| i as u32).collect();
        let mask = Mask::new([rows, columns], entries).unwrap();
        for route in [Route::Sampled, Route::Dense] {
            check(&x, &dy, &mask, &gradient_at_by(route, x.view(), dy.view(), &mask).unwrap());
        }
        // Activations that lie transposed.
        let (xt, dyt) = (x.t().as_standard_layout().into_owned(), dy.t().as_standard_layout().into_owned());
        check(&x, &dy, &mask, &gradient_at_by(Route::Sampled, xt.t(), dyt.t(), &mask).unwrap());
    }
}

#[test]
fn blocks_of_tokens_and_features_join() {
    let (x, dy) = (random(600, 300, 1), random(600, 20, 2));
    let mask = Mask::new([300, 20], (0..6000).step_by(3).collect()).unwrap();
    let found = by_threads(|| {
        [Route::Sampled, Route::Dense]
            .map(|route| gradient_at_by(route, x.view(), dy.view(), &mask).unwrap())
    });
    for routes in &found {
        for (route, first) in routes.iter().zip(&found[0]) {
            check(&x, &dy, &mask, route);
            assert_eq!(bits(route), bits(first));
        }
    }
}

#[test]
fn the_corner_of_a_core_is_that_of_the_rotated_gradient() {
    let (x, dy) = (random(90, 30, 1), random(90, 24, 2));
    let basis = Basis::random(30, 24, 7, 9, 3).unwrap();
    let mask = Mask::new([7, 9], vec![0, 5, 31, 62]).unwrap();
    let [u, v] = [&basis.input, &basis.output].map(|side| side.columns().unwrap());
    let found = gradient_at(x.dot(u).view(), dy.dot(v).view(), &mask).unwrap();
    let core = basis.rotate(x.t().dot(&dy).view()).unwrap();
    for (index, found) in mask.indices().unwrap().iter().zip(found) {
        let expected = core[(*index as usize / 9, *index as usize % 9)];
        assert!((found - expected).abs() < 1e-4, "{found} {expected}");
    }
}

#[test]
fn the_route_goes_by_density() {
    let shape = [40, 50];
    let sparse = Mask::new(shape, (0..24).collect()).unwrap();
    let dense = Mask::new(shape, (0..1900).collect()).unwrap();
    assert_eq!((route(&sparse), route(&dense)), (Route::Sampled, Route::Dense));
    assert_eq!(route(&Mask::all(shape)), Route::Dense);
    let (x, dy) = (random(20, 40, 1), random(20, 50, 2));
    for mask in [sparse, dense, Mask::all(shape)] {
        check(&x, &dy, &mask, &gradient_at(x.view(), dy.view(), &mask).unwrap());
    }
}

#[test]
fn activations_that_do_not_fit_are_named() {
    let (x, dy) = (random(4, 3, 1), random(5, 2, 2));
    let error = gradient_at(x.view(), dy.view(), &Mask::all([3, 2]));
    assert!(matches!(error, Err(Error::Shape { what: "dy", .. })));
    let error = gradient_at(x.view(), dy.view(), &Mask::all([2, 3]));
    assert!(matches!(error, Err(Error::Shape { what: "mask", .. })));
}
