//! The exponential function.

use std::f32::consts::LOG2_E;

/// 1.5·2²³: adding it rounds to a whole number, which then stands in the low bits.
const MAGIC: f32 = 12_582_912.0;
/// ln 2 in two parts; the first has few enough bits that its multiples are exact.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;

/// eˣ within 2 units in the last place; 0 below −87.3, where results would be subnormal.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    let shifted = x.mul_add(LOG2_E, MAGIC);
    let n = shifted - MAGIC;
    let r = n.mul_add(-LN_2_LOW, n.mul_add(-LN_2_HIGH, x));
    // Minimax on |r| ≤ ln 2 / 2 (the coefficients of Cephes' expf).
    let p = 1.987_569_1e-4_f32
        .mul_add(r, 1.398_2e-3)
        .mul_add(r, 8.333_452e-3)
        .mul_add(r, 4.166_579_6e-2)
        .mul_add(r, 0.166_666_66)
        .mul_add(r, 0.5)
        .mul_add(r * r, r + 1.0);
    let power = shifted.to_bits().wrapping_sub(MAGIC.to_bits()) << 23;
    let value = f32::from_bits(p.to_bits().wrapping_add(power));
    let value = if x < -87.3 { 0.0 } else { value };
    let value = if x > 88.7 { f32::INFINITY } else { value };
    if x.is_nan() { x } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_agree_with_the_standard_library() {
        for i in -8_700..8_800 {
            let x = i as f32 / 100.0;
            let exact = f64::from(x).exp();
            let error = (f64::from(exp(x)) - exact).abs() / exact;
            assert!(error < 3e-7, "{x}: {error:e}");
        }
        assert_eq!(exp(f32::NEG_INFINITY).to_bits(), 0);
        assert_eq!(exp(-1e30).to_bits(), 0);
        assert!(exp(f32::INFINITY).is_infinite() && exp(100.0).is_infinite());
        assert!(exp(f32::NAN).is_nan());
    }
}
