//! TwoNN on parts of a cloud.

#![expect(clippy::float_cmp, reason = "another seed gives another number")]

use ndarray::{Array2, s};
use sixfold_geometry::dimension::{
    Caution, DecimationConfig, TwoNnConfig, TwoNnMethod, decimation_scan, two_nn,
};
use sixfold_geometry::manifolds::{gaussian, torus};
use sixfold_geometry::{Error, neighbours};

use crate::support::mean_sd;

#[test]
fn sizes_halve_and_the_first_is_the_whole_cloud() {
    let x = torus(403, 2, 1);
    let config = DecimationConfig { min_points: 25, ..DecimationConfig::default() };
    let steps = decimation_scan(x.view(), &config).unwrap();
    let sizes: Vec<_> = steps.iter().map(|step| (step.points, step.parts)).collect();
    assert_eq!(sizes, [(403, 1), (201, 2), (100, 4), (50, 8), (25, 16)]);
    let whole = two_nn(&neighbours(x.view(), 2).unwrap(), &config.two_nn).unwrap();
    assert_eq!((&steps[0].dimension, steps[0].std_dev), (&whole, None));
    for pair in steps.windows(2) {
        let grown = pair[1].dimension.scale / pair[0].dimension.scale;
        // Half the points, √2 the distance in two dimensions.
        assert!((grown / 2.0_f64.sqrt() - 1.0).abs() < 0.2, "{grown}");
    }
    for step in &steps[1..] {
        assert_eq!(step.dimension.n, step.points * step.parts);
        let [low, high] = step.dimension.ci95.unwrap();
        assert!(low < step.dimension.value && step.dimension.value < high);
        assert!((step.dimension.value - 2.0).abs() < 0.4, "{step:?}");
    }
    let two = DecimationConfig { halvings: 2, repeats: 3, ..config };
    let sizes: Vec<_> =
        decimation_scan(x.view(), &two).unwrap().iter().map(|s| (s.points, s.parts)).collect();
    assert_eq!(sizes, [(403, 1), (201, 6), (100, 12)]);
}

#[test]
fn a_seed_is_a_result() {
    let x = gaussian(200, 3, 2);
    let of_seed = |seed| {
        let config = DecimationConfig { seed, halvings: 1, ..DecimationConfig::default() };
        decimation_scan(x.view(), &config).unwrap().pop().unwrap()
    };
    assert_eq!(of_seed(7), of_seed(7));
    assert_ne!(of_seed(7).dimension.value, of_seed(8).dimension.value);
}

#[test]
fn parts_scatter_as_much_as_they_say() {
    let x = gaussian(1600, 2, 3);
    let method = TwoNnMethod::Fit { discard: 0.1 };
    let two_nn = TwoNnConfig { method, ..TwoNnConfig::default() };
    let config = DecimationConfig { halvings: 4, two_nn, ..DecimationConfig::default() };
    let steps = decimation_scan(x.view(), &config).unwrap();
    let last = steps.last().unwrap();
    assert_eq!((last.points, last.parts), (100, 16));
    // 16 parts know their sd within a fifth.
    let claimed = last.dimension.std_error.unwrap() * 4.0;
    let ratio = last.std_dev.unwrap() / claimed;
    assert!((0.5..1.6).contains(&ratio), "{ratio}");
    let (mean, _) = mean_sd(&steps.iter().map(|s| s.dimension.value).collect::<Vec<_>>());
    assert!((mean - 2.0).abs() < 0.15, "{mean}");
}

#[test]
fn copies_are_counted_over_parts_and_bad_parts_are_errors() {
    let mut x = gaussian(128, 2, 4);
    let tail = x.slice(s![64.., ..]).to_owned();
    x.slice_mut(s![..64, ..]).assign(&tail);
    let config = DecimationConfig { halvings: 1, ..DecimationConfig::default() };
    // Every point has its copy in the whole cloud, which leaves nothing to look at.
    assert!(matches!(
        decimation_scan(x.view(), &config),
        Err(Error::TooFewPoints { found: 0, needed: 3, .. })
    ));
    let mut x = gaussian(128, 2, 5);
    let row = x.row(0).to_owned();
    for i in 1..20 {
        x.row_mut(i).assign(&row);
    }
    let steps = decimation_scan(x.view(), &config).unwrap();
    assert!(steps[1].dimension.excluded >= 18, "{:?}", steps[1]);
    assert!(matches!(steps[1].dimension.cautions[0], Caution::Duplicates { of: 128, .. }));

    for (config, name) in [
        (DecimationConfig { repeats: 0, ..config }, "repeats"),
        (DecimationConfig { min_points: 2, ..config }, "min_points"),
    ] {
        let found = decimation_scan(x.view(), &config);
        assert!(
            matches!(found, Err(Error::InvalidParameter { name: of, .. }) if of == name),
            "{found:?}"
        );
    }
    let equal = Array2::<f32>::ones((9, 2));
    assert!(matches!(decimation_scan(equal.view(), &config), Err(Error::AllEqual { n: 9, .. })));
}
