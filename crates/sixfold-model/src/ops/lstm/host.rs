//! The recurrence on the CPU: a product and one pass over the gates a step.

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;
use ndarray::{ArrayView2, ArrayViewMut2};
use sixfold_linalg::{Threads, matmul_into};

use super::LstmOps;
use crate::ops::host::{HostBackend, owned, sigmoid, simd};

/// Multiplications of a step below which one thread is faster than several.
const PARALLEL: usize = 128 * 128 * 128;

/// Sizes of a sequence, and the order of its steps.
struct Sequence {
    seq: usize,
    batch: usize,
    d: usize,
    backwards: bool,
}

impl Sequence {
    fn of(inputs: &Shape, backwards: bool) -> Self {
        Self { seq: inputs[0], batch: inputs[1], d: inputs[2] / 4, backwards }
    }

    /// The place of the step that is taken `n`th.
    fn place(&self, n: usize) -> usize {
        if self.backwards { self.seq - 1 - n } else { n }
    }

    /// Numbers of a step of `width` features.
    fn len(&self, width: usize) -> usize {
        self.batch * width
    }

    fn threads(&self) -> Threads {
        let n = self.batch * self.d * 4 * self.d;
        if n < PARALLEL { Threads::ONE } else { Threads::Pool }
    }
}

fn matrix(values: &[f32], width: usize) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((values.len() / width, width), values).expect("whole rows")
}

fn matrix_mut(values: &mut [f32], width: usize) -> ArrayViewMut2<'_, f32> {
    ArrayViewMut2::from_shape((values.len() / width, width), values).expect("whole rows")
}

#[inline(always)]
fn tanh(x: f32) -> f32 {
    2.0f32.mul_add(sigmoid(2.0 * x), -1.0)
}

/// From one row's raw gates to the activated ones, from its cell to the next, and its state.
#[inline(always)]
fn advance(gates: &mut [f32], cell: &mut [f32], state: &mut [f32]) {
    let d = state.len();
    let (i, rest) = gates.split_at_mut(d);
    let (f, rest) = rest.split_at_mut(d);
    let (g, o) = rest.split_at_mut(d);
    let cell = &mut cell[..d];
    for j in 0..d {
        i[j] = sigmoid(i[j]);
        f[j] = sigmoid(f[j]);
        g[j] = tanh(g[j]);
        o[j] = sigmoid(o[j]);
        cell[j] = f[j].mul_add(cell[j], i[j] * g[j]);
        state[j] = o[j] * tanh(cell[j]);
    }
}

/// From one row's derivatives by state and cell to those by its gates, in place of them, and by
/// the cell before, in place of that by the cell.
#[inline(always)]
fn retreat(gates: &mut [f32], before: &[f32], cell: &[f32], by_state: &[f32], by_cell: &mut [f32]) {
    let d = by_state.len();
    let (i, rest) = gates.split_at_mut(d);
    let (f, rest) = rest.split_at_mut(d);
    let (g, o) = rest.split_at_mut(d);
    let (before, cell, by_cell) = (&before[..d], &cell[..d], &mut by_cell[..d]);
    for j in 0..d {
        let bent = tanh(cell[j]);
        let by_bent = by_state[j] * o[j];
        let all = by_bent.mul_add(1.0 - bent * bent, by_cell[j]);
        o[j] = by_state[j] * bent * o[j] * (1.0 - o[j]);
        by_cell[j] = all * f[j];
        f[j] = all * before[j] * f[j] * (1.0 - f[j]);
        let input = i[j];
        i[j] = all * g[j] * input * (1.0 - input);
        g[j] = all * input * (1.0 - g[j] * g[j]);
    }
}

fn recur<B: HostBackend>(
    inputs: FloatTensor<B>,
    weight: &FloatTensor<B>,
    backwards: bool,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let shape = inputs.shape();
    let sequence = Sequence::of(&shape, backwards);
    let Sequence { seq, batch, d, .. } = sequence;
    let mut gates = owned::<B>(inputs);
    let (mut states, mut cells) = (vec![0.0; seq * batch * d], vec![0.0; seq * batch * d]);
    if gates.is_empty() {
        let none = || B::make(Vec::new(), Shape::new([seq, batch, d]));
        return (none(), B::make(gates, shape), none());
    }
    let mut carried = vec![0.0; sequence.len(d)];
    B::with_matrix(weight, |weight| {
        for n in 0..seq {
            let at = sequence.place(n);
            let step = &mut gates[at * sequence.len(4 * d)..][..sequence.len(4 * d)];
            let here = at * sequence.len(d)..(at + 1) * sequence.len(d);
            let before = n.checked_sub(1).map(|n| sequence.place(n) * sequence.len(d));
            if let Some(before) = before {
                let state = matrix(&states[before..][..sequence.len(d)], d);
                let threads = sequence.threads();
                matmul_into(1.0, state, weight, 1.0, matrix_mut(step, 4 * d), threads);
            }
            let (cell, state) = (&mut cells[here.clone()], &mut states[here]);
            simd(
                #[inline(always)]
                || {
                    let rows = step.chunks_exact_mut(4 * d).zip(carried.chunks_exact_mut(d));
                    for ((gates, cell), state) in rows.zip(state.chunks_exact_mut(d)) {
                        advance(gates, cell, state);
                    }
                },
            );
            cell.copy_from_slice(&carried);
        }
    });
    let of_states = Shape::new([seq, batch, d]);
    (B::make(states, of_states.clone()), B::make(gates, shape), B::make(cells, of_states))
}

fn recur_backward<B: HostBackend>(
    weight: &FloatTensor<B>,
    states: FloatTensor<B>,
    gates: FloatTensor<B>,
    cells: FloatTensor<B>,
    grad: FloatTensor<B>,
    backwards: bool,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let shape = gates.shape();
    let sequence = Sequence::of(&shape, backwards);
    let Sequence { seq, d, .. } = sequence;
    let mut by_gates = owned::<B>(gates);
    let mut by_weight = vec![0.0; 4 * d * d];
    if by_gates.is_empty() {
        return (B::make(by_gates, shape), B::make(by_weight, Shape::new([d, 4 * d])));
    }
    let (states, cells, grad) = (B::read(states), B::read(cells), B::read(grad));
    let zeros = vec![0.0; sequence.len(d)];
    let (mut by_state, mut by_cell) = (zeros.clone(), zeros.clone());
    B::with_matrix(weight, |weight| {
        for n in (0..seq).rev() {
            let at = sequence.place(n);
            let here = at * sequence.len(d)..(at + 1) * sequence.len(d);
            let before = n.checked_sub(1).map(|n| sequence.place(n) * sequence.len(d));
            let old = before.map_or(zeros.as_slice(), |at| &cells[at..][..sequence.len(d)]);
            let step = &mut by_gates[at * sequence.len(4 * d)..][..sequence.len(4 * d)];
            let (cell, grad) = (&cells[here.clone()], &grad[here]);
            simd(
                #[inline(always)]
                || {
                    for (sum, grad) in by_state.iter_mut().zip(grad) {
                        *sum += grad;
                    }
                    let rows = step.chunks_exact_mut(4 * d).zip(old.chunks_exact(d));
                    let kept = cell.chunks_exact(d).zip(by_state.chunks_exact(d));
                    let rows = rows.zip(kept).zip(by_cell.chunks_exact_mut(d));
                    for (((gates, before), (cell, by_state)), by_cell) in rows {
                        retreat(gates, before, cell, by_state, by_cell);
                    }
                },
            );
            if before.is_some() {
                let step = matrix(step, 4 * d);
                let out = matrix_mut(&mut by_state, d);
                matmul_into(1.0, step, weight.t(), 0.0, out, sequence.threads());
            }
        }
    });
    // Σ_t h_{t−1}ᵀ·gates_t, of all steps that have one before them at once.
    let (steps, first) = (sequence.len(d) * (seq - 1), sequence.len(d));
    let gates = sequence.len(4 * d);
    let (states, of_gates) = match backwards {
        false => (&states[..steps], &by_gates[gates..]),
        true => (&states[first..], &by_gates[..gates * (seq - 1)]),
    };
    if seq > 1 {
        let out = matrix_mut(&mut by_weight, 4 * d);
        let (states, of_gates) = (matrix(states, d), matrix(of_gates, 4 * d));
        matmul_into(1.0, states.reversed_axes(), of_gates, 0.0, out, Threads::Pool);
    }
    (B::make(by_gates, shape), B::make(by_weight, Shape::new([d, 4 * d])))
}

/// Implements the trait for one backend.
macro_rules! implement {
    ($backend:ty) => {
        impl LstmOps for $backend {
            fn recur(
                inputs: FloatTensor<Self>,
                weight: FloatTensor<Self>,
                backwards: bool,
            ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
                recur::<Self>(inputs, &weight, backwards)
            }

            fn recur_backward(
                weight: FloatTensor<Self>,
                states: FloatTensor<Self>,
                gates: FloatTensor<Self>,
                cells: FloatTensor<Self>,
                grad: FloatTensor<Self>,
                backwards: bool,
            ) -> (FloatTensor<Self>, FloatTensor<Self>) {
                recur_backward::<Self>(&weight, states, gates, cells, grad, backwards)
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
