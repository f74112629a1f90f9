//! The backward pass of attention.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend};

use super::{AttentionForm, AttentionOps};

/// Parents: q, k and v.
#[derive(Debug)]
struct Attention;

impl<B: Backend + AttentionOps> Backward<B, 3> for Attention {
    type State = ([NodeId; 3], FloatTensor<B>, AttentionForm);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let g = grads.consume::<B>(&ops.node);
        let (inputs, bias, form) = ops.state;
        let [q, k, v] = inputs.map(|id| checkpointer.retrieve_node_output(id));
        let (dq, dk, dv) = B::attend_backward(q, k, v, bias, g, form);
        for (node, gradient) in ops.parents.into_iter().zip([dq, dk, dv]) {
            if let Some(node) = node {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

impl<B: Backend + AttentionOps, C: CheckpointStrategy> AttentionOps for Autodiff<B, C> {
    fn attend(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        form: AttentionForm,
    ) -> FloatTensor<Self> {
        let bias = bias.into_primitive();
        match Attention.prepare::<C>([q.node(), k.node(), v.node()]).compute_bound().stateful() {
            OpsKind::Tracked(mut prepared) => {
                let inputs = [&q, &k, &v].map(|x| prepared.checkpoint(x));
                let (q, k, v) = (q.into_primitive(), k.into_primitive(), v.into_primitive());
                prepared.finish((inputs, bias.clone(), form), B::attend(q, k, v, bias, form))
            }
            OpsKind::UnTracked(prepared) => {
                let (q, k, v) = (q.into_primitive(), k.into_primitive(), v.into_primitive());
                prepared.finish(B::attend(q, k, v, bias, form))
            }
        }
    }

    fn attend_backward(
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: AttentionForm,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        unreachable!("gradients are of first order")
    }

    fn attend_tangent(
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: AttentionForm,
    ) -> FloatTensor<Self> {
        unreachable!("tracked tangents are made of plain operations")
    }
}
