//! The search: candidates from tiles in f32, the nearest of them in f64, and what is left over.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::{Array2, ArrayViewMut2, Axis};
use sixfold_linalg::Real;

use super::candidates::{Candidates, Cols, Nearest, scan};
use super::points::Points;
use super::second;
use super::tiles::{Plan, lock};
use super::{KnnConfig, Neighbours, Work};

/// Extra bytes beside 16·n·k.
const MEMORY: usize = 28 << 20;

/// What a thread's product needs inside of `gemm`.
const PRODUCT: usize = 3 << 20;

/// The room for a block's results, and its candidates while tiles are to come.
struct Slot<'a> {
    candidates: Option<Candidates>,
    indices: ArrayViewMut2<'a, u32>,
    squares: ArrayViewMut2<'a, f64>,
}

/// The table of finite points, more than `k`.
pub(super) fn search<T: Real>(points: &Points<'_, T>, config: &KnnConfig) -> (Neighbours, Work) {
    search_in(MEMORY, points, config)
}

fn search_in<T: Real>(
    memory: usize,
    points: &Points<'_, T>,
    config: &KnnConfig,
) -> (Neighbours, Work) {
    let (n, k) = (points.n(), config.k);
    let mut indices = Array2::zeros((n, k));
    let mut distances = Array2::zeros((n, k));
    let failed = Mutex::new(Vec::new());
    let (plan, capacity) = symmetric_plan(memory, points, config);
    let symmetric = capacity >= Candidates::least(k);
    let (plan, capacity) = if symmetric { (plan, capacity) } else { panel_plan(points, config) };
    let slots: Vec<Mutex<Slot<'_>>> = indices
        .axis_chunks_iter_mut(Axis(0), plan.block)
        .zip(distances.axis_chunks_iter_mut(Axis(0), plan.block))
        .map(|(indices, squares)| Mutex::new(Slot { candidates: None, indices, squares }))
        .collect();
    let fresh = |block: usize| Candidates::new(plan.rows(block), k, capacity);
    if symmetric {
        let tiles_left: Vec<AtomicUsize> =
            slots.iter().map(|_| AtomicUsize::new(plan.blocks())).collect();
        plan.pairs(points, |tile| {
            let (i, j) = (tile.rows.start / plan.block, tile.cols.start / plan.block);
            // Always the smaller number first, so that no two threads wait for each other.
            let mut of_rows = lock(&slots[i]);
            let rows = of_rows.candidates.get_or_insert_with(|| fresh(i));
            if tile.diagonal() {
                scan(points, tile.products, rows, Cols::Passive(tile.cols));
            } else {
                let mut of_cols = lock(&slots[j]);
                let cols = of_cols.candidates.get_or_insert_with(|| fresh(j));
                scan(points, tile.products, rows, Cols::Block(cols));
                drop(of_cols);
                if tiles_left[j].fetch_sub(1, Ordering::AcqRel) == 1 {
                    finish(&mut lock(&slots[j]), points, k, j * plan.block, &failed);
                }
            }
            if tiles_left[i].fetch_sub(1, Ordering::AcqRel) == 1 {
                finish(&mut of_rows, points, k, i * plan.block, &failed);
            }
        });
    } else {
        plan.share(points, plan.blocks(), |i, room| {
            let mut slot = lock(&slots[i]);
            let mut candidates = fresh(i);
            for j in 0..plan.blocks() {
                let tile = room.tile(points, plan.rows(i), plan.rows(j));
                scan(points, tile.products, &mut candidates, Cols::Passive(tile.cols));
            }
            slot.candidates = Some(candidates);
            finish(&mut slot, points, k, i * plan.block, &failed);
        });
    }
    drop(slots);
    let mut failed = failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    failed.sort_unstable();
    second::search(points, config, &failed, &mut indices, &mut distances);
    distances.mapv_inplace(|square| points.distance_of(square));
    (Neighbours::new(indices, distances), Work { symmetric, second_pass: failed.len() })
}

/// Blocks, and the entries of a row that fit into the memory when all rows have theirs at once.
fn symmetric_plan<T: Real>(
    memory: usize,
    points: &Points<'_, T>,
    config: &KnnConfig,
) -> (Plan, usize) {
    let (n, k, packed) = (points.n(), config.k, if points.packs() { 2 } else { 0 });
    let bytes = |block: usize| Plan::tile_bytes(block, points.d(), packed);
    let plan = Plan::new(n, config.threads, bytes);
    let fixed = plan.workers * (bytes(plan.block) + PRODUCT) + 8 * n;
    // The table takes 12 of the 16 bytes a neighbour.
    let row = (memory + 4 * n * k).saturating_sub(fixed) / n;
    let capacity = row.saturating_sub(Candidates::OVERHEAD) / Candidates::ENTRY;
    (plan, capacity.min(most(k)))
}

/// Blocks when each row has its entries only while its own block is at work.
fn panel_plan<T: Real>(points: &Points<'_, T>, config: &KnnConfig) -> (Plan, usize) {
    let (k, packed) = (config.k, if points.packs() { 2 } else { 0 });
    let capacity = if k < 1024 { most(k) } else { Candidates::least(k) };
    let row = Candidates::OVERHEAD + Candidates::ENTRY * capacity;
    let bytes = |block: usize| Plan::tile_bytes(block, points.d(), packed) + block * row;
    (Plan::new(points.n(), config.threads, bytes), capacity)
}

/// More entries than this are seldom near: such rows are cheaper in the second pass.
fn most(k: usize) -> usize {
    2 * k + 64
}

/// Turns the candidates of a block into its part of the table, and gives them back.
fn finish<T: Real>(
    slot: &mut Slot<'_>,
    points: &Points<'_, T>,
    k: usize,
    start: usize,
    failed: &Mutex<Vec<u32>>,
) {
    let Some(mut candidates) = slot.candidates.take() else { return };
    let mut nearest = Nearest::new(k);
    let mut left_over = Vec::new();
    let out = slot.indices.rows_mut().into_iter().zip(slot.squares.rows_mut());
    for (r, (mut indices, mut squares)) in out.enumerate() {
        if !candidates.finish(r, points, &mut nearest) {
            left_over.push((start + r) as u32);
        }
        let out = indices.iter_mut().zip(&mut squares);
        for ((index, square), (j, found)) in out.zip(nearest.iter()) {
            (*index, *square) = (j, found);
        }
    }
    if !left_over.is_empty() {
        lock(failed).extend(left_over);
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};
    use sixfold_linalg::Threads;

    use super::*;

    /// Two clouds far apart: no centre serves both, and f32 cannot tell their points apart.
    fn far_apart(n: usize) -> Array2<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut x = Array2::from_shape_simple_fn((n, 12), || StandardNormal.sample(&mut rng));
        x.indexed_iter_mut().for_each(|((i, _), x)| *x += if i % 2 == 0 { 1e4 } else { -1e4 });
        x
    }

    #[test]
    fn little_memory_costs_time_and_no_neighbour() {
        let x = far_apart(1300);
        let points = Points::new(x.view());
        let config = KnnConfig { k: 3, threads: Threads::Pool };
        let (table, work) = search_in(MEMORY, &points, &config);
        let (same, panels) = search_in(0, &points, &config);
        assert!(work.symmetric && !panels.symmetric);
        assert!(work.second_pass > 0 && panels.second_pass > 0);
        assert_eq!(table, same);
        let fixed = 4 * 512 * 512 + PRODUCT + 8 * 1300 - 4 * 1300 * 3;
        let least = Candidates::OVERHEAD + Candidates::ENTRY * Candidates::least(3);
        let one = KnnConfig { threads: Threads::ONE, ..config };
        let (narrow, work) = search_in(fixed + 1300 * least, &points, &one);
        assert!(work.symmetric && work.second_pass > 0);
        assert_eq!(table, narrow);
    }
}
