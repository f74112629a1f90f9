//! The recurrence, step by step.

use burn::tensor::activation::{sigmoid, tanh};
use burn::tensor::{Tensor, TensorData};

/// See [`lstm`](super::lstm).
pub fn lstm(inputs: Tensor<3>, weight: Tensor<2>, backwards: bool) -> Tensor<3> {
    let ([seq, batch, _], d) = (inputs.dims(), weight.dims()[0]);
    let options = (&inputs.device(), inputs.dtype());
    if seq * batch * d == 0 {
        return Tensor::from_data(TensorData::new(Vec::<f32>::new(), [seq, batch, d]), options);
    }
    let mut state = Tensor::<2>::zeros([batch, d], options);
    let mut cell = state.clone();
    let mut states: Vec<Tensor<2>> = Vec::with_capacity(seq);
    for step in 0..seq {
        let at = if backwards { seq - 1 - step } else { step };
        let gates =
            inputs.clone().narrow(0, at, 1).squeeze_dim::<2>(0) + state.matmul(weight.clone());
        let gate = |k: usize| gates.clone().narrow(1, k * d, d);
        cell = sigmoid(gate(1)) * cell + sigmoid(gate(0)) * tanh(gate(2));
        state = sigmoid(gate(3)) * tanh(cell.clone());
        states.push(state.clone());
    }
    if backwards {
        states.reverse();
    }
    Tensor::stack(states, 0)
}
