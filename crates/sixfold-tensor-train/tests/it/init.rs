//! Standard deviation and kurtosis of fresh tables (oracle 3).

use rand::RngExt;
use sixfold_tensor_train::init::kurtosis;
use sixfold_tensor_train::{Cores, Error, Initializer, TtShape};

use crate::common::generator;

const SEEDS: u64 = 20;

/// Standard deviation and kurtosis of 256 random rows of each of 20 tables. Entries of one table depend on
/// each other, so that it takes many.
fn moments(shape: &TtShape, initializer: &Initializer) -> [f64; 2] {
    let (mut second, mut fourth, mut n) = (0.0, 0.0, 0.0);
    for seed in 0..SEEDS {
        let cores = Cores::init(shape.clone(), initializer, seed).unwrap();
        let mut ids = generator(seed);
        let vocab = shape.vocab_size() as i64;
        let ids: Vec<i64> = (0..256).map(|_| ids.random_range(0..vocab)).collect();
        for value in cores.rows(&ids).unwrap() {
            let square = f64::from(value).powi(2);
            second += square;
            fourth += square * square;
            n += 1.0;
        }
    }
    [(second / n).sqrt(), fourth * n / (second * second)]
}

/// Large first cores, so that 20 tables are enough for a standard deviation within 1 %.
fn shapes() -> [TtShape; 4] {
    let ring = |rank| TtShape::ring(128_000, [50, 50, 52], [8, 8, 8], rank).unwrap();
    [
        TtShape::train(128_000, [50, 50, 52], [8, 8, 8], 16).unwrap(),
        TtShape::train(128_000, [18, 18, 20, 20], [6, 6, 6, 6], 12).unwrap(),
        ring(8),
        TtShape::new(128_000, [50, 50, 52], [8, 8, 8], [4, 9, 16, 4]).unwrap(),
    ]
}

#[test]
fn tables_have_the_standard_deviation_and_the_kurtosis_that_the_formulas_say() {
    // The kurtosis of a normal distribution without its centre, by numerical integration.
    let cut = 1.097_016_3;
    for shape in shapes() {
        for (initializer, entries) in [
            (Initializer::Glorot, 3.0),
            (Initializer::SampledGaussian(0.05), cut),
            // Nearly normal: each entry is one of a long vector.
            (Initializer::Orthogonal(3.0), 3.0),
        ] {
            let expected = [initializer.std(&shape), kurtosis(&shape, entries)];
            let found = moments(&shape, &initializer);
            let [std, kurtosis] = [0, 1].map(|i| (found[i] / expected[i] - 1.0).abs());
            assert!(std < 0.01, "{initializer:?}, {shape:?}: {found:?}, expected {expected:?}");
            assert!(
                kurtosis < 0.05,
                "{initializer:?}, {shape:?}: {found:?}, expected {expected:?}"
            );
        }
    }
}

#[test]
fn the_papers_standard_deviation_is_that_of_its_code() {
    let shape = TtShape::train(25_000, [25, 30, 40], [4, 8, 8], 16).unwrap();
    assert!((Initializer::Glorot.std(&shape) - (2.0_f64 / 30_256.0).sqrt()).abs() < 1e-15);
    // s^{1/3}·(16·16)^{−1/6}
    let core = 0.008_130_4_f64.powf(1.0 / 3.0) * 256.0_f64.powf(-1.0 / 6.0);
    assert!((Initializer::Glorot.core_std(&shape) / core - 1.0).abs() < 1e-4);
    let std = Initializer::Std(Initializer::Glorot.std(&shape));
    let init = |initializer| Cores::init(shape.clone(), initializer, 0).unwrap();
    assert_eq!(init(&std), init(&Initializer::Glorot));
    // The defect of its rings: 8^{−1/2} = 0.354 of what was wanted.
    let ring = TtShape::ring(25_000, [25, 30, 40], [4, 8, 8], 8).unwrap();
    let wrong = Initializer::Glorot.std(&ring).powf(1.0 / 3.0) * 8.0_f64.powf(-4.0 / 6.0);
    let ratio = (wrong / Initializer::Glorot.core_std(&ring)).powi(3);
    assert!((ratio - 8.0_f64.powf(-0.5)).abs() < 1e-12);
}

#[test]
fn orthogonal_cores_are_orthogonal_and_give_the_norm_exactly() {
    // The whole padded table, and a rank above r_1·I_2·J_2.
    for (ranks, exact) in [([1, 5, 7, 1], true), ([1, 2, 12, 1], false)] {
        let shape = TtShape::new(60, [3, 4, 5], [2, 2, 3], ranks).unwrap();
        let cores = Cores::init(shape.clone(), &Initializer::Orthogonal(0.5), 7).unwrap();
        let std = Initializer::Orthogonal(0.5).core_std(&shape);
        for k in 0..2 {
            let [slices, left, columns, right] = shape.core(k);
            let (high, wide) = (slices * left * columns, right);
            let core = cores.core(k);
            let (vectors, length) = if high >= wide { (wide, high) } else { (high, wide) };
            let at = |vector: usize, i: usize| {
                let at = if high >= wide { i * wide + vector } else { vector * wide + i };
                f64::from(core[at])
            };
            for a in 0..vectors {
                for b in 0..=a {
                    let product: f64 = (0..length).map(|i| at(a, i) * at(b, i)).sum();
                    let expected = if a == b { std * std * length as f64 } else { 0.0 };
                    assert!((product - expected).abs() < 1e-5 * std * std * length as f64);
                }
            }
        }
        let rms = cores.to_dense().mapv(|x| f64::from(x).powi(2)).mean().unwrap().sqrt();
        if exact {
            assert!((rms - 0.5).abs() < 1e-6, "{rms}");
        }
    }
}

#[test]
fn sampled_entries_have_no_centre() {
    let shape = TtShape::train(5_000, [17, 17, 18], [4, 4, 4], 8).unwrap();
    let initializer = Initializer::SampledGaussian(1.0);
    let cores = Cores::init(shape.clone(), &initializer, 3).unwrap();
    // In units of the normal numbers that were cut, whose variance is 5.746 beyond 2.
    let unit = initializer.core_std(&shape) / 5.746_430_7_f64.sqrt();
    let sizes: Vec<f64> = cores.values().iter().map(|x| f64::from(x.abs()) / unit).collect();
    assert!(sizes.iter().all(|size| *size > 1.999_99));
    // P(|x| > 3 given |x| > 2) = 0.0593
    let beyond = sizes.iter().filter(|size| **size > 3.0).count() as f64 / sizes.len() as f64;
    assert!((beyond - 0.0593).abs() < 0.01, "{beyond}");
    let positive = cores.values().iter().filter(|x| **x > 0.0).count() as f64 / sizes.len() as f64;
    assert!((positive - 0.5).abs() < 0.03, "{positive}");
}

#[test]
fn a_seed_is_a_table_and_another_seed_another() {
    let shape = TtShape::ring(100, [3, 5, 7], [2, 2, 3], 3).unwrap();
    for initializer in
        [Initializer::Glorot, Initializer::SampledGaussian(0.1), Initializer::Orthogonal(0.1)]
    {
        let init = |seed| Cores::init(shape.clone(), &initializer, seed).unwrap();
        assert_eq!(init(1), init(1));
        assert_ne!(init(1), init(2));
    }
}

#[test]
fn standard_deviations_that_are_none_are_refused() {
    let shape = TtShape::train(100, [5, 5, 5], [2, 2, 2], 2).unwrap();
    for std in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e300, 1e-300] {
        for initializer in
            [Initializer::Std(std), Initializer::SampledGaussian(std), Initializer::Orthogonal(std)]
        {
            let error = Cores::init(shape.clone(), &initializer, 0).unwrap_err();
            let named = matches!(
                error,
                Error::InvalidParameter { name: "the standard deviation", found, .. }
                    if found.to_bits() == std.to_bits()
            );
            assert!(named, "{error}");
        }
    }
    // An f32 in each core, whatever the standard deviation.
    let largest = Cores::init(shape, &Initializer::Std(1e38), 0).unwrap();
    assert!(largest.values().iter().all(|x| x.is_finite()));
}
