//! One pass that finds the largest magnitude and anything not finite, and powers of two near it.

use ndarray::{ArrayView1, ArrayView2};

use crate::{Error, Real, Result};

/// Independent lanes, so that the compiler may use vector registers.
const LANES: usize = 16;

/// Checks that every value is finite.
///
/// # Errors
/// [`Error::NotFinite`] with the place of the first NaN or infinity.
///
/// # Complexity
/// One pass over the values; no allocation.
pub fn ensure_finite<T: Real>(what: &'static str, a: ArrayView2<'_, T>) -> Result<()> {
    max_abs(what, a).map(|_| ())
}

/// The largest magnitude, 0 for an empty matrix; an error where a value is not finite.
pub(crate) fn max_abs<T: Real>(what: &'static str, a: ArrayView2<'_, T>) -> Result<f64> {
    let (max, finite) = if let Some(values) = a.as_slice_memory_order() {
        scan(values)
    } else {
        a.rows().into_iter().fold((T::zero(), true), |(max, finite), row| {
            let (m, f) = row.as_slice().map_or_else(
                || row.iter().fold((T::zero(), true), |(m, f), x| step(m, f, *x)),
                scan,
            );
            (max.max(m), finite && f)
        })
    };
    if finite { Ok(max.widen()) } else { Err(locate(what, a)) }
}

pub(crate) fn ensure_finite_vector<T: Real>(
    what: &'static str,
    a: ArrayView1<'_, T>,
) -> Result<()> {
    match a.iter().position(|x| !x.is_finite()) {
        None => Ok(()),
        Some(row) => Err(Error::NotFinite { what, row, col: 0 }),
    }
}

/// The error for the first value of `a` that is not finite.
pub(crate) fn locate<T: Real>(what: &'static str, a: ArrayView2<'_, T>) -> Error {
    let (row, col) =
        a.indexed_iter().find(|(_, x)| !x.is_finite()).map_or((0, 0), |(place, _)| place);
    Error::NotFinite { what, row, col }
}

fn step<T: Real>(max: T, finite: bool, x: T) -> (T, bool) {
    (max.max(x.abs()), finite && x.is_finite())
}

fn scan<T: Real>(values: &[T]) -> (T, bool) {
    let mut max = [T::zero(); LANES];
    // x·0 is 0 for finite x and NaN otherwise, and NaN survives the sum.
    let mut poison = [T::zero(); LANES];
    let chunks = values.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for lane in 0..LANES {
            let x = chunk[lane].abs();
            max[lane] = if x > max[lane] { x } else { max[lane] };
            poison[lane] += x * T::zero();
        }
    }
    let start = max
        .iter()
        .zip(&poison)
        .fold((T::zero(), true), |(m, f), (x, p)| (m.max(*x), f && !p.is_nan()));
    rest.iter().fold(start, |(m, f), x| step(m, f, *x))
}

/// The power of two at or below |x|, its exponent held within ±`limit` ≤ 1022; 1 for zero.
pub(crate) fn power_of_two(x: f64, limit: i32) -> f64 {
    if x == 0.0 {
        return 1.0;
    }
    // The exponent field; 0 for subnormal numbers, which `limit` moves into range.
    let exponent = ((x.abs().to_bits() >> 52) as i32 - 1023).clamp(-limit, limit);
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

/// The exact factor that brings the largest magnitude near 1, and its exact inverse.
pub(crate) fn normaliser(max: f64) -> (f64, f64) {
    let p = power_of_two(max, 1000);
    (1.0 / p, p)
}

#[cfg(test)]
mod tests;
