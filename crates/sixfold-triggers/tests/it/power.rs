//! Singular values beside decompositions and exhaustive search.

#![expect(
    clippy::float_cmp,
    reason = "signs and zeros are exact, and another seed gives another number"
)]

use ndarray::{Array1, Array2, ArrayView1, Axis, array, concatenate};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use sixfold_linalg::svdvals;
use sixfold_triggers::power::{
    Jacobian, Products, SimplexVector, Stacked, const_direction, mean_row, norm, phi,
    random_direction, simplex_vector,
};
use sixfold_triggers::{Error, Exponent, Result, SingularConfig, singular_vector};

fn normal(rows: usize, columns: usize, seed: u64) -> Array2<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    Array2::from_shape_simple_fn((rows, columns), || StandardNormal.sample(&mut rng))
}

fn config(p: Exponent, q: f64) -> SingularConfig {
    SingularConfig { p, q, iterations: 100, tolerance: 0.0, ..Default::default() }
}

/// (Σ |x|^q)^(1/q) with no scaling.
fn plain_norm(x: &Array1<f64>, q: f64) -> f64 {
    x.iter().map(|x| x.abs().powf(q)).sum::<f64>().powf(1.0 / q)
}

#[test]
fn two_two_is_the_largest_singular_value() {
    for seed in 0..20 {
        let a = normal(3 + seed as usize % 7, 9, seed);
        let config = SingularConfig { iterations: 5000, ..config(Exponent::Finite(2.0), 2.0) };
        let found = singular_vector(&a, &config).unwrap();
        let expected = svdvals(a.view()).unwrap()[0];
        assert!((found.value / expected - 1.0).abs() < 1e-5, "{} {expected}", found.value);
        assert!((norm(found.vector.view(), config.p) - 1.0).abs() < 1e-12);
    }
}

/// The largest ‖A·v‖_q over signs: a convex function is largest at a corner.
#[test]
fn infinity_q_is_the_best_of_all_signs() {
    let (mut found, mut single, mut plain) = (0, 0, 0);
    for seed in 0..100_u64 {
        let n = 4 + seed as usize % 9;
        let q = [1.0, 2.0, 3.5, 5.0, 10.0][seed as usize % 5];
        let a = normal(3 + seed as usize % 11, n, 1000 + seed);
        let corner = |bits: u32| {
            let v = Array1::from_shape_fn(n, |i| if bits >> i & 1 == 1 { 1.0 } else { -1.0 });
            plain_norm(&a.dot(&v), q)
        };
        let best = (0..1_u32 << n).map(corner).fold(0.0, f64::max);
        let config = SingularConfig { restarts: 8, ..config(Exponent::Infinity, q) };
        let value = singular_vector(&a, &config).unwrap().value;
        assert!(value <= best * (1.0 + 1e-12), "{value} {best}");
        found += i32::from(value > best * (1.0 - 1e-9));
        for (count, config) in [
            (&mut single, SingularConfig { restarts: 1, ..config }),
            (&mut plain, SingularConfig { flips: 0, ..config }),
        ] {
            let value = singular_vector(&a, &config).unwrap().value;
            *count += i32::from(value > best * (1.0 - 1e-9));
        }
    }
    assert!(found >= 95, "{found} of 100");
    // Restarts and flips are there for a reason.
    assert!(single < found && plain < found, "{single}, {plain}, {found}");
}

fn exponents() -> impl Strategy<Value = Exponent> {
    prop_oneof![
        Just(Exponent::Infinity),
        Just(Exponent::Finite(2.0)),
        (1.001_f64..40.0).prop_map(Exponent::Finite),
        Just(Exponent::Finite(1.0 + 1e-9)),
        Just(Exponent::Finite(1e6)),
    ]
}

proptest! {
    /// Values never fall, vectors keep their length, and the value is that of the vector.
    #[test]
    fn values_never_fall(
        p in exponents(),
        q in prop_oneof![Just(1.0), Just(2.0), 1.0_f64..12.0, Just(500.0)],
        rows in 1_usize..9,
        columns in 1_usize..9,
        seed in any::<u64>(),
        scale in -120_i32..120,
    ) {
        let a = normal(rows, columns, seed) * 10.0_f64.powi(scale);
        let found = singular_vector(&a, &config(p, q)).unwrap();
        for pair in found.history.windows(2) {
            prop_assert!(pair[1] >= pair[0], "{:?}", pair);
        }
        prop_assert_eq!(found.history.last(), Some(&found.value));
        prop_assert!((norm(found.vector.view(), p) - 1.0).abs() < 1e-9);
        let again = norm(a.dot(&found.vector).view(), Exponent::Finite(q));
        prop_assert!((again / found.value - 1.0).abs() < 1e-9);
        prop_assert!(found.value.is_finite() && found.value > 0.0);
    }

    /// Jacobians one under another are the matrix of all their rows.
    #[test]
    fn stacked_maps_are_one_matrix(
        rows in prop::collection::vec(1_usize..5, 1..5),
        columns in 1_usize..7,
        seed in any::<u64>(),
    ) {
        let parts: Vec<Array2<f64>> =
            rows.iter().zip(seed..).map(|(&rows, seed)| normal(rows, columns, seed)).collect();
        let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
        let whole = concatenate(Axis(0), &views).unwrap();
        let stacked = Stacked::new(parts).unwrap();
        prop_assert_eq!(stacked.shape(), [whole.nrows(), columns]);
        let v = normal(1, columns, 5).remove_axis(Axis(0));
        let u = normal(1, whole.nrows(), 6).remove_axis(Axis(0));
        let close = |a: Array1<f64>, b: Array1<f64>| (a - b).iter().all(|x| x.abs() < 1e-12);
        prop_assert!(close(stacked.apply(v.view()).unwrap(), whole.dot(&v)));
        prop_assert!(close(stacked.apply_transpose(u.view()).unwrap(), whole.t().dot(&u)));
        let config = config(Exponent::Finite(3.0), 2.5);
        let (a, b) =
            (singular_vector(&stacked, &config).unwrap(), singular_vector(&whole, &config).unwrap());
        prop_assert!((a.value / b.value - 1.0).abs() < 1e-5);
    }

    /// φ beside its definition, norms beside theirs.
    #[test]
    fn maps_are_their_definitions(
        z in prop::collection::vec(-3.0_f64..3.0, 1..9),
        q in 1.0_f64..6.0,
    ) {
        let z = Array1::from(z);
        for (u, &z) in phi(z.view(), q).iter().zip(&z) {
            let expected = if z > 0.0 { z.powf(q - 1.0) } else if z < 0.0 { -(-z).powf(q - 1.0) } else { 0.0 };
            prop_assert!((u - expected).abs() < 1e-9);
        }
        // ⟨z, φ(z)⟩ = ‖z‖^q
        let inner = z.dot(&phi(z.view(), q));
        prop_assert!((inner - plain_norm(&z, q).powf(q)).abs() < 1e-9 * (1.0 + inner));
        let found = norm(z.view(), Exponent::Finite(q));
        prop_assert!((found - plain_norm(&z, q)).abs() < 1e-9 * (1.0 + found));
    }

    /// On the simplex, values never fall, tokens are within the table, and no tokens are
    /// better than the best of all.
    #[test]
    fn tokens_climb_and_stay_below_the_best(
        length in 1_usize..4,
        vocabulary in 1_usize..6,
        q in prop_oneof![Just(1.0), Just(2.0), Just(5.0)],
        seed in any::<u64>(),
    ) {
        let (found, best) = against_all(length, vocabulary, q, seed);
        for pair in found.history.windows(2) {
            prop_assert!(pair[1] >= pair[0] * (1.0 - 1e-9), "{:?}", pair);
        }
        prop_assert_eq!(found.tokens.len(), length);
        prop_assert!(found.tokens.iter().all(|&token| token < vocabulary));
        prop_assert!(found.value <= best * (1.0 + 1e-9));
    }
}

/// What is found, and the best of all token sequences.
fn against_all(length: usize, vocabulary: usize, q: f64, seed: u64) -> (SimplexVector, f64) {
    let d = 3;
    let map = normal(7, length * d, seed);
    let table = normal(vocabulary, d, seed ^ 1);
    let current = normal(length, d, seed ^ 2);
    let found = simplex_vector(&map, table.view(), current.view(), q, 50).unwrap();
    let value = |mut index: usize| {
        let tokens: Vec<usize> = (0..length)
            .map(|_| {
                let token = index % vocabulary;
                index /= vocabulary;
                token
            })
            .collect();
        let direction = table.select(Axis(0), &tokens) - &current;
        plain_norm(&map.dot(&Array1::from_iter(direction)), q)
    };
    let best = (0..vocabulary.pow(length as u32)).map(value).fold(0.0, f64::max);
    (found, best)
}

#[test]
fn the_best_tokens_are_often_found() {
    let hits = (0..100).filter(|&seed| {
        let (found, best) = against_all(2, 6, 2.0, seed);
        found.value > best * (1.0 - 1e-9)
    });
    let hits = hits.count();
    assert!(hits >= 40, "{hits} of 100");
}

/// With p = 1 + δ the vector is one coordinate: the column of the largest norm.
#[test]
fn p_near_one_is_the_longest_column() {
    let a = array![[1.0, -4.0, 2.0], [2.0, 3.0, -2.0]];
    let config = SingularConfig { restarts: 8, ..config(Exponent::Finite(1.0 + 1e-6), 2.0) };
    let found = singular_vector(&a, &config).unwrap();
    assert!((found.value - 5.0).abs() < 1e-4, "{found:?}");
}

#[test]
fn single_precision_and_closures_are_maps_too() {
    let a = normal(6, 5, 9).mapv(|x| x as f32);
    let wide = a.mapv(f64::from);
    let config = config(Exponent::Infinity, 3.0);
    let expected = singular_vector(&wide, &config).unwrap();
    assert_eq!(singular_vector(&a, &config).unwrap().vector, expected.vector);
    let products = Products::new(
        [6, 5],
        |v: ArrayView1<'_, f64>| Ok(wide.dot(&v)),
        |u: ArrayView1<'_, f64>| Ok(wide.t().dot(&u)),
    );
    let found = singular_vector(&products, &config).unwrap();
    assert!((found.value / expected.value - 1.0).abs() < 1e-12);
    assert!(found.products >= found.history.len() && found.history.len() <= 101);
    // The same seed, the same vector; another one, another start.
    assert_eq!(singular_vector(&products, &config).unwrap(), found);
    let other = SingularConfig { seed: 1, ..config };
    assert_ne!(singular_vector(&products, &other).unwrap().history, found.history);
}

#[test]
fn a_map_of_zeros_has_the_value_zero() {
    let found =
        singular_vector(&Array2::<f64>::zeros((3, 2)), &config(Exponent::Infinity, 1.0)).unwrap();
    assert_eq!((found.value, found.history.len()), (0.0, 1));
    assert!(found.vector.iter().all(|x| x.abs() == 1.0));
    // A column of zeros keeps its entry at ±1, so that the norm stays 1.
    let found = singular_vector(&array![[2.0, 0.0]], &config(Exponent::Infinity, 2.0)).unwrap();
    assert_eq!((found.value, found.vector[1].abs()), (2.0, 1.0));
}

#[test]
fn random_mixtures_lie_in_the_hull() {
    let table = normal(50, 1, 3);
    let current = Array2::zeros((4, 1));
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let found = random_direction(table.view(), current.view(), &mut rng).unwrap();
    let (low, high) = table.iter().fold((0.0_f64, 0.0_f64), |(l, h), &x| (l.min(x), h.max(x)));
    assert!(found.iter().all(|&x| low < x && x < high));
    assert!(found[[0, 0]] != found[[1, 0]]);
    // Near the uniform mixture, as there are many tokens.
    let mean = mean_row(table.view(), &[true; 50]).unwrap();
    let uniform = const_direction(mean.view(), current.view());
    assert!((found - uniform).iter().all(|x| x.abs() < 0.6));
}

#[test]
fn what_does_not_fit_is_named() {
    let a = normal(2, 4, 0);
    let wrong = SingularConfig {
        p: Exponent::Finite(1.0),
        q: 0.5,
        iterations: 0,
        restarts: 0,
        flips: 0,
        tolerance: f64::NAN,
        seed: 0,
    };
    let said = singular_vector(&a, &wrong).unwrap_err().to_string();
    for name in ["p is 1", "q is 0.5", "iterations", "restarts", "tolerance"] {
        assert!(said.contains(name), "{said}");
    }
    let nan = array![[f64::NAN, 1.0]];
    let wrong = singular_vector(&nan, &SingularConfig::default()).unwrap_err();
    assert!(matches!(wrong, Error::NotFinite { index: 0, .. }), "{wrong}");
    let none = Array2::<f64>::zeros((0, 3));
    assert!(singular_vector(&none, &SingularConfig::default()).is_err());
    let short = |_: ArrayView1<'_, f64>| -> Result<Array1<f64>> { Ok(Array1::zeros(1)) };
    let wrong = singular_vector(&Products::new([2, 2], short, short), &Default::default());
    assert!(wrong.unwrap_err().to_string().contains("length of a product is 1, expected 2"));
    assert!(Stacked::new(vec![normal(2, 3, 0), normal(2, 4, 0)]).is_err());
    assert!(Stacked::<Array2<f64>>::new(vec![]).is_err());
    let table = normal(3, 2, 0);
    assert!(mean_row(table.view(), &[true]).is_err());
    assert!(mean_row(table.view(), &[false; 3]).is_err());
    let (current, wide) = (normal(2, 2, 0), normal(2, 3, 0));
    assert!(simplex_vector(&a, table.view(), wide.view(), 2.0, 1).is_err());
    assert!(simplex_vector(&normal(2, 3, 0), table.view(), current.view(), 2.0, 1).is_err());
    let said = simplex_vector(&a, table.view(), current.view(), 0.0, 0).unwrap_err().to_string();
    assert!(said.contains("q is 0") && said.contains("iterations"), "{said}");
}

#[test]
fn exponents_in_files() {
    let read = |text: &str| serde_json::from_str::<SingularConfig>(text);
    assert_eq!(read(r#"{"p": 2.0}"#).unwrap().p, Exponent::Finite(2.0));
    assert_eq!(read(r#"{"p": "infinity"}"#).unwrap().p, Exponent::Infinity);
    assert!(read(r#"{"p": "large"}"#).is_err() && read(r#"{"r": 2}"#).is_err());
    for p in [Exponent::Infinity, Exponent::Finite(1.5)] {
        let config = SingularConfig { p, ..Default::default() };
        assert_eq!(read(&serde_json::to_string(&config).unwrap()).unwrap(), config);
    }
}
