//! Products with a right factor beyond the first-level cache.

use pulp::bytemuck::Zeroable;
use pulp::{Simd, WithSimd};

use super::micro::{Left, To, product};

/// Numbers of a right factor from which on its panels are copied: its rows lie so far apart that they would drive
/// each other out of the first-level cache.
const LARGE: usize = 1 << 13;

/// Rows of a left factor from which on copies are worth it.
const HIGH: usize = 16;

/// Rows and registers of a tile of the product.
const TILE: [usize; 2] = [4, 2];

/// C = A·B, with A `[m, k]`, B `[k, n]` and C `[m, n]`: to the last bit what [`product`] gives.
#[inline(always)]
pub(super) fn large_product<S: Simd>(
    simd: S,
    a: &[f32],
    b: &[f32],
    c: &mut [f32],
    sizes @ [m, k, n]: [usize; 3],
) {
    if k * n < LARGE || m < HIGH || m % TILE[0] != 0 || n % (TILE[1] * S::F32_LANES) != 0 {
        product(simd, To::Set, Left::Plain(a), b, c, sizes);
    } else {
        simd.vectorize(Panels { a: &a[..m * k], b: &b[..k * n], c: &mut c[..m * n], depth: k });
    }
}

struct Panels<'a, 'c> {
    a: &'a [f32],
    b: &'a [f32],
    c: &'c mut [f32],
    depth: usize,
}

impl WithSimd for Panels<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { a, b, c, depth } = self;
        let n = b.len() / depth;
        let width = TILE[1] * S::F32_LANES;
        let mut panel = Vec::with_capacity(depth * width);
        for j in (0..n).step_by(width) {
            panel.clear();
            for row in b.chunks_exact(n) {
                panel.extend_from_slice(&row[j..][..width]);
            }
            let (panel, _) = S::as_simd_f32s(&panel);
            let (panel, _) = panel.as_chunks();
            let tiles = a.chunks_exact(TILE[0] * depth).zip(c.chunks_exact_mut(TILE[0] * n));
            for (a, c) in tiles {
                tile(simd, a, &panel[..depth], &mut c[j..], n);
            }
        }
    }
}

#[inline(always)]
fn tile<S: Simd>(simd: S, a: &[f32], panel: &[[S::f32s; TILE[1]]], c: &mut [f32], n: usize) {
    let depth = panel.len();
    let mut rows = [a; TILE[0]];
    for (r, row) in rows.iter_mut().enumerate() {
        *row = &a[r * depth..][..depth];
    }
    let mut sums = [[S::f32s::zeroed(); TILE[1]]; TILE[0]];
    for p in 0..depth {
        for (sums, row) in sums.iter_mut().zip(&rows) {
            let left = simd.splat_f32s(row[p]);
            for (sum, right) in sums.iter_mut().zip(panel[p]) {
                *sum = simd.mul_add_e_f32s(left, right, *sum);
            }
        }
    }
    // Constant bounds: else the sums would lie in memory all the time.
    for r in 0..TILE[0] {
        let (row, _) = S::as_mut_simd_f32s(&mut c[r * n..][..TILE[1] * S::F32_LANES]);
        let [first, second] = sums[r];
        (row[0], row[1]) = (first, second);
    }
}

#[cfg(test)]
mod tests {
    use pulp::Arch;

    use super::*;

    struct Both<'a>(&'a [f32], &'a [f32], [usize; 3]);

    impl WithSimd for Both<'_> {
        type Output = [Vec<f32>; 2];

        fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
            let Self(a, b, sizes) = self;
            let mut found = [0, 1].map(|_| vec![f32::NAN; sizes[0] * sizes[2]]);
            large_product(simd, a, b, &mut found[0], sizes);
            product(simd, To::Set, Left::Plain(a), b, &mut found[1], sizes);
            found
        }
    }

    #[test]
    fn large_products_are_those_of_small_ones_to_the_last_bit() {
        let number = |i: usize| ((i * 7_919 + 11) % 2_003) as f32 / 977.0 - 1.0;
        for m in [4, 16, 18, 40] {
            for (k, n) in [(64, 128), (33, 256), (70, 200), (16, 32)] {
                let a: Vec<f32> = (0..m * k).map(number).collect();
                let b: Vec<f32> = (0..k * n).map(|i| number(i + 5)).collect();
                let [large, small] = Arch::new().dispatch(Both(&a, &b, [m, k, n]));
                assert!(large.iter().zip(&small).all(|(a, b)| a.to_bits() == b.to_bits()));
            }
        }
    }
}
