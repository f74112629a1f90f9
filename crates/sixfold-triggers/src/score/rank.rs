//! Scores of a whole vocabulary, and the best of them.

use ndarray::{Array2, ArrayView1, ArrayView2, Axis};
use rayon::prelude::*;
use sixfold_linalg::{Threads, matmul_into};

use crate::{Error, Result};

/// Tokens of one task: the table is read once, and packing the directions anew is small beside it.
const STRIP: usize = 512;

/// The score of every token at every place: G·Eᵀ.
///
/// Cut by the number of tokens alone and each part computed by one thread, so that threads change no bit.
///
/// # Shapes
/// `directions` G is `[length, d]`, `table` E is `[vocab, d]`, the result `[length, vocab]`.
///
/// # Panics
/// If the widths differ.
///
/// # Complexity
/// 2·length·vocab·d operations, and one pass over the table.
///
/// ```
/// use ndarray::array;
/// use sixfold_triggers::score::rank::token_scores;
///
/// let table = array![[1.0_f32, 0.0], [0.0, 1.0], [1.0, 1.0]];
/// let scores = token_scores(array![[2.0, -1.0]].view(), table.view());
/// assert_eq!(scores, array![[2.0, -1.0, 1.0]]);
/// ```
pub fn token_scores(directions: ArrayView2<'_, f32>, table: ArrayView2<'_, f32>) -> Array2<f32> {
    assert_eq!(directions.ncols(), table.ncols(), "the table and the directions have one width");
    let mut scores = Array2::zeros((directions.nrows(), table.nrows()));
    let strips: Vec<_> = scores.axis_chunks_iter_mut(Axis(1), STRIP).collect();
    let tables: Vec<_> = table.axis_chunks_iter(Axis(0), STRIP).collect();
    strips.into_par_iter().zip(tables).for_each(|(scores, table)| {
        matmul_into(1.0, directions, table.reversed_axes(), 0.0, scores, Threads::ONE);
    });
    scores
}

/// The `k` allowed tokens of the highest scores at each place, best first; of equal scores the lower id is taken.
///
/// Fewer than `k` where fewer are allowed.
///
/// # Shapes
/// `scores` is `[length, vocab]`, `allowed` has `vocab` flags.
///
/// # Errors
/// [`Error::NotFinite`] with the first allowed score that is NaN or infinite; others are not looked at.
///
/// # Panics
/// If the flags are not as many as the tokens.
///
/// ```
/// use ndarray::array;
/// use sixfold_triggers::score::rank::top_tokens;
///
/// let scores = array![[0.5, 2.0, f32::NAN, 2.0, 1.0]];
/// let best = top_tokens(scores.view(), &[true, true, false, true, true], 3)?;
/// assert_eq!(best, [[1, 3, 4]]);
/// # Ok::<(), sixfold_triggers::Error>(())
/// ```
pub fn top_tokens(
    scores: ArrayView2<'_, f32>,
    allowed: &[bool],
    k: usize,
) -> Result<Vec<Vec<u32>>> {
    assert_eq!(scores.ncols(), allowed.len(), "one flag a token");
    let rows = scores.rows().into_iter().enumerate();
    rows.map(|(place, row)| {
        top(row, allowed, k).map_err(|token| Error::NotFinite {
            what: "the score of an allowed token",
            index: place * allowed.len() + token,
        })
    })
    .collect()
}

/// `Err` with the first token that cannot be ranked.
fn top(row: ArrayView1<'_, f32>, allowed: &[bool], k: usize) -> Result<Vec<u32>, usize> {
    // Few are kept of many: most tokens fall at the first comparison.
    let mut best: Vec<(f32, u32)> = Vec::with_capacity(k.min(row.len()) + 1);
    for (token, (score, is_allowed)) in row.iter().zip(allowed).enumerate() {
        if !is_allowed {
            continue;
        }
        if !score.is_finite() {
            return Err(token);
        }
        if best.len() == k && best.last().is_none_or(|(last, _)| score <= last) {
            continue;
        }
        let at = best.partition_point(|(other, _)| other >= score);
        best.insert(at, (*score, token as u32));
        best.truncate(k);
    }
    Ok(best.into_iter().map(|(_, token)| token).collect())
}
