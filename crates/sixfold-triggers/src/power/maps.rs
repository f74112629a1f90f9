//! Norms, their gradients, and the vectors that attain them.

use ndarray::{Array, Array1, ArrayView, ArrayView1, Dimension};
use sixfold_linalg::Real;

use super::Exponent;

/// ‖z‖_q, without overflow or underflow on the way.
pub fn norm(z: ArrayView1<'_, f64>, q: Exponent) -> f64 {
    let largest = largest(z);
    match q {
        Exponent::Finite(q) if largest > 0.0 && largest.is_finite() => {
            largest * z.iter().map(|x| (x.abs() / largest).powf(q)).sum::<f64>().powf(1.0 / q)
        }
        _ => largest,
    }
}

/// φ_q(z) = sign(z)·|z|^(q−1), entry by entry, 0 at 0: the gradient of ‖z‖_q^q / q.
///
/// For a sum over batches z must have the same unit in all of them; with a large q divide by
/// a common magnitude first, lest the powers leave the range of the type.
///
/// ```
/// use ndarray::array;
/// let z = array![[-2.0_f32, 0.0], [3.0, 0.5]];
/// let u = sixfold_triggers::power::phi(z.view(), 3.0);
/// assert_eq!(u, array![[-4.0, 0.0], [9.0, 0.25]]);
/// ```
pub fn phi<T: Real, D: Dimension>(z: ArrayView<'_, T, D>, q: f64) -> Array<T, D> {
    z.mapv(|z| T::narrow(signed_power(z.widen(), q - 1.0)))
}

/// φ_q of z over its largest magnitude: the direction of φ_q(z), whatever q.
pub(super) fn phi_direction(z: &Array1<f64>, q: f64) -> Array1<f64> {
    let largest = largest(z.view());
    if largest > 0.0 { z.mapv(|z| signed_power(z / largest, q - 1.0)) } else { z.clone() }
}

/// ψ: the v with ‖v‖_p = 1 that maximises ⟨z, v⟩, for z other than 0.
///
/// With p' = p/(p − 1) it is sign(z)·|z|^(p'−1) over its p-norm; sign(z) for p = ∞, where the
/// entries at which z is 0 may be anything and stay what they are in `v`.
pub(super) fn dual(z: &Array1<f64>, p: Exponent, v: &Array1<f64>) -> Array1<f64> {
    match p {
        Exponent::Infinity => {
            let sign = |(&z, &v): (&f64, &f64)| if z == 0.0 { v } else { z.signum() };
            z.iter().zip(v).map(sign).collect()
        }
        Exponent::Finite(exponent) => {
            // p' − 1 = 1/(p − 1)
            let mut out = {
                let largest = largest(z.view());
                z.mapv(|z| signed_power(z / largest, 1.0 / (exponent - 1.0)))
            };
            let length = norm(out.view(), p);
            out /= length;
            out
        }
    }
}

fn largest(z: ArrayView1<'_, f64>) -> f64 {
    z.iter().fold(0.0, |largest: f64, x| if x.is_nan() { f64::NAN } else { largest.max(x.abs()) })
}

/// sign(z)·|z|^power with 0 at 0, where powf would say 1 for a power of 0.
fn signed_power(z: f64, power: f64) -> f64 {
    if z == 0.0 { 0.0 } else { z.signum() * z.abs().powf(power) }
}
