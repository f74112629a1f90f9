//! Products whose bits no number of threads changes.

use ndarray::{ArrayView2, ArrayViewMut2, Axis};
use rayon::prelude::*;
use sixfold_linalg::{Real, Threads, matmul_into};

/// Rows or columns of one task: enough that packing the other factor anew is small beside the product.
const STRIP: usize = 128;

/// C ← alpha·A·B + beta·C.
///
/// C is cut by its shape alone and each part computed by one thread.
///
/// # Panics
/// If the shapes do not fit.
pub(crate) fn product_into<T: Real>(
    alpha: T,
    a: ArrayView2<'_, T>,
    b: ArrayView2<'_, T>,
    beta: T,
    mut c: ArrayViewMut2<'_, T>,
) {
    if c.nrows() >= c.ncols() {
        let strips: Vec<_> = c.axis_chunks_iter_mut(Axis(0), STRIP).collect();
        strips
            .into_par_iter()
            .zip(a.axis_chunks_iter(Axis(0), STRIP).collect::<Vec<_>>())
            .for_each(|(c, a)| matmul_into(alpha, a, b, beta, c, Threads::ONE));
    } else {
        product_into(alpha, b.reversed_axes(), a.reversed_axes(), beta, c.reversed_axes());
    }
}

/// `f` on a pool of one thread, for factorisations that would split their work otherwise.
pub(crate) fn alone<R: Send>(f: impl FnOnce() -> R + Send) -> R {
    match rayon::ThreadPoolBuilder::new().num_threads(1).build() {
        Ok(pool) => pool.install(f),
        // No thread is left to be had: the work is done here.
        Err(_) => f(),
    }
}
