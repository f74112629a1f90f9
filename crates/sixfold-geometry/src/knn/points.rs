//! The rows as the products see them, and the exact distance of two of them.

use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut2, s};
use sixfold_linalg::Real;
use sixfold_linalg::simd::folded;

use super::bound::{Arithmetic, Bound};
use super::lanes::{LANES, largest, pack, square_distance, squares};

/// Rows that centre and spread are judged by.
const SAMPLE: usize = 256;

/// Points with bounds of their squared norms.
pub(super) struct Points<'a, T> {
    x: ArrayView2<'a, T>,
    /// The rows themselves, where the products can read them.
    single: Option<ArrayView2<'a, f32>>,
    /// The centre times `scale`.
    centre: Vec<f64>,
    /// A power of two. All squared distances of this module are in units of (scale·x)².
    scale: f64,
    /// a of the lower bound, a point.
    pub(super) lower: Vec<f32>,
    /// w of the upper bound, a point.
    pub(super) slack: Vec<f32>,
}

impl<'a, T: Real> Points<'a, T> {
    /// Of finite rows.
    pub(super) fn new(x: ArrayView2<'a, T>) -> Self {
        Self::multiplied_in(x, Arithmetic::HOST)
    }

    /// Of finite rows whose products are made elsewhere too.
    pub(super) fn multiplied_in(x: ArrayView2<'a, T>, arithmetic: Arithmetic) -> Self {
        let (n, d) = x.dim();
        let max = x
            .rows()
            .into_iter()
            .fold(T::zero(), |max, row| match row.as_slice() {
                Some(row) => largest(max, row),
                None => row.iter().fold(max, |max, x| max.max(x.abs())),
            })
            .widen();
        let usual = max == 0.0 || (1e-3..1e12).contains(&max);
        let scale = if usual { 1.0 } else { power_of_two_above(max).recip() };
        let (centre, shrinks) = centre(x, scale);
        let in_place = T::single(x).filter(|_| usual && x.strides()[1] == 1 && shrinks > 0.25);
        let centre = match (&in_place, shrinks < 1.0) {
            (None, true) => centre,
            _ => vec![0.0; d],
        };
        let bound = Bound::new(d, in_place.is_none(), arithmetic);
        let mut points =
            Self { x, single: in_place, centre, scale, lower: Vec::new(), slack: Vec::new() };
        points.lower.reserve_exact(n);
        points.slack.reserve_exact(n);
        let mut row = vec![0.0_f32; d];
        for i in 0..n {
            points.pack_row(i, &mut row);
            let norm = squares(&row);
            points.lower.push(bound.lower(norm));
            points.slack.push(bound.slack(norm));
        }
        points
    }

    pub(super) fn n(&self) -> usize {
        self.x.nrows()
    }

    pub(super) fn d(&self) -> usize {
        self.x.ncols()
    }

    /// Whether the products read a packed copy of each block.
    pub(super) fn packs(&self) -> bool {
        self.single.is_none()
    }

    /// A squared distance in the units of this module as a distance in those of the points.
    pub(super) fn distance_of(&self, square: f64) -> f64 {
        square.sqrt() / self.scale
    }

    /// A distance between points as a squared one in the units of this module.
    pub(super) fn square_of(&self, distance: f64) -> f64 {
        (distance * self.scale).powi(2)
    }

    /// Rows for the product; `room` takes those that have to be packed.
    pub(super) fn block<'b>(
        &'b self,
        rows: Range<usize>,
        room: &'b mut [f32],
    ) -> ArrayView2<'b, f32> {
        if let Some(single) = &self.single {
            return single.slice(s![rows, ..]);
        }
        self.gather(rows, room)
    }

    /// Any rows, one below the other in `room`.
    pub(super) fn gather<'b>(
        &self,
        rows: impl ExactSizeIterator<Item = usize>,
        room: &'b mut [f32],
    ) -> ArrayView2<'b, f32> {
        let (n, d) = (rows.len(), self.d());
        let room = &mut room[..n * d];
        if d > 0 {
            for (i, row) in rows.zip(room.chunks_exact_mut(d)) {
                self.pack_row(i, row);
            }
        }
        matrix(room, n, d)
    }

    fn pack_row(&self, i: usize, row: &mut [f32]) {
        if let Some(single) = &self.single {
            return single.row(i).into_iter().zip(row).for_each(|(x, p)| *p = *x);
        }
        let (from, scale) = (self.x.row(i), self.scale);
        match from.as_slice() {
            Some(from) => pack(from, scale, &self.centre, row),
            None => {
                for ((p, x), c) in row.iter_mut().zip(from).zip(&self.centre) {
                    *p = (x.widen() * scale - c) as f32;
                }
            }
        }
    }

    /// The exact squared distance: in f64 from the rows as they were given.
    pub(super) fn exact(&self, i: usize, j: usize) -> f64 {
        let (a, b, scale) = (self.x.row(i), self.x.row(j), self.scale);
        match (a.as_slice(), b.as_slice()) {
            (Some(a), Some(b)) => square_distance(a, b, scale),
            _ => {
                let mut lanes = [0.0_f64; LANES];
                for (at, (a, b)) in a.into_iter().zip(b).enumerate() {
                    let step = a.widen() * scale - b.widen() * scale;
                    lanes[at % LANES] += step * step;
                }
                folded(lanes)
            }
        }
    }
}

/// A view of the first `rows·cols` values.
pub(super) fn matrix(values: &[f32], rows: usize, cols: usize) -> ArrayView2<'_, f32> {
    ArrayView2::from_shape((rows, cols), &values[..rows * cols]).expect("a value an entry")
}

/// As [`matrix`], for writing.
pub(super) fn matrix_mut(values: &mut [f32], rows: usize, cols: usize) -> ArrayViewMut2<'_, f32> {
    ArrayViewMut2::from_shape((rows, cols), &mut values[..rows * cols]).expect("a value an entry")
}

/// A power of two above `max`, in the range of normal numbers together with its inverse.
fn power_of_two_above(max: f64) -> f64 {
    2.0_f64.powi((max.log2().floor() as i32 + 1).clamp(-1000, 1000))
}

/// The mean of the usual rows of a sample, scaled, and the factor by which the shift changes the
/// median of their squared norms.
///
/// Rows of a norm far above the median (attention sinks) would draw the mean away from all others,
/// so they have no say.
fn centre<T: Real>(x: ArrayView2<'_, T>, scale: f64) -> (Vec<f64>, f64) {
    let (n, d) = x.dim();
    let sample: Vec<usize> = (0..n.min(SAMPLE)).map(|i| i * n / n.min(SAMPLE)).collect();
    let norm = |i: usize, centre: &[f64]| -> f64 {
        x.row(i).iter().zip(centre).map(|(x, c)| (x.widen() * scale - c).powi(2)).sum()
    };
    let median = |mut norms: Vec<f64>| {
        let middle = norms.len() / 2;
        *norms.select_nth_unstable_by(middle, f64::total_cmp).1
    };
    let mut centre = vec![0.0; d];
    let norms: Vec<f64> = sample.iter().map(|&i| norm(i, &centre)).collect();
    let before = median(norms.clone());
    let usual = || sample.iter().zip(&norms).filter(|(_, norm)| **norm <= 4.0 * before);
    let count = usual().count() as f64;
    for (&i, _) in usual() {
        for (c, x) in centre.iter_mut().zip(x.row(i)) {
            *c += x.widen() * scale / count;
        }
    }
    let after = median(sample.iter().map(|&i| norm(i, &centre)).collect());
    (centre, if before > 0.0 { after / before } else { 1.0 })
}
