//! The core of a gradient on CUDA and wgpu: burn's own products, then a copy to the host, where sinks live.

use std::sync::Arc;

use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::FloatTensor;
use burn_cubecl::CubeBackend;

use super::{Deliver, Sink, SinkOps};

impl SinkOps for CubeBackend {
    fn into_sink(
        y: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: Arc<dyn Sink>,
    ) -> FloatTensor<Self> {
        y
    }
}

impl Deliver for CubeBackend {
    fn deliver(
        x: FloatTensor<Self>,
        g: FloatTensor<Self>,
        u: Option<FloatTensor<Self>>,
        v: Option<FloatTensor<Self>>,
        sink: &dyn Sink,
    ) {
        let z = match u {
            Some(u) => Self::float_matmul(x, u),
            None => x,
        };
        let h = match v {
            Some(v) => Self::float_matmul(g, v),
            None => g,
        };
        let core = Self::float_matmul(Self::float_transpose(z), h);
        let data = cubecl::future::block_on(Self::float_into_data(core));
        let data = data.expect("a device that still answers");
        sink.receive(data.try_into_vec().expect("gradients in f32"));
    }
}
