//! The numbers of scikit-dimension on the same points.

use ndarray::Array2;
use sixfold_geometry::dimension::{
    CorrelationConfig, FisherConfig, LevinaBickelConfig, LocalDimensions, LocalPcaConfig,
    MadaConfig, Mean, MomConfig, TleConfig, correlation_dimension, fisher_separability,
    levina_bickel, levina_bickel_at_points, local_pca_at_points, mada, mada_at_points, mom,
    mom_at_points, tle, tle_at_points,
};
use sixfold_geometry::{Neighbours, neighbours};
use sixfold_testkit::{Golden, fixtures};

const CLOUDS: [&str; 8] = ["M1", "M2", "M4", "M5b", "M7", "M10a", "M11", "M13b"];

struct Case {
    golden: Golden,
    x: Array2<f32>,
    table: Neighbours,
}

impl Case {
    fn open(name: &str) -> Self {
        let path = fixtures("sixfold-geometry").join(format!("estimators/{name}.safetensors"));
        let golden = Golden::open(path);
        let (shape, points) = golden.f32("points");
        let x = Array2::from_shape_vec((shape[0], shape[1]), points).unwrap();
        let table = neighbours(x.view(), 20).unwrap();
        Self { golden, x, table }
    }

    fn number(&self, key: &str) -> f64 {
        self.golden.f64(key).1[0]
    }

    /// `found` is the number of `key` up to a relative `tolerance`.
    fn equals(&self, found: f64, key: &str, tolerance: f64) {
        let expected = self.number(key);
        let error = (found / expected - 1.0).abs();
        assert!(error <= tolerance, "{key}: {found} is not {expected}");
    }

    /// So is the value of each point.
    fn equal_locally(&self, found: &LocalDimensions, key: &str, tolerance: f64) {
        let (_, expected) = self.golden.f64(key);
        assert_eq!(found.values.len(), expected.len(), "{key}");
        for (point, (found, expected)) in found.values.iter().zip(&expected).enumerate() {
            let error = (found / expected - 1.0).abs();
            assert!(error <= tolerance, "{key}, point {point}: {found} is not {expected}");
        }
    }
}

#[test]
fn levina_bickel_is_that_of_scikit_dimension() {
    for case in CLOUDS.map(Case::open) {
        let config = LevinaBickelConfig::default();
        let estimate = |config| levina_bickel(&case.table, &config).unwrap().value;
        case.equals(estimate(config.clone()), "skdim.mle", 1e-6);
        let unbiased = LevinaBickelConfig { unbiased: true, ..config.clone() };
        case.equals(estimate(unbiased), "skdim.mle.unbiased", 1e-6);
        let arithmetic = LevinaBickelConfig { mean: Mean::Arithmetic, ..config.clone() };
        case.equals(estimate(arithmetic), "skdim.mle.mean", 1e-6);
        let local = levina_bickel_at_points(&case.table, &config).unwrap();
        case.equals(local.median(), "skdim.mle.median", 1e-6);
        case.equal_locally(&local, "skdim.mle.local", 1e-6);
    }
}

#[test]
fn moments_and_mada_are_those_of_scikit_dimension() {
    for case in CLOUDS.map(Case::open) {
        let config = MomConfig::default();
        case.equals(mom(&case.table, &config).unwrap().value, "skdim.mom", 1e-6);
        case.equal_locally(&mom_at_points(&case.table, &config).unwrap(), "skdim.mom.local", 1e-6);
        let config = MadaConfig::default();
        case.equals(mada(&case.table, &config).unwrap().value, "skdim.mada", 1e-6);
        let local = mada_at_points(&case.table, &config).unwrap();
        case.equal_locally(&local, "skdim.mada.local", 1e-6);
        case.equals(local.median(), "skdim.mada.median", 1e-6);
    }
}

/// scikit-dimension drops measurements below 1e-4 in the units of the points, and we below 1e-4 of the
/// radius: single points differ where one of their 400 measurements lies between.
#[test]
fn tight_localities_are_those_of_scikit_dimension() {
    for case in CLOUDS.map(Case::open) {
        let config = TleConfig::default();
        let estimate = tle(case.x.view(), &case.table, &config).unwrap();
        case.equals(estimate.value, "skdim.tle", 1e-3);
        let local = tle_at_points(case.x.view(), &case.table, &config).unwrap();
        case.equals(local.median(), "skdim.tle.median", 1e-3);
    }
    // Without a threshold in between, every point is the same.
    let case = Case::open("M1");
    let local = tle_at_points(case.x.view(), &case.table, &TleConfig::default()).unwrap();
    case.equal_locally(&local, "skdim.tle.local", 1e-6);
}

#[test]
fn the_correlation_dimension_is_that_of_scikit_dimension() {
    for case in CLOUDS.map(Case::open) {
        let config = CorrelationConfig::default();
        let found = correlation_dimension(case.x.view(), &case.table, &config).unwrap();
        case.equals(found.value, "skdim.corrint", 1e-6);
    }
}

#[test]
fn local_components_are_those_of_scikit_dimension() {
    for case in CLOUDS.map(Case::open) {
        let config = LocalPcaConfig { k: 20, ..Default::default() };
        let local = local_pca_at_points(case.x.view(), &case.table, &config).unwrap();
        case.equal_locally(&local, "skdim.lpca.FO.local", 0.0);
    }
}

/// `skdim.id.FisherS().fit(points).dimension_` of scikit-dimension 0.5.0.
#[test]
fn fisher_separability_is_that_of_scikit_dimension() {
    let expected = [
        11.031_708_258_475_72,
        2.912_234_479_091_526,
        5.788_763_510_880_071,
        2.917_024_977_874_657,
        2.879_168_483_631_391,
        10.345_884_027_225_601,
        1.967_933_683_720_149,
        1.966_573_980_954_491,
    ];
    for (case, expected) in CLOUDS.map(Case::open).iter().zip(expected) {
        let found = fisher_separability(case.x.view(), &FisherConfig::default()).unwrap();
        assert!((found.value / expected - 1.0).abs() < 1e-9, "{} is not {expected}", found.value);
    }
}
