//! What the kernels of the CPU backends share: buffers, threads, vector instructions.

#[cfg(feature = "flex")]
mod flex;
#[cfg(feature = "flex")]
mod kept;
#[cfg(feature = "ndarray")]
mod second;

mod math;
mod parallel;
mod pool;

use std::ops::Deref;

use burn::backend::Backend;
use burn::backend::tensor::{BoolTensor, FloatTensor, IntTensor};
use burn::tensor::Shape;
use ndarray::ArrayView2;

pub use math::{normal_cdf_pdf, sigmoid};
pub use parallel::{CHUNK, filled, map, map_with, owned, repeated, rows, rows_with};
pub use pool::{keep_at_most, recycled};
pub use sixfold_linalg::simd::{exp, max, simd, sum, sum_with};

/// A backend whose tensors lie in memory.
pub trait HostBackend: Backend {
    /// A tensor's values, held for reading.
    type Values: Deref<Target = [f32]> + Send + Sync;

    /// The values of an f32 tensor in row-major order. Copies only what is a strided view.
    ///
    /// # Panics
    /// If the type is another one.
    fn read(x: FloatTensor<Self>) -> Self::Values;

    /// The values as a vector. Takes over the tensor's own memory where nobody shares it, else
    /// gives back what [`read`](Self::read) does.
    ///
    /// # Errors
    /// The values for reading, where they cannot be taken.
    ///
    /// # Panics
    /// If the type is another one.
    fn take(x: FloatTensor<Self>) -> Result<Vec<f32>, Self::Values>;

    /// Calls `f` with a matrix in whatever strides it has. Half types are widened first.
    ///
    /// # Panics
    /// If it is no matrix of f32, f16 or bf16.
    fn with_matrix<R>(x: &FloatTensor<Self>, f: impl FnOnce(ArrayView2<'_, f32>) -> R) -> R;

    /// A tensor of these values.
    ///
    /// # Panics
    /// If their number is not that of the shape.
    fn make(values: Vec<f32>, shape: Shape) -> FloatTensor<Self>;

    /// Indices in row-major order.
    fn indices(x: IntTensor<Self>) -> Vec<usize>;

    /// Truth values in row-major order.
    fn truths(x: BoolTensor<Self>) -> Vec<bool>;
}

/// Indices, checked: `what` such as an id stands at a `place` such as a token, and is one of so many
/// `all`.
///
/// # Panics
/// If one is not below `below`.
pub(in crate::ops) fn checked_indices<B: HostBackend>(
    x: IntTensor<B>,
    below: usize,
    [what, place, all]: [&str; 3],
) -> Vec<usize> {
    let indices = B::indices(x);
    for (at, index) in indices.iter().enumerate() {
        let index = *index as isize;
        assert!(
            (0..below as isize).contains(&index),
            "{what} {index} of {place} {at} is not one of {below} {all}"
        );
    }
    indices
}
