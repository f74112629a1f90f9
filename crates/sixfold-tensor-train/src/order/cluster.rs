//! Groups of like rows, nested as the digits of rows are.

use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use rayon::prelude::*;
use sixfold_linalg::{
    Eigh, LinearOperator, Threads, TruncatedSvdConfig, eigh, gram_with, matmul_with,
    truncated_svd_of,
};

use crate::decompose::{Table, scan};
use crate::{Result, TtShape};

/// The most principal directions in which rows of a group are told apart.
const DIRECTIONS: usize = 32;

/// The most times that halves are drawn anew.
const ROUNDS: usize = 10;

/// Rows of a task that reads a table.
const ROWS: usize = 1024;

/// The ids of a table in an order in which like rows share digits.
pub(super) fn cluster(table: &dyn Table, row_factors: &[usize]) -> Result<Vec<u32>> {
    let (vocab, _) = table.dim();
    // Checks the factors; those of columns play no part.
    let shape = TtShape::train(vocab, row_factors, vec![1; row_factors.len()], 1)?;
    scan(table)?;
    let _span = tracing::info_span!("cluster", vocab).entered();
    let mut ids: Vec<u32> = (0..vocab as u32).collect();
    let mut size = shape.padded_vocab();
    for factor in &row_factors[..row_factors.len() - 1] {
        let each = size / factor;
        let split = |group: &mut [u32]| split(table, group, each);
        ids.par_chunks_mut(size).try_for_each(split)?;
        size = each;
    }
    Ok(ids)
}

/// Orders a group so that each `size` ids that follow one another are alike.
fn split(table: &dyn Table, group: &mut [u32], size: usize) -> Result<()> {
    let parts = group.len().div_ceil(size);
    if parts <= 1 {
        return Ok(());
    }
    let places = places(table, group, (parts - 1).min(DIRECTIONS))?;
    let mut order: Vec<u32> = (0..group.len() as u32).collect();
    halve(places.view(), &mut order, size)?;
    let ids: Vec<u32> = order.iter().map(|at| group[*at as usize]).collect();
    group.copy_from_slice(&ids);
    Ok(())
}

/// Coordinates of rows along their leading principal directions, `[rows, directions]`.
fn places(table: &dyn Table, ids: &[u32], directions: usize) -> Result<Array2<f32>> {
    let rows = Rows::new(table, ids);
    let directions = directions.min(table.dim().1).min(ids.len());
    let config = TruncatedSvdConfig { power_iterations: 2, ..TruncatedSvdConfig::default() };
    let found = truncated_svd_of(&rows, directions, &config)?;
    Ok(found.u * found.s)
}

/// Splits at a multiple of `size` near the middle, then both halves alike.
fn halve(places: ArrayView2<'_, f32>, order: &mut [u32], size: usize) -> Result<()> {
    let parts = order.len().div_ceil(size);
    if parts <= 1 {
        return Ok(());
    }
    let middle = parts / 2 * size;
    let mut direction = principal(places, order)?;
    for _ in 0..ROUNDS {
        let before: f32 = means(places, order, middle).dot(&direction);
        sort(places, order, middle, &direction);
        let between = means(places, order, middle);
        let settled = (between.dot(&direction) - before).abs() <= f32::EPSILON * before.abs();
        if settled {
            break;
        }
        direction = between;
    }
    let (left, right) = order.split_at_mut(middle);
    let (left, right) = rayon::join(|| halve(places, left, size), || halve(places, right, size));
    left.and(right)
}

/// Moves those that are farthest along a direction to the front.
fn sort(places: ArrayView2<'_, f32>, order: &mut [u32], middle: usize, direction: &Array1<f32>) {
    let mut along: Vec<(f32, u32)> =
        order.iter().map(|at| (places.row(*at as usize).dot(direction), *at)).collect();
    along.select_nth_unstable_by(middle, |a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    // Within a half, in an order that depends on no algorithm.
    let (left, right) = along.split_at_mut(middle);
    for half in [left, right] {
        half.sort_unstable_by_key(|(_, at)| *at);
    }
    order.iter_mut().zip(along).for_each(|(to, (_, at))| *to = at);
}

/// The mean of the first half less that of the second.
fn means(places: ArrayView2<'_, f32>, order: &[u32], middle: usize) -> Array1<f32> {
    let mean = |half: &[u32]| {
        let mut sum = Array1::<f32>::zeros(places.ncols());
        half.iter().for_each(|at| sum += &places.row(*at as usize));
        sum / half.len() as f32
    };
    mean(&order[..middle]) - mean(&order[middle..])
}

/// The direction in which a part varies most.
fn principal(places: ArrayView2<'_, f32>, order: &[u32]) -> Result<Array1<f32>> {
    let indices: Vec<usize> = order.iter().map(|at| *at as usize).collect();
    let mut rows = places.select(Axis(0), &indices);
    if let Some(mean) = rows.mean_axis(Axis(0)) {
        rows -= &mean;
    }
    let Eigh { vectors, .. } = eigh(gram_with(rows.view(), Threads::ONE).view())?;
    Ok(vectors.column(0).to_owned())
}

/// Rows of a table less their mean, by their products.
struct Rows<'a> {
    table: &'a dyn Table,
    ids: &'a [u32],
    mean: Vec<f32>,
}

impl<'a> Rows<'a> {
    fn new(table: &'a dyn Table, ids: &'a [u32]) -> Self {
        let d = table.dim().1;
        let sum_of = |ids: &[u32]| {
            let (mut scratch, mut sum) = (vec![0.0; d], vec![0.0_f64; d]);
            for id in ids {
                let row = table.read_row(*id as usize, &mut scratch);
                sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x));
            }
            sum
        };
        let sums: Vec<Vec<f64>> = ids.par_chunks(ROWS).map(sum_of).collect();
        let mean = |j: usize| {
            let sum: f64 = sums.iter().map(|sum| sum[j]).sum();
            (sum / ids.len() as f64) as f32
        };
        Self { table, ids, mean: (0..d).map(mean).collect() }
    }

    /// What `f` makes of each block of rows and of its place.
    fn map<R: Send>(&self, f: impl Fn(usize, ArrayView2<'_, f32>) -> R + Sync) -> Vec<R> {
        let d = self.mean.len();
        let blocks = self.ids.par_chunks(ROWS).enumerate();
        let read = |(at, ids): (usize, &[u32])| {
            let mut scratch = vec![0.0; d];
            let mut rows = Vec::with_capacity(ids.len() * d);
            for id in ids {
                let row = self.table.read_row(*id as usize, &mut scratch);
                rows.extend(row.iter().zip(&self.mean).map(|(x, mean)| x - mean));
            }
            f(at * ROWS, ArrayView2::from_shape((ids.len(), d), &rows).expect("whole rows"))
        };
        blocks.map(read).collect()
    }
}

impl LinearOperator<f32> for Rows<'_> {
    fn shape(&self) -> [usize; 2] {
        [self.ids.len(), self.mean.len()]
    }

    fn apply(&self, x: ArrayView2<'_, f32>) -> Array2<f32> {
        let mut product = Array2::zeros((self.ids.len(), x.ncols()));
        let blocks = self.map(|_, rows| matmul_with(rows, x, Threads::ONE));
        let to = product.axis_chunks_iter_mut(Axis(0), ROWS);
        to.zip(blocks).for_each(|(mut to, block)| to.assign(&block));
        product
    }

    fn apply_transpose(&self, x: ArrayView2<'_, f32>) -> Array2<f32> {
        let mut sum = Array2::zeros((self.mean.len(), x.ncols()));
        let blocks = self.map(|start, rows| {
            matmul_with(rows.t(), x.slice(s![start..start + rows.nrows(), ..]), Threads::ONE)
        });
        blocks.iter().for_each(|block| sum += block);
        sum
    }
}
