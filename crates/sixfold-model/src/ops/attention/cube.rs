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
        unwrap(reference::attention(wrap(q), wrap(k), wrap(v), wrap(bias), form))
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

    fn attend_tangent(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        dq: FloatTensor<Self>,
        dk: FloatTensor<Self>,
        dv: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        form: AttentionForm,
    ) -> FloatTensor<Self> {
        let (x, dx) = ([q, k, v].map(wrap), [dq, dk, dv].map(wrap));
        unwrap(reference::attention_tangent(x, dx, wrap(bias), form))
    }
}
