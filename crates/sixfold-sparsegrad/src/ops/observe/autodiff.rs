//! The backward pass of what only observes.

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Autodiff, Backend};

use super::ObserveOps;
use crate::Mask;

/// Parents: y and values.
#[derive(Debug)]
struct Observe;

#[derive(Clone, Debug)]
struct State<B: Backend> {
    z: FloatTensor<B>,
    v: Option<FloatTensor<B>>,
    indices: IntTensor<B>,
    mask: Arc<Mask>,
}

impl<B: Backend + ObserveOps> Backward<B, 2> for Observe {
    type State = State<B>;

    fn backward(self, ops: Ops<State<B>, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let g = grads.consume::<B>(&ops.node);
        let [to_y, to_values] = ops.parents;
        if let Some(node) = to_y {
            grads.register::<B>(node.id, g.clone());
        }
        if let Some(node) = to_values {
            let State { z, v, indices, mask } = ops.state;
            let g = match v {
                Some(v) => B::rotate_outputs(g, v),
                None => g,
            };
            grads.register::<B>(node.id, B::entries(z, g, indices, mask));
        }
    }
}

impl<B: Backend + ObserveOps, C: CheckpointStrategy> ObserveOps for Autodiff<B, C> {
    fn observe_rotated(
        y: FloatTensor<Self>,
        z: FloatTensor<Self>,
        values: FloatTensor<Self>,
        v: FloatTensor<Self>,
        indices: IntTensor<Self>,
        mask: Arc<Mask>,
    ) -> FloatTensor<Self> {
        let v = Some(v.into_primitive());
        observe::<B, C>(y, values, State { z: z.into_primitive(), v, indices, mask })
    }

    fn observe_plain(
        y: FloatTensor<Self>,
        z: FloatTensor<Self>,
        values: FloatTensor<Self>,
        indices: IntTensor<Self>,
        mask: Arc<Mask>,
    ) -> FloatTensor<Self> {
        observe::<B, C>(y, values, State { z: z.into_primitive(), v: None, indices, mask })
    }

    fn rotate_outputs(_: FloatTensor<Self>, _: FloatTensor<Self>) -> FloatTensor<Self> {
        unreachable!("gradients are of first order")
    }

    fn entries(
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: IntTensor<Self>,
        _: Arc<Mask>,
    ) -> FloatTensor<Self> {
        unreachable!("gradients are of first order")
    }
}

/// y with a step of the backward pass that also reaches the values.
fn observe<B: Backend + ObserveOps, C: CheckpointStrategy>(
    y: FloatTensor<Autodiff<B, C>>,
    values: FloatTensor<Autodiff<B, C>>,
    state: State<B>,
) -> FloatTensor<Autodiff<B, C>> {
    match Observe.prepare::<C>([y.node(), values.node()]).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish(state, y.into_primitive()),
        OpsKind::UnTracked(prepared) => prepared.finish(y.into_primitive()),
    }
}
