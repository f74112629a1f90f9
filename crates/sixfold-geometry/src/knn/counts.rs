//! Counts over all pairs: ranks of given neighbours, pairs within radii.

use std::sync::Mutex;

use sixfold_linalg::{Real, Threads};

use super::bound::{beyond, down, up};
use super::lanes::{bounds, count};
use super::points::Points;
use super::tiles::{Plan, Tile, lock};

/// The rank, from 1, of `partners[i]` among the neighbours of each point i.
pub(super) fn ranks<T: Real>(points: &Points<'_, T>, partners: &[u32]) -> Vec<u32> {
    let plan = plan(points, 24);
    // What the others are compared with: the distance to the partner, and its index.
    let own: Vec<(f64, u32)> = partners
        .iter()
        .enumerate()
        .map(|(i, &partner)| (points.exact(i, partner as usize).sqrt(), partner))
        .collect();
    let nearer: Vec<Mutex<Vec<u32>>> =
        (0..plan.blocks()).map(|block| Mutex::new(vec![0; plan.rows(block).len()])).collect();
    plan.pairs(points, |tile| {
        let (i, j) = (tile.rows.start / plan.block, tile.cols.start / plan.block);
        let mut of_rows = vec![0; tile.rows.len()];
        count_nearer(points, &tile, &own, &mut of_rows);
        add(&mut lock(&nearer[i]), &of_rows);
        if !tile.diagonal() {
            let turned = tile.transposed();
            let mut of_cols = vec![0; tile.cols.len()];
            let tile = Tile { rows: tile.cols, cols: tile.rows, products: &turned };
            count_nearer(points, &tile, &own, &mut of_cols);
            add(&mut lock(&nearer[j]), &of_cols);
        }
    });
    let blocks = nearer.into_iter().map(|m| m.into_inner().unwrap_or_else(|e| e.into_inner()));
    blocks.flatten().map(|nearer| nearer + 1).collect()
}

fn add(to: &mut [u32], counts: &[u32]) {
    to.iter_mut().zip(counts).for_each(|(to, count)| *to += count);
}

/// Adds for each row the points of the columns that come before its partner.
fn count_nearer<T: Real>(
    points: &Points<'_, T>,
    tile: &Tile<'_>,
    own: &[(f64, u32)],
    counts: &mut [u32],
) {
    let mut row = Bounds::new(tile.cols.len());
    for (r, count) in counts.iter_mut().enumerate() {
        let i = tile.rows.start + r;
        row.compute(points, tile, r);
        let (distance, partner) = own[i];
        let square = distance * distance;
        let surely = down(square * (1.0 - 4.0 * f64::EPSILON));
        *count += row.count(surely, up(beyond(square)), |c| {
            let j = tile.cols.start + c;
            let found = points.exact(i, j).sqrt();
            j != i && (found < distance || (found <= distance && (j as u32) < partner))
        });
        // The point itself is as near as can be, and no neighbour.
        if tile.cols.contains(&i) && row.upper[i - tile.cols.start] < surely {
            *count -= 1;
        }
    }
}

/// For each radius the number of pairs with distance < radius.
pub(super) fn pairs_within<T: Real>(points: &Points<'_, T>, radii: &[f64]) -> Vec<u64> {
    let plan = plan(points, 8);
    let limits: Vec<(f32, f32)> = radii
        .iter()
        .map(|&radius| {
            if radius <= 0.0 {
                return (f32::NEG_INFINITY, f32::NEG_INFINITY);
            }
            let square = points.square_of(radius);
            (down(square * (1.0 - 8.0 * f64::EPSILON)), up(square * (1.0 + 8.0 * f64::EPSILON)))
        })
        .collect();
    let total = Mutex::new(vec![0_u64; radii.len()]);
    plan.pairs(points, |tile| {
        let mut counts = vec![0_u64; radii.len()];
        for r in 0..tile.rows.len() {
            let i = tile.rows.start + r;
            // On the diagonal only the pairs above it.
            let from = if tile.diagonal() { r + 1 } else { 0 };
            let mut row = Bounds::new(tile.cols.len());
            row.compute(points, &tile, r);
            row.skip(from);
            for ((count, &radius), &(surely, never)) in counts.iter_mut().zip(radii).zip(&limits) {
                *count += u64::from(row.count(surely, never, |c| {
                    points.distance_of(points.exact(i, tile.cols.start + from + c)) < radius
                }));
            }
        }
        lock(&total).iter_mut().zip(counts).for_each(|(to, count)| *to += count);
    });
    total.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn plan<T: Real>(points: &Points<'_, T>, beside: usize) -> Plan {
    let packed = if points.packs() { 2 } else { 0 };
    let bytes = |block| 2 * Plan::tile_bytes(block, points.d(), packed) + beside * block;
    Plan::new(points.n(), Threads::Pool, bytes)
}

/// Bounds of the squared distances of one row of a tile.
struct Bounds {
    lower: Vec<f32>,
    upper: Vec<f32>,
}

impl Bounds {
    fn new(cols: usize) -> Self {
        Self { lower: vec![0.0; cols], upper: vec![0.0; cols] }
    }

    fn compute<T: Real>(&mut self, points: &Points<'_, T>, tile: &Tile<'_>, r: usize) {
        let (i, cols) = (tile.rows.start + r, tile.cols.clone());
        let products = &tile.products[r * cols.len()..][..cols.len()];
        let own = (points.lower[i], points.slack[i]);
        let others = (&points.lower[cols.clone()], &points.slack[cols]);
        bounds(own, others, products, &mut self.lower, &mut self.upper);
    }

    /// Leaves out the first entries.
    fn skip(&mut self, entries: usize) {
        self.lower.drain(..entries);
        self.upper.drain(..entries);
    }

    /// How many are surely below `surely`, and of those that may be at or below `never` how many
    /// `decide` says are.
    fn count(&self, surely: f32, never: f32, decide: impl Fn(usize) -> bool) -> u32 {
        let (below, maybe) = count(&self.lower, &self.upper, surely, never);
        if maybe == 0 {
            return below;
        }
        let open = self.lower.iter().zip(&self.upper).enumerate();
        let open = open.filter(|(_, (lower, upper))| **lower <= never && **upper >= surely);
        below + open.filter(|(c, _)| decide(*c)).count() as u32
    }
}
