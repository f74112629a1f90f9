//! Functions of one f32 that vectorise: no branch, no call.
//!
//! Inside [`simd`](super::simd) they compile to the widest instructions of the machine.

use super::exp;

/// σ(x) = 1/(1 + e⁻ˣ).
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// Distribution function Φ and density φ of the standard normal, within 2e-7 (Abramowitz and
/// Stegun 7.1.26).
#[inline(always)]
pub fn normal_cdf_pdf(x: f32) -> (f32, f32) {
    let bell = exp(-0.5 * x * x);
    // p/√2, as x/√2 is what their error function takes.
    let t = 1.0 / x.abs().mul_add(0.231_641_9, 1.0);
    let series = 1.061_405_4_f32
        .mul_add(t, -1.453_152)
        .mul_add(t, 1.421_413_7)
        .mul_add(t, -0.284_496_74)
        .mul_add(t, 0.254_829_6);
    let tail = 0.5 * series * t * bell;
    let cdf = if x < 0.0 { tail } else { 1.0 - tail };
    (cdf, bell * 0.398_942_3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_normal_distribution_agrees_with_its_table() {
        // Φ at the usual quantiles.
        for (x, cdf) in [(0.0, 0.5), (1.0, 0.841_344_8), (1.959_964, 0.975), (-3.0, 1.349_898e-3)] {
            assert!((normal_cdf_pdf(x).0 - cdf).abs() < 3e-7, "{x}");
        }
        assert!((normal_cdf_pdf(1.0).1 - 0.241_970_7).abs() < 1e-7);
        assert!((sigmoid(0.0) - 0.5).abs() < 1e-7);
    }
}
