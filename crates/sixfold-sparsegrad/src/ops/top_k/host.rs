//! The largest entries on the CPU backends: the selection of the crate without burn.

use burn::backend::ops::IntTensorOps;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::TensorData;
use sixfold_model::ops::host::HostBackend;

use super::TopKOps;

fn chosen<B: HostBackend>(values: FloatTensor<B>, k: usize) -> TensorData {
    let values = B::read(values);
    let places = crate::top_k(&values, k).unwrap_or_else(|_| with_others(&values, k));
    TensorData::new(places.into_iter().map(|place| place as i32).collect::<Vec<_>>(), [k])
}

/// The same for lists with infinities or values that are no numbers.
fn with_others(values: &[f32], k: usize) -> Vec<u32> {
    let magnitude = |place: u32| values[place as usize].abs().to_bits();
    let mut places: Vec<u32> = (0..values.len() as u32).collect();
    places.sort_by(|&a, &b| magnitude(b).cmp(&magnitude(a)).then(a.cmp(&b)));
    places.truncate(k);
    places.sort_unstable();
    places
}

/// Implements the trait for one backend.
macro_rules! implement {
    ($backend:ty) => {
        impl TopKOps for $backend {
            fn top_k(values: FloatTensor<Self>, k: usize) -> IntTensor<Self> {
                let data = chosen::<Self>(values, k);
                <Self as IntTensorOps<Self>>::int_from_data(data, &Default::default())
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
