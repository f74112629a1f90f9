//! Rotated outputs and the entries of a core on the CPU backends.

use std::sync::Arc;

use burn::backend::TensorMetadata;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::Shape;
use ndarray::ArrayView2;
use sixfold_linalg::{Threads, matmul_into};
use sixfold_model::ops::host::{HostBackend, recycled};

use super::ObserveOps;
use crate::{Mask, gradient_at};

/// Multiplications below which one thread is faster than several.
const PARALLEL: usize = 128 * 128 * 128;

pub(crate) fn threads(products: usize) -> Threads {
    if products < PARALLEL { Threads::ONE } else { Threads::Pool }
}

fn rotate<B: HostBackend>(g: FloatTensor<B>, v: &FloatTensor<B>) -> FloatTensor<B> {
    let [n, d, r] = [g.shape()[0], g.shape()[1], v.shape()[1]];
    let mut out = recycled(n * r);
    let g = B::read(g);
    let g = ArrayView2::from_shape((n, d), &g).expect("whole rows");
    let view = ndarray::ArrayViewMut2::from_shape((n, r), &mut out).expect("a buffer of n·r");
    B::with_matrix(v, |v| matmul_into(1.0, g, v, 0.0, view, threads(n * d * r)));
    B::make(out, Shape::new([n, r]))
}

fn entries<B: HostBackend>(z: FloatTensor<B>, g: FloatTensor<B>, mask: &Mask) -> FloatTensor<B> {
    let [n, rows, columns] = [z.shape()[0], z.shape()[1], g.shape()[1]];
    let (z, g) = (B::read(z), B::read(g));
    let z = ArrayView2::from_shape((n, rows), &z).expect("whole rows");
    let g = ArrayView2::from_shape((n, columns), &g).expect("whole rows");
    let values = gradient_at(z, g, mask).expect("shapes were checked");
    B::make(values, Shape::new([mask.len()]))
}

/// Implements the trait for one backend.
macro_rules! implement {
    ($backend:ty) => {
        impl ObserveOps for $backend {
            fn observe_rotated(
                y: FloatTensor<Self>,
                _: FloatTensor<Self>,
                _: FloatTensor<Self>,
                _: FloatTensor<Self>,
                _: IntTensor<Self>,
                _: Arc<Mask>,
            ) -> FloatTensor<Self> {
                y
            }

            fn observe_plain(
                y: FloatTensor<Self>,
                _: FloatTensor<Self>,
                _: FloatTensor<Self>,
                _: IntTensor<Self>,
                _: Arc<Mask>,
            ) -> FloatTensor<Self> {
                y
            }

            fn rotate_outputs(g: FloatTensor<Self>, v: FloatTensor<Self>) -> FloatTensor<Self> {
                rotate::<Self>(g, &v)
            }

            fn entries(
                z: FloatTensor<Self>,
                g: FloatTensor<Self>,
                _: IntTensor<Self>,
                mask: Arc<Mask>,
            ) -> FloatTensor<Self> {
                entries::<Self>(z, g, &mask)
            }
        }
    };
}

#[cfg(feature = "flex")]
implement!(burn_flex::Flex);

#[cfg(feature = "ndarray")]
#[expect(deprecated, reason = "the second CPU backend")]
mod second {
    use super::*;
    implement!(burn_ndarray::NdArray);
}
