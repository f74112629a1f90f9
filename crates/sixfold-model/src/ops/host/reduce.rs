//! Reductions of a row in sixteen lanes: a plain fold may not be reordered, so it cannot vectorise.

const LANES: usize = 16;

/// Folds a row: element-wise within the lanes by `step`, then across them by `join`.
#[inline(always)]
fn fold(
    row: &[f32],
    start: f32,
    step: impl Fn(f32, f32) -> f32,
    join: impl Fn(f32, f32) -> f32,
) -> f32 {
    let mut lanes = [start; LANES];
    let mut pieces = row.chunks_exact(LANES);
    for piece in &mut pieces {
        for (lane, value) in lanes.iter_mut().zip(piece) {
            *lane = step(*lane, *value);
        }
    }
    for (lane, value) in lanes.iter_mut().zip(pieces.remainder()) {
        *lane = step(*lane, *value);
    }
    lanes.into_iter().reduce(join).unwrap_or(start)
}

/// The sum.
#[inline(always)]
pub fn sum(row: &[f32]) -> f32 {
    fold(row, 0.0, |a, b| a + b, |a, b| a + b)
}

/// The largest value; −∞ for an empty row. A NaN wins.
#[inline(always)]
pub fn max(row: &[f32]) -> f32 {
    let larger = |a: f32, b: f32| if a > b || a.is_nan() { a } else { b };
    fold(row, f32::NEG_INFINITY, larger, larger)
}

/// Σ aᵢbᵢ.
#[inline(always)]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let (mut left, mut right) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    for (a, b) in (&mut left).zip(&mut right) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane = a.mul_add(*b, *lane);
        }
    }
    for ((lane, a), b) in lanes.iter_mut().zip(left.remainder()).zip(right.remainder()) {
        *lane = a.mul_add(*b, *lane);
    }
    lanes.into_iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_any_length() {
        for n in [0, 1, 15, 16, 17, 40] {
            let row: Vec<f32> = (0..n).map(|i| i as f32 - 7.0).collect();
            let exact: f32 = row.iter().sum();
            assert!((sum(&row) - exact).abs() < 1e-4, "{n}");
            let squares: f32 = row.iter().map(|x| x * x).sum();
            assert!((dot(&row, &row) - squares).abs() < 1e-3, "{n}");
            let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            assert!(max(&row).total_cmp(&largest).is_eq(), "{n}");
        }
        assert!(max(&[1.0, f32::NAN, 3.0]).is_nan());
    }
}
