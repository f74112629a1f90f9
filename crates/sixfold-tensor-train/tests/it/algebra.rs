//! Algebra in tensor-train form against the same on dense tables.

use ndarray::Array2;
use proptest::prelude::*;
use sixfold_tensor_train::decompose::relative_error;
use sixfold_tensor_train::{Cores, Error, Target, TtShape};

use crate::common::{random, shapes};

/// The padded table in f64.
fn dense(cores: &Cores) -> Array2<f64> {
    let shape = cores.shape();
    let (rows, columns, ranks) = (shape.rows(), shape.columns(), shape.ranks());
    let whole = TtShape::new(shape.padded_vocab(), rows, columns, ranks).unwrap();
    Cores::new(whole, cores.values().to_vec()).unwrap().to_dense().mapv(f64::from)
}

fn norm(x: &Array2<f64>) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

fn trains() -> Vec<TtShape> {
    shapes().into_iter().filter(|shape| !shape.is_ring()).collect()
}

/// Another train of the same table, with ranks one smaller where they can be.
fn other(shape: &TtShape, seed: u64) -> Cores {
    let ranks: Vec<usize> = shape.ranks().iter().map(|rank| (rank - 1).max(1)).collect();
    random(shape.with_ranks(ranks).unwrap(), 1_000 + seed)
}

#[test]
fn sums_products_and_norms_are_those_of_dense_tables() {
    for (seed, shape) in trains().into_iter().enumerate() {
        let seed = seed as u64;
        let (a, b) = (random(shape.clone(), seed), other(&shape, seed));
        let (x, y) = (dense(&a), dense(&b));
        let close = |found: &Cores, exact: &Array2<f64>| {
            let error = norm(&(&dense(found) - exact)) / norm(exact);
            assert!(error < 2e-6, "{shape:?}: {error}");
        };
        close(&a.add(&b).unwrap(), &(&x + &y));
        close(&a.scale(-2.5).unwrap(), &(-2.5 * &x));
        close(&a.hadamard(&b).unwrap(), &(&x * &y));
        let product = (&x * &y).sum();
        assert!((a.dot(&b).unwrap() - product).abs() < 1e-6 * norm(&x) * norm(&y));
        assert!((a.norm().unwrap() - norm(&x)).abs() < 1e-6 * norm(&x));
    }
}

#[test]
fn ranks_add_up_where_they_can_and_are_reduced_where_not() {
    let shape = TtShape::new(60, [3, 4, 5], [3, 4, 4], [1, 2, 3, 1]).unwrap();
    let (a, b) = (random(shape.clone(), 1), random(shape.clone(), 2));
    assert_eq!(a.add(&b).unwrap().shape().ranks(), [1, 4, 6, 1]);
    assert_eq!(a.hadamard(&b).unwrap().shape().ranks(), [1, 4, 9, 1]);
    let full = random(shape.with_ranks([1, 9, 20, 1]).unwrap(), 3);
    assert_eq!(full.add(&full).unwrap().shape().ranks(), [1, 9, 20, 1]);
    assert_eq!(full.hadamard(&full).unwrap().shape().ranks(), [1, 9, 20, 1]);
}

#[test]
fn twice_a_table_rounds_to_the_ranks_of_one() {
    for (seed, shape) in trains().into_iter().enumerate() {
        let x = random(shape.clone(), seed as u64);
        let twice = x.add(&x).unwrap().round(&Target::RelativeError(1e-6)).unwrap();
        // Neighbours may bound a rank of a random train further than it was chosen.
        let found = twice.cores().shape();
        assert!(found.ranks().iter().zip(shape.ranks()).all(|(a, b)| a <= b), "{found:?}");
        if shape.cores() == 3 {
            let own = x.round(&Target::RelativeError(1e-6)).unwrap();
            assert_eq!(found.ranks(), own.cores().shape().ranks());
        }
        let exact = 2.0 * dense(&x);
        assert!(norm(&(dense(twice.cores()) - &exact)) < 3e-6 * norm(&exact));
        assert!((twice.norm() - norm(&exact)).abs() < 1e-6 * norm(&exact));
    }
    let shape = TtShape::new(120, [4, 5, 6], [4, 4, 4], [1, 3, 7, 1]).unwrap();
    let x = random(shape.clone(), 9);
    let twice = x.add(&x).unwrap().round(&Target::RelativeError(1e-6)).unwrap();
    assert_eq!(twice.cores().shape(), &shape);
}

#[test]
fn rounding_keeps_the_error_asked_for_and_knows_its_own() {
    let shape = TtShape::new(118, [4, 5, 6], [4, 4, 4], [1, 16, 24, 1]).unwrap();
    let mut x = random(shape.clone(), 4);
    // Singular values that fall: the right index of each core weighs less and less.
    for (at, value) in x.values_mut().iter_mut().enumerate() {
        *value *= 0.8_f32.powi((at % 24) as i32);
    }
    let table = x.to_dense();
    let exact = dense(&x);
    let mut larger = usize::MAX;
    for error in [1e-3, 1e-2, 0.1, 0.5] {
        let found = x.round(&Target::RelativeError(error)).unwrap();
        let measured = norm(&(dense(found.cores()) - &exact)) / norm(&exact);
        assert!(measured <= error, "{error}: {measured}");
        assert!((measured - found.relative_error()).abs() < 1e-4 * measured + 1e-6);
        let discarded: f64 = found.discarded().iter().sum();
        assert!((discarded.sqrt() / found.norm() - found.relative_error()).abs() < 1e-12);
        // The same table decomposed from scratch needs about as much.
        assert!(found.cores().shape().parameters() < larger);
        larger = found.cores().shape().parameters();
        assert!(relative_error(found.cores(), &table).unwrap() < 1.2 * error);
    }
    let found = x.round(&Target::Rank(5)).unwrap();
    assert_eq!(found.cores().shape().ranks(), [1, 5, 5, 1]);
    let found = x.round(&Target::Ranks(vec![1, 3, 8, 1])).unwrap();
    assert_eq!(found.cores().shape().ranks(), [1, 3, 8, 1]);
    let found = x.round(&Target::Compression(20.0)).unwrap();
    assert!(found.cores().shape().compression() >= 20.0);
    let found = x.round(&Target::Rank(1_000)).unwrap();
    assert_eq!(found.cores().shape().ranks(), [1, 16, 24, 1]);
    assert!(relative_error(found.cores(), &table).unwrap() < 1e-6);
}

#[test]
fn tables_that_do_not_fit_are_errors() {
    let a = random(TtShape::train(60, [3, 4, 5], [2, 2, 2], 3).unwrap(), 0);
    let b = random(TtShape::train(59, [3, 5, 4], [2, 2, 2], 3).unwrap(), 0);
    let error = a.add(&b).unwrap_err().to_string();
    for part in ["row factors [3, 4, 5] and [3, 5, 4] differ", "vocabularies [60] and [59] differ"]
    {
        assert!(error.contains(part), "{error}");
    }
    assert!(a.hadamard(&b).is_err() && a.dot(&b).is_err());
    let ring = random(TtShape::ring(60, [3, 4, 5], [2, 2, 2], 3).unwrap(), 0);
    for error in [ring.norm().err(), ring.add(&ring).err(), ring.round(&Target::Rank(1)).err()] {
        assert!(error.unwrap().to_string().contains("a ring of rank 3, expected a train"));
    }
    assert_eq!(ring.scale(2.0).unwrap().to_dense(), 2.0 * ring.to_dense());
    for factor in [f64::NAN, f64::INFINITY, 1e60] {
        assert!(matches!(a.scale(factor), Err(Error::InvalidParameter { .. })));
    }
    let error = a.round(&Target::Ranks(vec![1, 3, 4, 1])).unwrap_err();
    assert!(matches!(error, Error::Rank { bond: 2, rank: 4, attainable: 3 }), "{error}");
    let mut broken = a.clone();
    broken.values_mut()[17] = f32::NAN;
    assert!(matches!(broken.round(&Target::Rank(1)), Err(Error::NotFinite { column: 17, .. })));
    assert!(broken.norm().unwrap().is_nan());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// ‖A + cB‖² = ‖A‖² + 2c·⟨A, B⟩ + c²·‖B‖², and rounding is the nearer the more it may keep.
    #[test]
    fn the_norm_of_a_sum_follows_from_products(
        which in 0_usize..7,
        c in -2.0_f64..2.0,
        seed: u64,
    ) {
        let shape = trains().swap_remove(which);
        let (a, b) = (random(shape.clone(), seed), other(&shape, seed / 2));
        let sum = a.add(&b.scale(c).unwrap()).unwrap();
        let squares = [a.dot(&a), b.dot(&b), a.dot(&b)].map(Result::unwrap);
        let expected = squares[0] + c * c * squares[1] + 2.0 * c * squares[2];
        let scale = squares[0] + c * c * squares[1];
        prop_assert!((sum.dot(&sum).unwrap() - expected).abs() <= 1e-5 * scale);
        let errors = [1, 2, 4, 8].map(|rank| sum.round(&Target::Rank(rank)).unwrap());
        let errors = errors.map(|found| found.relative_error());
        prop_assert!(errors.is_sorted_by(|a, b| *a >= b - 1e-9), "{errors:?}");
    }
}

#[test]
fn frozen_tables_are_the_same_with_two_cores() {
    for (seed, shape) in shapes().into_iter().enumerate() {
        let cores = random(shape.clone(), seed as u64);
        let frozen = cores.freeze().unwrap();
        assert_eq!(frozen.shape().cores(), 2);
        assert_eq!(frozen.shape().ranks()[1], shape.ranks()[shape.cores() - 1]);
        let exact = dense(&cores);
        let error = norm(&(&dense(&frozen) - &exact)) / norm(&exact);
        assert!(error < 2e-6, "{shape:?}: {error}");
        assert_eq!(frozen.freeze().unwrap(), frozen);
    }
}
