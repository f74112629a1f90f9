//! Cores in 8 and 16 bits: gate Q4 and what rounding may change.

use sixfold_tensor_train::{Cores, Error, Initializer, Precision, QuantisedCores, TtShape};

use crate::common::{random, shapes};

const ALL: [Precision; 3] = [Precision::Int8, Precision::F16, Precision::Bf16];

/// Mean and largest relative error of rows.
fn row_errors(cores: &Cores, small: &QuantisedCores) -> [f64; 2] {
    let ids: Vec<i64> = (0..cores.shape().vocab_size() as i64).collect();
    let (exact, found) = (cores.rows(&ids).unwrap(), small.rows(&ids).unwrap());
    let norm = |x: ndarray::ArrayView1<'_, f32>| -> f64 {
        x.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt()
    };
    let error = (&found - &exact).rows().into_iter().map(norm).collect::<Vec<_>>();
    let relative: Vec<f64> =
        error.iter().zip(exact.rows()).map(|(error, row)| error / norm(row)).collect();
    let mean = relative.iter().sum::<f64>() / relative.len() as f64;
    [mean, relative.iter().fold(0.0, |most, x| most.max(*x))]
}

#[test]
fn integers_keep_rows_within_two_per_cent_in_a_quarter_of_the_memory() {
    let shape = TtShape::train(25_000, [25, 30, 40], [4, 8, 8], 16).unwrap();
    for seed in 0..3 {
        let cores = Cores::init(shape.clone(), &Initializer::Glorot, seed).unwrap();
        let small = QuantisedCores::int8(&cores).unwrap();
        let [mean, most] = row_errors(&cores, &small);
        assert!(mean < 0.0125 && most < 0.02, "mean {mean}, largest {most}");
        // A byte for each value and four for each of 95 slices.
        assert_eq!(small.bytes(), 68_160 + 4 * 95);
        assert!(small.saving() >= 3.97, "{}", small.saving());
        assert!((small.compression() / (93.9 * small.saving()) - 1.0).abs() < 1e-3);
    }
}

#[test]
fn values_are_the_nearest_that_can_be_stored() {
    for (seed, shape) in shapes().into_iter().enumerate() {
        let cores = random(shape, seed as u64);
        for precision in ALL {
            let small = QuantisedCores::new(&cores, precision).unwrap();
            assert_eq!((small.precision(), small.shape()), (precision, cores.shape()));
            let back = small.dequantise();
            for k in 0..cores.shape().cores() {
                let len = cores.core(k).len() / cores.shape().rows()[k];
                let slices = cores.core(k).chunks(len).zip(back.core(k).chunks(len));
                for (exact, found) in slices {
                    let largest = exact.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
                    for (exact, found) in exact.iter().zip(found) {
                        let allowed = match precision {
                            Precision::Int8 => largest / 254.0 * 1.000_01,
                            Precision::F16 => exact.abs() / 2048.0 + 1e-7,
                            _ => exact.abs() / 256.0,
                        };
                        assert!((exact - found).abs() <= allowed, "{exact} became {found}");
                    }
                }
            }
            // What was rounded once stays.
            assert_eq!(QuantisedCores::new(&back, precision).unwrap().dequantise(), back);
        }
    }
}

#[test]
fn halves_are_half_as_large() {
    let cores = random(shapes().remove(2), 0);
    for precision in [Precision::F16, Precision::Bf16] {
        let small = QuantisedCores::new(&cores, precision).unwrap();
        assert_eq!(small.bytes(), 2 * cores.values().len());
        let [mean, most] = row_errors(&cores, &small);
        let allowed = if precision == Precision::F16 { 1e-3 } else { 8e-3 };
        assert!(mean > 0.0 && most < allowed, "{mean} {most}");
    }
}

#[test]
fn few_and_many_rows_are_those_of_the_widened_cores() {
    for (seed, shape) in shapes().into_iter().enumerate() {
        let vocab = shape.vocab_size() as i64;
        let cores = random(shape, seed as u64);
        for precision in ALL {
            let small = QuantisedCores::new(&cores, precision).unwrap();
            let wide = small.dequantise();
            let all: Vec<i64> = (0..vocab).rev().collect();
            for ids in [&[][..], &[vocab - 1], &[3, 0, vocab / 2, 3], &all] {
                assert_eq!(small.rows(ids).unwrap(), wide.rows(ids).unwrap());
            }
            for (position, id) in [(1, vocab), (0, -1), (1, i64::MIN)] {
                let mut ids = [0, 0, 0];
                ids[position] = id;
                let error = small.rows(&ids).unwrap_err();
                let named = matches!(
                    error,
                    Error::Index { id: found, position: at, vocab: v }
                        if found == id && at == position && v as i64 == vocab
                );
                assert!(named, "{error}");
            }
        }
    }
}

#[test]
fn zeros_and_the_smallest_numbers_are_no_trouble() {
    let shape = TtShape::train(6, [2, 3], [2, 2], 2).unwrap();
    let mut cores = random(shape, 3);
    cores.values_mut()[..4].fill(0.0);
    cores.values_mut()[4..8].copy_from_slice(&[1e-45, -1e-45, 0.0, 1e-45]);
    let back = QuantisedCores::int8(&cores).unwrap().dequantise();
    assert_eq!(back.values()[..8], [0.0; 8]);
    cores.values_mut()[4..8].copy_from_slice(&[f32::MAX, -1.0, 1.0, -f32::MAX]);
    let back = QuantisedCores::int8(&cores).unwrap().dequantise();
    assert!(back.values()[4] > 0.999_999 * f32::MAX && back.values()[7] < -0.999_999 * f32::MAX);
    let error = QuantisedCores::new(&cores, Precision::F16).unwrap_err();
    assert!(matches!(error, Error::InvalidParameter { name: "a value of the cores", .. }));
    assert!(QuantisedCores::new(&cores, Precision::Bf16).is_err());
    cores.values_mut()[9] = f32::INFINITY;
    for precision in ALL {
        let error = QuantisedCores::new(&cores, precision).unwrap_err();
        assert!(matches!(error, Error::NotFinite { what: "core 2", row: 0, column: 1 }), "{error}");
    }
}
