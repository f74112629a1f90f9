//! Plain loops over all pairs in f64.

use ndarray::{Array2, ArrayView2};
use sixfold_linalg::Real;

use super::Neighbours;

fn distance<T: Real>(x: ArrayView2<'_, T>, i: usize, j: usize) -> f64 {
    let pairs = x.row(i).into_iter().zip(x.row(j));
    pairs.map(|(a, b)| (a.widen() - b.widen()).powi(2)).sum::<f64>().sqrt()
}

pub(super) fn neighbours<T: Real>(x: ArrayView2<'_, T>, k: usize) -> Neighbours {
    let n = x.nrows();
    let mut indices = Array2::zeros((n, k));
    let mut distances = Array2::zeros((n, k));
    for i in 0..n {
        let mut all: Vec<(f64, u32)> =
            (0..n).filter(|&j| j != i).map(|j| (distance(x, i, j), j as u32)).collect();
        all.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        for (rank, (distance, j)) in all.into_iter().take(k).enumerate() {
            indices[(i, rank)] = j;
            distances[(i, rank)] = distance;
        }
    }
    Neighbours::new(indices, distances)
}

pub(super) fn ranks<T: Real>(x: ArrayView2<'_, T>, partners: &[u32]) -> Vec<u32> {
    let rank = |(i, &partner): (usize, &u32)| {
        let own = (distance(x, i, partner as usize), partner as usize);
        let before = |&j: &usize| {
            j != i && (distance(x, i, j), j).partial_cmp(&own).is_some_and(|o| o.is_lt())
        };
        1 + (0..x.nrows()).filter(before).count() as u32
    };
    partners.iter().enumerate().map(rank).collect()
}

pub(super) fn pair_counts<T: Real>(x: ArrayView2<'_, T>, radii: &[f64]) -> Vec<u64> {
    let mut counts = vec![0; radii.len()];
    for i in 0..x.nrows() {
        for j in 0..i {
            let distance = distance(x, i, j);
            for (count, radius) in counts.iter_mut().zip(radii) {
                *count += u64::from(distance < *radius);
            }
        }
    }
    counts
}
