//! The largest scores of products with all rows, in blocks of a fixed size.

use std::cmp::Ordering;

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, s};
use rayon::prelude::*;
use sixfold_linalg::{Threads, matmul_into};

/// Queries of one block: enough for the rate of a product.
const QUERIES: usize = 64;

/// Words of one block: with the queries above, its products take 512 KiB.
const WORDS: usize = 2048;

/// A word and its score.
pub(super) type Hit = (usize, f32);

/// The larger score first; of equal ones the smaller id.
fn order(a: &Hit, b: &Hit) -> Ordering {
    b.1.total_cmp(&a.1).then(a.0.cmp(&b.0))
}

/// For each query the `k` rows of `words` with the largest cosines, without those in `excluded`.
///
/// Blocks do not depend on the number of threads, nor do the results.
///
/// # Shapes
/// `queries` is `[q, d]`, `words` `[n, d]`; `excluded` has q lists.
pub(super) fn nearest(
    words: ArrayView2<'_, f32>,
    queries: ArrayView2<'_, f32>,
    excluded: &[Vec<usize>],
    k: usize,
) -> Vec<Vec<Hit>> {
    let blocks: Vec<_> =
        queries.axis_chunks_iter(Axis(0), QUERIES).zip(excluded.chunks(QUERIES)).collect();
    blocks
        .into_par_iter()
        .flat_map_iter(|(queries, excluded)| {
            // One list for each block of words: the long side is the parallel one for few queries.
            let parts: Vec<Vec<Vec<Hit>>> = words
                .axis_chunks_iter(Axis(0), WORDS)
                .into_par_iter()
                .enumerate()
                .map(|(block, words)| {
                    let mut scores = Array2::zeros((queries.nrows(), words.nrows()));
                    let product = scores.view_mut();
                    matmul_into(1.0, queries, words.t(), 0.0, product, Threads::ONE);
                    exclude(scores.view_mut(), excluded, block * WORDS);
                    scores
                        .outer_iter()
                        .map(|row| largest(row.as_slice(), block * WORDS, k))
                        .collect()
                })
                .collect();
            (0..queries.nrows())
                .map(move |q| merged(parts.iter().map(|part| &part[q]), k))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// The `k` largest of n scores that are there already, without the ids in `excluded`.
pub(super) fn largest_of(scores: &mut [f32], excluded: &[usize], k: usize) -> Vec<Hit> {
    for &id in excluded {
        scores[id] = f32::NEG_INFINITY;
    }
    largest(Some(scores), 0, k)
}

fn exclude(mut scores: ArrayViewMut2<'_, f32>, excluded: &[Vec<usize>], begin: usize) {
    let range = begin..begin + scores.ncols();
    for (q, ids) in excluded.iter().enumerate() {
        for id in ids.iter().filter(|id| range.contains(id)) {
            scores[(q, id - begin)] = f32::NEG_INFINITY;
        }
    }
}

/// The `k` largest scores of a row, but for −∞.
fn largest(row: Option<&[f32]>, begin: usize, k: usize) -> Vec<Hit> {
    let row = row.expect("rows of a new matrix are contiguous");
    let mut best: Vec<Hit> = Vec::with_capacity(k.min(row.len()) + 1);
    for (i, &score) in row.iter().enumerate() {
        let full = best.len() == k;
        // A later id loses against an equal score.
        if score == f32::NEG_INFINITY || k == 0 || full && score <= best[k - 1].1 {
            continue;
        }
        let hit = (begin + i, score);
        let at = best.partition_point(|other| order(other, &hit).is_lt());
        best.insert(at, hit);
        best.truncate(k);
    }
    best
}

fn merged<'a>(parts: impl Iterator<Item = &'a Vec<Hit>>, k: usize) -> Vec<Hit> {
    let mut all: Vec<Hit> = parts.flatten().copied().collect();
    all.sort_unstable_by(order);
    all.truncate(k);
    all
}

/// All products with a few queries, one row each.
pub(super) fn products(words: ArrayView2<'_, f32>, queries: ArrayView2<'_, f32>) -> Array2<f32> {
    let mut scores = Array2::zeros((queries.nrows(), words.nrows()));
    scores.axis_chunks_iter_mut(Axis(1), WORDS).into_par_iter().enumerate().for_each(
        |(block, into)| {
            let begin = block * WORDS;
            let words = words.slice(s![begin..begin + into.ncols(), ..]);
            matmul_into(1.0, queries, words.t(), 0.0, into, Threads::ONE);
        },
    );
    scores
}
