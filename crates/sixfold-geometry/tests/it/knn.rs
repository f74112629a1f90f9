//! Neighbours against plain loops in f64.

use ndarray::{Array2, ArrayView2, Axis, array, concatenate, s};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use sixfold_geometry::knn::{KnnConfig, neighbours_and_work, neighbours_with};
use sixfold_geometry::{Error, Neighbours, neighbours};
use sixfold_linalg::{Real, Threads};

/// Standard normal rows.
pub(crate) fn normal(seed: u64, n: usize, d: usize) -> Array2<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    Array2::from_shape_simple_fn((n, d), || StandardNormal.sample(&mut rng))
}

pub(crate) fn narrow(x: &Array2<f64>) -> Array2<f32> {
    x.mapv(|x| x as f32)
}

/// Every distance from point i, in f64, by (distance, index).
pub(crate) fn ordered<T: Real>(x: ArrayView2<'_, T>, i: usize) -> Vec<(f64, u32)> {
    let others = (0..x.nrows()).filter(|&j| j != i);
    let mut all: Vec<(f64, u32)> = others
        .map(|j| {
            let pairs = x.row(i).into_iter().zip(x.row(j));
            let square: f64 = pairs.map(|(a, b)| (a.widen() - b.widen()).powi(2)).sum();
            (square.sqrt(), j as u32)
        })
        .collect();
    all.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    all
}

/// Compares with plain loops; every `step`-th row, for time.
fn check<T: Real>(name: &str, x: ArrayView2<'_, T>, k: usize, step: usize) -> usize {
    let config = KnnConfig { k, ..KnnConfig::default() };
    let (table, work) = neighbours_and_work(x, &config).unwrap();
    assert_eq!((table.n(), table.k()), (x.nrows(), k), "{name}");
    for i in (0..x.nrows()).step_by(step) {
        for (rank, (distance, j)) in ordered(x, i).into_iter().take(k).enumerate() {
            assert_eq!(table.indices()[(i, rank)], j, "{name}: neighbour {rank} of {i}");
            let found = table.distances()[(i, rank)];
            assert!((found - distance).abs() <= 1e-12 * distance, "{name}: {found} {distance}");
        }
    }
    work.second_pass
}

#[test]
fn gaussian_points_have_the_neighbours_of_brute_force() {
    for (n, d, k) in [(1100, 24, 2), (700, 300, 7), (513, 5, 64), (33, 3, 4), (600, 1, 3)] {
        let x = normal(n as u64, n, d);
        assert_eq!(check("f32", narrow(&x).view(), k, 3), 0);
        assert_eq!(check("f64", x.view(), k, 3), 0);
    }
}

#[test]
fn all_others_can_be_asked_for() {
    let x = narrow(&normal(3, 130, 9));
    check("k = n − 1", x.view(), 129, 1);
    check("two points", x.slice(s![..2, ..]), 1, 1);
    check("no coordinates", x.slice(s![..5, ..0]), 3, 1);
}

#[test]
fn a_wide_direction_hides_no_neighbour() {
    let mut x = normal(4, 1300, 64);
    x.column_mut(0).mapv_inplace(|x| 300.0 * x);
    check("spiked", narrow(&x).view(), 2, 2);
    check("spiked", narrow(&x).view(), 20, 5);
}

#[test]
fn sinks_hide_no_neighbour() {
    let mut x = normal(5, 1200, 64);
    for i in (0..1200).step_by(107) {
        x[(i, 3)] += 2000.0;
    }
    check("sinks", narrow(&x).view(), 3, 2);
    // Copies of one sink beside sinks that differ in the last bits.
    for i in (0..1200).step_by(8) {
        x.row_mut(i).fill(0.0);
        x[(i, 3)] = 2000.0 + if i % 3 == 0 { 1e-4 * i as f64 } else { 0.0 };
    }
    check("copies of a sink", narrow(&x).view(), 3, 2);
}

#[test]
fn a_mean_far_away_hides_no_neighbour() {
    let x = normal(6, 900, 32).mapv(|x| 1e4 + x);
    check("mean", narrow(&x).view(), 4, 2);
    check("mean", x.mapv(|x| 1e6 + 1e-6 * x).view(), 4, 2);
}

#[test]
fn differences_that_vanish_in_f32_are_seen() {
    // Two clouds far apart: no centre serves both.
    let near = normal(7, 400, 6).mapv(|x| 1.0 + 1e-9 * x);
    let far = normal(8, 300, 6).mapv(|x| -1.0 + 1e-9 * x);
    let x = concatenate(Axis(0), &[near.view(), far.view()]).unwrap();
    assert_eq!(check("two clouds", x.view(), 3, 1), 700);
}

#[test]
fn any_scale_is_served() {
    let x = normal(9, 300, 8);
    for scale in [1e-300, 1e-160, 1e-30, 1e30, 1e160, 1e300] {
        let table = neighbours(x.mapv(|x| x * scale).view(), 3).unwrap();
        let plain = neighbours(x.view(), 3).unwrap();
        assert_eq!(table.indices(), plain.indices(), "{scale}");
        for (a, b) in table.distances().iter().zip(plain.distances()) {
            assert!((a / scale - b).abs() < 1e-12 * b, "{scale}: {a} {b}");
        }
    }
    let tiny = x.mapv(|x| (x * 1e-30) as f32);
    check("f32 of 1e-30", tiny.view(), 3, 1);
}

#[test]
fn duplicates_are_ordered_by_index() {
    let mut x = narrow(&normal(10, 800, 16));
    for i in 0..800 {
        if i % 5 != 0 {
            let (to, from) = (i, i % 40);
            let row = x.row(from).to_owned();
            x.row_mut(to).assign(&row);
        }
    }
    check("duplicates", x.view(), 3, 1);
    check("all equal", Array2::from_elem((700, 5), 0.3_f32).view(), 3, 1);
    check("all equal", Array2::from_elem((300, 5), 0.1_f64).view(), 2, 1);
    check("all zero", Array2::<f32>::zeros((300, 5)).view(), 2, 1);
    let lattice =
        Array2::from_shape_fn((900, 2), |(i, j)| ((i / 30_usize.pow(j as u32)) % 30) as f32);
    check("lattice", lattice.view(), 5, 1);
}

#[test]
fn strides_do_not_matter() {
    let wide = narrow(&normal(11, 600, 40));
    let plain = |x: ArrayView2<'_, f32>| neighbours(x.to_owned().view(), 4).unwrap();
    for x in [
        wide.t(),
        wide.slice(s![.., ..17]),
        wide.slice(s![..;2, 3..;5]),
        wide.slice(s![..;-1, ..]),
        wide.slice(s![.., ..;-1]),
    ] {
        let k = 4;
        assert_eq!(neighbours(x, k).unwrap(), plain(x));
    }
    let row = wide.slice(s![..1, ..]);
    check("broadcast", row.broadcast((50, 40)).unwrap(), 2, 1);
}

#[test]
fn threads_do_not_matter() {
    let mut x = narrow(&normal(12, 1500, 20));
    x.column_mut(0).mapv_inplace(|x| 3000.0 * x);
    let table = |threads: usize| -> Neighbours {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.max(1)).build().unwrap();
        let config = KnnConfig { k: 5, threads: Threads::new(threads) };
        pool.install(|| neighbours_with(x.view(), &config).unwrap())
    };
    let one = table(1);
    for threads in [0, 2, 3] {
        let many = table(threads);
        assert_eq!(one.indices(), many.indices());
        let bits = |t: &Neighbours| t.distances().mapv(f64::to_bits);
        assert_eq!(bits(&one), bits(&many));
    }
}

#[test]
fn what_cannot_be_searched_is_an_error() {
    let mut x = narrow(&normal(13, 20, 3));
    let too_few = neighbours(x.view(), 20);
    assert!(matches!(too_few, Err(Error::TooFewPoints { found: 20, needed: 21, .. })));
    assert!(matches!(neighbours(x.view(), 0), Err(Error::InvalidParameter { name: "k", .. })));
    x[(7, 2)] = f32::INFINITY;
    let infinite = neighbours(x.view(), 2);
    assert!(matches!(infinite, Err(Error::NotFinite { row: 7, col: 2, .. })));
    let far = array![[f64::MAX], [-f64::MAX]];
    assert!(matches!(neighbours(far.view(), 1), Err(Error::NotFinite { row: 0, col: 0, .. })));
}
