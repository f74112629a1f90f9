//! The change of the weights on the CPU backends, in their own memory.

use std::sync::Arc;

use burn::backend::TensorMetadata;
use burn::backend::tensor::{FloatTensor, IntTensor};
use ndarray::{ArrayView2, ArrayViewMut2};
use sixfold_model::ops::host::{HostBackend, owned};

use super::UpdateOps;
use crate::basis::add_rotated;
use crate::{Mask, Update};

fn update<B: HostBackend>(
    w: FloatTensor<B>,
    u: FloatTensor<B>,
    v: FloatTensor<B>,
    values: FloatTensor<B>,
    mask: &Mask,
) -> FloatTensor<B> {
    let shape = w.shape();
    let (d_in, d_out) = (shape[0], shape[1]);
    let mut weights = owned::<B>(w);
    let view = ArrayViewMut2::from_shape((d_in, d_out), &mut weights).expect("the weights");
    let values = B::read(values);
    with_basis::<B, _>(&u, |u| {
        with_basis::<B, _>(&v, |v| {
            let change = Update::Sparse(mask, &values);
            add_rotated(view, [u, v], change, 1.0).expect("shapes were checked");
        });
    });
    B::make(weights, shape)
}

/// Columns in single precision; none of a side that is not rotated.
fn with_basis<B: HostBackend, R>(
    basis: &FloatTensor<B>,
    f: impl FnOnce(Option<ArrayView2<'_, f32>>) -> R,
) -> R {
    match basis.shape().num_elements() {
        0 => f(None),
        _ => B::with_matrix(basis, |columns| f(Some(columns))),
    }
}

/// Implements the trait for one backend.
macro_rules! implement {
    ($backend:ty) => {
        impl UpdateOps for $backend {
            fn update(
                w: FloatTensor<Self>,
                u: FloatTensor<Self>,
                v: FloatTensor<Self>,
                values: FloatTensor<Self>,
                _: IntTensor<Self>,
                mask: Arc<Mask>,
            ) -> FloatTensor<Self> {
                update::<Self>(w, u, v, values, &mask)
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
