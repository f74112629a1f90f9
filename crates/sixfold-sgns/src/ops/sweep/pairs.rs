//! Positive pairs on a device.

use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::Counts;

/// The counts of positive pairs on a device, compressed by rows. Their indices are in range, for they
/// come from [`Counts`].
///
/// # Complexity
/// 12 bytes a non-zero (16 where integers of the device have 64 bits).
#[derive(Clone, Debug)]
pub struct Pairs {
    shape: [usize; 2],
    offsets: Tensor<1, Int>,
    words: Tensor<1, Int>,
    columns: Tensor<1, Int>,
    counts: Tensor<1>,
}

impl Pairs {
    /// Copies counts to a device.
    pub fn new(counts: &Counts, device: &Device) -> Self {
        let (n, m) = counts.dim();
        Self::of([n, m], (0..n).map(|i| counts.row(i)), device)
    }

    /// Copies them transposed: rows are contexts.
    pub fn transposed(counts: &Counts, device: &Device) -> Self {
        let (n, m) = counts.dim();
        let mut rows: Vec<(Vec<u32>, Vec<f32>)> = vec![Default::default(); m];
        for i in 0..n {
            let (columns, values) = counts.row(i);
            for (&j, &value) in columns.iter().zip(values) {
                rows[j as usize].0.push(i as u32);
                rows[j as usize].1.push(value);
            }
        }
        Self::of([m, n], rows.iter().map(|(words, values)| (&words[..], &values[..])), device)
    }

    fn of<'a>(
        shape: [usize; 2],
        rows: impl Iterator<Item = (&'a [u32], &'a [f32])>,
        device: &Device,
    ) -> Self {
        let (mut offsets, mut words, mut columns, mut counts) =
            (vec![0], Vec::new(), Vec::new(), Vec::new());
        for (i, (of_row, values)) in rows.enumerate() {
            words.extend(of_row.iter().map(|_| i as i32));
            columns.extend(of_row.iter().map(|&j| j as i32));
            counts.extend_from_slice(values);
            offsets.push(counts.len() as i32);
        }
        let ints = |values: Vec<i32>| {
            let length = values.len();
            Tensor::from_data(TensorData::new(values, [length]), device)
        };
        let length = counts.len();
        let counts = Tensor::from_data(TensorData::new(counts, [length]), device);
        let [offsets, words, columns] = [ints(offsets), ints(words), ints(columns)];
        Self { shape, offsets, words, columns, counts }
    }

    /// Words and contexts.
    pub fn shape(&self) -> [usize; 2] {
        self.shape
    }

    /// Where the pairs of each word begin, and where those of the last end, `[n + 1]`.
    pub fn offsets(&self) -> Tensor<1, Int> {
        self.offsets.clone()
    }

    /// The word of each pair, `[non-zeros]`.
    pub fn words(&self) -> Tensor<1, Int> {
        self.words.clone()
    }

    /// The context of each pair, `[non-zeros]`.
    pub fn columns(&self) -> Tensor<1, Int> {
        self.columns.clone()
    }

    /// The count of each pair, `[non-zeros]`.
    pub fn counts(&self) -> Tensor<1> {
        self.counts.clone()
    }
}
