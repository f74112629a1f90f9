//! Blocks of rows, their products, and who computes which.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::{ArrayView2, s};
use sixfold_linalg::{Real, Threads, matmul_into};

use super::bound::SLAB;
use super::points::{Points, matrix, matrix_mut};

/// Rows of a block: the product runs at its full rate, and few distances are computed twice on
/// the diagonal.
const BLOCK: usize = 512;

/// Blocks are not made smaller than this to save memory; fewer threads take part instead.
const SMALLEST: usize = 32;

/// Bytes of all tiles and packed blocks together.
const ROOM: usize = 14 << 20;

/// How the work is cut.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) n: usize,
    pub(super) block: usize,
    pub(super) workers: usize,
}

impl Plan {
    /// For workers that need `bytes` for a block of so many rows.
    pub(super) fn new(n: usize, threads: Threads, bytes: impl Fn(usize) -> usize) -> Self {
        let mut block = BLOCK.min(n.next_multiple_of(16));
        let mut workers = threads.count().clamp(1, n.div_ceil(SMALLEST));
        while block > SMALLEST && workers * bytes(block) > ROOM {
            block = (block * 3 / 4).next_multiple_of(16).min(block - 16);
        }
        while workers > 1 && workers * bytes(block) > ROOM {
            workers -= 1;
        }
        Self { n, block, workers }
    }

    /// Bytes of a tile and of `packed` blocks of `d` coordinates.
    pub(super) fn tile_bytes(block: usize, d: usize, packed: usize) -> usize {
        4 * block * (block + packed * d)
    }

    pub(super) fn blocks(&self) -> usize {
        self.n.div_ceil(self.block)
    }

    pub(super) fn rows(&self, block: usize) -> Range<usize> {
        block * self.block..((block + 1) * self.block).min(self.n)
    }

    /// Calls `work` once on each of the workers.
    pub(super) fn run(&self, work: impl Fn() + Sync) {
        if self.workers == 1 {
            return work();
        }
        rayon::scope(|scope| {
            for _ in 1..self.workers {
                scope.spawn(|_| work());
            }
            work();
        });
    }

    /// Calls `each` with every tile on or above the diagonal.
    pub(super) fn pairs<T: Real>(&self, points: &Points<'_, T>, each: impl Fn(Tile<'_>) + Sync) {
        let order = Mutex::new(Order::new(self.blocks(), self.workers));
        self.run(|| {
            let mut room = Room::new(self, points);
            loop {
                let next = lock(&order).next();
                let Some((i, j)) = next else { return };
                each(room.tile(points, self.rows(i), self.rows(j)));
            }
        });
    }

    /// Calls `each` with every number below `tasks`, on one of the workers.
    pub(super) fn share<T: Real>(
        &self,
        points: &Points<'_, T>,
        tasks: usize,
        each: impl Fn(usize, &mut Room) + Sync,
    ) {
        let next = AtomicUsize::new(0);
        self.run(|| {
            let mut room = Room::new(self, points);
            loop {
                let task = next.fetch_add(1, Ordering::Relaxed);
                if task >= tasks {
                    return;
                }
                each(task, &mut room);
            }
        });
    }
}

/// The tiles on and above the diagonal: in a strip of as many rows as there are workers one
/// diagonal after the other, so that tiles that are at work together share few blocks, and none
/// waits long for another.
struct Order {
    blocks: usize,
    strip: usize,
    first: usize,
    offset: usize,
    row: usize,
}

impl Order {
    fn new(blocks: usize, strip: usize) -> Self {
        Self { blocks, strip, first: 0, offset: 0, row: 0 }
    }
}

impl Iterator for Order {
    type Item = (usize, usize);

    fn next(&mut self) -> Option<(usize, usize)> {
        while self.first < self.blocks {
            let (i, j) = (self.first + self.row, self.first + self.row + self.offset);
            self.row += 1;
            if self.row == self.strip {
                (self.row, self.offset) = (0, self.offset + 1);
                if self.first + self.offset >= self.blocks {
                    (self.first, self.offset) = (self.first + self.strip, 0);
                }
            }
            if j < self.blocks {
                return Some((i, j));
            }
        }
        None
    }
}

/// A panic of another worker is passed on by the scope; what it left behind is not used.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// −2 times the products of two blocks of rows.
pub(super) struct Tile<'a> {
    pub(super) rows: Range<usize>,
    pub(super) cols: Range<usize>,
    /// `[rows, cols]`
    pub(super) products: &'a [f32],
}

impl Tile<'_> {
    /// A block with itself: each pair is there twice, and each point beside itself.
    pub(super) fn diagonal(&self) -> bool {
        self.rows == self.cols
    }

    /// The products with rows and columns exchanged.
    pub(super) fn transposed(&self) -> Vec<f32> {
        matrix(self.products, self.rows.len(), self.cols.len()).t().iter().copied().collect()
    }
}

/// What one worker computes in.
pub(super) struct Room {
    left: Vec<f32>,
    left_holds: Range<usize>,
    right: Vec<f32>,
    products: Vec<f32>,
}

impl Room {
    fn new<T: Real>(plan: &Plan, points: &Points<'_, T>) -> Self {
        let packed = if points.packs() { plan.block * points.d() } else { 0 };
        Self {
            left: vec![0.0; packed],
            left_holds: 0..0,
            right: vec![0.0; packed],
            products: vec![0.0; plan.block * plan.block],
        }
    }

    /// The tile of two blocks.
    pub(super) fn tile<T: Real>(
        &mut self,
        points: &Points<'_, T>,
        rows: Range<usize>,
        cols: Range<usize>,
    ) -> Tile<'_> {
        let left = if points.packs() && self.left_holds == rows {
            matrix(&self.left, rows.len(), points.d())
        } else {
            self.left_holds = rows.clone();
            points.block(rows.clone(), &mut self.left)
        };
        let right = if rows == cols { left } else { points.block(cols.clone(), &mut self.right) };
        let products = &mut self.products[..rows.len() * cols.len()];
        product(left, right, products);
        Tile { rows, cols, products }
    }

    /// The products of rows that were gathered elsewhere with a block.
    pub(super) fn gathered<T: Real>(
        &mut self,
        points: &Points<'_, T>,
        left: ArrayView2<'_, f32>,
        cols: Range<usize>,
    ) -> &[f32] {
        let right = points.block(cols.clone(), &mut self.right);
        let products = &mut self.products[..left.nrows() * cols.len()];
        product(left, right, products);
        products
    }
}

/// −2·A·Bᵀ, slab after slab.
fn product(a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>, into: &mut [f32]) {
    let d = a.ncols();
    if d == 0 {
        return into.fill(0.0);
    }
    let mut into = matrix_mut(into, a.nrows(), b.nrows());
    for start in (0..d).step_by(SLAB) {
        let slab = s![.., start..(start + SLAB).min(d)];
        let beta = if start == 0 { 0.0 } else { 1.0 };
        let (a, b) = (a.slice(slab), b.slice(slab).reversed_axes());
        matmul_into(-2.0, a, b, beta, into.view_mut(), Threads::ONE);
    }
}

#[cfg(test)]
mod tests;
