//! Matrix products and Gram matrices at the rate of the `gemm` crate.

use std::num::NonZeroUsize;

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis, s};
use rayon::prelude::*;

use crate::Real;
use crate::kernel::gemm_into;

/// Columns of one strip of a Gram matrix: narrow strips skip more of the lower triangle, wide
/// ones run nearer the peak. 64 is what the widest kernel of `gemm` takes at once.
const STRIP: usize = 64;

/// Below this many products a Gram matrix is not worth more than one thread.
const PARALLEL: usize = 1 << 22;

/// How many threads a product may use.
///
/// Products split their work into tasks of the rayon pool they are called from. The result is the
/// same for any number up to rounding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Threads {
    /// As many as the current rayon pool has.
    #[default]
    Pool,
    /// No more than this many; 1 computes on the calling thread.
    AtMost(NonZeroUsize),
}

impl Threads {
    /// The calling thread only.
    pub const ONE: Self = Self::AtMost(NonZeroUsize::MIN);

    /// `n` threads, or the size of the pool where `n` is 0.
    pub fn new(n: usize) -> Self {
        NonZeroUsize::new(n).map_or(Self::Pool, Self::AtMost)
    }

    /// The number of threads.
    pub fn count(self) -> usize {
        match self {
            Self::Pool => rayon::current_num_threads(),
            Self::AtMost(n) => n.get(),
        }
    }
}

/// The product A·B.
///
/// Any strides are accepted without a copy. Values are not checked: NaN goes through.
///
/// # Shapes
/// `a` is `[m, k]`, `b` is `[k, n]`, the result `[m, n]` in row-major order.
///
/// # Panics
/// If the inner dimensions differ.
///
/// # Complexity
/// 2·m·k·n operations; ≥ 90 % of the `gemm` crate's own rate.
///
/// ```
/// use ndarray::array;
/// let a = array![[1.0_f32, 2.0], [3.0, 4.0]];
/// assert_eq!(sixfold_linalg::matmul(a.view(), a.t()), array![[5.0, 11.0], [11.0, 25.0]]);
/// ```
pub fn matmul<T: Real>(a: ArrayView2<'_, T>, b: ArrayView2<'_, T>) -> Array2<T> {
    matmul_with(a, b, Threads::Pool)
}

/// [`matmul`] with a bound on the threads.
///
/// # Panics
/// If the inner dimensions differ.
pub fn matmul_with<T: Real>(
    a: ArrayView2<'_, T>,
    b: ArrayView2<'_, T>,
    threads: Threads,
) -> Array2<T> {
    let mut c = Array2::zeros((a.nrows(), b.ncols()));
    gemm_into(c.view_mut(), T::zero(), a, b, T::one(), threads);
    c
}

/// C ← alpha·A·B + beta·C, in place.
///
/// With `beta` = 0 the old content of `c` is not read, so that it may hold NaN.
///
/// # Shapes
/// `a` is `[m, k]`, `b` is `[k, n]`, `c` is `[m, n]`, each with any strides.
///
/// # Panics
/// If the shapes do not fit.
pub fn matmul_into<T: Real>(
    alpha: T,
    a: ArrayView2<'_, T>,
    b: ArrayView2<'_, T>,
    beta: T,
    c: ArrayViewMut2<'_, T>,
    threads: Threads,
) {
    gemm_into(c, beta, a, b, alpha, threads);
}

/// The Gram matrix G = XᵀX.
///
/// # Shapes
/// `x` is `[n, d]`, the result `[d, d]` and symmetric to the last bit.
///
/// # Complexity
/// About n·d·(d + 64) operations instead of 2·n·d²: blocks below the diagonal are mirrored.
#[doc(alias = "syrk")]
pub fn gram<T: Real>(x: ArrayView2<'_, T>) -> Array2<T> {
    gram_with(x, Threads::Pool)
}

/// [`gram`] with a bound on the threads.
pub fn gram_with<T: Real>(x: ArrayView2<'_, T>, threads: Threads) -> Array2<T> {
    let d = x.ncols();
    let mut g = Array2::zeros((d, d));
    gram_upper(x, g.view_mut(), threads);
    mirror(&mut g);
    g
}

/// The cross-Gram matrix C = XᵀY.
///
/// # Shapes
/// `x` is `[n, dx]`, `y` is `[n, dy]`, the result `[dx, dy]`.
///
/// # Panics
/// If the numbers of rows differ.
pub fn cross_gram<T: Real>(x: ArrayView2<'_, T>, y: ArrayView2<'_, T>) -> Array2<T> {
    matmul_with(x.reversed_axes(), y, Threads::Pool)
}

/// [`cross_gram`] with a bound on the threads.
///
/// # Panics
/// If the numbers of rows differ.
pub fn cross_gram_with<T: Real>(
    x: ArrayView2<'_, T>,
    y: ArrayView2<'_, T>,
    threads: Threads,
) -> Array2<T> {
    matmul_with(x.reversed_axes(), y, threads)
}

/// Writes at least the upper triangle of XᵀX; what lies below the diagonal is unspecified.
///
/// Strips are computed by one thread each, so that the result is the same for any number of them.
pub(crate) fn gram_upper<T: Real>(
    x: ArrayView2<'_, T>,
    mut g: ArrayViewMut2<'_, T>,
    threads: Threads,
) {
    let (n, d) = x.dim();
    let strip = |(i, mut columns): (usize, ArrayViewMut2<'_, T>)| {
        let start = i * STRIP;
        let end = start + columns.ncols();
        let (left, right) = (x.slice(s![.., ..end]), x.slice(s![.., start..end]));
        let into = columns.slice_mut(s![..end, ..]);
        gemm_into(into, T::zero(), left.reversed_axes(), right, T::one(), Threads::ONE);
    };
    let strips = g.axis_chunks_iter_mut(Axis(1), STRIP).enumerate();
    let count = threads.count().min(d.div_ceil(STRIP));
    if count <= 1 || n * d * d < PARALLEL {
        strips.for_each(strip);
        return;
    }
    // The longest strips first, dealt to as many tasks as there may be threads.
    let mut tasks: Vec<Vec<_>> = (0..count).map(|_| Vec::new()).collect();
    for (dealt, strip) in strips.rev().enumerate() {
        let round = dealt / count;
        let at = dealt % count;
        tasks[if round % 2 == 0 { at } else { count - 1 - at }].push(strip);
    }
    tasks.into_par_iter().for_each(|strips| strips.into_iter().for_each(strip));
}

/// Copies the upper triangle below the diagonal.
pub(crate) fn mirror<T: Real>(g: &mut Array2<T>) {
    for i in 0..g.nrows() {
        for j in 0..i {
            g[(i, j)] = g[(j, i)];
        }
    }
}
