//! Loops over rows with the widest vector instructions of the machine.
//!
//! Each loop is a type: what pulp calls must be inlined to be compiled for those instructions, and
//! the call of a closure is not always.

use pulp::{Arch, Simd, WithSimd};
use sixfold_linalg::Real;
use sixfold_linalg::simd::folded;

/// Partial sums of a row: the order of additions is the same for any strides.
pub(super) const LANES: usize = 32;

/// Tile entries that are compared before one branch.
pub(super) const WIDTH: usize = 32;

/// Σ ((a − b)·scale)² in f64, scale a power of two.
pub(super) fn square_distance<T: Real>(a: &[T], b: &[T], scale: f64) -> f64 {
    // No square of f32 leaves the range of f64: the scale may wait for the sum, bit for bit.
    if T::NAME == "f32" {
        Arch::new().dispatch(Distance::<_, false>(a, b, 1.0)) * (scale * scale)
    } else {
        Arch::new().dispatch(Distance::<_, true>(a, b, scale))
    }
}

struct Distance<'a, T, const SCALED: bool>(&'a [T], &'a [T], f64);

impl<T: Real, const SCALED: bool> WithSimd for Distance<'_, T, SCALED> {
    type Output = f64;
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> f64 {
        let Self(a, b, scale) = self;
        let step = |a: T, b: T| match SCALED {
            true => a.widen() * scale - b.widen() * scale,
            false => a.widen() - b.widen(),
        };
        let mut lanes = [0.0_f64; LANES];
        let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
        for (a, b) in a.iter().zip(b) {
            for lane in 0..LANES {
                let step = step(a[lane], b[lane]);
                lanes[lane] += step * step;
            }
        }
        for ((lane, a), b) in lanes.iter_mut().zip(a_rest).zip(b_rest) {
            let step = step(*a, *b);
            *lane += step * step;
        }
        folded(lanes)
    }
}

/// Σ p² in f64.
pub(super) fn squares(row: &[f32]) -> f64 {
    struct Loop<'a>(&'a [f32]);
    impl WithSimd for Loop<'_> {
        type Output = f64;
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> f64 {
            let mut lanes = [0.0_f64; LANES];
            let (chunks, rest) = self.0.as_chunks::<LANES>();
            for chunk in chunks {
                for lane in 0..LANES {
                    lanes[lane] += f64::from(chunk[lane]) * f64::from(chunk[lane]);
                }
            }
            for (lane, p) in lanes.iter_mut().zip(rest) {
                *lane += f64::from(*p) * f64::from(*p);
            }
            folded(lanes)
        }
    }
    Arch::new().dispatch(Loop(row))
}

/// p = fl(x·scale − centre)
pub(super) fn pack<T: Real>(x: &[T], scale: f64, centre: &[f64], p: &mut [f32]) {
    struct Loop<'a, T>(&'a [T], f64, &'a [f64], &'a mut [f32]);
    impl<T: Real> WithSimd for Loop<'_, T> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            for ((p, x), c) in self.3.iter_mut().zip(self.0).zip(self.2) {
                *p = (x.widen() * self.1 - c) as f32;
            }
        }
    }
    Arch::new().dispatch(Loop(x, scale, centre, p));
}

/// The larger of `max` and the magnitudes of a row.
pub(super) fn largest<T: Real>(max: T, row: &[T]) -> T {
    struct Loop<'a, T>(T, &'a [T]);
    impl<T: Real> WithSimd for Loop<'_, T> {
        type Output = T;
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> T {
            let Self(max, row) = self;
            let mut lanes = [max; LANES];
            let (chunks, rest) = row.as_chunks::<LANES>();
            for chunk in chunks {
                for lane in 0..LANES {
                    let x = chunk[lane].abs();
                    lanes[lane] = if x > lanes[lane] { x } else { lanes[lane] };
                }
            }
            let larger = |max: T, x: &T| if x.abs() > max { x.abs() } else { max };
            rest.iter().fold(lanes.iter().fold(max, larger), larger)
        }
    }
    Arch::new().dispatch(Loop(max, row))
}

/// A row of a tile, and the limits that its lower bounds are held against.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    /// a of the row's point.
    pub(super) own: f32,
    /// Limit of the row's point.
    pub(super) limit: f32,
    /// a of the points of the columns.
    pub(super) of_j: &'a [f32],
    /// Their limits.
    pub(super) limits: &'a [f32],
    /// −2 times the products.
    pub(super) products: &'a [f32],
}

/// The first group of [`WIDTH`] entries from `from` on that has one at or below a limit, and in `hits`
/// which ones are, other than 0. Entries at the end that fill no group count as one that has.
#[inline]
pub(super) fn next_hit(row: Row<'_>, from: usize, hits: &mut [u32; WIDTH]) -> Option<usize> {
    struct Loop<'a>(Row<'a>, usize, &'a mut [u32; WIDTH]);
    impl WithSimd for Loop<'_> {
        type Output = Option<usize>;
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> Option<usize> {
            let Self(row, from, into) = self;
            let (of_j, rest) = row.of_j[from..].as_chunks::<WIDTH>();
            let products = row.products[from..].as_chunks::<WIDTH>().0;
            let limits = row.limits[from..].as_chunks::<WIDTH>().0;
            for (group, ((of_j, products), limits)) in
                of_j.iter().zip(products).zip(limits).enumerate()
            {
                let mut hits = [0_u32; WIDTH];
                for lane in 0..WIDTH {
                    let bound = row.own + of_j[lane] + products[lane];
                    hits[lane] = u32::from((bound <= row.limit) | (bound <= limits[lane]));
                }
                if hits.iter().fold(0, |any, hit| any | hit) != 0 {
                    *into = hits;
                    return Some(from + group * WIDTH);
                }
            }
            into.fill(1);
            (!rest.is_empty()).then_some(from + of_j.len() * WIDTH)
        }
    }
    Arch::new().dispatch(Loop(row, from, hits))
}

/// Lower and upper bounds of a row of a tile: (a, w) of the row's point, those of the columns, and
/// −2 times the products.
pub(super) fn bounds(
    own: (f32, f32),
    others: (&[f32], &[f32]),
    products: &[f32],
    lower: &mut [f32],
    upper: &mut [f32],
) {
    struct Loop<'a>((f32, f32), (&'a [f32], &'a [f32]), &'a [f32], (&'a mut [f32], &'a mut [f32]));
    impl WithSimd for Loop<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            let Self((a, w), others, products, (lower, upper)) = self;
            let others = others.0.iter().zip(others.1);
            for (((a_j, w_j), p), (lower, upper)) in
                others.zip(products).zip(lower.iter_mut().zip(upper))
            {
                *lower = a + a_j + p;
                *upper = *lower + w + w_j;
            }
        }
    }
    Arch::new().dispatch(Loop(own, others, products, (lower, upper)));
}

/// Entries with an upper bound below `surely`, and others with a lower bound not above `never`.
pub(super) fn count(lower: &[f32], upper: &[f32], surely: f32, never: f32) -> (u32, u32) {
    struct Loop<'a>(&'a [f32], &'a [f32], f32, f32);
    impl WithSimd for Loop<'_> {
        type Output = (u32, u32);
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> (u32, u32) {
            let Self(lower, upper, surely, never) = self;
            let (mut below, mut maybe) = (0, 0);
            for (lower, upper) in lower.iter().zip(upper) {
                let is_below = *upper < surely;
                below += u32::from(is_below);
                maybe += u32::from(!is_below & (*lower <= never));
            }
            (below, maybe)
        }
    }
    Arch::new().dispatch(Loop(lower, upper, surely, never))
}
