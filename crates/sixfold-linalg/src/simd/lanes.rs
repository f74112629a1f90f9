//! Reductions of one row, in lanes that become vector registers.
//!
//! The order of additions is fixed by the length of the row, so that a result depends on neither
//! the number of threads nor the place of the row.

use super::{LANES, folded};

/// Σ f(a)
#[inline(always)]
pub fn sum(a: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let (chunks, rest) = a.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for chunk in chunks {
        for (lane, a) in lanes.iter_mut().zip(chunk) {
            *lane += f(*a);
        }
    }
    for (lane, a) in lanes.iter_mut().zip(rest) {
        *lane += f(*a);
    }
    folded(lanes)
}

/// Σ f(a, b) over two rows of one length.
#[inline(always)]
pub fn sum_with(a: &[f32], b: &[f32], f: impl Fn(f32, f32) -> f32) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut lanes = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += f(*a, *b);
        }
    }
    for ((lane, a), b) in lanes.iter_mut().zip(a_rest).zip(b_rest) {
        *lane += f(*a, *b);
    }
    folded(lanes)
}

/// The largest value that is a number; −∞ where there is none.
#[inline(always)]
pub fn max(a: &[f32]) -> f32 {
    // `f32::max` would need a second comparison to pass numbers over NaN on both sides.
    let larger = |lane: f32, a: f32| if a > lane { a } else { lane };
    let (chunks, rest) = a.as_chunks::<LANES>();
    let mut lanes = [f32::NEG_INFINITY; LANES];
    for chunk in chunks {
        for (lane, a) in lanes.iter_mut().zip(chunk) {
            *lane = larger(*lane, *a);
        }
    }
    for (lane, a) in lanes.iter_mut().zip(rest) {
        *lane = larger(*lane, *a);
    }
    lanes.into_iter().fold(f32::NEG_INFINITY, larger)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_summed_in_full() {
        for n in [0_usize, 1, 31, 32, 33, 70] {
            let row: Vec<f32> = (1..=n).map(|i| i as f32).collect();
            let expected = (n * (n + 1) / 2) as f32;
            assert!((sum(&row, |a| a) - expected).abs() < 1e-6, "{n}");
            assert!((sum_with(&row, &row, |a, b| 2.0 * a - b) - expected).abs() < 1e-6, "{n}");
            let largest = row.last().copied().unwrap_or(f32::NEG_INFINITY);
            assert_eq!(max(&row).to_bits(), largest.to_bits(), "{n}");
        }
        assert_eq!(max(&[f32::NAN, -1.0]).to_bits(), (-1.0_f32).to_bits());
    }
}
