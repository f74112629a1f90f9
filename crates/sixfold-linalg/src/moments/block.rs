//! A block of rows, centred about its own mean and scaled by columns, and its products.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, ArrayViewMut1, ArrayViewMut2, Axis, s};
use rayon::prelude::*;

use super::side::Step;
use crate::kernel::gemm_into;
use crate::product::{Threads, gram_upper};
use crate::scale::power_of_two;
use crate::simd::{columns_of_a_task, simd};
use crate::{Real, Result, ensure_finite};

/// Rows of a block of `d` columns: enough for the products to run near their peak and for adding
/// d² of them in f64 to cost little beside, few enough for f32 sums to keep five digits.
pub(super) fn rows_of_a_block(d: usize) -> usize {
    if d < 2048 { 1024 } else { 2048 }
}

/// Rows that every pass but the last goes over while they are in the second-level cache.
const GROUP: usize = 128;

/// Below this many products the bookkeeping of threads costs more than it gains.
const PARALLEL: usize = 1 << 16;

/// Rows z = (x − centre)/scale in the type of the input.
#[derive(Debug)]
pub(super) struct Block<T> {
    z: Array2<T>,
    rows: usize,
    centre: Array1<T>,
    /// A power of two at or below the largest magnitude of each column, so that no square of an
    /// f32 leaves its range, whatever the reference.
    pub(super) scale: Array1<f64>,
    /// Σ (x − centre): what rounding the mean to the type of the input left over.
    pub(super) residual: Array1<f64>,
}

impl<T: Real> Block<T> {
    /// Centres and scales rows into `z`, which has at least as many rows. Before they are read
    /// here, `also` gets them, in groups that stay in the cache.
    ///
    /// # Errors
    /// [`Error::NotFinite`](crate::Error::NotFinite), naming `what`, and those of `also`.
    pub(super) fn new(
        what: &'static str,
        x: ArrayView2<'_, T>,
        mut z: Array2<T>,
        mut also: impl FnMut(ArrayView2<'_, T>) -> Result<()>,
    ) -> Result<Self> {
        let (rows, d) = x.dim();
        let x = x.as_standard_layout();
        let width = columns_of_a_task(rows, d);
        let (centre, scale) = centre_and_scale(what, x.view(), &mut also)?;
        // Summed anew: n·centre would bring back the rounding of a sum far from zero.
        let mut residual = vec![0.0_f64; d];
        let mut into = z.slice_mut(s![..rows, ..]);
        let into: Vec<_> = into.axis_chunks_iter_mut(Axis(1), width).collect();
        into.into_par_iter().zip(residual.par_chunks_mut(width)).enumerate().for_each(
            |(task, (z, residual))| {
                let columns = s![task * width..task * width + residual.len()];
                let x = x.slice(s![.., task * width..task * width + residual.len()]);
                let (centre, scale) = (centre.slice(columns), scale.slice(columns));
                simd(
                    #[inline(always)]
                    || centre_rows(x, z, centre, scale, residual),
                );
            },
        );
        Ok(Self { z, rows, centre, scale, residual: residual.into() })
    }

    /// As [`new`](Self::new), in the place of the rows.
    pub(super) fn in_place(what: &'static str, mut z: Array2<T>) -> Result<Self> {
        let (rows, d) = z.dim();
        let width = columns_of_a_task(rows, d);
        let (centre, scale) = centre_and_scale(what, z.view(), &mut |_| Ok(()))?;
        let mut residual = vec![0.0_f64; d];
        let into: Vec<_> = z.axis_chunks_iter_mut(Axis(1), width).collect();
        into.into_par_iter().zip(residual.par_chunks_mut(width)).enumerate().for_each(
            |(task, (z, residual))| {
                let columns = s![task * width..task * width + residual.len()];
                let (centre, scale) = (centre.slice(columns), scale.slice(columns));
                simd(
                    #[inline(always)]
                    || centre_rows_in_place(z, centre, scale, residual),
                );
            },
        );
        Ok(Self { z, rows, centre, scale, residual: residual.into() })
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows as u64
    }

    /// The memory of the rows, for others.
    pub(super) fn into_rows(self) -> Array2<T> {
        self.z
    }

    /// The point about which the rows are centred: their mean, rounded.
    pub(super) fn centre(&self) -> Array1<f64> {
        self.centre.mapv(T::widen)
    }

    /// Standard deviation of each column, in the units of x.
    pub(super) fn deviation(&self) -> Array1<f64> {
        let mut squares = Array1::<f64>::zeros(self.scale.len());
        for row in self.view().rows() {
            squares.zip_mut_with(&row, |sum, z| *sum += z.widen() * z.widen());
        }
        (squares / self.rows as f64).mapv(f64::sqrt) * &self.scale
    }

    fn view(&self) -> ArrayView2<'_, T> {
        self.z.slice(s![..self.rows, ..])
    }
}

/// Mean, rounded, and a power of two at or below the largest magnitude, of each column.
fn centre_and_scale<T: Real>(
    what: &'static str,
    x: ArrayView2<'_, T>,
    also: &mut impl FnMut(ArrayView2<'_, T>) -> Result<()>,
) -> Result<(Array1<T>, Array1<f64>)> {
    let (rows, d) = x.dim();
    let width = columns_of_a_task(rows, d);
    let (mut sum, mut max) = (vec![0.0_f64; d], vec![T::zero(); d]);
    let group = if width < d { rows } else { GROUP };
    for group in x.axis_chunks_iter(Axis(0), group) {
        also(group)?;
        let into = sum.par_chunks_mut(width).zip(max.par_chunks_mut(width)).enumerate();
        into.for_each(|(task, (sum, max))| {
            let from = task * width;
            let columns = group.slice(s![.., from..from + sum.len()]);
            simd(
                #[inline(always)]
                || add_rows(columns, sum, max),
            );
        });
    }
    // A sum of finite f32 is finite in f64; one of f64 may overflow.
    if !sum.iter().all(|sum| sum.is_finite()) {
        ensure_finite(what, x)?;
    }
    let exponent = T::MAX_SCALE_EXPONENT;
    let scale = max.iter().map(|m| power_of_two(m.widen(), exponent)).collect();
    let centre = sum.iter().map(|s| T::narrow(s / rows as f64)).collect();
    Ok((centre, scale))
}

/// Adds rows to the sums of their columns, and their magnitudes to the maxima.
#[inline(always)]
fn add_rows<T: Real>(x: ArrayView2<'_, T>, sum: &mut [f64], max: &mut [T]) {
    let larger = |a: T, b: T| if b.abs() > a { b.abs() } else { a };
    let rows: Vec<&[T]> =
        x.rows().into_iter().map(|row| row.to_slice().unwrap_or_default()).collect();
    // Four rows at a time: the sums are loaded and stored a quarter as often.
    let (fours, rest) = rows.as_chunks::<4>();
    for [p, q, r, s] in fours {
        let sums = sum.iter_mut().zip(&mut *max);
        for (((((sum, max), &p), &q), &r), &s) in sums.zip(*p).zip(*q).zip(*r).zip(*s) {
            *sum += (p.widen() + q.widen()) + (r.widen() + s.widen());
            *max = larger(larger(larger(larger(*max, p), q), r), s);
        }
    }
    for row in rest {
        for ((sum, max), &x) in sum.iter_mut().zip(&mut *max).zip(*row) {
            *sum += x.widen();
            *max = larger(*max, x);
        }
    }
}

/// z = (x − centre)/scale, and residual = Σ (x − centre).
#[inline(always)]
fn centre_rows<T: Real>(
    x: ArrayView2<'_, T>,
    mut z: ArrayViewMut2<'_, T>,
    centre: ArrayView1<'_, T>,
    scale: ArrayView1<'_, f64>,
    residual: &mut [f64],
) {
    let factor: Vec<T> = scale.iter().map(|s| T::narrow(1.0 / s)).collect();
    let centre = centre.to_slice().unwrap_or_default();
    for (mut z, x) in z.rows_mut().into_iter().zip(x.rows()) {
        let z = z.as_slice_mut().unwrap_or_default();
        let columns = centre.iter().zip(&factor).zip(&mut *residual);
        let values = z.iter_mut().zip(x.to_slice().unwrap_or_default());
        for ((z, x), ((centre, factor), residual)) in values.zip(columns) {
            *z = (*x - *centre) * *factor;
            *residual += x.widen() - centre.widen();
        }
    }
}

/// [`centre_rows`] where z and x are one.
#[inline(always)]
fn centre_rows_in_place<T: Real>(
    mut z: ArrayViewMut2<'_, T>,
    centre: ArrayView1<'_, T>,
    scale: ArrayView1<'_, f64>,
    residual: &mut [f64],
) {
    let factor: Vec<T> = scale.iter().map(|s| T::narrow(1.0 / s)).collect();
    let centre = centre.to_slice().unwrap_or_default();
    for mut z in z.rows_mut() {
        let columns = centre.iter().zip(&factor).zip(&mut *residual);
        for (z, ((centre, factor), residual)) in
            z.as_slice_mut().unwrap_or_default().iter_mut().zip(columns)
        {
            *residual += z.widen() - centre.widen();
            *z = (*z - *centre) * *factor;
        }
    }
}

/// Room for a block and its products, kept from one block to the next.
#[derive(Debug)]
pub(super) struct Buffers<T> {
    z: Option<Array2<T>>,
    products: Array2<T>,
    d: usize,
}

impl<T: Real> Buffers<T> {
    pub(super) fn new(d: usize) -> Self {
        Self { z: None, products: Array2::zeros((0, 0)), d }
    }

    /// Room for the rows of the next block of a matrix of `rows` rows.
    pub(super) fn take(&mut self, rows: usize) -> Array2<T> {
        self.z.take().unwrap_or_else(|| Array2::zeros((rows_of_a_block(self.d).min(rows), self.d)))
    }

    pub(super) fn give_back(&mut self, block: Block<T>) {
        self.z = Some(block.z);
    }

    /// At least the upper triangle of ZᵀZ.
    pub(super) fn gram(&mut self, block: &Block<T>) -> ArrayView2<'_, T> {
        let d = block.scale.len();
        self.room(d, d);
        if block.rows > 1 {
            gram_upper(block.view(), self.products.view_mut(), Threads::Pool);
        } else {
            self.products.fill(T::zero());
        }
        self.products.view()
    }

    /// The cross products ZxᵀZy.
    pub(super) fn cross(&mut self, x: &Block<T>, y: &Block<T>) -> ArrayView2<'_, T> {
        self.room(x.scale.len(), y.scale.len());
        let products = self.products.view_mut();
        let (zero, one) = (T::zero(), T::one());
        gemm_into(products, zero, x.view().reversed_axes(), y.view(), one, Threads::Pool);
        self.products.view()
    }

    fn room(&mut self, rows: usize, cols: usize) {
        if self.products.dim() != (rows, cols) {
            self.products = Array2::zeros((rows, cols));
        }
    }
}

/// state += centred products of new rows + the products of the move of the means; only on and
/// above the diagonal where `upper`.
pub(super) fn add_products<T: Real>(
    state: &mut Array2<f64>,
    products: ArrayView2<'_, T>,
    x: &Step,
    y: &Step,
    upper: bool,
) {
    let (rows, cols) = state.dim();
    let (ratio, sum, delta) = (as_slice(&y.ratio), as_slice(&y.sum), as_slice(&y.delta));
    let products = products.as_standard_layout();
    let add_row = |(i, mut row): (usize, ArrayViewMut1<'_, f64>)| {
        let from = if upper { i } else { 0 };
        let (r, u, w) = (x.ratio[i], x.sum[i] / x.rows, x.delta[i] * x.weight);
        let products = products.row(i).to_slice().unwrap_or_default();
        let terms = ratio[from..].iter().zip(&sum[from..]).zip(&delta[from..]);
        let row = row.as_slice_mut().unwrap_or_default()[from..].iter_mut();
        simd(
            #[inline(always)]
            || {
                for ((state, p), ((ratio, sum), delta)) in row.zip(&products[from..]).zip(terms) {
                    *state += p.widen() * (r * ratio) - u * sum + w * delta;
                }
            },
        );
    };
    let state = state.rows_mut().into_iter().enumerate();
    if rows * cols < PARALLEL || rayon::current_num_threads() == 1 {
        state.for_each(add_row);
    } else {
        state.collect::<Vec<_>>().into_par_iter().for_each(add_row);
    }
}

/// Arrays made in this module are contiguous.
fn as_slice(a: &Array1<f64>) -> &[f64] {
    a.as_slice().unwrap_or_default()
}
