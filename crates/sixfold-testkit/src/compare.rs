//! Distances between what was computed and what was expected.

/// The largest absolute difference; infinite where either is not finite.
///
/// # Panics
/// If the lengths differ.
pub fn max_abs_error(found: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(found.len(), expected.len(), "lengths differ");
    let errors = found.iter().zip(expected).map(|(&f, &e)| {
        let error = (f64::from(f) - f64::from(e)).abs();
        if error.is_finite() { error } else { f64::INFINITY }
    });
    errors.fold(0.0, f64::max)
}

/// The largest absolute difference, divided by the largest absolute expected value.
///
/// # Panics
/// If the lengths differ.
pub fn max_relative_error(found: &[f32], expected: &[f32]) -> f64 {
    let scale = expected.iter().fold(0.0_f64, |scale, &e| scale.max(f64::from(e).abs()));
    max_abs_error(found, expected) / scale.max(f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nan_is_infinitely_wrong() {
        assert!(max_abs_error(&[f32::NAN], &[0.0]).is_infinite());
        assert!((max_relative_error(&[1.0, 4.0], &[2.0, 4.0]) - 0.25).abs() < 1e-12);
    }
}
