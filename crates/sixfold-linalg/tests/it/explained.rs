//! What X explains of Y, from moments, where the answer is known by construction: rank-deficient
//! X, badly scaled X; and kernel alignment from moments against its Gram form.

use ndarray::{Array1, Array2, Axis};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sixfold_linalg::{Error, PairMoments, Real, explain_gram, gram_rcond, svd};

use crate::support::{rotation, uniform};

const N: usize = 3000;
const D: usize = 256;

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn centred(x: &Array2<f64>) -> Array2<f64> {
    x - &x.mean_axis(Axis(0)).unwrap()
}

/// Y of which X, of this rank, explains exactly this share: a part within the span of X and one
/// orthogonal to it.
fn target(x: &Array2<f64>, rank: usize, share: f64, seed: u64) -> Array2<f64> {
    let u = svd(centred(x).view()).unwrap().u;
    let basis = u.slice(ndarray::s![.., ..rank]);
    let inside = basis.dot(&uniform(rank, 8, &mut rng(seed)));
    let noise = centred(&uniform(x.nrows(), 8, &mut rng(seed + 1)));
    let outside = &noise - &basis.dot(&basis.t().dot(&noise));
    let square = |a: &Array2<f64>| a.iter().map(|v| v * v).sum::<f64>();
    let ratio = (square(&inside) / square(&outside) * (1.0 - share) / share).sqrt();
    inside + outside * ratio + 3.0
}

/// Share explained and rank, in blocks of unequal length.
fn explained<T: Real>(x: &Array2<f64>, y: &Array2<f64>) -> (f64, usize) {
    let narrow = |a: &Array2<f64>| a.mapv(T::narrow);
    let (x, y) = (narrow(x), narrow(y));
    let mut pair = PairMoments::new(x.ncols(), y.ncols());
    for rows in [0..700, 700..2500, 2500..x.nrows()] {
        let rows = ndarray::s![rows, ..];
        pair.update(x.slice(rows), y.slice(rows)).unwrap();
    }
    let (g, c) = (pair.x.scatter(), pair.xy.cross_scatter());
    let fit = explain_gram(g.view(), c.view(), gram_rcond::<T>(x.ncols())).unwrap();
    (fit.explained / pair.y.total_variance(), fit.rank)
}

/// A program that divides by all singular values gets 0.107 in f32 here.
#[test]
fn rank_40_in_256_columns() {
    let x = uniform(N, 40, &mut rng(1)).dot(&uniform(40, D, &mut rng(2))) + 0.5;
    let y = target(&x, 40, 0.8169, 3);
    for (share, rank) in [explained::<f32>(&x, &y), explained::<f64>(&x, &y)] {
        assert!((share - 0.8169).abs() < 1e-3, "{share}");
        assert_eq!(rank, 40);
    }
}

#[test]
fn columns_from_1_to_1e_6() {
    let scales = Array1::from_shape_fn(D, |j| 10_f64.powf(-6.0 * j as f64 / (D - 1) as f64));
    let x = uniform(N, D, &mut rng(4)) * scales;
    let y = target(&x, D, 0.990_876, 5);
    for (share, rank) in [explained::<f32>(&x, &y), explained::<f64>(&x, &y)] {
        assert!((share - 0.990_876).abs() < 1e-5, "{share}");
        assert_eq!(rank, D);
    }
}

#[test]
fn kernel_alignment_is_that_of_the_gram_matrices() {
    let x = uniform(120, 7, &mut rng(6)).dot(&uniform(7, 7, &mut rng(7))) + 2.0;
    let y = x.dot(&uniform(7, 11, &mut rng(8))) + uniform(120, 11, &mut rng(9)) * 2.0;
    let pair = |y: &Array2<f64>| {
        let mut pair = PairMoments::new(7, y.ncols());
        pair.update(x.view(), y.view()).unwrap();
        pair
    };
    let kernel = |a: &Array2<f64>| {
        let a = centred(a);
        a.dot(&a.t())
    };
    let inner = |a: &Array2<f64>, b: &Array2<f64>| (a * b).sum();
    let (k, l) = (kernel(&x), kernel(&y));
    let expected = inner(&k, &l) / (inner(&k, &k) * inner(&l, &l)).sqrt();
    assert!((pair(&y).linear_cka().unwrap() - expected).abs() < 1e-10);
    assert!(expected > 0.05 && expected < 0.95, "{expected}");
    // Orthogonal maps, scales and shifts change nothing.
    let turned = x.dot(&rotation(7, &mut rng(10))) * -3.0 + 1.0;
    assert!((pair(&turned).linear_cka().unwrap() - 1.0).abs() < 1e-10);
    let constant = Array2::<f64>::zeros((120, 2));
    assert_eq!(pair(&constant).linear_cka(), Err(Error::ZeroVariance { what: "y" }));
}
