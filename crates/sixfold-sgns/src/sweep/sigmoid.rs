//! The logistic function and its logarithm in base 2, for loops that become vector instructions.
//!
//! The product that makes a tile scales it by log₂ e for nothing, and an exponential of base 2
//! splits its argument without rounding. With t = x·log₂ e and e = 2^−|t| ≤ 1,
//! σ(|x|) = 1/(1 + e), σ(−|x|) = e/(1 + e) and log₂(1 + eˣ) = max(t, 0) + log₂(1 + e).
//! Nothing cancels, so small probabilities keep all their digits.
//!
//! Inside [`simd`](sixfold_linalg::simd::simd) everything compiles to the widest instructions of the machine: no branch, no
//! call.

/// Beyond this, 2^−|t| would be subnormal.
const FURTHEST: f32 = 125.0;
/// 1.5·2²³: adding it rounds to a whole number, which then stands in the low bits.
const ROUND: f32 = 12_582_912.0;

/// e = 2^−|t|, of which the functions below are made.
#[inline(always)]
pub(crate) fn exponential(t: f32) -> f32 {
    exp2_of_minus(t.abs())
}

/// σ = 1/(1 + 2^−t) within 5e-7, relative.
#[inline(always)]
pub(crate) fn sigmoid(t: f32, e: f32) -> f32 {
    (if t < 0.0 { e } else { 1.0 }) / (1.0 + e)
}

/// log₂(1 + 2^t) = −log₂(1 − σ), within 5e-7, relative.
#[inline(always)]
pub(super) fn softplus(t: f32, e: f32) -> f32 {
    log2_of_1_plus(e).mul_add(e, if t > 0.0 { t } else { 0.0 })
}

/// 2^−t for t ≥ 0.
#[expect(clippy::approx_constant, reason = "near ln 2, and fitted")]
#[inline(always)]
fn exp2_of_minus(t: f32) -> f32 {
    let t = if t > FURTHEST { FURTHEST } else { t };
    let shifted = ROUND - t;
    let f = (ROUND - shifted) - t;
    // 2^f within 1e-7 for |f| ≤ 1/2. In pairs: chains of additions would wait for each other.
    let low = f.mul_add(0.693_147, 1.0);
    let middle = f.mul_add(5.550_733_6e-2, 0.240_222_42);
    let high = f.mul_add(1.326_472_7e-3, 9.671_513e-3);
    let f2 = f * f;
    let exp = high.mul_add(f2, middle).mul_add(f2, low);
    let power = shifted.to_bits().wrapping_sub(ROUND.to_bits()) << 23;
    f32::from_bits(exp.to_bits().wrapping_add(power))
}

/// log₂(1 + e)/e for 0 ≤ e ≤ 1, within 1e-7, relative.
#[expect(clippy::approx_constant, reason = "near log₂ e, and fitted")]
#[inline(always)]
pub(super) fn log2_of_1_plus(e: f32) -> f32 {
    let e2 = e * e;
    let e4 = e2 * e2;
    let a = e.mul_add(-0.721_340_2, 1.442_695);
    let b = e.mul_add(-0.358_408_48, 0.480_692_86);
    let c = e.mul_add(-0.197_118_95, 0.275_641_4);
    let d = e.mul_add(-4.256_704_5e-2, 0.112_856_165);
    let low = b.mul_add(e2, a);
    let high = e4.mul_add(7.549_178e-3, d.mul_add(e2, c));
    high.mul_add(e4, low)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(t: f32) -> (f32, f32) {
        let e = exponential(t);
        (sigmoid(t, e), softplus(t, e))
    }

    /// Oracle 15: both functions against f64 on a fine grid.
    #[test]
    fn small_probabilities_keep_their_digits() {
        for i in -440_000..=440_000 {
            let t = i as f32 / 10_000.0;
            let wide = f64::from(t);
            let (s, softplus) = both(t);
            let exact = 1.0 / (1.0 + (-wide).exp2());
            let error = (f64::from(s) - exact).abs() / exact;
            assert!(error <= 5e-7, "σ at {t} errs by {error:e}");
            let exact = wide.max(0.0) + (-wide.abs()).exp2().ln_1p() / std::f64::consts::LN_2;
            let error = (f64::from(softplus) - exact).abs() / exact;
            assert!(error <= 5e-7, "softplus at {t} errs by {error:e}");
            let sum = s + both(-t).0;
            assert!((sum - 1.0).abs() <= 2.0 * f32::EPSILON, "σ + (1 − σ) = {sum} at {t}");
        }
    }

    #[test]
    fn infinities_have_limits() {
        let (one, infinite) = both(f32::INFINITY);
        assert!((one - 1.0).abs() < 1e-7 && infinite.is_infinite());
        let (zero, none) = both(f32::NEG_INFINITY);
        assert!((0.0..1e-37).contains(&zero) && (0.0..1e-37).contains(&none));
        assert!((both(0.0).0 - 0.5).abs() < 1e-7);
    }
}
