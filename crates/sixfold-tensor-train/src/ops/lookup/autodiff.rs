//! The backward pass of the look-up.

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend};

use super::LookupOps;
use crate::TtShape;
use crate::lookup::Plan;

#[derive(Debug)]
struct TtRows;

impl<B: Backend + LookupOps> Backward<B, 1> for TtRows {
    type State = (FloatTensor<B>, Arc<TtShape>, Arc<Plan>);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (cores, shape, plan) = ops.state;
        unary::<B, _>(ops.parents, ops.node, grads, |grad| {
            B::tt_rows_backward(cores, grad, shape, plan)
        });
    }
}

impl<B: Backend + LookupOps, C: CheckpointStrategy> LookupOps for Autodiff<B, C> {
    fn tt_rows(
        cores: FloatTensor<Self>,
        shape: Arc<TtShape>,
        plan: Arc<Plan>,
    ) -> FloatTensor<Self> {
        match TtRows.prepare::<C>([cores.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let cores = cores.into_primitive();
                let state = (cores.clone(), shape.clone(), plan.clone());
                prepared.finish(state, B::tt_rows(cores, shape, plan))
            }
            OpsKind::UnTracked(prepared) => {
                prepared.finish(B::tt_rows(cores.into_primitive(), shape, plan))
            }
        }
    }

    fn tt_rows_backward(
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: Arc<TtShape>,
        _: Arc<Plan>,
    ) -> FloatTensor<Self> {
        unreachable!("called on the inner backend only")
    }
}
