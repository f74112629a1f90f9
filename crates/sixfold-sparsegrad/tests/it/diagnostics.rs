//! Figures of masks and updates on cases that can be counted by hand, and beside sets.

use std::collections::BTreeSet;

use ndarray::{Array2, array};
use proptest::prelude::*;
use sixfold_sparsegrad::diagnostics::{Union, effective_rank, energy, energy_of, jaccard, touched};
use sixfold_sparsegrad::{Basis, Error, Mask};

use crate::common::random;

fn close(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-6 * expected.abs().max(1e-3)
}

#[test]
fn energy_is_that_of_the_largest_entries() {
    let core = array![[1.0, -4.0], [2.0, 2.0]];
    for (k, expected) in [(0, 0.0), (1, 16.0 / 25.0), (2, 20.0 / 25.0), (4, 1.0)] {
        assert!(close(energy(core.view(), k).unwrap(), expected));
    }
    assert!(matches!(energy(core.view(), 5), Err(Error::TooMany { .. })));
    assert!(close(energy(Array2::zeros((2, 2)).view(), 1).unwrap(), 1.0));
    let mask = Mask::new([2, 2], vec![0, 2]).unwrap();
    assert!(close(energy_of(core.view(), &mask).unwrap(), 5.0 / 25.0));
    assert!(close(energy_of(core.view(), &Mask::all([2, 2])).unwrap(), 1.0));
    assert!(energy_of(core.view(), &Mask::all([1, 4])).is_err());
}

proptest! {
    #[test]
    fn masks_compare_as_sets(
        a in prop::collection::btree_set(0_u32..35, 0..=35), b in prop::collection::btree_set(0_u32..35, 0..=35),
    ) {
        let shape = [5, 7];
        let mask = |set: &BTreeSet<u32>| Mask::new(shape, set.iter().copied().collect()).unwrap();
        let (first, second) = (mask(&a), mask(&b));
        let union = a.union(&b).count();
        let expected = if union == 0 { 1.0 } else { a.intersection(&b).count() as f64 / union as f64 };
        prop_assert!(close(jaccard(&first, &second).unwrap(), expected));
        prop_assert!(close(jaccard(&second, &first).unwrap(), expected));
        let rows: BTreeSet<u32> = a.iter().map(|i| i / 7).collect();
        let columns: BTreeSet<u32> = a.iter().map(|i| i % 7).collect();
        prop_assert_eq!(touched(&first), [rows.len(), columns.len()]);
        let mut seen = Union::new(shape);
        prop_assert_eq!(seen.add(&first).unwrap(), a.len());
        prop_assert_eq!(seen.add(&second).unwrap(), union - a.len());
        prop_assert_eq!(seen.len(), union);
        prop_assert!(close(seen.share(), union as f64 / 35.0));
    }
}

#[test]
fn masks_of_different_cores_do_not_compare() {
    let (a, b) = (Mask::all([2, 3]), Mask::all([3, 2]));
    assert!(matches!(jaccard(&a, &b), Err(Error::Shape { .. })));
    assert!(matches!(Union::new([2, 3]).add(&b), Err(Error::Shape { .. })));
}

#[test]
fn the_effective_rank_of_equal_directions_is_their_number() {
    let mut core = Array2::zeros((6, 8));
    core[(1, 5)] = 3.0;
    core[(4, 2)] = -3.0;
    core[(0, 0)] = 3.0;
    assert!(close(effective_rank(core.view()).unwrap(), 3.0));
    // p = 0.9, 0.1
    let two = array![[9.0, 0.0], [0.0, 1.0]];
    let entropy = -0.9 * 0.9_f64.ln() - 0.1 * 0.1_f64.ln();
    assert!(close(effective_rank(two.view()).unwrap(), entropy.exp()));
    assert!(close(effective_rank(Array2::zeros((2, 3)).view()).unwrap(), 0.0));
    // A basis does not change it.
    let basis = Basis::random(20, 30, 6, 8, 1).unwrap();
    let mut weights = Array2::zeros((20, 30));
    let core = random(6, 8, 2);
    basis.apply(sixfold_sparsegrad::Update::Dense(core.view()), 1.0, weights.view_mut()).unwrap();
    let [small, large] = [&core, &weights].map(|a| effective_rank(a.view()).unwrap());
    assert!((small - large).abs() < 1e-3 * small, "{small} {large}");
}
