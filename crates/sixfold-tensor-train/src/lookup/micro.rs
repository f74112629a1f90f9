//! Products of the small matrices that rows are made of, with sums in registers.
//!
//! Matrices are row-major and so small that all of them lie in the first-level cache: packing would cost
//! more than it gains.

use pulp::bytemuck::Zeroable;
use pulp::{Simd, WithSimd};

/// What is done with the product.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum To {
    Set,
    Add,
}

/// The left factor as it lies in memory: `[m, k]`, or `[k, m]` to be read across.
#[derive(Clone, Copy)]
pub(super) enum Left<'a> {
    Plain(&'a [f32]),
    Transposed(&'a [f32]),
}

/// The matrices of C = A·B, or C += A·B, with C `[m, n]` and B `[k, n]`.
struct Matrices<'a, 'c> {
    a: Left<'a>,
    b: &'a [f32],
    c: &'c mut [f32],
    sizes: [usize; 3],
    to: To,
}

/// C = A·B or C += A·B, with C `[m, n]` and B `[k, n]`.
///
/// A call, and not inlined everywhere: the same few loops serve all walks.
#[inline(always)]
pub(super) fn product<S: Simd>(
    simd: S,
    to: To,
    a: Left<'_>,
    b: &[f32],
    c: &mut [f32],
    sizes @ [m, k, n]: [usize; 3],
) {
    let of = Matrices { a, b: &b[..k * n], c: &mut c[..m * n], sizes, to };
    simd.vectorize(of);
}

impl WithSimd for Matrices<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        // Of a depth that is known, rows of A lie at constant distances.
        match self.sizes[1] {
            16 => panels::<S, 16>(simd, &mut self),
            _ => panels::<S, 0>(simd, &mut self),
        }
    }
}

/// `K` is the depth k, or 0 for any.
#[inline(always)]
fn panels<S: Simd, const K: usize>(simd: S, of: &mut Matrices<'_, '_>) {
    let n = of.sizes[2];
    let lanes = S::F32_LANES;
    let mut j = 0;
    // Eight sums hide the latency of a fused multiplication, and fit the registers of AVX2.
    while j + 2 * lanes <= n {
        panel::<S, K, 4, 2>(simd, of, j, lanes);
        j += 2 * lanes;
    }
    while j + lanes <= n {
        panel::<S, K, 8, 1>(simd, of, j, lanes);
        j += lanes;
    }
    if j < n {
        panel::<S, K, 8, 1>(simd, of, j, n - j);
    }
}

/// N registers of columns from j on, the last of them of `width` columns.
#[inline(always)]
fn panel<S: Simd, const K: usize, const H: usize, const N: usize>(
    simd: S,
    of: &mut Matrices<'_, '_>,
    j: usize,
    width: usize,
) {
    let m = of.sizes[0];
    let mut i = 0;
    while i + H <= m {
        tile::<S, K, H, N>(simd, of, [i, j], width);
        i += H;
    }
    if i + 4 <= m {
        tile::<S, K, 4, N>(simd, of, [i, j], width);
        i += 4;
    }
    while i < m {
        tile::<S, K, 1, N>(simd, of, [i, j], width);
        i += 1;
    }
}

#[inline(always)]
fn tile<S: Simd, const K: usize, const H: usize, const N: usize>(
    simd: S,
    of: &mut Matrices<'_, '_>,
    [i, j]: [usize; 2],
    width: usize,
) {
    let [m, mut k, n] = of.sizes;
    if K > 0 {
        k = K;
    }
    let mut sums = [[S::f32s::zeroed(); N]; H];
    let b = of.b;
    let right = |p: usize| load::<S, N>(simd, &b[p * n + j..], width);
    match of.a {
        Left::Plain(a) => {
            let mut rows = [a; H];
            for (r, row) in rows.iter_mut().enumerate() {
                *row = &a[(i + r) * k..][..k];
            }
            for p in 0..k {
                let right = right(p);
                for (sums, row) in sums.iter_mut().zip(&rows) {
                    let left = simd.splat_f32s(row[p]);
                    for (sum, right) in sums.iter_mut().zip(right) {
                        *sum = simd.mul_add_e_f32s(left, right, *sum);
                    }
                }
            }
        }
        Left::Transposed(a) => {
            for p in 0..k {
                let right = right(p);
                let left: &[f32; H] = a[p * m + i..].first_chunk().expect("rows are whole");
                for (sums, left) in sums.iter_mut().zip(left) {
                    let left = simd.splat_f32s(*left);
                    for (sum, right) in sums.iter_mut().zip(right) {
                        *sum = simd.mul_add_e_f32s(left, right, *sum);
                    }
                }
            }
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        store::<S, N>(simd, of.to, *sums, &mut of.c[(i + r) * n + j..], width);
    }
}

/// N registers of values, the last of them of `width`.
#[inline(always)]
fn load<S: Simd, const N: usize>(simd: S, values: &[f32], width: usize) -> [S::f32s; N] {
    let mut registers = [S::f32s::zeroed(); N];
    if width == S::F32_LANES {
        let (whole, _) = S::as_simd_f32s(&values[..N * S::F32_LANES]);
        for (register, values) in registers.iter_mut().zip(whole) {
            *register = *values;
        }
    } else {
        registers[0] = simd.partial_load_f32s(&values[..width]);
    }
    registers
}

#[inline(always)]
fn store<S: Simd, const N: usize>(
    simd: S,
    to: To,
    sums: [S::f32s; N],
    values: &mut [f32],
    width: usize,
) {
    let old = if to == To::Add { load::<S, N>(simd, values, width) } else { sums };
    let result = |at: usize| match to {
        To::Set => sums[at],
        To::Add => simd.add_f32s(old[at], sums[at]),
    };
    if width == S::F32_LANES {
        let (whole, _) = S::as_mut_simd_f32s(&mut values[..N * S::F32_LANES]);
        for (at, values) in whole.iter_mut().enumerate() {
            *values = result(at);
        }
    } else {
        simd.partial_store_f32s(&mut values[..width], result(0));
    }
}

/// C += A·Bᵀ, with C `[m, n]`, A `[m, k]` and B `[n, k]`: sums along rows, for k of some registers.
#[inline(always)]
pub(super) fn product_across<S: Simd>(
    simd: S,
    a: &[f32],
    b: &[f32],
    c: &mut [f32],
    sizes: [usize; 3],
) {
    simd.vectorize(Across { a, b, c, sizes });
}

struct Across<'a, 'c> {
    a: &'a [f32],
    b: &'a [f32],
    c: &'c mut [f32],
    sizes: [usize; 3],
}

impl WithSimd for Across<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { a, b, c, sizes: [m, k, n] } = self;
        let mut i = 0;
        while i + 8 <= m {
            for j in 0..n {
                across::<S, 8, 1>(simd, a, b, c, [k, n], [i, j]);
            }
            i += 8;
        }
        while i + 4 <= m {
            let mut j = 0;
            while j + 2 <= n {
                across::<S, 4, 2>(simd, a, b, c, [k, n], [i, j]);
                j += 2;
            }
            if j < n {
                across::<S, 4, 1>(simd, a, b, c, [k, n], [i, j]);
            }
            i += 4;
        }
        while i < m {
            for j in 0..n {
                across::<S, 1, 1>(simd, a, b, c, [k, n], [i, j]);
            }
            i += 1;
        }
    }
}

#[inline(always)]
fn across<S: Simd, const H: usize, const W: usize>(
    simd: S,
    a: &[f32],
    b: &[f32],
    c: &mut [f32],
    [k, n]: [usize; 2],
    [i, j]: [usize; 2],
) {
    let (mut rows, mut columns) = ([a; H], [b; W]);
    for (r, row) in rows.iter_mut().enumerate() {
        *row = &a[(i + r) * k..][..k];
    }
    for (s, column) in columns.iter_mut().enumerate() {
        *column = &b[(j + s) * k..][..k];
    }
    let mut sums = [[S::f32s::zeroed(); W]; H];
    let mut p = 0;
    while p < k {
        let width = (k - p).min(S::F32_LANES);
        let mut right = [S::f32s::zeroed(); W];
        for (right, column) in right.iter_mut().zip(&columns) {
            [*right] = load::<S, 1>(simd, &column[p..], width);
        }
        for (sums, row) in sums.iter_mut().zip(&rows) {
            let [left] = load::<S, 1>(simd, &row[p..], width);
            for (sum, right) in sums.iter_mut().zip(right) {
                *sum = simd.mul_add_e_f32s(left, right, *sum);
            }
        }
        p += S::F32_LANES;
    }
    for (r, sums) in sums.into_iter().enumerate() {
        for (s, sum) in sums.into_iter().enumerate() {
            c[(i + r) * n + j + s] += simd.reduce_sum_f32s(sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use pulp::Arch;

    use super::*;

    /// The three products on the same numbers, as [`To::Set`] and then [`To::Add`] twice.
    struct Products<'a> {
        a: &'a [f32],
        across: &'a [f32],
        b: &'a [f32],
        columns: &'a [f32],
        sizes: [usize; 3],
    }

    impl WithSimd for Products<'_> {
        type Output = [Vec<f32>; 3];

        fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
            let mut c = vec![f32::NAN; self.sizes[0] * self.sizes[2]];
            product(simd, To::Set, Left::Plain(self.a), self.b, &mut c, self.sizes);
            let once = c.clone();
            product(simd, To::Add, Left::Transposed(self.across), self.b, &mut c, self.sizes);
            let twice = c.clone();
            product_across(simd, self.a, self.columns, &mut c, self.sizes);
            [once, twice, c]
        }
    }

    #[test]
    fn products_agree_with_their_definition() {
        let number = |i: usize| ((i * 37 + 11) % 23) as f32 - 11.0;
        for m in [1, 3, 4, 9, 13] {
            for k in [1, 5, 16, 37] {
                for n in [1, 2, 4, 7, 8, 12, 16, 31, 40, 200] {
                    let a: Vec<f32> = (0..m * k).map(number).collect();
                    let across: Vec<f32> = (0..m * k).map(|at| a[at % m * k + at / m]).collect();
                    let b: Vec<f32> = (0..k * n).map(|i| number(i + 5)).collect();
                    let columns: Vec<f32> = (0..k * n).map(|at| b[at % k * n + at / k]).collect();
                    let exact = |at: usize| -> f32 {
                        (0..k).map(|p| a[at / n * k + p] * b[p * n + at % n]).sum()
                    };
                    let sizes = [m, k, n];
                    let products =
                        Products { a: &a, across: &across, b: &b, columns: &columns, sizes };
                    let found = [Arch::new().dispatch(products), {
                        let products =
                            Products { a: &a, across: &across, b: &b, columns: &columns, sizes };
                        products.with_simd(pulp::Scalar::new())
                    }];
                    for found in found {
                        for (times, found) in (1..).zip(found) {
                            // Whole numbers are added without rounding.
                            let expected: Vec<f32> =
                                (0..m * n).map(|at| times as f32 * exact(at)).collect();
                            assert_eq!(found, expected, "{times}: {m} {k} {n}");
                        }
                    }
                }
            }
        }
    }
}
