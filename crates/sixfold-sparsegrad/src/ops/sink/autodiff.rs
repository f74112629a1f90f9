//! The backward pass into a sink.

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, TensorMetadata};

use super::{Deliver, Sink, SinkOps};

/// Parents: y and the weight.
#[derive(Debug)]
struct IntoSink;

#[derive(Clone, Debug)]
struct State<B: Backend> {
    x: FloatTensor<B>,
    u: Option<FloatTensor<B>>,
    v: Option<FloatTensor<B>>,
    sink: Arc<dyn Sink>,
}

impl<B: Backend + Deliver> Backward<B, 2> for IntoSink {
    type State = State<B>;

    fn backward(self, ops: Ops<State<B>, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let g = grads.consume::<B>(&ops.node);
        let [to_y, _] = ops.parents;
        if let Some(node) = to_y {
            grads.register::<B>(node.id, g.clone());
        }
        let State { x, u, v, sink } = ops.state;
        B::deliver(x, g, u, v, &*sink);
    }
}

impl<B: Backend + SinkOps + Deliver, C: CheckpointStrategy> SinkOps for Autodiff<B, C> {
    fn into_sink(
        y: FloatTensor<Self>,
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        u: FloatTensor<Self>,
        v: FloatTensor<Self>,
        sink: Arc<dyn Sink>,
    ) -> FloatTensor<Self> {
        match IntoSink.prepare::<C>([y.node(), weight.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let basis = |basis: FloatTensor<Self>| {
                    let basis = basis.into_primitive();
                    (basis.shape().num_elements() > 0).then_some(basis)
                };
                let (u, v, x) = (basis(u), basis(v), x.into_primitive());
                prepared.finish(State { x, u, v, sink }, y.into_primitive())
            }
            OpsKind::UnTracked(prepared) => prepared.finish(y.into_primitive()),
        }
    }
}
