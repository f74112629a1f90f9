//! Loops over raw host buffers: the fused AdamW update, sums of squares, sums.
//!
//! Each is a plain loop that vectorises, for the widest vectors that the processor has. No fused
//! multiply-add is asked for, so all processors give the same bits: a training that is resumed on
//! another machine goes on as it would have.

use rayon::prelude::*;

use crate::ops::host::{CHUNK, simd};

/// Lanes of a sum; fixed, so that its value does not depend on the processor.
const LANES: usize = 16;

/// The factors of one AdamW step of a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Factors<F = f32> {
    /// On the gradient: clipping and averaging.
    pub(super) gradient: F,
    /// On the parameter: `1 − lr·λ`.
    pub(super) decay: F,
    /// `1 − β₁`.
    pub(super) rest_1: F,
    /// `β₂`.
    pub(super) beta_2: F,
    /// `1 − β₂`.
    pub(super) rest_2: F,
    /// `1/√(1 − β₂ᵗ)`: a division a parameter is what the loop would wait for.
    pub(super) correction_2: F,
    /// `ε`.
    pub(super) epsilon: F,
    /// `lr/(1 − β₁ᵗ)`.
    pub(super) step: F,
}

impl Factors<f64> {
    /// Rounded once, after they were computed in f64.
    pub(super) fn narrow(self) -> Factors {
        Factors {
            gradient: self.gradient as f32,
            decay: self.decay as f32,
            rest_1: self.rest_1 as f32,
            beta_2: self.beta_2 as f32,
            rest_2: self.rest_2 as f32,
            correction_2: self.correction_2 as f32,
            epsilon: self.epsilon as f32,
            step: self.step as f32,
        }
    }
}

/// One AdamW step in place, in parallel over chunks.
///
/// # Panics
/// If the slices differ in length.
pub(super) fn adamw(p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32], factors: &Factors) {
    assert!(p.len() == g.len() && p.len() == m.len() && p.len() == v.len(), "unequal lengths");
    p.par_chunks_mut(CHUNK)
        .zip(g.par_chunks(CHUNK))
        .zip(m.par_chunks_mut(CHUNK).zip(v.par_chunks_mut(CHUNK)))
        .for_each(|((p, g), (m, v))| {
            simd(
                #[inline(always)]
                || plain::adamw(p, g, m, v, factors),
            );
        });
}

/// The sum of squares in f64. Its value depends on neither threads nor processor.
pub(super) fn sum_of_squares(x: &[f32]) -> f64 {
    let chunks = x.par_chunks(CHUNK).map(|x| {
        simd(
            #[inline(always)]
            || plain::sum_of_squares(x),
        )
    });
    chunks.collect::<Vec<f64>>().iter().sum()
}

/// `sum += x · factor`, in parallel over chunks.
///
/// # Panics
/// If the slices differ in length.
pub(super) fn add_scaled(sum: &mut [f32], x: &[f32], factor: f32) {
    assert_eq!(sum.len(), x.len(), "unequal lengths");
    sum.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK)).for_each(|(sum, x)| {
        simd(
            #[inline(always)]
            || plain::add_scaled(sum, x, factor),
        );
    });
}

/// The loops themselves.
mod plain {
    use super::{Factors, LANES};

    /// PyTorch's order of operations: decay, first moment as an interpolation, second moment,
    /// ε after the corrected root.
    #[inline(always)]
    pub(super) fn adamw(p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32], f: &Factors) {
        for (((p, g), m), v) in p.iter_mut().zip(g).zip(m.iter_mut()).zip(v.iter_mut()) {
            let g = g * f.gradient;
            *m += f.rest_1 * (g - *m);
            *v = *v * f.beta_2 + f.rest_2 * g * g;
            let denominator = v.sqrt() * f.correction_2 + f.epsilon;
            *p = *p * f.decay - f.step * *m / denominator;
        }
    }

    #[inline(always)]
    pub(super) fn sum_of_squares(x: &[f32]) -> f64 {
        let mut lanes = [0.0_f64; LANES];
        let (whole, rest) = x.as_chunks::<LANES>();
        for block in whole {
            for (lane, x) in lanes.iter_mut().zip(block) {
                *lane += f64::from(*x) * f64::from(*x);
            }
        }
        for (lane, x) in lanes.iter_mut().zip(rest) {
            *lane += f64::from(*x) * f64::from(*x);
        }
        lanes.iter().sum()
    }

    #[inline(always)]
    pub(super) fn add_scaled(sum: &mut [f32], x: &[f32], factor: f32) {
        for (sum, x) in sum.iter_mut().zip(x) {
            *sum += x * factor;
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;
    use crate::Seed;

    fn draw(name: &str, n: usize) -> Vec<f32> {
        let mut random = Seed::new(5).stream(name);
        (0..n).map(|_| random.next_u32() as f32 / 2f32.powi(31) - 1.0).collect()
    }

    const FACTORS: Factors = Factors {
        gradient: 0.7,
        decay: 0.999,
        rest_1: 0.1,
        beta_2: 0.999,
        rest_2: 0.001,
        correction_2: 20.0,
        epsilon: 1e-8,
        step: 1e-2,
    };

    #[test]
    fn chunks_and_wide_vectors_give_the_bits_of_the_plain_loop() {
        for n in [0, 1, 15, 17, CHUNK, 3 * CHUNK + 11] {
            let g = draw("g", n);
            let (mut p, mut m) = (draw("p", n), draw("m", n));
            let mut v: Vec<f32> = draw("v", n).iter().map(|v| v * v).collect();
            let (mut q, mut a, mut b) = (p.clone(), m.clone(), v.clone());
            adamw(&mut p, &g, &mut m, &mut v, &FACTORS);
            plain::adamw(&mut q, &g, &mut a, &mut b, &FACTORS);
            assert_eq!((&p, &m, &v), (&q, &a, &b), "{n}");

            let mut sum = p.clone();
            add_scaled(&mut sum, &g, 0.3);
            plain::add_scaled(&mut p, &g, 0.3);
            assert_eq!(sum, p, "{n}");

            let expected: f64 = g.iter().map(|&g| f64::from(g).powi(2)).sum();
            let found = sum_of_squares(&g);
            assert!((found - expected).abs() <= 1e-12 * expected, "{n}: {found} {expected}");
            let chunks: f64 = g.chunks(CHUNK).map(plain::sum_of_squares).sum();
            assert_eq!(found.to_bits(), chunks.to_bits(), "{n}");
        }
    }

    #[test]
    fn a_step_is_that_of_the_formula_in_f64() {
        let n = 1000;
        let (mut p, g, mut m) = (draw("p", n), draw("g", n), draw("m", n));
        let mut v: Vec<f32> = draw("v", n).iter().map(|v| v * v).collect();
        let before = (p.clone(), m.clone(), v.clone());
        adamw(&mut p, &g, &mut m, &mut v, &FACTORS);
        let f = FACTORS;
        for i in 0..n {
            let [q, a, b] = [before.0[i], before.1[i], before.2[i]].map(f64::from);
            let g = f64::from(g[i]) * f64::from(f.gradient);
            let a = a + f64::from(f.rest_1) * (g - a);
            let b = b * f64::from(f.beta_2) + f64::from(f.rest_2) * g * g;
            let denominator = b.sqrt() * f64::from(f.correction_2) + f64::from(f.epsilon);
            let q = q * f64::from(f.decay) - f64::from(f.step) * a / denominator;
            for (found, expected) in [(p[i], q), (m[i], a), (v[i], b)] {
                let error = (f64::from(found) - expected).abs();
                assert!(error <= 1e-6 * expected.abs().max(1e-2), "{i}: {found} {expected}");
            }
        }
    }
}
