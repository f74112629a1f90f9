//! The one call of the `gemm` crate.

use gemm::Parallelism;
use ndarray::{ArrayView2, ArrayViewMut2};

use crate::{Real, Threads};

/// dst = alpha · dst + beta · lhs · rhs; with alpha = 0, dst is not read.
///
/// # Panics
/// If the shapes do not fit.
pub(crate) fn gemm_into<T: Real>(
    mut dst: ArrayViewMut2<'_, T>,
    alpha: T,
    lhs: ArrayView2<'_, T>,
    rhs: ArrayView2<'_, T>,
    beta: T,
    threads: Threads,
) {
    let ((m, k), n) = (lhs.dim(), rhs.ncols());
    assert_eq!(rhs.nrows(), k, "columns of the left matrix and rows of the right one");
    assert_eq!(dst.dim(), (m, n), "shape of the product");
    if m == 0 || n == 0 {
        return;
    }
    if k == 0 {
        dst.mapv_inplace(|x| if alpha == T::zero() { T::zero() } else { alpha * x });
        return;
    }
    let (d, l, r) = (strides(dst.strides()), strides(lhs.strides()), strides(rhs.strides()));
    let (lhs, rhs) = (lhs.as_ptr(), rhs.as_ptr());
    let dst = dst.as_mut_ptr();
    let read = alpha != T::zero();
    #[expect(unsafe_code, reason = "gemm takes pointers; no other crate reaches its rate")]
    // SAFETY: ndarray's views guarantee that pointer and strides address m·k, k·n and m·n valid
    // elements, the shapes were asserted above, and the exclusive view `dst` overlaps no other.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            dst,
            d.1,
            d.0,
            read,
            lhs,
            l.1,
            l.0,
            rhs,
            r.1,
            r.0,
            alpha,
            beta,
            false,
            false,
            false,
            parallelism(threads),
        );
    }
}

fn strides(strides: &[isize]) -> (isize, isize) {
    (strides[0], strides[1])
}

fn parallelism(threads: Threads) -> Parallelism {
    match threads.count() {
        1 => Parallelism::None,
        n => Parallelism::Rayon(n),
    }
}
