//! Attention on CUDA and wgpu: burn's products and softmax, forward and backward. What is kept
//! between the two is q, k and v only.

use burn::backend::tensor::FloatTensor;
use burn::tensor::Tensor;
use burn_cubecl::CubeBackend;

use super::{AttentionForm, AttentionOps, reference};

fn wrap(x: FloatTensor<CubeBackend>) -> Tensor<3> {
    Tensor::from_primitive::<CubeBackend>(x)
}

fn unwrap(x: Tensor<3>) -> FloatTensor<CubeBackend> {
    x.try_into_primitive::<CubeBackend>().expect("what came from this backend stays on it")
}

impl AttentionOps for CubeBackend {
    fn attend(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        form: AttentionForm,
    ) -> FloatTensor<Self> {
        unwrap(reference::attention(wrap(q), wrap(k), wrap(v), wrap(bias), form, |weights| weights))
    }

    fn attend_backward(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        g: FloatTensor<Self>,
        form: AttentionForm,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let [dq, dk, dv] =
            reference::attention_backward(wrap(q), wrap(k), wrap(v), wrap(bias), wrap(g), form);
        (unwrap(dq), unwrap(dk), unwrap(dv))
    }
}
