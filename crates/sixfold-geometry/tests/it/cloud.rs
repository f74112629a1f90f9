//! Scores of a cloud: closed forms, reference formulas, cuts into blocks, what is refused.

use ndarray::{Array1, Array2, ArrayView2, Axis, array, concatenate, s};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use sixfold_geometry::cloud::{Caution, RowNorm, Score, spread_of_groups};
use sixfold_geometry::{Cloud, Error};
use sixfold_linalg::{Real, qr, svd, svdvals};

fn normal(n: usize, d: usize, seed: u64) -> Array2<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    Array2::from_shape_simple_fn((n, d), || StandardNormal.sample(&mut rng))
}

fn single(x: &Array2<f64>) -> Array2<f32> {
    x.mapv(|value| value as f32)
}

fn of<T: Real>(x: ArrayView2<'_, T>) -> Cloud {
    let mut cloud = Cloud::new(x.ncols());
    cloud.update(x).unwrap();
    cloud
}

/// Singular values of the centred matrix, by another way than through products.
fn singular(x: &Array2<f64>) -> Array1<f64> {
    svdvals((x - &x.mean_axis(Axis(0)).unwrap()).view()).unwrap()
}

/// Points whose centred singular values are exactly `sigma`: orthonormal columns without mean.
fn with_singular_values(n: usize, sigma: &[f64], seed: u64) -> Array2<f64> {
    let mut z = normal(n, sigma.len(), seed);
    z -= &z.mean_axis(Axis(0)).unwrap();
    let mut q = qr(z.view()).unwrap().q;
    for (mut column, sigma) in q.columns_mut().into_iter().zip(sigma) {
        column *= *sigma;
    }
    q
}

/// Oracle 1: diag(σ), an isotropic cloud, a spiked one.
#[test]
fn anisotropy_is_the_share_of_the_first_singular_value() {
    let sigma: Vec<f64> = (0..48).map(|i| 3.0 * 0.9_f64.powi(i)).collect();
    let x = with_singular_values(400, &sigma, 1) + 0.25;
    let expected = sigma[0] * sigma[0] / sigma.iter().map(|s| s * s).sum::<f64>();
    let found = of(single(&x).view());
    assert!((found.anisotropy().unwrap() / expected - 1.0).abs() < 1e-6);
    assert!((found.spread().unwrap().anisotropy / expected - 1.0).abs() < 1e-6);
    let found = of(x.view());
    assert!((found.anisotropy().unwrap() / expected - 1.0).abs() < 1e-12);
    assert!((found.nesum().unwrap() * expected - 1.0).abs() < 1e-12);
}

#[test]
fn an_isotropic_cloud_stays_within_its_bounds() {
    let (n, d) = (100_000, 64);
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut cloud = Cloud::new(d);
    for _ in 0..20 {
        let block = Array2::from_shape_simple_fn((n / 20, d), || {
            let z: f32 = StandardNormal.sample(&mut rng);
            z
        });
        cloud.update(block.view()).unwrap();
    }
    let found = cloud.anisotropy().unwrap();
    assert!((0.015_625..=0.016_59).contains(&found), "{found}");
}

#[test]
fn a_few_long_points_decide_an_anisotropy() {
    let (n, d, p, m) = (20_000, 256, 0.0093, 2000.0);
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let mut x = Array2::<f32>::from_shape_simple_fn((n, d), || StandardNormal.sample(&mut rng));
    let long = (p * n as f64) as usize;
    // Along a direction that is no axis.
    let step = (m / f64::from(d as u32).sqrt()) as f32;
    x.slice_mut(s![..long, ..]).mapv_inplace(|value| value + step);
    let p = long as f64 / n as f64;
    let spike = p * (1.0 - p) * m * m;
    let expected = spike / (spike + (1.0 - p) * d as f64);
    let found = of(x.view());
    assert!((found.anisotropy().unwrap() - expected).abs() < 2e-4);
    assert!((found.spread().unwrap().anisotropy - expected).abs() < 2e-4);
    let without = of(x.slice(s![long.., ..]));
    assert!(without.anisotropy().unwrap() < 0.01);
}

/// IsoScore as its authors' code computes it: principal axes, the diagonal of the covariance
/// there, its defect from the vector of ones.
fn reference_iso_score(x: &Array2<f64>) -> f64 {
    let centred = x - &x.mean_axis(Axis(0)).unwrap();
    let along = centred.dot(&svd(centred.view()).unwrap().vt.t());
    let covariance = along.t().dot(&along) / (x.nrows() as f64 - 1.0);
    let lambda = covariance.diag().to_owned();
    let n = lambda.len() as f64;
    let unit = &lambda * (n.sqrt() / lambda.dot(&lambda).sqrt());
    let difference = unit - 1.0;
    let delta = difference.dot(&difference).sqrt() / (2.0 * (n - n.sqrt())).sqrt();
    let fraction = (n - delta * delta * (n - n.sqrt())).powi(2) / (n * n);
    (n * fraction - 1.0) / (n - 1.0)
}

/// Oracle 2.
#[test]
fn iso_score_is_that_of_its_authors() {
    for (seed, decay) in [(5, 1.0), (6, 0.8), (7, 0.3)] {
        let scale = Array1::from_shape_fn(12, |i| f64::powi(decay, i as i32));
        let x = normal(300, 12, seed).dot(&normal(12, 12, seed + 100)) * scale + 4.0;
        let spread = of(x.view()).spread().unwrap();
        let expected = reference_iso_score(&x);
        assert!((spread.iso_score.unwrap() - expected).abs() < 1e-10);
        assert!((of(x.view()).iso_score().unwrap() - expected).abs() < 1e-10);
        let closed = (spread.participation_ratio - 1.0) / 11.0;
        assert!((spread.iso_score.unwrap() - closed).abs() < 1e-15);
        assert!((spread.nesum * spread.anisotropy - 1.0).abs() < 1e-15);
    }
}

#[test]
fn equal_directions_count_as_many_as_they_are() {
    for r in [1, 3, 10] {
        let mut sigma = vec![0.0; 10];
        sigma[..r].fill(2.0);
        let spread = of(with_singular_values(50, &sigma, 8).view()).spread().unwrap();
        assert!((spread.effective_rank - r as f64).abs() < 1e-9);
        assert!((spread.participation_ratio - r as f64).abs() < 1e-9);
        assert!((spread.anisotropy - 1.0 / r as f64).abs() < 1e-12);
        assert_eq!((spread.rank, spread.n, spread.d), (r, 50, 10));
    }
}

/// Oracle 3.
#[test]
fn mean_cosine_is_that_of_all_pairs() {
    let x = normal(2000, 64, 9) + 0.5;
    let norms = x.map_axis(Axis(1), |row| row.dot(&row).sqrt());
    let units = &x / &norms.view().insert_axis(Axis(1));
    let mut sum = 0.0;
    for i in 0..x.nrows() {
        let row = units.row(i);
        sum += units.slice(s![i + 1.., ..]).dot(&row).sum();
    }
    let expected = sum / (2000.0 * 1999.0 / 2.0);
    let spread = of(x.view()).spread().unwrap();
    assert!((spread.mean_cosine.unwrap() - expected).abs() < 1e-12);
    // μ²/(1 + μ²) = 0.2, less what the spread of the norms takes.
    assert!((expected - 0.1984).abs() < 0.01, "{expected}");
    assert!((spread.mean_norm - norms.mean().unwrap()).abs() < 1e-12);
}

fn assert_near(a: &Cloud, b: &Cloud, tolerance: f64) {
    let (a, b) = (a.spread().unwrap(), b.spread().unwrap());
    assert_eq!((a.n, a.d, a.rank), (b.n, b.d, b.rank));
    for score in Score::ALL {
        let (a, b) = (a.score(score).unwrap(), b.score(score).unwrap());
        assert!((a / b - 1.0).abs() < tolerance, "{}: {a} {b}", score.name());
    }
}

/// Oracle 11: any cut, any order of merges.
#[test]
fn cuts_and_merges_change_nothing() {
    let x = normal(3000, 24, 10).dot(&normal(24, 24, 11)) + 3.0;
    let narrow = single(&x);
    let (whole, whole_single) = (of(x.view()), of(narrow.view()));
    let mut rng = ChaCha8Rng::seed_from_u64(12);
    for _ in 0..4 {
        let mut cuts: Vec<usize> = (0..6).map(|_| rng.random_range(0..=3000)).collect();
        cuts.extend([0, 3000]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|cut| s![cut[0]..cut[1], ..]);
        let mut streamed = Cloud::new(24);
        let (mut parts, mut parts_single) = (Vec::new(), Vec::new());
        for piece in pieces {
            streamed.update(x.slice(piece)).unwrap();
            parts.push(of(x.slice(piece)));
            parts_single.push(of(narrow.slice(piece)));
        }
        assert_near(&streamed, &whole, 1e-10);
        for (parts, whole, tolerance) in
            [(parts, &whole, 1e-10), (parts_single, &whole_single, 1e-5)]
        {
            let (mut forward, mut backward) = (Cloud::new(24), Cloud::new(24));
            parts.iter().for_each(|part| forward.merge(part).unwrap());
            parts.iter().rev().for_each(|part| backward.merge(part).unwrap());
            assert_near(&forward, whole, tolerance);
            assert_near(&backward, whole, tolerance);
        }
    }
}

/// Oracle 11: a mean 1e4 deviations from the origin.
#[test]
fn distance_from_the_origin_changes_nothing() {
    // On a grid that f32 holds exactly at either place.
    let x = normal(4000, 16, 13).mapv(|value| (value * 256.0).round() / 256.0);
    let far = &x + 1e4;
    let (near, far) = (single(&x), single(&far));
    let (a, b) = (of(near.view()).spread().unwrap(), of(far.view()).spread().unwrap());
    for score in [
        Score::Anisotropy,
        Score::IsoScore,
        Score::ParticipationRatio,
        Score::NeSum,
        Score::EffectiveRank,
    ] {
        let (a, b) = (a.score(score).unwrap(), b.score(score).unwrap());
        assert!((a - b).abs() < 1e-6 * b.abs().max(1.0), "{}: {a} {b}", score.name());
    }
}

/// Oracle 10, for the cloud: 40 directions in 256 coordinates.
#[test]
fn the_numerical_rank_is_that_of_the_points() {
    let x = normal(3000, 40, 14).dot(&normal(40, 256, 15)) / 40_f64.sqrt() + 1.0;
    let (wide, narrow) = (of(x.view()), of(single(&x).view()));
    assert_eq!(wide.spread().unwrap().rank, 40);
    assert_eq!(narrow.spread().unwrap().rank, 40);
    let full = of(single(&normal(3000, 64, 16)).view());
    assert_eq!(full.spread().unwrap().rank, 64);
}

#[test]
fn the_spectrum_is_that_of_the_covariance() {
    let x = normal(200, 9, 17).dot(&normal(9, 9, 18));
    let found = of(x.view()).spectrum().unwrap();
    for (found, sigma) in found.iter().zip(singular(&x)) {
        assert!((found / (sigma * sigma / 199.0) - 1.0).abs() < 1e-10);
    }
}

#[test]
fn unit_rows_are_those_of_the_normalised_matrix() {
    let mut x = normal(500, 8, 19) * 3.0 + 1.0;
    x.row_mut(7).fill(0.0);
    let mut found = Cloud::with_row_norm(8, RowNorm::L2);
    found.update(x.view()).unwrap();
    let kept: Vec<usize> = (0..500).filter(|row| *row != 7).collect();
    let mut units = x.select(Axis(0), &kept);
    for mut row in units.rows_mut() {
        let norm = row.dot(&row).sqrt();
        row /= norm;
    }
    let expected = of(units.view());
    assert_eq!((found.count(), found.directions().count()), (499, 500));
    let difference = found.anisotropy().unwrap() / expected.anisotropy().unwrap() - 1.0;
    assert!(difference.abs() < 1e-12);
    assert!(found.anisotropy().unwrap() < of(x.view()).anisotropy().unwrap());
    let spread = found.spread().unwrap();
    assert!(spread.cautions.contains(&Caution::NoDirection { zeros: 1, of: 500 }));
    // The norms are those of the points as they came.
    assert!(spread.mean_norm > 5.0);
    assert!(matches!(
        found.merge(&expected),
        Err(Error::InvalidParameter { name: "row_norm", .. })
    ));
}

#[test]
fn what_has_no_answer_is_an_error() {
    let two = array![[1.0, 2.0], [3.0, 4.0]];
    assert!(matches!(
        of(two.view()).spread(),
        Err(Error::TooFewPoints { found: 2, needed: 3, .. })
    ));
    // 0.1 has no exact mean: rounding must not pass for variance.
    for value in [0.0, 0.1, 1e-30, 3e7] {
        let equal = Array2::from_elem((77, 5), value);
        assert!(matches!(of(equal.view()).anisotropy(), Err(Error::AllEqual { n: 77, .. })));
        assert!(matches!(of(single(&equal).view()).spread(), Err(Error::AllEqual { n: 77, .. })));
    }
    let mut cloud = of(two.view());
    let before = cloud.clone();
    let nan = array![[1.0, f64::NAN]];
    assert!(matches!(
        cloud.update(nan.view()),
        Err(Error::NotFinite { what: "points", row: 0, col: 1 })
    ));
    let mut late = Array2::<f32>::ones((5000, 2));
    late[(4321, 1)] = f32::INFINITY;
    assert!(matches!(
        cloud.update(late.view()),
        Err(Error::NotFinite { what: "points", row: 4321, col: 1 })
    ));
    assert!(matches!(
        cloud.update(Array2::<f32>::ones((2, 3)).view()),
        Err(Error::ShapeMismatch { what: "points", .. })
    ));
    assert!(matches!(cloud.merge(&Cloud::new(3)), Err(Error::ShapeMismatch { .. })));
    assert_eq!(cloud, before);
    let line = of(array![[1.0], [2.0], [4.0]].view());
    assert!(matches!(line.iso_score(), Err(Error::InvalidParameter { .. })));
    assert_eq!(line.spread().unwrap().iso_score, None);
}

#[test]
fn few_points_are_flagged() {
    let spread = of(normal(10, 12, 20).view()).spread().unwrap();
    assert_eq!(spread.cautions, [Caution::FewerPointsThanCoordinates { n: 10, d: 12 }]);
    assert_eq!(spread.rank, 9);
    assert_eq!(of(normal(30, 12, 21).view()).spread().unwrap().cautions, []);
}

#[test]
fn one_ulp_is_variance() {
    let mut x = Array2::<f32>::from_elem((50, 2), 0.1);
    x[(3, 0)] = f32::from_bits(0.1_f32.to_bits() + 1);
    let spread = of(x.view()).spread().unwrap();
    assert!((spread.anisotropy - 1.0).abs() < 1e-12);
}

/// Each group left out in turn, by hand.
#[test]
fn intervals_are_those_of_the_jackknife() {
    let x = normal(600, 6, 22) * array![3.0, 2.0, 1.0, 1.0, 1.0, 0.5] + 0.4;
    let cuts = [0, 90, 210, 300, 420, 510, 600];
    let piece = |i: usize| x.slice(s![cuts[i]..cuts[i + 1], ..]);
    let mut groups: Vec<Cloud> = (0..6).map(|i| of(piece(i))).collect();
    // A group without points is no group.
    groups.insert(2, Cloud::new(6));
    let found = spread_of_groups(&groups).unwrap();
    assert_eq!(found.groups, 6);
    for score in Score::ALL {
        let value = |left_out: Option<usize>| {
            let kept: Vec<_> = (0..6).filter(|i| Some(*i) != left_out).map(piece).collect();
            let rows = concatenate(Axis(0), &kept).unwrap();
            Ok(of(rows.view()).spread().unwrap().score(score).unwrap())
        };
        let expected = sixfold_linalg::jackknife(6, value).unwrap();
        let jackknife = found.jackknife(score).unwrap();
        assert!((jackknife.std_error / expected.std_error - 1.0).abs() < 1e-6);
        let ci95 = found.ci95(score).unwrap();
        assert!((ci95[0] - expected.ci95[0]).abs() < 1e-6 * expected.value.abs());
        assert!(ci95[0] < jackknife.value && jackknife.value < ci95[1]);
    }
    let one = spread_of_groups(&groups[..1]).unwrap();
    assert_eq!((one.groups, one.ci95(Score::Anisotropy)), (1, None));
    assert!(matches!(spread_of_groups(&[]), Err(Error::TooFewPoints { found: 0, .. })));
}

#[test]
fn a_gaussian_cloud_has_the_same_moments_and_no_more() {
    // Two points far apart: nothing is less Gaussian.
    let mut x = normal(2000, 5, 23).dot(&normal(5, 5, 24));
    for (i, mut row) in x.rows_mut().into_iter().enumerate() {
        row += if i % 2 == 0 { 6.0 } else { -4.0 };
    }
    let cloud = of(x.view());
    let sample = cloud.gaussian(40_000, 7).unwrap();
    assert_eq!(sample, cloud.gaussian(40_000, 7).unwrap());
    assert_ne!(sample, cloud.gaussian(40_000, 8).unwrap());
    let found = of(sample.view());
    let (mean, expected) = (found.moments().mean().unwrap(), cloud.moments().mean().unwrap());
    let covariance = cloud.moments().covariance(1).unwrap();
    let of_sample = found.moments().covariance(1).unwrap();
    for i in 0..5 {
        assert!((mean[i] - expected[i]).abs() < 5.0 * (covariance[(i, i)] / 40_000.0).sqrt());
        for j in 0..5 {
            let scale = (covariance[(i, i)] * covariance[(j, j)]).sqrt();
            let difference = (of_sample[(i, j)] - covariance[(i, j)]).abs();
            assert!(difference < 5.0 * scale * (2.0_f64 / 40_000.0).sqrt());
        }
    }
    // Fourth moments along the direction that separates the points: 3 for a Gaussian.
    let kurtosis = |x: &Array2<f64>| {
        let t = x.sum_axis(Axis(1));
        let t = &t - t.mean().unwrap();
        let (two, four) =
            (t.mapv(|v| v * v).mean().unwrap(), t.mapv(|v| v.powi(4)).mean().unwrap());
        four / (two * two)
    };
    assert!(kurtosis(&x) < 2.0);
    assert!((kurtosis(&sample.mapv(f64::from)) - 3.0).abs() < 0.2);
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let x = single(&normal(2500, 200, 25));
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let cloud = of(x.view());
            let spread = cloud.spread().unwrap();
            (cloud, spread)
        })
    };
    let one = on(1);
    assert!(on(2) == one && on(5) == one);
}
