//! Rows of cores in fewer bits.

use ndarray::Array2;

use super::QuantisedCores;
use crate::lookup::{self, Plan};
use crate::{Cores, Result};

impl QuantisedCores {
    /// Rows of the table, `[ids, D]`: the same to the last bit as those of
    /// [`dequantise`](Self::dequantise).
    ///
    /// A batch of few ids widens only the slices that these have; one that may need as many as there are
    /// widens all, which costs less than to find out.
    ///
    /// # Errors
    /// If an id is not below the vocabulary.
    ///
    /// # Complexity
    /// That of [`lookup::forward`] and one operation a value of the slices.
    pub fn rows(&self, ids: &[i64]) -> Result<Array2<f32>> {
        let rows = self.shape().check_ids(ids.iter().copied())?;
        let values = if self.is_small(rows.len()) {
            let (cores, rows) = self.slices_of(&rows);
            looked_up(&cores, &rows)
        } else {
            looked_up(&self.dequantise(), &rows)
        };
        Ok(matrix([ids.len(), self.shape().d_embed()], values))
    }

    /// Whether the slices of so many ids are fewer than all, however different these are.
    fn is_small(&self, ids: usize) -> bool {
        let shape = self.shape();
        let of_id: usize = (0..shape.cores()).map(|k| shape.core_len(k) / shape.rows()[k]).sum();
        ids.saturating_mul(of_id) < shape.parameters()
    }

    /// Cores that have no other slices than those of some rows, and these rows' numbers there. Their order is
    /// the same, and so is what rows share.
    pub(super) fn slices_of(&self, rows: &[u32]) -> (Cores, Vec<u32>) {
        let shape = self.shape();
        let mut numbers = vec![0; rows.len()];
        let mut counts = Vec::with_capacity(shape.cores());
        let mut values = Vec::new();
        let mut below = shape.padded_vocab();
        for (k, base) in shape.rows().iter().enumerate() {
            below /= base;
            let digits: Vec<usize> = rows.iter().map(|row| *row as usize / below % base).collect();
            let mut kept = digits.clone();
            kept.sort_unstable();
            kept.dedup();
            let len = shape.core_len(k) / base;
            for digit in &kept {
                let start = values.len();
                values.resize(start + len, 0.0);
                self.slice_into(k, *digit, &mut values[start..]);
            }
            for (number, digit) in numbers.iter_mut().zip(&digits) {
                *number = *number * kept.len() as u32
                    + kept.partition_point(|other| other < digit) as u32;
            }
            counts.push(kept.len());
        }
        let cores = Cores::new(shape.with_slices(counts), values);
        (cores.expect("the values of all slices"), numbers)
    }
}

fn looked_up(cores: &Cores, rows: &[u32]) -> Vec<f32> {
    lookup::forward(cores.shape(), cores.values(), &Plan::new(cores.shape(), rows))
}

fn matrix(shape: [usize; 2], values: Vec<f32>) -> Array2<f32> {
    Array2::from_shape_vec(shape, values).expect("a row for each id")
}

#[cfg(test)]
mod tests {
    use crate::{Cores, Initializer, QuantisedCores, TtShape};

    #[test]
    fn a_small_batch_widens_its_slices_alone() {
        let shape = TtShape::train(25_000, [25, 30, 40], [4, 8, 8], 16).unwrap();
        let cores = Cores::init(shape, &Initializer::Glorot, 0).unwrap();
        let small = QuantisedCores::int8(&cores).unwrap();
        // i = (1, 2, 3), (1, 2, 4) and (20, 2, 3): two slices, one, and two.
        let rows = [20 * 1_200 + 83, 1_283, 1_284, 1_283];
        let (some, numbers) = small.slices_of(&rows);
        assert_eq!(some.shape().rows(), [2, 1, 2]);
        assert_eq!(numbers, [2, 0, 1, 0]);
        let len = 2 * 4 * 16 + 16 * 8 * 16 + 2 * 16 * 8;
        assert_eq!(some.values().len(), len);
        assert!(small.is_small(4) && small.is_small(30) && !small.is_small(31));
    }
}
