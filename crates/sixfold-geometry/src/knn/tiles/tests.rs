//! Bounds of every pair, and the cutting of the work.

use ndarray::Array2;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::*;

/// Every pair, in blocks that are not all of one size.
fn check<T: Real>(x: ArrayView2<'_, T>, packs: bool) {
    let points = Points::new(x);
    assert_eq!(points.packs(), packs);
    let n = points.n();
    let plan = Plan { n, block: n.div_ceil(2), workers: 1 };
    let seen = AtomicUsize::new(0);
    plan.pairs(&points, |tile| {
        for (at, product) in tile.products.iter().enumerate() {
            let (i, j) = (at / tile.cols.len(), at % tile.cols.len());
            let (i, j) = (tile.rows.start + i, tile.cols.start + j);
            let lower = points.lower[i] + points.lower[j] + product;
            let upper = lower + points.slack[i] + points.slack[j];
            let exact = points.exact(i, j);
            assert!(f64::from(lower) <= exact, "{i} {j}: {lower} > {exact}");
            assert!(exact <= f64::from(upper), "{i} {j}: {exact} > {upper}");
            seen.fetch_add(1, Ordering::Relaxed);
        }
    });
    assert!(seen.into_inner() >= n * n / 2);
}

#[test]
fn every_distance_lies_between_its_bounds() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut normal = |n: usize, d: usize| -> Array2<f64> {
        Array2::from_shape_simple_fn((n, d), || StandardNormal.sample(&mut rng))
    };
    for d in [1, 3, 255, 257, 1100] {
        let x = normal(70, d);
        check(x.mapv(|x| x as f32).view(), false);
        check(x.view(), true);
        // All of one sign: roundings of products add up. Integers: no f64 distance is rounded.
        check(x.mapv(|x| (1000.0 * x.abs()) as f32).view(), false);
        check(x.mapv(|x| (1000.0 * x).round() + 3e6).view(), true);
        check(x.mapv(|x| (x + 1e3) as f32).view(), true);
        check(x.mapv(|x| x * 1e-200).view(), true);
        let mut spiked = x;
        spiked.column_mut(0).mapv_inplace(|x| 1e6 * x);
        check(spiked.mapv(|x| x as f32).view(), false);
        check(spiked.view(), true);
    }
    check(Array2::<f32>::zeros((5, 4)).view(), false);
}

#[test]
fn products_in_tf32_stay_between_wider_bounds() {
    use crate::knn::bound::{Arithmetic, cut_to_tf32};
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let x: Array2<f32> = Array2::from_shape_simple_fn((60, 200), || {
        let x: f32 = StandardNormal.sample(&mut rng);
        5.0 * x.abs()
    });
    let outside = |arithmetic| {
        let points = Points::multiplied_in(x.view(), arithmetic);
        assert!(!points.packs());
        let cut = x.mapv(cut_to_tf32);
        let mut products = vec![0.0; 60 * 60];
        product(cut.view(), cut.view(), &mut products);
        let is_outside = |(at, product): (usize, &f32)| {
            let (i, j) = (at / 60, at % 60);
            let lower = points.lower[i] + points.lower[j] + product;
            let upper = lower + points.slack[i] + points.slack[j];
            let exact = points.exact(i, j);
            f64::from(lower) > exact || exact > f64::from(upper)
        };
        products.iter().enumerate().filter(|pair| is_outside(*pair)).count()
    };
    assert_eq!(outside(Arithmetic::TF32), 0);
    assert!(outside(Arithmetic::HOST) > 1000, "the bounds of f32 do not cover TF32");
}

#[test]
fn every_tile_is_made_once() {
    for (blocks, strip) in [(1, 1), (7, 1), (7, 2), (7, 3), (4, 9)] {
        let mut tiles: Vec<_> = Order::new(blocks, strip).collect();
        tiles.sort_unstable();
        let all = (0..blocks).flat_map(|i| (i..blocks).map(move |j| (i, j)));
        assert!(tiles.into_iter().eq(all), "{blocks} {strip}");
    }
}

#[test]
fn a_plan_keeps_to_its_room() {
    for (d, packed) in [(1, 2), (768, 0), (768, 2), (4096, 2), (20_000, 1)] {
        for threads in [1, 2, 16, 200] {
            let bytes = |block| Plan::tile_bytes(block, d, packed);
            let plan = Plan::new(100_000, Threads::new(threads), bytes);
            assert!(plan.workers * bytes(plan.block) <= ROOM, "{d} {packed} {threads}");
            assert!(plan.workers >= 1 && plan.blocks() * plan.block >= 100_000);
        }
    }
}
