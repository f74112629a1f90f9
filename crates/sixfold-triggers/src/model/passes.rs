//! What every gradient scorer does: attacked batches, directions at the trigger, gradients from there.

use burn::tensor::{Device, Int, Tensor, TensorData};
use ndarray::{Array2, ArrayView2};
use sixfold_model::{Batch, Projection, TokenEmbedding};

use super::memory::read;
use super::victim::ModelVictim;
use crate::score::Query;
use crate::{Error, Result, Sequence};

/// Attacked examples of similar length.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) batch: Batch,
    /// Which examples of the query these are.
    pub(super) examples: Vec<usize>,
    /// The position of the first token of the trigger in each.
    pub(super) seats: Vec<usize>,
}

/// Runs the examples of a query with its trigger in groups of similar length, in halves where they do not fit: `run`
/// leaves nothing behind where it fails.
pub(super) fn in_groups<E: TokenEmbedding, P: Projection>(
    victim: &ModelVictim<E, P>,
    query: Query<'_>,
    mut run: impl FnMut(Group) -> Result<()>,
) -> Result<()> {
    let attacked = query.examples.iter().zip(query.seats);
    let sequences: Vec<Sequence> =
        attacked.map(|(example, &seat)| example.with_trigger(query.trigger, seat)).collect();
    victim.in_groups(&sequences, |examples| {
        let seats = examples.iter().map(|&i| query.seats[i]).collect();
        let batch = victim.batch(&sequences, examples)?;
        run(Group { batch, examples: examples.to_vec(), seats })
    })
}

impl Group {
    /// The vectors of its tokens, outside the tape: `[rows, len, d]`.
    pub(super) fn vectors<E: TokenEmbedding, P: Projection>(
        &self,
        victim: &ModelVictim<E, P>,
    ) -> Result<Tensor<3>> {
        let body = &victim.classifier().body;
        self.batch.check_vocabulary(body.spec().vocab_size)?;
        Ok(body.embed.tokens.embed(self.batch.ids_on(&body.device())))
    }

    /// A direction that moves the tokens of the trigger alone, the same way in each example:
    /// `[length, d]` → `[rows, len, d]`
    pub(super) fn direction(&self, v: ArrayView2<'_, f32>, device: &Device) -> Tensor<3> {
        let (rows, len, width) = (self.batch.rows(), self.batch.len(), v.ncols());
        let mut values = vec![0.0_f32; rows * len * width];
        for (row, &seat) in self.seats.iter().enumerate() {
            let from = (row * len + seat) * width;
            for (slot, &value) in values[from..].iter_mut().zip(v.iter()) {
                *slot = value;
            }
        }
        Tensor::from_data(TensorData::new(values, [rows, len, width]), device)
    }

    /// The sum over examples of a gradient at the tokens of the trigger:
    /// `[rows, len, d]` → `[length, d]`, added to `sum`, which is left alone by errors.
    pub(super) fn gather(&self, gradient: Tensor<3>, sum: &mut Array2<f64>) -> Result<()> {
        let [rows, len, width] = gradient.dims();
        let length = sum.nrows();
        let at: Vec<i32> = self
            .seats
            .iter()
            .enumerate()
            .flat_map(|(row, &seat)| (0..length).map(move |i| (row * len + seat + i) as i32))
            .collect();
        let at = Tensor::<1, Int>::from_ints(at.as_slice(), &gradient.device());
        let taken = gradient.reshape([rows * len, width]).select(0, at);
        let values = read(taken.reshape([rows, length * width]).sum_dim(0))?;
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            return Err(Error::NotFinite { what: "a gradient at the trigger", index });
        }
        for (slot, value) in sum.iter_mut().zip(values) {
            *slot += f64::from(value);
        }
        Ok(())
    }
}

/// The gradient of Σ y ⊙ u with respect to the tracked `x`, where y came of it; u is constant.
pub(super) fn pull<const D: usize>(x: &Tensor<3>, y: Tensor<D>, u: Tensor<D>) -> Tensor<3> {
    let gradients = (y * Tensor::from_inner(u)).sum().backward();
    x.grad(&gradients).expect("the input is tracked")
}
