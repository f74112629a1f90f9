//! Products of the small matrices that rows are made of, with accumulators in registers.
//!
//! Matrices are row-major and so small that all of them lie in the first-level cache: packing would cost
//! more than it gains.

use sixfold_linalg::simd::folded;

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

/// C = A·B or C += A·B, with C `[m, n]` and B `[k, n]`.
#[inline(always)]
pub(super) fn product(to: To, a: Left<'_>, b: &[f32], c: &mut [f32], [m, k, n]: [usize; 3]) {
    let (b, c) = (&b[..k * n], &mut c[..m * n]);
    let mut j = 0;
    while j + 16 <= n {
        panel::<4, 16>(to, a, b, c, [m, k, n], j);
        j += 16;
    }
    if j + 8 <= n {
        panel::<4, 8>(to, a, b, c, [m, k, n], j);
        j += 8;
    }
    if j + 4 <= n {
        panel::<4, 4>(to, a, b, c, [m, k, n], j);
        j += 4;
    }
    while j < n {
        panel::<4, 1>(to, a, b, c, [m, k, n], j);
        j += 1;
    }
}

/// Columns j … j + W of the product.
#[inline(always)]
fn panel<const H: usize, const W: usize>(
    to: To,
    a: Left<'_>,
    b: &[f32],
    c: &mut [f32],
    sizes @ [m, _, _]: [usize; 3],
    j: usize,
) {
    let mut i = 0;
    while i + H <= m {
        tile::<H, W>(to, a, b, c, sizes, [i, j]);
        i += H;
    }
    while i < m {
        tile::<1, W>(to, a, b, c, sizes, [i, j]);
        i += 1;
    }
}

/// Some values from one on.
#[inline(always)]
fn row_of<const W: usize>(values: &[f32], at: usize) -> &[f32; W] {
    values[at..].first_chunk().expect("rows are whole")
}

/// sums += a·bᵀ
#[inline(always)]
fn add_outer<const H: usize, const W: usize>(a: [f32; H], b: &[f32; W], sums: &mut [[f32; W]; H]) {
    for (sums, a) in sums.iter_mut().zip(a) {
        for (sum, b) in sums.iter_mut().zip(b) {
            *sum = a.mul_add(*b, *sum);
        }
    }
}

#[inline(always)]
fn tile<const H: usize, const W: usize>(
    to: To,
    a: Left<'_>,
    b: &[f32],
    c: &mut [f32],
    [m, k, n]: [usize; 3],
    [i, j]: [usize; 2],
) {
    // Two sums of each entry, for even and for odd steps: one alone would wait for itself.
    let (mut sums, mut odd) = ([[0.0_f32; W]; H], [[0.0_f32; W]; H]);
    match a {
        Left::Plain(a) => {
            let mut rows = [a; H];
            for (r, row) in rows.iter_mut().enumerate() {
                *row = &a[(i + r) * k..][..k];
            }
            let mut p = 0;
            while p + 2 <= k {
                add_outer(
                    rows.map(
                        #[inline(always)]
                        |row| row[p],
                    ),
                    row_of(b, p * n + j),
                    &mut sums,
                );
                add_outer(
                    rows.map(
                        #[inline(always)]
                        |row| row[p + 1],
                    ),
                    row_of(b, (p + 1) * n + j),
                    &mut odd,
                );
                p += 2;
            }
            if p < k {
                add_outer(
                    rows.map(
                        #[inline(always)]
                        |row| row[p],
                    ),
                    row_of(b, p * n + j),
                    &mut sums,
                );
            }
        }
        Left::Transposed(a) => {
            let mut p = 0;
            while p + 2 <= k {
                add_outer(*row_of(a, p * m + i), row_of(b, p * n + j), &mut sums);
                add_outer(*row_of(a, (p + 1) * m + i), row_of(b, (p + 1) * n + j), &mut odd);
                p += 2;
            }
            if p < k {
                add_outer(*row_of(a, p * m + i), row_of(b, p * n + j), &mut sums);
            }
        }
    }
    for (sums, odd) in sums.iter_mut().zip(&odd) {
        for (sum, odd) in sums.iter_mut().zip(odd) {
            *sum += odd;
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        let c = &mut c[(i + r) * n + j..][..W];
        match to {
            To::Set => c.copy_from_slice(sums),
            To::Add => c.iter_mut().zip(sums).for_each(|(c, sum)| *c += sum),
        }
    }
}

/// Lanes of a sum along rows.
const LANES: usize = 16;

/// C += A·Bᵀ, with C `[m, n]`, A `[m, k]` and B `[n, k]`: sums along rows, for k of some registers.
#[inline(always)]
pub(super) fn product_across(a: &[f32], b: &[f32], c: &mut [f32], [m, k, n]: [usize; 3]) {
    let mut i = 0;
    while i < m {
        let mut j = 0;
        let high = i + 2 <= m;
        while j < n {
            match (high, j + 2 <= n) {
                (true, true) => across::<2, 2>(a, b, c, [k, n], [i, j]),
                (true, false) => across::<2, 1>(a, b, c, [k, n], [i, j]),
                (false, true) => across::<1, 2>(a, b, c, [k, n], [i, j]),
                (false, false) => across::<1, 1>(a, b, c, [k, n], [i, j]),
            }
            j += 2;
        }
        i += 2;
    }
}

#[inline(always)]
fn across<const H: usize, const W: usize>(
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
    let (a, b) = (rows, columns);
    let mut sums = [[[0.0_f32; LANES]; W]; H];
    let whole = k - k % LANES;
    let mut p = 0;
    while p < whole {
        let b: [&[f32; LANES]; W] =
            std::array::from_fn(|r| b[r][p..].first_chunk().expect("whole"));
        for (sums, a) in sums.iter_mut().zip(&a) {
            let a: &[f32; LANES] = a[p..].first_chunk().expect("whole");
            for (sums, b) in sums.iter_mut().zip(&b) {
                for ((sum, a), b) in sums.iter_mut().zip(a).zip(*b) {
                    *sum = a.mul_add(*b, *sum);
                }
            }
        }
        p += LANES;
    }
    for (r, (sums, a)) in sums.into_iter().zip(&a).enumerate() {
        for (s, (sums, b)) in sums.into_iter().zip(&b).enumerate() {
            let rest = a[whole..].iter().zip(&b[whole..]);
            c[(i + r) * n + j + s] += rest.fold(folded(sums), |sum, (a, b)| a.mul_add(*b, sum));
        }
    }
}

#[cfg(test)]
mod tests {
    use sixfold_linalg::simd::simd;

    use super::*;

    #[test]
    fn products_agree_with_their_definition() {
        let number = |i: usize| ((i * 37 + 11) % 23) as f32 - 11.0;
        for m in [1, 3, 4, 9] {
            for k in [1, 5, 16] {
                for n in [1, 2, 4, 7, 8, 12, 16, 31, 40] {
                    let a: Vec<f32> = (0..m * k).map(number).collect();
                    let across: Vec<f32> = (0..m * k).map(|at| a[at % m * k + at / m]).collect();
                    let b: Vec<f32> = (0..k * n).map(|i| number(i + 5)).collect();
                    let exact = |i: usize, j: usize| -> f32 {
                        (0..k).map(|p| a[i * k + p] * b[p * n + j]).sum()
                    };
                    let expected: Vec<f32> = (0..m * n).map(|at| exact(at / n, at % n)).collect();
                    let twice: Vec<f32> = expected.iter().map(|x| 2.0 * x).collect();
                    let mut c = vec![f32::NAN; m * n];
                    simd(|| product(To::Set, Left::Plain(&a), &b, &mut c, [m, k, n]));
                    // Whole numbers are added without rounding.
                    assert_eq!(c, expected, "{m} {k} {n}");
                    simd(|| product(To::Add, Left::Transposed(&across), &b, &mut c, [m, k, n]));
                    assert_eq!(c, twice, "{m} {k} {n}");
                    let columns: Vec<f32> = (0..k * n).map(|at| b[at % k * n + at / k]).collect();
                    c.copy_from_slice(&expected);
                    simd(|| product_across(&a, &columns, &mut c, [m, k, n]));
                    assert_eq!(c, twice, "{m} {k} {n}");
                }
            }
        }
    }
}
