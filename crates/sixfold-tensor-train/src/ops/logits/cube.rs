//! Logits on CUDA and wgpu: products with blocks of rows that the look-up makes, and a softmax that is
//! carried from block to block.

use std::sync::Arc;

use burn::backend::TensorMetadata;
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::Shape;
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use sixfold_model::ops::cube::{elementwise, empty_like, indices, rows};

use super::LogitsOps;
use crate::TtShape;
use crate::lookup::Plan;
use crate::ops::lookup::LookupOps;

type Tensor = FloatTensor<CubeBackend>;
type Ints = IntTensor<CubeBackend>;

/// Rows of a block.
const ROWS: usize = 4096;

/// CubeCL's names would shadow burn's.
mod kernels {
    use cubecl::prelude::*;
    use sixfold_model::ops::cube::UNITS;
    use sixfold_model::ops::cube::kernels::{cube_max, cube_sum};

    /// Carries the softmax of each state over a block: its largest logit, Σ exp(x − largest), and the
    /// target's logit.
    #[cube(launch)]
    pub(super) fn carry(
        logits: &Tensor<f32>,
        targets: &Tensor<i32>,
        states: &mut Tensor<f32>,
        first: usize,
    ) {
        let row = CUBE_POS;
        if row < targets.len() {
            let width = logits.shape(1);
            let start = row * width;
            let mut largest = logits[start];
            let mut c = UNIT_POS as usize;
            while c < width {
                if logits[start + c] > largest {
                    largest = logits[start + c];
                }
                c += UNITS;
            }
            let mut largest = cube_max(largest);
            let mut before = f32::new(0.0);
            if first > 0 {
                before = states[row * 3 + 1];
                let old = states[row * 3];
                if old > largest {
                    largest = old;
                }
                before *= f32::exp(old - largest);
            }
            let mut sum = f32::new(0.0);
            let mut c = UNIT_POS as usize;
            while c < width {
                sum += f32::exp(logits[start + c] - largest);
                c += UNITS;
            }
            let sum = before + cube_sum(sum);
            if UNIT_POS == 0 {
                states[row * 3] = largest;
                states[row * 3 + 1] = sum;
                let target = targets[row] as usize;
                if target >= first && target < first + width {
                    states[row * 3 + 2] = logits[start + target - first];
                }
            }
        }
    }

    /// Losses and log-sums of carried softmaxes.
    #[cube(launch)]
    pub(super) fn finish(
        states: &Tensor<f32>,
        losses: &mut Tensor<f32>,
        log_sums: &mut Tensor<f32>,
    ) {
        if ABSOLUTE_POS < losses.len() {
            let log = f32::ln(states[ABSOLUTE_POS * 3 + 1]);
            let largest = states[ABSOLUTE_POS * 3];
            log_sums[ABSOLUTE_POS] = largest + log;
            // The large numbers first, so that their difference keeps its digits.
            losses[ABSOLUTE_POS] = (largest - states[ABSOLUTE_POS * 3 + 2]) + log;
        }
    }

    /// Derivatives of the losses with respect to the logits of a block.
    #[cube(launch)]
    pub(super) fn derive(
        logits: &Tensor<f32>,
        targets: &Tensor<i32>,
        log_sums: &Tensor<f32>,
        grad: &Tensor<f32>,
        out: &mut Tensor<f32>,
        first: usize,
    ) {
        if ABSOLUTE_POS < out.len() {
            let width = logits.shape(1);
            let row = ABSOLUTE_POS / width;
            let mut value = f32::exp(logits[ABSOLUTE_POS] - log_sums[row]);
            if targets[row] as usize == first + ABSOLUTE_POS % width {
                value -= f32::new(1.0);
            }
            out[ABSOLUTE_POS] = value * grad[row];
        }
    }
}

/// The rows of a table, some at a time: the first of each block, and what looks it up.
fn blocks(shape: &TtShape) -> impl Iterator<Item = (usize, Arc<Plan>)> {
    let vocab = shape.vocab_size();
    (0..vocab).step_by(ROWS).map(move |first| {
        let ids: Vec<u32> = (first as u32..(first + ROWS).min(vocab) as u32).collect();
        (first, Arc::new(Plan::new(shape, &ids)))
    })
}

/// h·Wᵀ of a block, `[n, rows]`, and its W.
fn product(
    hidden: &Tensor,
    cores: &Tensor,
    shape: &Arc<TtShape>,
    plan: Arc<Plan>,
) -> (Tensor, Tensor) {
    let table = CubeBackend::tt_rows(cores.clone(), shape.clone(), plan);
    let turned = CubeBackend::float_transpose(table.clone());
    let logits = CubeBackend::float_matmul(hidden.clone(), turned);
    (into_contiguous(logits), table)
}

/// What the derivatives of a block's logits add to the gradients.
struct Sums {
    hidden: Option<Tensor>,
    cores: Option<Tensor>,
}

impl Sums {
    fn add(
        &mut self,
        [hidden, cores, table, of_logits]: [Tensor; 4],
        shape: &Arc<TtShape>,
        plan: Arc<Plan>,
    ) {
        let of_hidden = CubeBackend::float_matmul(of_logits.clone(), table);
        let turned = CubeBackend::float_transpose(of_logits);
        let of_table = CubeBackend::float_matmul(turned, hidden);
        let of_cores = CubeBackend::tt_rows_backward(cores, of_table, shape.clone(), plan);
        let add = |sum: &mut Option<Tensor>, part| {
            *sum = Some(match sum.take() {
                None => part,
                Some(sum) => CubeBackend::float_add(sum, part),
            });
        };
        add(&mut self.hidden, of_hidden);
        add(&mut self.cores, of_cores);
    }

    fn get(self) -> (Tensor, Tensor) {
        let some = "a vocabulary has a block";
        (self.hidden.expect(some), self.cores.expect(some))
    }
}

impl LogitsOps for CubeBackend {
    fn tt_logits(hidden: Tensor, cores: Tensor, shape: Arc<TtShape>) -> Tensor {
        let parts = blocks(&shape).map(|(_, plan)| product(&hidden, &cores, &shape, plan).0);
        Self::float_cat(parts.collect(), 1)
    }

    fn tt_logits_backward(
        hidden: Tensor,
        cores: Tensor,
        grad: Tensor,
        shape: Arc<TtShape>,
    ) -> (Tensor, Tensor) {
        let mut sums = Sums { hidden: None, cores: None };
        for (first, plan) in blocks(&shape) {
            let table = Self::tt_rows(cores.clone(), shape.clone(), plan.clone());
            let n = grad.shape()[0];
            let columns = (first as isize..(first + plan.len()) as isize).into();
            let of_logits = Self::float_slice(grad.clone(), &[(0..n as isize).into(), columns]);
            sums.add([hidden.clone(), cores.clone(), table, of_logits], &shape, plan);
        }
        sums.get()
    }

    fn tt_cross_entropy(
        hidden: Tensor,
        cores: Tensor,
        targets: Ints,
        shape: Arc<TtShape>,
    ) -> (Tensor, Tensor) {
        let targets = indices(targets);
        let n = hidden.shape()[0];
        let states = empty_like(&hidden, Shape::new([n, 3]));
        for (first, plan) in blocks(&shape) {
            let (logits, _) = product(&hidden, &cores, &shape, plan);
            let (count, dim) = rows(n);
            kernels::carry::launch(
                &states.client,
                count,
                dim,
                logits.into_tensor_arg(),
                targets.clone().into_tensor_arg(),
                states.clone().into_tensor_arg(),
                first,
            );
        }
        let [losses, log_sums] = [(); 2].map(|()| empty_like(&hidden, Shape::new([n])));
        let (count, dim) = elementwise(&losses, n);
        kernels::finish::launch(
            &states.client,
            count,
            dim,
            states.clone().into_tensor_arg(),
            losses.clone().into_tensor_arg(),
            log_sums.clone().into_tensor_arg(),
        );
        (losses, log_sums)
    }

    fn tt_cross_entropy_backward(
        hidden: Tensor,
        cores: Tensor,
        targets: Ints,
        log_sums: Tensor,
        grad: Tensor,
        shape: Arc<TtShape>,
    ) -> (Tensor, Tensor) {
        let targets = indices(targets);
        let [log_sums, grad] = [log_sums, grad].map(into_contiguous);
        let mut sums = Sums { hidden: None, cores: None };
        for (first, plan) in blocks(&shape) {
            let (logits, table) = product(&hidden, &cores, &shape, plan.clone());
            let of_logits = empty_like(&logits, logits.shape());
            let (count, dim) = elementwise(&logits, logits.shape().num_elements());
            kernels::derive::launch(
                &logits.client,
                count,
                dim,
                logits.clone().into_tensor_arg(),
                targets.clone().into_tensor_arg(),
                log_sums.clone().into_tensor_arg(),
                grad.clone().into_tensor_arg(),
                of_logits.clone().into_tensor_arg(),
                first,
            );
            sums.add([hidden.clone(), cores.clone(), table, of_logits], &shape, plan);
        }
        sums.get()
    }
}
