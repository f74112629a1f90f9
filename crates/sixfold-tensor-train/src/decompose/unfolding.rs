//! Unfoldings as they are read: blocks of columns of a matrix whose rows are one end of the train.

use ndarray::{ArrayView2, Axis};
use rayon::prelude::*;
use sixfold_linalg::{Real, Threads, matmul_with};

use super::carry::Carry;
use super::table::Table;

/// Columns of a block: so many that products run at full rate, so few that a block stays in the cache.
pub(super) const BLOCK: usize = 2048;

/// Columns of a task of a projection, about.
const STRIP: usize = 256;

/// The end of the train whose core is split off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    First,
    Last,
}

/// A matrix `[side, width]` that is read in blocks of columns.
pub(super) trait Unfolding: Sync {
    fn side(&self) -> usize;

    fn width(&self) -> usize;

    /// Calls `f` with each block, `[side, n]`, and its first column.
    fn blocks<T: Real>(&self, f: impl FnMut(usize, ArrayView2<'_, T>));

    /// What is left in an orthonormal basis `[side, r]` of the rows.
    fn project<T: Real>(&self, basis: ArrayView2<'_, T>) -> Carry;
}

/// An unfolding of a table at its first or its last bond. Columns stand in the order of the table: digits
/// of rows, then digits of columns.
pub(super) struct TableUnfolding<'a> {
    pub(super) table: &'a dyn Table,
    pub(super) rows: &'a [usize],
    pub(super) columns: &'a [usize],
    pub(super) end: End,
    /// Multiplies all values: a power of two.
    pub(super) scale: f32,
}

impl TableUnfolding<'_> {
    /// I and J of the core that is split off.
    fn of_core(&self) -> [usize; 2] {
        let k = if self.end == End::First { 0 } else { self.rows.len() - 1 };
        [self.rows[k], self.columns[k]]
    }

    /// The factors of the other cores.
    fn others(&self) -> [&[usize]; 2] {
        let others = match self.end {
            End::First => 1..self.rows.len(),
            End::Last => 0..self.rows.len() - 1,
        };
        [&self.rows[others.clone()], &self.columns[others]]
    }

    /// Where column (i, j) goes when digits of rows and columns take turns: the sum of a part for i and
    /// one for j.
    fn interleaved(&self) -> [Vec<usize>; 2] {
        let [rows, columns] = self.others();
        let mut stride = 1;
        let (mut of_rows, mut of_columns) = (vec![0], vec![0]);
        for (rows, columns) in rows.iter().zip(columns).rev() {
            let extend = |digits: usize, step: usize, places: &[usize]| -> Vec<usize> {
                (0..digits).flat_map(|i| places.iter().map(move |at| i * step + at)).collect()
            };
            of_columns = extend(*columns, stride, &of_columns);
            of_rows = extend(*rows, stride * columns, &of_rows);
            stride *= rows * columns;
        }
        [of_rows, of_columns]
    }

    /// Reads the rows of `count` digits from `start` on into `block`: `[side, count·J]` at the first end,
    /// `[count·J, side]` at the last, where J is of the other columns.
    fn read<T: Real>(&self, start: usize, count: usize, block: &mut [T]) {
        let [i, j] = self.of_core();
        let [rows, columns] = self.others().map(|factors| factors.iter().product::<usize>());
        let (vocab, d) = self.table.dim();
        let copy = |to: &mut [T], from: &[f32]| {
            to.iter_mut().zip(from).for_each(|(to, x)| *to = T::narrow((x * self.scale).widen()));
        };
        let tasks = block.par_chunks_mut(match self.end {
            End::First => j * count * columns,
            End::Last => columns * i * j,
        });
        tasks.enumerate().for_each(|(at, task)| {
            let mut scratch = vec![0.0; d];
            match self.end {
                End::First => {
                    for u in 0..count {
                        let id = at * rows + start + u;
                        let row = (id < vocab).then(|| self.table.read_row(id, &mut scratch));
                        for (j, to) in task.chunks_exact_mut(count * columns).enumerate() {
                            let to = &mut to[u * columns..][..columns];
                            match row {
                                Some(row) => copy(to, &row[j * columns..]),
                                None => to.fill(T::zero()),
                            }
                        }
                    }
                }
                End::Last => {
                    for digit in 0..i {
                        let id = (start + at) * i + digit;
                        let row = (id < vocab).then(|| self.table.read_row(id, &mut scratch));
                        for (u, to) in task.chunks_exact_mut(i * j).enumerate() {
                            let to = &mut to[digit * j..][..j];
                            match row {
                                Some(row) => copy(to, &row[u * j..]),
                                None => to.fill(T::zero()),
                            }
                        }
                    }
                }
            }
        });
    }
}

impl Unfolding for TableUnfolding<'_> {
    fn side(&self) -> usize {
        self.of_core().iter().product()
    }

    fn width(&self) -> usize {
        self.others().concat().iter().product()
    }

    fn blocks<T: Real>(&self, mut f: impl FnMut(usize, ArrayView2<'_, T>)) {
        let [rows, columns] = self.others().map(|factors| factors.iter().product::<usize>());
        let (side, each) = (self.side(), BLOCK.div_ceil(columns).min(rows));
        let mut buffer = vec![T::zero(); side * each * columns];
        for start in (0..rows).step_by(each) {
            let count = each.min(rows - start);
            let block = &mut buffer[..side * count * columns];
            self.read(start, count, block);
            f(start * columns, view(block, side, self.end));
        }
    }

    fn project<T: Real>(&self, basis: ArrayView2<'_, T>) -> Carry {
        let (rank, width) = (basis.ncols(), self.width());
        let [of_rows, of_columns] = self.interleaved();
        let columns = of_columns.len();
        // Neighbours in both orders: the digits of the last column factor.
        let run = *self.others()[1].last().expect("a shape has two cores or more");
        let mut carry = Carry::zeros(rank * width);
        self.blocks(|start, block| {
            let start = start / columns;
            let rows_each = STRIP.div_ceil(columns);
            let strips = products(block, basis, self.end, rows_each * columns);
            match self.end {
                End::First => {
                    let by_rank = carry.values.par_chunks_mut(width).enumerate();
                    by_rank.for_each(|(a, to)| {
                        for (at, strip) in strips.iter().enumerate() {
                            let values = strip.row(a).to_slice().expect("a product has rows");
                            let of_rows = &of_rows[start + at * rows_each..];
                            for (i, values) in of_rows.iter().zip(values.chunks_exact(columns)) {
                                let runs = of_columns.iter().step_by(run);
                                for (j, values) in runs.zip(values.chunks_exact(run)) {
                                    narrow(&mut to[i + j..][..run], values);
                                }
                            }
                        }
                    });
                }
                End::Last => {
                    for (at, strip) in strips.iter().enumerate() {
                        let of_rows = &of_rows[start + at * rows_each..];
                        for (u, values) in strip.rows().into_iter().enumerate() {
                            let to = (of_rows[u / columns] + of_columns[u % columns]) * rank;
                            let values = values.to_slice().expect("a product has rows");
                            narrow(&mut carry.values[to..][..rank], values);
                        }
                    }
                }
            }
        });
        carry
    }
}

/// A block as `[side, n]`.
pub(super) fn view<T>(block: &[T], side: usize, end: End) -> ArrayView2<'_, T> {
    const FITS: &str = "blocks are whole";
    let n = block.len() / side;
    match end {
        End::First => ArrayView2::from_shape((side, n), block).expect(FITS),
        End::Last => ArrayView2::from_shape((n, side), block).expect(FITS).reversed_axes(),
    }
}

/// Products with the basis of strips of `each` columns: `[r, each]` at the first end, `[each, r]` at the
/// last. Each is computed by one thread, so that their number changes no bit.
pub(super) fn products<T: Real>(
    block: ArrayView2<'_, T>,
    basis: ArrayView2<'_, T>,
    end: End,
    each: usize,
) -> Vec<ndarray::Array2<T>> {
    let strips: Vec<_> = block.axis_chunks_iter(Axis(1), each).collect();
    let product = |strip: ArrayView2<'_, T>| match end {
        End::First => matmul_with(basis.t(), strip, Threads::ONE),
        End::Last => matmul_with(strip.t(), basis, Threads::ONE),
    };
    strips.into_par_iter().map(product).collect()
}

pub(super) fn narrow<T: Real>(to: &mut [f32], from: &[T]) {
    to.iter_mut().zip(from).for_each(|(to, x)| *to = x.widen() as f32);
}
