//! The `gemm` crate itself, on one thread: what the symmetric work costs at its rate.

use std::hint::black_box;

use crate::peer::Run;
use gemm::Parallelism;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, s};

/// Rows and columns of a tile of products.
const TILE: [usize; 2] = [1024, 1024];

/// N²·D operations on rows of `x`: half of all products of two rows, a tile at a time, which is
/// what distances between all points need.
pub fn distances(x: Array2<f32>) -> Run {
    let mut tile = Array2::zeros(TILE);
    Box::new(move || {
        let n = x.nrows();
        for i in (0..n / 2).step_by(TILE[0]) {
            let rows = x.slice(s![i..(i + TILE[0]).min(n / 2), ..]);
            for j in (0..n).step_by(TILE[1]) {
                let columns = x.slice(s![j..(j + TILE[1]).min(n), ..]);
                let out = tile.slice_mut(s![..rows.nrows(), ..columns.nrows()]);
                multiply(out, rows, columns.reversed_axes());
                black_box(&tile);
            }
        }
        Ok(())
    })
}

/// N·D² operations: half of the columns of XᵀX, which is what a Gram matrix needs.
pub fn gram(x: Array2<f32>) -> Run {
    let d = x.ncols();
    let mut out = Array2::zeros((d, d / 2));
    Box::new(move || {
        multiply(out.view_mut(), x.t(), x.slice(s![.., ..d / 2]));
        black_box(&out);
        Ok(())
    })
}

/// 3·N·D² operations: half of the columns of XᵀX and of YᵀY, and all of XᵀY, which is what the
/// moments of a transition need.
pub fn transition(x: Array2<f32>, y: Array2<f32>) -> Run {
    let d = x.ncols();
    let (mut half, mut whole) = (Array2::zeros((d, d / 2)), Array2::zeros((d, d)));
    Box::new(move || {
        for side in [&x, &y] {
            multiply(half.view_mut(), side.t(), side.slice(s![.., ..d / 2]));
            black_box(&half);
        }
        multiply(whole.view_mut(), x.t(), y.view());
        black_box(&whole);
        Ok(())
    })
}

/// `c = a·b` on one thread, any strides.
///
/// # Panics
/// Where the shapes do not fit.
pub fn multiply(mut c: ArrayViewMut2<'_, f32>, a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>) {
    let ((m, k), n) = (a.dim(), b.ncols());
    assert_eq!((c.dim(), b.nrows()), ((m, n), k), "shapes");
    let strides = |of: &[isize]| (of[1], of[0]);
    let ((c_col, c_row), (a_col, a_row), (b_col, b_row)) =
        (strides(c.strides()), strides(a.strides()), strides(b.strides()));
    #[expect(unsafe_code, reason = "gemm takes pointers")]
    // SAFETY: pointers, strides and shapes come from views of m·n, m·k and k·n elements as
    // asserted, and `c` is borrowed exclusively.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            c.as_mut_ptr(),
            c_col,
            c_row,
            false,
            a.as_ptr(),
            a_col,
            a_row,
            b.as_ptr(),
            b_col,
            b_row,
            0.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}
