//! Levina–Bickel, moments, MADA, tight localities, correlation integral, local components.

use ndarray::{Array2, array, s};
use sixfold_geometry::dimension::{
    Caution, CorrelationConfig, Dimension, FisherConfig, LevinaBickelConfig, LocalPcaConfig,
    MadaConfig, Mean, MomConfig, PcaRule, TleConfig, correlation_dimension, fisher_separability,
    levina_bickel, levina_bickel_at_points, local_pca, local_pca_at_points, mada, mada_at_points,
    mom, mom_at_points, tle, tle_at_points,
};
use sixfold_geometry::manifolds::{self, Manifold};
use sixfold_geometry::{Error, Neighbours, Result, neighbours};

/// A table of two points, each with the same distances to made-up neighbours.
fn table_of(distances: &[f64]) -> Neighbours {
    let (n, k) = (distances.len() + 1, distances.len());
    let ids = Array2::from_shape_fn((n, k), |(i, j)| ((i + j + 1) % n) as u32);
    let rows = Array2::from_shape_fn((n, k), |(_, j)| distances[j]);
    Neighbours::from_parts(ids, rows).unwrap()
}

fn near(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{found} is not {expected}");
}

#[test]
fn formulas_on_one_neighbourhood() {
    let e = std::f64::consts::E;
    let table = table_of(&[1.0 / e, 1.0 / e.sqrt(), 1.0, 1.0]);
    // Σ ln(r₄/rⱼ) = 1 + ½.
    let config = LevinaBickelConfig { k: 4, ..Default::default() };
    near(levina_bickel(&table, &config).unwrap().value, 3.0 / 1.5, 1e-12);
    let config = LevinaBickelConfig { unbiased: true, ..config };
    near(levina_bickel(&table, &config).unwrap().value, 2.0 / 1.5, 1e-12);
    let mean = (1.0 / e + 1.0 / e.sqrt() + 2.0) / 4.0;
    let config = MomConfig { k: 4, ..Default::default() };
    near(mom(&table, &config).unwrap().value, mean / (1.0 - mean), 1e-12);
    let config = MadaConfig { k: 4, ..Default::default() };
    near(mada(&table, &config).unwrap().value, std::f64::consts::LN_2 / 0.5, 1e-12);
}

/// Two means of points with different values.
#[test]
fn means_are_what_they_are_called() {
    let ids = array![[1_u32, 2], [0, 2], [0, 1]];
    let table = Neighbours::from_parts(ids, array![[1.0, 2.0], [1.0, 4.0], [2.0, 4.0]]).unwrap();
    let config = LevinaBickelConfig { k: 2, ..Default::default() };
    let local = levina_bickel_at_points(&table, &config).unwrap();
    let ln2 = std::f64::consts::LN_2;
    near(local.at(0).unwrap(), 1.0 / ln2, 1e-12);
    near(local.at(1).unwrap(), 0.5 / ln2, 1e-12);
    near(local.mean(), 2.5 / 3.0 / ln2, 1e-12);
    near(local.harmonic_mean(), 3.0 / 4.0 / ln2, 1e-12);
    near(local.median(), 1.0 / ln2, 1e-12);
    near(local.scale, 4.0, 0.0);
    let arithmetic = LevinaBickelConfig { mean: Mean::Arithmetic, ..config.clone() };
    near(levina_bickel(&table, &arithmetic).unwrap().value, local.mean(), 1e-15);
    near(levina_bickel(&table, &config).unwrap().value, local.harmonic_mean(), 1e-15);
}

/// Every estimator of the module on one cloud.
fn all(x: &Array2<f64>, table: &Neighbours) -> Vec<(&'static str, Result<Dimension>)> {
    let k = 20;
    vec![
        ("Levina–Bickel", levina_bickel(table, &LevinaBickelConfig { k, ..Default::default() })),
        ("moments", mom(table, &MomConfig { k, ..Default::default() })),
        ("MADA", mada(table, &MadaConfig { k, ..Default::default() })),
        ("TLE", tle(x.view(), table, &TleConfig { k, ..Default::default() })),
        ("correlation", correlation_dimension(x.view(), table, &CorrelationConfig::default())),
        ("local PCA", local_pca(x.view(), table, &LocalPcaConfig { k, ..Default::default() })),
        (
            "participation",
            local_pca(x.view(), table, &LocalPcaConfig { k, rule: PcaRule::ParticipationRatio }),
        ),
    ]
}

#[test]
fn known_dimensions_are_found() {
    for d in [1, 2, 4] {
        let x = manifolds::torus(1000, d, 7);
        let table = neighbours(x.view(), 20).unwrap();
        for (name, found) in all(&x, &table) {
            let found = found.unwrap();
            let reach = d as f64
                * match name {
                    "Levina–Bickel" | "correlation" => 0.15,
                    // Arithmetic means of ratios lie above the ratio of means.
                    "moments" | "MADA" | "TLE" => 0.25,
                    // Curvature adds components, which the threshold of 5 % sees at this scale.
                    _ => 0.6,
                };
            let difference = (found.value - d as f64).abs();
            assert!(difference < reach, "{name}: {} for {d}", found.value);
            match found.ci95 {
                Some([low, high]) => assert!(low < found.value && found.value < high, "{name}"),
                None => assert!(["local PCA", "participation"].contains(&name)),
            }
            assert!(found.scale > 0.0 && found.n == 1000 && found.excluded == 0, "{name}");
        }
    }
}

/// Numbers without a unit: scaling, moving and turning the points changes nothing.
#[test]
fn estimates_do_not_depend_on_units_or_axes() {
    let x = manifolds::sphere(400, 3, 1);
    let turned = sixfold_linalg::qr(manifolds::gaussian(4, 4, 2).view()).unwrap().q;
    let y = (x.dot(&turned) + 3.0) * 1e3;
    let tables = [&x, &y].map(|x| neighbours(x.view(), 20).unwrap());
    for ((name, a), (_, b)) in all(&x, &tables[0]).into_iter().zip(all(&y, &tables[1])) {
        let (a, b) = (a.unwrap(), b.unwrap());
        near(b.value / a.value, 1.0, 1e-9);
        near(b.scale / a.scale, 1e3, 1e-6);
        if let (Some(a), Some(b)) = (a.std_error, b.std_error) {
            assert!((a - b).abs() <= 1e-6 * a, "{name}");
        }
    }
}

#[test]
fn values_in_f32_are_those_of_the_same_points_in_f64() {
    let x = manifolds::torus(300, 3, 1).mapv(|x| x as f32);
    let wide = x.mapv(f64::from);
    let table = neighbours(x.view(), 20).unwrap();
    let a = tle(x.view(), &table, &TleConfig::default()).unwrap();
    let b = tle(wide.view(), &table, &TleConfig::default()).unwrap();
    assert_eq!(a, b);
}

#[test]
fn copies_are_left_out_and_reported() {
    let mut x = manifolds::torus(400, 2, 4);
    let clean = neighbours(x.view(), 20).unwrap();
    let before = all(&x, &clean);
    for copy in 0..40 {
        let row = x.row(200 + copy).to_owned();
        x.row_mut(copy).assign(&row);
    }
    let table = neighbours(x.view(), 20).unwrap();
    for ((name, found), (_, before)) in all(&x, &table).into_iter().zip(before) {
        let (found, before) = (found.unwrap(), before.unwrap());
        assert!(found.value.is_finite() && found.std_error.is_none_or(f64::is_finite), "{name}");
        assert!((found.value / before.value - 1.0).abs() < 0.15, "{name}: {}", found.value);
        match name {
            "local PCA" | "participation" => assert_eq!(found.excluded, 0, "{name}"),
            "correlation" => {
                assert!(found.cautions.contains(&Caution::Copies { points: 80, of: 400 }));
            }
            _ => {
                assert_eq!((found.excluded, found.n), (80, 320), "{name}");
                let caution = Caution::Duplicates { excluded: 80, of: 400 };
                assert!(found.cautions.contains(&caution), "{name}");
            }
        }
    }
    let local = levina_bickel_at_points(&table, &LevinaBickelConfig::default()).unwrap();
    let of_all = local.of_all();
    assert_eq!(of_all.len(), 400);
    assert_eq!(of_all.iter().filter(|value| value.is_none()).count(), 80);
    assert_eq!((of_all[3], local.at(3), local.at(1000)), (None, None, None));
    assert_eq!(of_all[100], local.at(100));
}

/// Lattices and one-hot vectors have neighbours at equal distances: an infinite dimension, which is
/// said and not returned.
#[test]
fn ties_and_equal_points_are_errors_or_cautions() {
    let one_hot = Array2::<f64>::eye(30);
    let table = neighbours(one_hot.view(), 20).unwrap();
    for (name, found) in all(&one_hot, &table) {
        match name {
            "local PCA" | "participation" => near(found.unwrap().value, 19.0, 1e-9),
            _ => assert!(matches!(found, Err(Error::EqualDistances { .. })), "{name}: {found:?}"),
        }
    }
    let equal = Array2::<f64>::ones((30, 3));
    let table = neighbours(equal.view(), 20).unwrap();
    for (name, found) in all(&equal, &table) {
        assert!(matches!(found, Err(Error::AllEqual { n: 30, .. })), "{name}: {found:?}");
    }
    // Half of the cloud one-hot, far away from the rest.
    let mut mixed = Array2::<f64>::zeros((80, 30));
    mixed.slice_mut(s![..40, ..3]).assign(&manifolds::gaussian(40, 3, 0));
    mixed.slice_mut(s![40..70, ..]).assign(&(&one_hot * 10.0 + 100.0));
    mixed.slice_mut(s![70.., ..2]).assign(&(manifolds::gaussian(10, 2, 1) + 5.0));
    let table = neighbours(mixed.view(), 20).unwrap();
    let found = levina_bickel(&table, &LevinaBickelConfig::default()).unwrap();
    assert!(found.cautions.contains(&Caution::Ties { excluded: 30, of: 80 }), "{found:?}");
    assert_eq!((found.n, found.excluded), (50, 0));
}

#[test]
fn what_cannot_be_computed_is_an_error() {
    let x = manifolds::torus(50, 2, 0);
    let table = neighbours(x.view(), 10).unwrap();
    let narrow = |found: Result<Dimension>| {
        assert!(matches!(found, Err(Error::TooFewNeighbours { needed: 20, found: 10, .. })));
    };
    all(&x, &table).into_iter().for_each(|(_, found)| narrow(found));
    let other = manifolds::torus(49, 2, 0);
    let misfit = tle(other.view(), &table, &TleConfig { k: 10, ..Default::default() });
    assert!(matches!(misfit, Err(Error::ShapeMismatch { what: "x", .. })));
    let mut broken = x.clone();
    broken[(7, 1)] = f64::NAN;
    let found = local_pca(broken.view(), &table, &LocalPcaConfig { k: 10, ..Default::default() });
    assert!(matches!(found, Err(Error::NotFinite { row: 7, col: 1, .. })), "{found:?}");
    let one = LevinaBickelConfig { k: 1, ..Default::default() };
    assert!(matches!(levina_bickel(&table, &one), Err(Error::InvalidParameter { name: "k", .. })));
    let two = LevinaBickelConfig { k: 2, unbiased: true, ..Default::default() };
    assert!(matches!(levina_bickel(&table, &two), Err(Error::InvalidParameter { name: "k", .. })));
    let radii = CorrelationConfig { k1: 5, k2: 5 };
    let found = correlation_dimension(x.view(), &table, &radii);
    assert!(matches!(found, Err(Error::InvalidParameter { name: "k2", .. })));
    for alpha in [0.0, 1.0, f64::NAN] {
        let config = LocalPcaConfig { k: 10, rule: PcaRule::Threshold { alpha } };
        let found = local_pca(x.view(), &table, &config);
        assert!(matches!(found, Err(Error::InvalidParameter { name: "alpha", .. })));
    }
    for epsilon in [-0.1, 1.0, f64::NAN] {
        let config = TleConfig { k: 10, epsilon, ..Default::default() };
        let found = tle(x.view(), &table, &config);
        assert!(matches!(found, Err(Error::InvalidParameter { name: "epsilon", .. })));
    }
}

/// Any number of threads gives the same bits.
#[test]
fn threads_do_not_change_a_bit() {
    let x = manifolds::torus(300, 2, 0);
    let table = neighbours(x.view(), 20).unwrap();
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            all(&x, &table).into_iter().map(|(_, found)| found.unwrap()).collect::<Vec<_>>()
        })
    };
    assert_eq!(with(1), with(3));
}

/// The tight local estimator as the paper writes it, one measurement after the other.
#[test]
fn tight_localities_equal_their_definition() {
    let x = Manifold::M7.sample(60, 2);
    let k = 8;
    let table = neighbours(x.view(), k).unwrap();
    let config = TleConfig { k, epsilon: 0.0, ..Default::default() };
    let found = tle_at_points(x.view(), &table, &config).unwrap();
    for point in 0..60 {
        let of = |j: usize| &x.row(table.indices()[(point, j)] as usize) - &x.row(point);
        let length = |v: &ndarray::Array1<f64>| v.dot(v).sqrt();
        let r = table.distances()[(point, k - 1)];
        let (mut logs, mut count) = (0.0, 0.0);
        for i in 0..k {
            let a = of(i);
            logs += 2.0 * (length(&a) / r).ln();
            count += 2.0;
            for j in (0..k).filter(|&j| j != i) {
                for b in [of(j), -of(j)] {
                    // The radius s of the sphere through b, centred on the line from a through the
                    // inside, that touches the sphere of radius r: found by bisection on
                    // ‖b − centre(s)‖ = s with centre(s) = a·(r − s)/r.
                    let excess = |s: f64| length(&(&b - &(&a * ((r - s) / r)))) - s;
                    let (mut low, mut high) = (0.0, r);
                    for _ in 0..100 {
                        let middle = 0.5 * (low + high);
                        if excess(middle) > 0.0 { low = middle } else { high = middle }
                    }
                    logs += (0.5 * (low + high) / r).ln();
                    count += 1.0;
                }
            }
        }
        near(found.at(point).unwrap(), -count / logs, 1e-6);
    }
}

/// A neighbourhood whose covariance is known.
#[test]
fn local_components_count_directions() {
    // Twelve corners of boxes around the origin: variances 4 : 1 : 0.09 in three directions of five.
    let mut x = Array2::<f64>::zeros((9, 5));
    for corner in 0..8 {
        for (axis, half) in [2.0, 1.0, 0.3].into_iter().enumerate() {
            x[(corner + 1, axis)] = if corner >> axis & 1 == 1 { half } else { -half };
        }
    }
    let table = neighbours(x.view(), 8).unwrap();
    let count = |rule| {
        let config = LocalPcaConfig { k: 8, rule };
        local_pca_at_points(x.view(), &table, &config).unwrap().at(0).unwrap()
    };
    near(count(PcaRule::Threshold { alpha: 0.05 }), 2.0, 0.0);
    near(count(PcaRule::Threshold { alpha: 0.02 }), 3.0, 0.0);
    near(count(PcaRule::ParticipationRatio), 5.09_f64.powi(2) / (16.0 + 1.0 + 0.0081), 1e-12);
}

/// The standard error is the spread over redraws of the cloud.
#[test]
fn standard_errors_are_honest() {
    let seeds = 40;
    let mut values = vec![Vec::new(); 4];
    let mut errors = vec![0.0; 4];
    for seed in 0..seeds {
        let x = manifolds::torus(300, 3, seed);
        let table = neighbours(x.view(), 20).unwrap();
        let found = [
            levina_bickel(&table, &LevinaBickelConfig::default()),
            mom(&table, &MomConfig::default()),
            mada(&table, &MadaConfig::default()),
            correlation_dimension(x.view(), &table, &CorrelationConfig::default()),
        ];
        for (i, found) in found.into_iter().enumerate() {
            let found = found.unwrap();
            values[i].push(found.value);
            errors[i] += found.std_error.unwrap() / seeds as f64;
        }
    }
    for (values, error) in values.iter().zip(errors) {
        let mean = values.iter().sum::<f64>() / seeds as f64;
        let squares: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
        let spread = (squares / (seeds - 1) as f64).sqrt();
        assert!((0.7..1.5).contains(&(error / spread)), "{error} against {spread}");
    }
}

#[test]
fn values_of_points_follow_the_cloud() {
    // A line beside a cube: a heat map has to show which is which.
    let mut x = manifolds::gaussian(600, 5, 3);
    x.slice_mut(s![..300, 1..]).fill(0.0);
    x.slice_mut(s![..300, 4]).fill(50.0);
    let table = neighbours(x.view(), 20).unwrap();
    let k = 20;
    let maps = [
        levina_bickel_at_points(&table, &LevinaBickelConfig::default()).unwrap(),
        mom_at_points(&table, &MomConfig::default()).unwrap(),
        mada_at_points(&table, &MadaConfig::default()).unwrap(),
        tle_at_points(x.view(), &table, &TleConfig::default()).unwrap(),
        local_pca_at_points(x.view(), &table, &LocalPcaConfig { k, ..Default::default() }).unwrap(),
    ];
    for map in maps {
        let middle = |range: std::ops::Range<usize>| {
            let mut values: Vec<f64> = range.filter_map(|point| map.at(point)).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let (line, cube) = (middle(0..300), middle(300..600));
        assert!((line - 1.0).abs() < 0.15 && (3.3..6.0).contains(&cube), "{line} {cube}");
    }
}

/// A Gaussian of d dimensions fills a sphere of d coordinates, whatever its mean and axes are.
#[test]
fn fisher_separability_counts_coordinates() {
    for d in [3, 6] {
        let axes = manifolds::gaussian(d, 12, 4);
        let x = manifolds::gaussian(900, d, 5).dot(&axes) + 7.0;
        let config = FisherConfig { condition: 1e6 };
        let found = fisher_separability(x.view(), &config).unwrap();
        assert!((found.value - d as f64).abs() < 0.25, "{} for {d}", found.value);
        let [low, high] = found.ci95.unwrap();
        assert!(low < found.value && found.value < high && found.scale > 1.0);
        let moved = fisher_separability((&x * 3.0 - 1.0).view(), &config).unwrap();
        near(moved.value / found.value, 1.0, 1e-9);
    }
}

#[test]
fn fisher_separability_refuses_what_it_cannot_judge() {
    let config = FisherConfig::default();
    let of = |x: &Array2<f64>| fisher_separability(x.view(), &config);
    assert!(matches!(of(&Array2::ones((20, 3))), Err(Error::AllEqual { n: 20, .. })));
    assert!(matches!(of(&Array2::ones((2, 3))), Err(Error::TooFewPoints { found: 2, .. })));
    let apart = manifolds::gaussian(30, 400, 1);
    let found = fisher_separability(apart.view(), &FisherConfig { condition: 1e3 });
    assert!(matches!(found, Err(Error::TooFewPoints { .. })), "{found:?}");
    let mut broken = manifolds::gaussian(600, 3, 1);
    broken[(500, 2)] = f64::INFINITY;
    assert!(matches!(of(&broken), Err(Error::NotFinite { row: 500, col: 2, .. })));
    for condition in [0.5, f64::NAN] {
        let found = fisher_separability(apart.view(), &FisherConfig { condition });
        assert!(matches!(found, Err(Error::InvalidParameter { name: "condition", .. })));
    }
}

/// The standard errors of the two estimators that count pairs.
#[test]
fn errors_of_pair_counts_are_honest() {
    let (mut values, mut errors) = (Vec::new(), Vec::new());
    for seed in 0..40 {
        let x = manifolds::gaussian(400, 4, seed);
        let found = fisher_separability(x.view(), &FisherConfig::default()).unwrap();
        values.push(found.value);
        errors.push(found.std_error.unwrap());
    }
    let mean = values.iter().sum::<f64>() / 40.0;
    let spread = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 39.0).sqrt();
    let error = errors.iter().sum::<f64>() / 40.0;
    assert!((0.6..1.6).contains(&(error / spread)), "{error} against {spread}");
}
