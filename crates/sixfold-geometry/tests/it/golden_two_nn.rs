//! The numbers of scikit-dimension, DADApy and LLM-Microscope on the same points.

use ndarray::{Array2, Axis};
use sixfold_geometry::dimension::{
    Interval, TwoNnConfig, TwoNnMethod, compat, gride, gride_scan, two_nn,
};
use sixfold_geometry::{Neighbours, neighbours};
use sixfold_testkit::{Golden, fixtures};

const CLOUDS: [&str; 8] = ["M1", "M2", "M4", "M5b", "M7", "M10a", "M11", "M13b"];

fn open(name: &str) -> (Golden, Array2<f32>) {
    let path = fixtures("sixfold-geometry").join(format!("estimators/{name}.safetensors"));
    let golden = Golden::open(path);
    let (shape, points) = golden.f32("points");
    (golden, Array2::from_shape_vec((shape[0], shape[1]), points).unwrap())
}

#[track_caller]
fn equal(found: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((found / expected - 1.0).abs() <= tolerance, "{what}: {found} is not {expected}");
}

#[test]
fn two_nn_is_that_of_scikit_dimension_and_dadapy() {
    for name in CLOUDS {
        let (golden, x) = open(name);
        let table = neighbours(x.view(), 2).unwrap();
        for (method, keys) in [
            (TwoNnMethod::Fit { discard: 0.1 }, ["skdim.twonn", "dadapy.2nn.base"]),
            (TwoNnMethod::MaximumLikelihood, ["skdim.twonn.mle", "dadapy.2nn.ml"]),
            (TwoNnMethod::Censored { discard: 0.1 }, ["skdim.twonn.censored"; 2]),
        ] {
            let config = TwoNnConfig { method, ..TwoNnConfig::default() };
            let found = two_nn(&table, &config).unwrap();
            for key in keys {
                equal(found.value, golden.f64(key).1[0], 1e-6, &format!("{name}, {key}"));
            }
        }
    }
}

/// The points whose ratio DADApy takes for no outlier: below q50 + 20·(q95 − q50).
fn without_outliers(table: &Neighbours, [inner, outer]: [usize; 2]) -> Neighbours {
    let distances = table.distances();
    let ratio = |row: usize| distances[(row, outer - 1)] / distances[(row, inner - 1)];
    let mut sorted: Vec<f64> = (0..table.n()).map(ratio).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    // numpy's quantile: linear between the two nearest.
    let quantile = |q: f64| {
        let place = q * (sorted.len() - 1) as f64;
        let below = place as usize;
        sorted[below] + place.fract() * (sorted[below + 1] - sorted[below])
    };
    let bound = quantile(0.5) + 20.0 * (quantile(0.95) - quantile(0.5));
    let rows: Vec<usize> = (0..table.n()).filter(|&row| ratio(row) < bound).collect();
    // Who the neighbours are plays no part in the value.
    let indices = Array2::from_shape_fn((rows.len(), table.k()), |(row, _)| u32::from(row == 0));
    Neighbours::from_parts(indices, distances.select(Axis(0), &rows)).unwrap()
}

#[test]
fn gride_is_that_of_dadapy() {
    for name in CLOUDS {
        let (golden, x) = open(name);
        let table = neighbours(x.view(), 64).unwrap();
        let (values, errors) = (golden.f64("dadapy.gride").1, golden.f64("dadapy.gride.error").1);
        let steps = gride_scan(&table, Interval::Exact).unwrap();
        assert_eq!(steps.len(), values.len());
        for ((step, &value), &error) in steps.iter().zip(&values).zip(&errors) {
            let what = format!("{name}, {:?}", step.ranks);
            let table = without_outliers(&table, step.ranks);
            let found = gride(&table, step.ranks, Interval::Exact).unwrap();
            equal(found.value, value, 1e-6, &what);
            equal(found.std_error.unwrap(), error, 2e-3, &what);
            // In two clouds of dimension 1 to 2 outliers are left out; they weigh little.
            equal(step.dimension.value, value, 0.02, &what);
        }
    }
}

#[test]
fn compat_is_llm_microscope_with_its_copies() {
    for name in CLOUDS.iter().chain(&["M2-copies"]) {
        let (golden, x) = open(name);
        let found = compat::intrinsic_dimension(x.view(), 5).unwrap();
        equal(found, golden.f64("llm_microscope").1[0], 1e-9, name);
    }
    // 5.6 of 3 dimensions there; ours leaves the copies out and stays.
    let (_, x) = open("M2-copies");
    let table = neighbours(x.view(), 2).unwrap();
    for method in [TwoNnMethod::MaximumLikelihood, TwoNnMethod::Fit { discard: 0.8 }] {
        let found = two_nn(&table, &TwoNnConfig { method, ..TwoNnConfig::default() }).unwrap();
        assert!((found.value - 3.0).abs() < 0.4, "{found:?}");
        assert_eq!(found.excluded, 255);
    }
}
