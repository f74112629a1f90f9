//! Neighbours of points on a device: it finds candidates, the host proves them.

use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;
use sixfold_linalg::Real;

use super::bound::{Arithmetic, up};
use super::candidates::{Entry, Nearest, settle};
use super::points::Points;
use super::{KnnConfig, Neighbours, Work, checked, second};
use crate::Result;

/// Rows and columns of a tile on the device.
const ROWS: usize = 1024;
const COLUMNS: usize = 8192;

/// Values of the sample that the number of candidates is derived from.
const SAMPLE: usize = 1 << 22;

/// Devices choose the largest few of a row; for more than this the second pass is cheaper.
const MOST: usize = 128;

/// More coordinates than this are left to the host: sums without slabs have no useful bound.
const DEEPEST: usize = 1 << 19;

/// The `k` nearest neighbours of each row of a tensor, exact in f64, with products on its device.
///
/// The device multiplies blocks of rows and keeps, for each point, the smallest lower bounds of
/// its squared distances. The host measures these candidates in f64 from the rows as they are, and
/// compares a point with all others where the bounds leave anything open. So the table is that of
/// [`neighbours`](super::neighbours), bit for bit, also where products run in TF32: only the number
/// of candidates grows with the error, and it is derived from a sample of rows.
///
/// On `flex`, `ndarray` and wgpu the bounds are those of f32, on any other device those of TF32,
/// which a CUDA device may or may not use.
///
/// # Shapes
/// `x` is `[n, d]`.
///
/// # Errors
/// Those of [`neighbours`](super::neighbours).
///
/// # Panics
/// If the device fails to give back what it computed.
///
/// # Complexity
/// 2n²·d operations on the device, n·k·d in f64 on the host, which holds a copy of the rows.
///
/// ```
/// # #[cfg(feature = "flex")] {
/// use burn::tensor::Tensor;
/// let device = sixfold_model::device("flex")?;
/// let x = Tensor::<2>::from_data([[0.0, 0.0], [1.0, 0.0], [0.0, 3.0]], &device);
/// let table = sixfold_geometry::knn::on_device(x, 1)?;
/// assert_eq!(table.indices(), ndarray::array![[1], [0], [0]]);
/// # }
/// # Ok::<(), sixfold_geometry::Error>(())
/// ```
pub fn on_device(x: Tensor<2>, k: usize) -> Result<Neighbours> {
    on_device_and_work(x, k).map(|(table, _)| table)
}

/// [`on_device`], and how it went.
///
/// # Errors
/// Those of [`neighbours`](super::neighbours).
///
/// # Panics
/// If the device fails to give back what it computed.
pub fn on_device_and_work(x: Tensor<2>, k: usize) -> Result<(Neighbours, Work)> {
    let x = x.without_autodiff();
    let shape = x.dims();
    if x.dtype() == DType::F64 {
        let rows = matrix(shape, x.clone().into_data().iter::<f64>().collect());
        let known = arithmetic(&x.device());
        return search(rows.view(), x, k, known, COLUMNS);
    }
    let x = x.cast(DType::F32);
    let rows = matrix(shape, x.clone().into_data().iter::<f32>().collect());
    let known = arithmetic(&x.device());
    search(rows.view(), x, k, known, COLUMNS)
}

fn search<T: Real>(
    rows: ArrayView2<'_, T>,
    x: Tensor<2>,
    k: usize,
    arithmetic: Arithmetic,
    columns: usize,
) -> Result<(Neighbours, Work)> {
    let config = KnnConfig { k, ..KnnConfig::default() };
    if rows.ncols() == 0 || rows.ncols() > DEEPEST {
        return super::neighbours_and_work(rows, &config);
    }
    super::check_k(rows, k)?;
    let points = Points::multiplied_in(rows, arithmetic);
    let n = points.n();
    let scores = Scores::new(&points, x, columns);
    let keep = scores.candidates(&points, k);
    let mut indices = Array2::zeros((n, k));
    let mut squares = Array2::zeros((n, k));
    let mut failed = Vec::new();
    for (block, (mut indices, mut squares)) in indices
        .axis_chunks_iter_mut(Axis(0), ROWS)
        .zip(squares.axis_chunks_iter_mut(Axis(0), ROWS))
        .enumerate()
    {
        let start = block * ROWS;
        let (bounds, ids) = scores.nearest(start, indices.nrows(), keep);
        let out = indices.axis_iter_mut(Axis(0)).into_par_iter();
        let open: Vec<bool> = out
            .zip(squares.axis_iter_mut(Axis(0)))
            .zip(bounds.par_chunks_exact(keep))
            .zip(ids.par_chunks_exact(keep))
            .enumerate()
            .map(|(r, (((mut indices, mut squares), bounds), ids))| {
                let i = start + r;
                let largest = bounds.iter().fold(f32::NEG_INFINITY, |max, l| max.max(*l));
                let cut = if keep < n { largest } else { f32::INFINITY };
                let entries = bounds.iter().zip(ids).map(|(&lower, &j)| (lower, j));
                let mut entries: Vec<Entry> = entries.filter(|(_, j)| *j as usize != i).collect();
                let mut nearest = Nearest::new(k);
                let closed = settle(i, &mut entries, cut, &points, &mut nearest);
                let out = indices.iter_mut().zip(&mut squares);
                for ((index, square), (j, found)) in out.zip(nearest.iter()) {
                    (*index, *square) = (j, found);
                }
                !closed
            })
            .collect();
        failed.extend((start as u32..).zip(open).filter(|(_, open)| *open).map(|(i, _)| i));
    }
    second::search(&points, &config, &failed, &mut indices, &mut squares);
    squares.mapv_inplace(|square| points.distance_of(square));
    let work = Work { symmetric: false, second_pass: failed.len() };
    Ok((checked(Neighbours::new(indices, squares))?, work))
}

/// What is known of the arithmetic of a device.
fn arithmetic(device: &Device) -> Arithmetic {
    let device = device.clone().without_autodiff();
    let is = |name: &&str| sixfold_model::device(name).is_ok_and(|known| known == device);
    if ["flex", "ndarray", "wgpu"].iter().any(is) { Arithmetic::DEVICE } else { Arithmetic::TF32 }
}

/// Lower bounds of squared distances on the device, negative: the largest are the nearest.
struct Scores {
    /// The rows as the products see them.
    rows: Tensor<2>,
    /// a of the lower bound, `[n, 1]`.
    lower: Tensor<2>,
    /// Columns of a tile.
    columns: usize,
}

impl Scores {
    fn new<T: Real>(points: &Points<'_, T>, x: Tensor<2>, columns: usize) -> Self {
        let ([n, d], device) = (x.dims(), x.device());
        let rows = if points.packs() {
            let mut packed = vec![0.0; n * d];
            points.gather(0..n, &mut packed);
            drop(x);
            tensor(packed, [n, d], &device)
        } else {
            x
        };
        let lower = tensor(points.lower.clone(), [n, 1], &device);
        Self { rows, lower, columns }
    }

    fn n(&self) -> usize {
        self.rows.dims()[0]
    }

    /// −L of some rows and consecutive points.
    fn tile(&self, left: &Left, start: usize, columns: usize) -> Tensor<2> {
        let right = self.rows.clone().narrow(0, start, columns).transpose();
        let lower = self.lower.clone().narrow(0, start, columns).transpose();
        left.doubled.clone().matmul(right) - lower - left.lower.clone()
    }

    /// How many candidates a point needs: as many as have a lower bound below the k-th smallest upper
    /// bound, for most rows of a sample, and the point itself.
    fn candidates<T: Real>(&self, points: &Points<'_, T>, k: usize) -> usize {
        let n = self.n();
        let sample = (SAMPLE / n).clamp(4, 64).min(n);
        let at: Vec<i32> = (0..sample).map(|s| (s * n / sample) as i32).collect();
        let device = self.rows.device();
        let chosen = Tensor::<1, Int>::from_data(TensorData::new(at.clone(), [sample]), &device);
        let left = Left {
            doubled: self.rows.clone().select(0, chosen.clone()) * 2.0,
            lower: self.lower.clone().select(0, chosen),
        };
        let scores: Vec<f32> = self.tile(&left, 0, n).into_data().iter::<f32>().collect();
        let mut needed: Vec<usize> = at
            .iter()
            .zip(scores.chunks_exact(n))
            .map(|(&i, scores)| {
                let i = i as usize;
                let bounds = || scores.iter().map(|score| -score).enumerate();
                let others = || bounds().filter(|(j, _)| *j != i);
                let upper = |(j, lower): (usize, f32)| {
                    f64::from(lower) + f64::from(points.slack[i]) + f64::from(points.slack[j])
                };
                let mut uppers: Vec<f64> = others().map(upper).collect();
                let reach = up(*uppers.select_nth_unstable_by(k - 1, f64::total_cmp).1);
                others().filter(|(_, lower)| *lower <= reach).count()
            })
            .collect();
        let most = sample * 19 / 20;
        let needed = *needed.select_nth_unstable(most.min(sample - 1)).1;
        // Beside them the point itself, and one more whose bound rules out the rest.
        (needed.max(k) + 2).next_multiple_of(8).min((k + 2).max(MOST)).min(n)
    }

    /// The `keep` smallest lower bounds of each of `count` rows, and whose they are.
    fn nearest(&self, start: usize, count: usize, keep: usize) -> (Vec<f32>, Vec<u32>) {
        let left = Left {
            doubled: self.rows.clone().narrow(0, start, count) * 2.0,
            lower: self.lower.clone().narrow(0, start, count),
        };
        let mut best: Option<(Tensor<2>, Tensor<2, Int>)> = None;
        for from in (0..self.n()).step_by(self.columns) {
            let columns = self.columns.min(self.n() - from);
            let scores = self.tile(&left, from, columns);
            let of_tile = if columns > keep {
                let (scores, at) = scores.topk_with_indices(keep, 1);
                (scores, at + from as i64)
            } else {
                let ids = from as i64..(from + columns) as i64;
                let ids = Tensor::<1, Int>::arange(ids, &self.rows.device());
                (scores, ids.reshape([1, columns]).repeat_dim(0, count))
            };
            best = Some(match best {
                None => of_tile,
                Some((scores, ids)) => {
                    let scores = Tensor::cat(vec![scores, of_tile.0], 1);
                    let ids = Tensor::cat(vec![ids, of_tile.1], 1);
                    let kept = keep.min(scores.dims()[1]);
                    let (scores, at) = scores.topk_with_indices(kept, 1);
                    (scores, ids.gather(1, at))
                }
            });
        }
        let (scores, ids) = best.expect("at least two points make one tile");
        let ids: Vec<u32> = ids.into_data().iter::<i64>().map(|id| id as u32).collect();
        let bounds: Vec<f32> = scores.into_data().iter::<f32>().map(|score| -score).collect();
        let all = count * keep;
        assert!(
            bounds.len() == all && ids.len() == all && ids.iter().all(|&j| (j as usize) < self.n()),
            "the device gives {keep} candidates a row"
        );
        (bounds, ids)
    }
}

/// Rows of a tile: twice their coordinates, and a of the lower bound.
struct Left {
    doubled: Tensor<2>,
    lower: Tensor<2>,
}

fn tensor(values: Vec<f32>, shape: [usize; 2], device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values, shape), (device, DType::F32))
}

fn matrix<T>([n, d]: [usize; 2], values: Vec<T>) -> Array2<T> {
    Array2::from_shape_vec((n, d), values).expect("as many values as the shape says")
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    use super::*;
    use crate::knn::bound::cut_to_tf32;

    /// Coordinates cut to TF32 before the product are what a tensor core multiplies.
    #[test]
    fn products_in_tf32_lose_no_neighbour() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut x: Array2<f32> =
            Array2::from_shape_simple_fn((1205, 40), || StandardNormal.sample(&mut rng));
        let device = sixfold_model::device("flex").unwrap();
        for scale in [1.0, 30.0] {
            x.column_mut(0).mapv_inplace(|x| scale * x);
            let table = crate::neighbours(x.view(), 4).unwrap();
            let cut = x.iter().map(|x| cut_to_tf32(*x)).collect();
            let cut = tensor(cut, [1205, 40], &device);
            // Tiles of which the last has fewer columns than there are candidates.
            let (found, work) = search(x.view(), cut, 4, Arithmetic::TF32, 400).unwrap();
            assert_eq!(found, table);
            assert!(work.second_pass < 240, "{work:?}");
        }
    }
}
