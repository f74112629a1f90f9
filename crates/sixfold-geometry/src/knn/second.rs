//! Rows for which the candidates cannot be proven complete: once more against all points.

use std::sync::Mutex;

use ndarray::Array2;
use sixfold_linalg::Real;

use super::KnnConfig;
use super::bound::up;
use super::candidates::Nearest;
use super::lanes::{Row, WIDTH, next_hit};
use super::points::Points;
use super::tiles::{Plan, lock};

/// Replaces the given rows of the table by exact ones.
///
/// The k-th squared distance that is there already is one of true neighbours, so no point with a
/// larger lower bound can enter. All others are measured in f64.
pub(super) fn search<T: Real>(
    points: &Points<'_, T>,
    config: &KnnConfig,
    rows: &[u32],
    indices: &mut Array2<u32>,
    squares: &mut Array2<f64>,
) {
    if rows.is_empty() {
        return;
    }
    let (k, d) = (config.k, points.d());
    // The gathered rows, and two blocks where rows have to be packed; the nearest so far.
    let packed = if points.packs() { 3 } else { 1 };
    let bytes = |block| Plan::tile_bytes(block, d, packed) + block * Nearest::bytes(k);
    let columns = Plan::new(points.n(), config.threads, bytes);
    let share = rows.len().div_ceil(columns.workers).clamp(1, columns.block);
    let plan = Plan { n: rows.len(), block: share, workers: columns.workers };
    let table = Mutex::new((indices, squares));
    columns.share(points, plan.blocks(), |block, room| {
        let rows = &rows[plan.rows(block)];
        let mut gathered = vec![0.0_f32; rows.len() * d];
        let left = points.gather(rows.iter().map(|&i| i as usize), &mut gathered);
        let mut limits: Vec<f32> = {
            let table = lock(&table);
            let reach = |&i: &u32| up(super::bound::beyond(table.1[(i as usize, k - 1)]));
            rows.iter().map(reach).collect()
        };
        let mut nearest: Vec<Nearest> = rows.iter().map(|_| Nearest::new(k)).collect();
        for cols in (0..columns.blocks()).map(|j| columns.rows(j)) {
            let products = room.gathered(points, left, cols.clone());
            let never = vec![f32::NEG_INFINITY; cols.len()];
            for (r, products) in products.chunks_exact(cols.len()).enumerate() {
                let (i, nearest) = (rows[r] as usize, &mut nearest[r]);
                let (own, of_j) = (points.lower[i], &points.lower[cols.clone()]);
                let (mut from, mut hits) = (0, [0; WIDTH]);
                let row = |limit: f32| Row { own, limit, of_j, limits: &never, products };
                while let Some(hit) = next_hit(row(limits[r]), from, &mut hits) {
                    from = (hit + WIDTH).min(cols.len());
                    for c in (hit..from).filter(|c| hits[c - hit] != 0) {
                        let j = cols.start + c;
                        if own + of_j[c] + products[c] <= limits[r] && j != i {
                            nearest.offer(points.exact(i, j), j as u32);
                            limits[r] = limits[r].min(up(nearest.reach()));
                            // Duplicates of lower index fill the row: none behind can enter.
                            if nearest.is_settled(j as u32 + 1) {
                                limits[r] = f32::NEG_INFINITY;
                            }
                        }
                    }
                }
            }
        }
        let mut table = lock(&table);
        for (&i, nearest) in rows.iter().zip(&nearest) {
            for (rank, (j, square)) in nearest.iter().enumerate() {
                table.0[(i as usize, rank)] = j;
                table.1[(i as usize, rank)] = square;
            }
        }
    });
}
