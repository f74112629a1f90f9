//! Sinusoidal positions: a fixed table, computed on the host.

use burn::tensor::{Device, Tensor, TensorData};

use super::position::learned_rows;
use crate::batch::indices;
use crate::{Batch, PositionRule, SinusoidLayout};

/// What is added to the token vectors: `[rows, len, width]`, or `[1, len, width]` where all rows
/// stand at the same positions.
///
/// `past` is how many tokens of each row were seen before.
///
/// # Complexity
/// One sine and one cosine a position and pair of features; rows share them.
pub(crate) fn sinusoids(
    layout: SinusoidLayout,
    batch: &Batch,
    past: &[u32],
    width: usize,
    device: &Device,
) -> Tensor<3> {
    let (rows, len) = (batch.rows(), batch.len());
    let taken = learned_rows(PositionRule::Tokens { offset: 0 }, batch, past);
    let first = &taken[..len];
    if taken.chunks(len).all(|row| row == first) {
        let values = table(layout, first.iter().copied(), width);
        return Tensor::from_data(TensorData::new(values, [1, len, width]), device);
    }
    let start = taken.iter().copied().min().unwrap_or(0);
    let end = taken.iter().copied().max().map_or(0, |last| last + 1);
    let values = table(layout, start..end, width);
    let n = (end - start) as usize;
    let table = Tensor::<2>::from_data(TensorData::new(values, [n, width]), device);
    let taken: Vec<u32> = taken.iter().map(|position| position - start).collect();
    table.select(0, indices(&taken, [rows * len], device)).reshape([rows, len, width])
}

/// One row of `width` features for each position.
fn table(
    layout: SinusoidLayout,
    positions: impl ExactSizeIterator<Item = u32>,
    width: usize,
) -> Vec<f32> {
    let half = width / 2;
    let frequencies: Vec<f64> =
        (0..half).map(|i| 10_000_f64.powf(-2.0 * i as f64 / width as f64)).collect();
    let mut values = vec![0.0; positions.len() * width];
    for (row, position) in values.chunks_mut(width).zip(positions) {
        for (i, frequency) in frequencies.iter().enumerate() {
            let (sin, cos) = (f64::from(position) * frequency).sin_cos();
            let (at_sin, at_cos) = match layout {
                SinusoidLayout::Interleaved => (2 * i, 2 * i + 1),
                SinusoidLayout::Halves => (i, half + i),
            };
            row[at_sin] = sin as f32;
            row[at_cos] = cos as f32;
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_papers_formula_in_both_layouts() {
        let d = 6;
        let interleaved = table(SinusoidLayout::Interleaved, 3..5, d);
        let halves = table(SinusoidLayout::Halves, 3..5, d);
        for (row, position) in [3.0_f64, 4.0].into_iter().enumerate() {
            for feature in 0..d {
                let angle = position / 10_000_f64.powf((feature / 2 * 2) as f64 / d as f64);
                let expected = if feature % 2 == 0 { angle.sin() } else { angle.cos() };
                let at_half = feature % 2 * 3 + feature / 2;
                assert!((f64::from(interleaved[row * d + feature]) - expected).abs() < 1e-7);
                assert!((f64::from(halves[row * d + at_half]) - expected).abs() < 1e-7);
            }
        }
    }

    #[test]
    fn positions_count_tokens_and_not_padding() {
        let device = crate::device("flex").unwrap();
        let values = |batch: &Batch, past: &[u32]| {
            let x = sinusoids(SinusoidLayout::Interleaved, batch, past, 2, &device);
            (x.dims()[0], x.into_data().iter::<f32>().collect::<Vec<_>>())
        };
        let left = Batch::pad(&[vec![7, 8], vec![9]], 0, crate::PaddingSide::Left);
        let (rows, found) = values(&left, &[4, 0]);
        assert_eq!(rows, 2);
        for (found, position) in found.chunks(2).zip([4.0_f32, 5.0, 0.0, 0.0]) {
            assert!((found[0] - position.sin()).abs() < 1e-6, "{found:?} at {position}");
            assert!((found[1] - position.cos()).abs() < 1e-6, "{found:?} at {position}");
        }
        let even = Batch::pad(&[vec![7, 8], vec![9, 9]], 0, crate::PaddingSide::Left);
        assert_eq!(values(&even, &[3, 3]).0, 1, "rows that agree share one table");
    }
}
