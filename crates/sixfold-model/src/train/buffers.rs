//! Where gradients and moments live: in the host's memory where a step can work on them in
//! place, on their device otherwise.

use burn::tensor::{DType, Tensor, TensorData};

use crate::device::is_host;

/// Values where they can be worked on best.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "one a parameter, and never moved in bulk")]
pub(super) enum Values {
    /// f32 in the host's memory.
    Host(Vec<f32>),
    /// Anything else, flat, without autodiff.
    Device(Tensor<1>),
}

impl Values {
    /// Takes the buffer of a tensor; no copy where nobody else holds it.
    pub(super) fn take<const D: usize>(tensor: Tensor<D>) -> Self {
        let tensor = tensor.inner();
        if tensor.dtype() == DType::F32 && is_host(&tensor.device()) {
            let values = tensor.into_data().try_into_vec::<f32>();
            return Self::Host(values.expect("the type was asked before"));
        }
        let n: usize = tensor.dims().iter().product();
        Self::Device(tensor.reshape([n]))
    }
}

/// What the optimiser keeps of a parameter.
#[derive(Clone, Debug)]
pub(super) struct ParamState {
    /// Steps taken.
    pub(super) steps: u64,
    pub(super) moments: Moments,
}

#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "one a parameter, and never moved in bulk")]
pub(super) enum Moments {
    Host { first: Vec<f32>, second: Vec<f32> },
    Device { first: Tensor<1>, second: Tensor<1> },
}

impl Moments {
    /// Flat values on the host.
    pub(super) fn data(&self) -> (TensorData, TensorData) {
        match self {
            Self::Host { first, second } => {
                let data = |x: &Vec<f32>| TensorData::new(x.clone(), [x.len()]);
                (data(first), data(second))
            }
            Self::Device { first, second } => (first.to_data(), second.to_data()),
        }
    }

    /// For a parameter of `n` values on the host; zeros before its first step.
    pub(super) fn on_host(moments: Option<Self>, n: usize) -> (Vec<f32>, Vec<f32>) {
        let take = |tensor: Tensor<1>| tensor.into_data().iter::<f32>().collect();
        match moments {
            None => (vec![0.0; n], vec![0.0; n]),
            Some(Self::Host { first, second }) => (first, second),
            Some(Self::Device { first, second }) => (take(first), take(second)),
        }
    }

    /// As tensors like the gradient; zeros before the first step of its parameter.
    pub(super) fn on_device(moments: Option<Self>, gradient: &Tensor<1>) -> (Tensor<1>, Tensor<1>) {
        let put = |values: Vec<f32>| {
            let data = TensorData::new(values, gradient.dims());
            Tensor::<1>::from_data(data, (&gradient.device(), DType::F32)).cast(gradient.dtype())
        };
        match moments {
            None => (gradient.zeros_like(), gradient.zeros_like()),
            Some(Self::Host { first, second }) => (put(first), put(second)),
            Some(Self::Device { first, second }) => (first, second),
        }
    }
}
