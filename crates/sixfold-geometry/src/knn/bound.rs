//! Bounds of the exact squared distance from products in f32.
//!
//! The points are known to the products as rows p of f32: the given rows x themselves, or
//! z = (x − c)·s rounded once, with a centre c and a power of two s. Write u = 2⁻²⁴, n = ‖p‖²,
//! D for the coordinates. For two points i and j, with N = nᵢ + nⱼ:
//!
//! 1. *Packing.* ‖p − z‖ ≤ ρ‖p‖ with ρ = 0 or slightly more than u. By the triangle inequality
//!    |√S − √Q| ≤ ρ(‖pᵢ‖ + ‖pⱼ‖) for S = ‖zᵢ − zⱼ‖² and Q = ‖pᵢ − pⱼ‖², and since
//!    √Q ≤ ‖pᵢ‖ + ‖pⱼ‖ and (‖pᵢ‖ + ‖pⱼ‖)² ≤ 2N: |S − Q| ≤ (4ρ + 2ρ²)·N.
//! 2. *Product.* A sum of products in any order in which a term passes m roundings is off by at
//!    most γₘ·Σ|pᵢ||pⱼ| with γₘ = mu/(1 − mu) (Higham 2002, §3.1), hence h = fl(−2 pᵢ·pⱼ) by at
//!    most 2γₘ‖pᵢ‖‖pⱼ‖ ≤ γₘ·N. Products are cut into slabs of [`SLAB`] coordinates that are added
//!    to the tile one after the other: m ≤ min(D, SLAB) + ⌈D/SLAB⌉ + 4.
//! 3. *Sums.* L = fl(fl(aᵢ + aⱼ) + h), in any order, rounds twice: off by at most 5u·N for a ≤ n.
//! 4. *f64.* The distance that is returned, squared and scaled, is Ŝ = S(1 + δ), |δ| ≤ ζ with
//!    ζ = (D + 4)·2⁻⁵³, S ≤ 2(1 + ρ)²·N; n itself is computed with a relative error below ζ.
//! 5. *Underflow.* Each of these roundings may lose 2⁻¹⁵⁰ more: all of them less than η = (D + 1)·2⁻¹⁴⁵.
//!
//! On other devices the same holds with other constants ([`Arithmetic`]): 2u for roundings in any
//! direction, m = D + 5 for a sum without slabs, 2⁻¹²⁶ where subnormal numbers are flushed. Where
//! products run in TF32, each factor is off by at most ε = 2⁻¹⁰ (2⁻¹¹ where it is rounded to the
//! nearest, but hardware may cut it off) and sums keep 22 bits, 4u: then γₘ in what follows is
//! (1 + γₘ)(1 + ε)² − 1.
//!
//! With θ = γₘ + (4ρ + 2ρ²) + 5u + 8ζ, a = (1 − θ)n − η (rounded down), w = (2θ + 16u)n + 4η
//! (rounded up), adding 1–5 gives
//!
//! ```text
//! Lᵢⱼ ≤ Ŝᵢⱼ ≤ fl(fl(Lᵢⱼ + wᵢ) + wⱼ)
//! ```
//!
//! for every pair: the downward shift of a exceeds all errors, and w returns it twice (the 16u
//! cover the rounding of a and of the sums with w). Nothing here is an estimate: a point whose L
//! is larger than the k-th smallest upper bound is none of the k nearest.

/// Coordinates of a slab of the product: short sums have tight bounds, and the product runs as fast.
pub(super) const SLAB: usize = 256;

const U: f64 = 1.0 / (1 << 24) as f64;

/// How products and sums in single precision are rounded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arithmetic {
    /// Largest relative error of one operation.
    unit: f64,
    /// Largest relative error by which a factor is rounded before it is multiplied.
    factor: f64,
    /// Coordinates of a slab of the product.
    slab: usize,
    /// What an underflow may lose.
    underflow: f64,
}

impl Arithmetic {
    /// f32 on the host, to the nearest, with products in slabs.
    pub(super) const HOST: Self =
        Self { unit: U, factor: 0.0, slab: SLAB, underflow: f64::from_bits((1023 - 150) << 52) };

    /// f32 on a device that may round either way, sum a whole row, and flush subnormal numbers.
    #[cfg(any(feature = "model", test))]
    pub(super) const DEVICE: Self = Self {
        unit: 2.0 * U,
        factor: 0.0,
        slab: usize::MAX,
        underflow: f64::from_bits((1023 - 126) << 52),
    };

    /// TF32 products: each factor keeps 10 bits behind the point, rounded or cut off, and sums keep
    /// at least 22.
    #[cfg(any(feature = "model", test))]
    pub(super) const TF32: Self = Self { unit: 4.0 * U, factor: 1.0 / 1024.0, ..Self::DEVICE };
}

/// The coefficients of both bounds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound {
    theta: f64,
    eta: f64,
}

impl Bound {
    /// For rows of `d` coordinates, `packed` where they were rounded to f32.
    pub(super) fn new(d: usize, packed: bool, arithmetic: Arithmetic) -> Self {
        let Arithmetic { unit, factor, slab, underflow } = arithmetic;
        let m = (d.min(slab) + d.div_ceil(slab) + 4) as f64;
        let gamma = m * unit / (1.0 - m * unit);
        let product = (1.0 + gamma) * (1.0 + factor) * (1.0 + factor) - 1.0;
        let rho = if packed { U * (1.0 + 1.0 / 1024.0) } else { 0.0 };
        let zeta = (d + 4) as f64 * 2.0_f64.powi(-53);
        let theta = product + 4.0 * rho + 2.0 * rho * rho + 5.0 * unit + 8.0 * zeta;
        Self { theta, eta: 32.0 * (d + 1) as f64 * underflow }
    }

    /// a of a row with the squared norm `n`.
    pub(super) fn lower(self, n: f64) -> f32 {
        down((1.0 - self.theta) * n - self.eta)
    }

    /// w of a row with the squared norm `n`.
    pub(super) fn slack(self, n: f64) -> f32 {
        up((2.0 * self.theta + 16.0 * U) * n + 4.0 * self.eta)
    }
}

/// The largest f32 that is not above `x`.
pub(super) fn down(x: f64) -> f32 {
    let near = x as f32;
    if f64::from(near) > x { near.next_down() } else { near }
}

/// The smallest f32 that is not below `x`.
pub(super) fn up(x: f64) -> f32 {
    let near = x as f32;
    if f64::from(near) < x { near.next_up() } else { near }
}

/// Squared distances above this have a larger square root than `square` in f64.
pub(super) fn beyond(square: f64) -> f64 {
    square * (1.0 + 4.0 * f64::EPSILON)
}

/// What is left of a number of f32 when a tensor core cuts it to TF32.
#[cfg(test)]
pub(super) fn cut_to_tf32(x: f32) -> f32 {
    f32::from_bits(x.to_bits() & 0xFFFF_E000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_has_a_direction() {
        for x in [0.1, -0.1, 1e-50, -1e-50, 1e300, 3.0] {
            assert!(f64::from(down(x)) <= x && x <= f64::from(up(x)), "{x}");
        }
        assert_eq!(down(1e300).to_bits(), f32::MAX.to_bits());
    }

    #[test]
    fn deep_rows_keep_a_useful_bound() {
        assert!(Bound::new(4096, true, Arithmetic::HOST).theta < 20e-6);
        assert!(Bound::new(1 << 24, true, Arithmetic::HOST).theta < 5e-3);
    }
}
