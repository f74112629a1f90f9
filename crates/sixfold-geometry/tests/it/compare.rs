//! Neighbours and ranks of two views in cases that are known in closed form.

use ndarray::{Array2, array, s};
use sixfold_geometry::compare::{
    information_imbalance, information_imbalance_to, neighbourhood_overlap,
};
use sixfold_geometry::{Error, neighbours};

use crate::knn::normal;

#[test]
fn a_view_agrees_with_itself() {
    let x = normal(31, 400, 6);
    let table = neighbours(x.view(), 10).unwrap();
    let overlap = neighbourhood_overlap(&table, &table, 10).unwrap();
    assert_eq!((overlap.value, overlap.std_error, overlap.groups), (1.0, 0.0, 32));
    // A rotation and a change of units keep all neighbours.
    let turned = x.slice(s![.., ..;-1]).mapv(|x| -7.0 * x);
    let other = neighbours(turned.view(), 10).unwrap();
    assert!((neighbourhood_overlap(&table, &other, 10).unwrap().value - 1.0).abs() < 1e-12);
    let found = information_imbalance(x.view(), turned.view()).unwrap();
    assert!((found.a_to_b.value - 2.0 / 400.0).abs() < 1e-12);
    assert!((found.b_to_a.value - 2.0 / 400.0).abs() < 1e-12);
    assert!(found.a_to_b.std_error < 1e-12);
    assert_eq!(found.duplicates, [0, 0]);
}

#[test]
fn independent_views_agree_by_chance() {
    let (n, k) = (1200, 20);
    let (x, y) = (normal(32, n, 5), normal(33, n, 5));
    let (a, b) = (neighbours(x.view(), k).unwrap(), neighbours(y.view(), k).unwrap());
    let overlap = neighbourhood_overlap(&a, &b, k).unwrap();
    let chance = k as f64 / (n - 1) as f64;
    assert!((overlap.value - chance).abs() < 4.0 * overlap.std_error, "{overlap:?}");
    // Shares are hypergeometric, nearly independent of each other.
    let sd = (chance * (1.0 - chance) / (n * k) as f64).sqrt();
    assert!(overlap.std_error > 0.6 * sd && overlap.std_error < 1.6 * sd, "{overlap:?} {sd}");
    let found = information_imbalance(x.view(), y.view()).unwrap();
    for delta in [found.a_to_b, found.b_to_a] {
        // Ranks are uniform: 2/n·⟨r⟩ has the mean 1 + 1/n and the deviation 1/√(3n).
        assert!((delta.value - 1.0).abs() < 4.0 / (3.0 * n as f64).sqrt(), "{delta:?}");
        assert!(delta.ci95[0] < delta.value && delta.value < delta.ci95[1]);
    }
}

#[test]
fn a_view_without_a_coordinate_is_predicted_and_does_not_predict() {
    let x = normal(34, 1000, 2);
    let part = x.slice(s![.., ..1]);
    let found = information_imbalance(x.view(), part).unwrap();
    assert!(found.a_to_b.value < 0.1, "{found:?}");
    assert!(found.b_to_a.value > 0.3, "{found:?}");
    assert!(found.a_to_b.ci95[1] < found.b_to_a.ci95[0]);
    let table = neighbours(x.view(), 3).unwrap();
    assert_eq!(information_imbalance_to(&table, part).unwrap(), found.a_to_b);
}

#[test]
fn the_order_of_equal_distances_is_the_index_in_both_views() {
    let a = array![[0.0], [0.0], [0.0], [5.0]];
    let b = array![[0.0], [1.0], [-1.0], [9.0]];
    let found = information_imbalance(a.view(), b.view()).unwrap();
    assert_eq!(found.duplicates, [3, 0]);
    // Nearest in A: 1, 0, 0, 0. Their ranks in B: 1, 1, 1 and 2 (from 9: 1, 0, −1).
    assert!((found.a_to_b.value - 2.0 / 4.0 * 5.0 / 4.0).abs() < 1e-12, "{found:?}");
}

#[test]
fn views_that_do_not_fit_are_errors() {
    let (x, y) = (normal(35, 30, 2), normal(36, 29, 2));
    let (a, b) = (neighbours(x.view(), 3).unwrap(), neighbours(y.view(), 3).unwrap());
    let shapes = neighbourhood_overlap(&a, &b, 3);
    assert!(matches!(shapes, Err(Error::ShapeMismatch { expected: [30, 3], found: [29, 3], .. })));
    let few = neighbourhood_overlap(&a, &a, 4);
    assert!(matches!(few, Err(Error::TooFewNeighbours { found: 3, needed: 4, .. })));
    let none = neighbourhood_overlap(&a, &a, 0);
    assert!(matches!(none, Err(Error::InvalidParameter { name: "k", .. })));
    let rows = information_imbalance(x.view(), y.view());
    assert!(matches!(rows, Err(Error::ShapeMismatch { .. })));
    let constant = Array2::<f32>::ones((30, 2));
    let equal = information_imbalance(x.view(), constant.view());
    assert!(matches!(equal, Err(Error::AllEqual { n: 30, .. })));
    let equal = information_imbalance(constant.view(), x.view());
    assert!(matches!(equal, Err(Error::AllEqual { n: 30, .. })));
}
