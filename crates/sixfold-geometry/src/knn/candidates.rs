//! Points that may be among the nearest, for the rows of one block.

use std::ops::Range;

use sixfold_linalg::Real;

use super::bound::{beyond, up};
use super::lanes::{Row, WIDTH, next_hit};
use super::points::Points;

/// A point j that may be near: the lower bound of its squared distance, and j.
pub(super) type Entry = (f32, u32);

/// For each row of a block the points whose lower bound does not exceed the k-th smallest upper
/// bound so far, at most `capacity` of them.
pub(super) struct Candidates {
    rows: Range<usize>,
    k: usize,
    capacity: usize,
    /// Entries above are left out.
    limit: Vec<f32>,
    /// Every entry left out for want of room was at least this large; +∞ where there was room.
    cut: Vec<f32>,
    len: Vec<u32>,
    /// Length at which the limit is computed anew.
    full: Vec<u32>,
    entries: Vec<Entry>,
}

impl Candidates {
    /// Bytes a row, beside the entries.
    pub(super) const OVERHEAD: usize = 16;
    /// Bytes an entry.
    pub(super) const ENTRY: usize = size_of::<Entry>();
    /// The least capacity for `k` neighbours.
    pub(super) fn least(k: usize) -> usize {
        k + (k / 8).max(6)
    }

    pub(super) fn new(rows: Range<usize>, k: usize, capacity: usize) -> Self {
        let n = rows.len();
        Self {
            rows,
            k,
            capacity,
            limit: vec![f32::INFINITY; n],
            cut: vec![f32::INFINITY; n],
            len: vec![0; n],
            full: vec![(2 * k + 4).min(capacity) as u32; n],
            entries: vec![(0.0, 0); n * capacity],
        }
    }

    /// Takes an entry at or below the limit of row `r`.
    #[inline]
    fn insert(&mut self, r: usize, entry: Entry, slack: &[f32]) {
        let len = self.len[r] as usize;
        self.entries[r * self.capacity + len] = entry;
        self.len[r] += 1;
        if self.len[r] == self.full[r] {
            self.tighten(r, slack);
        }
    }

    /// Computes the limit of row `r` and drops what lies above.
    #[inline(never)]
    fn tighten(&mut self, r: usize, slack: &[f32]) {
        let k = self.k;
        let entries = &mut self.entries[r * self.capacity..][..self.len[r] as usize];
        let (limit, mut kept) = nearest(entries, k, self.limit[r], self.rows.start + r, slack);
        self.limit[r] = limit;
        // Almost full although all of them may be near: the largest go, and the row remembers.
        let room = k + (self.capacity - k) / 2;
        if kept > room {
            let least =
                entries[..kept].select_nth_unstable_by(room, |a, b| a.0.total_cmp(&b.0)).1.0;
            self.cut[r] = self.cut[r].min(least);
            self.limit[r] = least.next_down();
            kept = room;
        }
        self.len[r] = kept as u32;
        let more = (kept / 2).max(8).min(self.capacity - kept);
        self.full[r] = (kept + more) as u32;
    }

    /// The k nearest of row `r` by (distance, index) into `nearest`, squared distances in the units
    /// of `points`. False where a point left out for want of room may be nearer.
    pub(super) fn finish<T: Real>(
        &mut self,
        r: usize,
        points: &Points<'_, T>,
        nearest: &mut Nearest,
    ) -> bool {
        let (i, len) = (self.rows.start + r, self.len[r] as usize);
        let entries = &mut self.entries[r * self.capacity..][..len];
        // Fewer to sort.
        let kept = match len > self.k {
            true => self::nearest(entries, self.k, self.limit[r], i, &points.slack).1,
            false => len,
        };
        settle(i, &mut entries[..kept], self.cut[r], points, nearest)
    }
}

/// Moves the entries that may be among the k nearest of point `i` to the front: the limit that the
/// k-th smallest upper bound sets, and how many they are.
fn nearest(entries: &mut [Entry], k: usize, limit: f32, i: usize, slack: &[f32]) -> (f32, usize) {
    let own = f64::from(slack[i]);
    entries.select_nth_unstable_by(k - 1, |a, b| a.0.total_cmp(&b.0));
    let upper = |&(lower, j): &Entry| f64::from(lower) + own + f64::from(slack[j as usize]);
    let bound = up(entries[..k].iter().map(upper).fold(f64::NEG_INFINITY, f64::max));
    let limit = limit.min(bound);
    let mut kept = k;
    for at in k..entries.len() {
        if entries[at].0 <= limit {
            entries.swap(at, kept);
            kept += 1;
        }
    }
    (limit, kept)
}

/// The k nearest of point `i` among the entries, measured. False where a point that is no entry, and
/// whose lower bound is `cut` or more, may be nearer.
pub(super) fn settle<T: Real>(
    i: usize,
    entries: &mut [Entry],
    cut: f32,
    points: &Points<'_, T>,
    nearest: &mut Nearest,
) -> bool {
    entries.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    nearest.clear();
    for &(lower, j) in entries.iter() {
        if f64::from(lower) > nearest.reach() {
            break;
        }
        nearest.offer(points.exact(i, j as usize), j);
    }
    nearest.is_full() && nearest.reach() < f64::from(cut)
}

/// The k nearest so far, in order.
pub(super) struct Nearest {
    k: usize,
    /// (distance, index, squared distance): equal distances may have unequal squares.
    found: Vec<(f64, u32, f64)>,
}

impl Nearest {
    /// Memory for `k` of them.
    pub(super) fn bytes(k: usize) -> usize {
        size_of::<Self>() + (k + 1) * size_of::<(f64, u32, f64)>()
    }

    pub(super) fn new(k: usize) -> Self {
        Self { k, found: Vec::with_capacity(k + 1) }
    }

    pub(super) fn clear(&mut self) {
        self.found.clear();
    }

    pub(super) fn is_full(&self) -> bool {
        self.found.len() == self.k
    }

    /// A point of a larger squared distance is none of the nearest.
    pub(super) fn reach(&self) -> f64 {
        match self.found.last() {
            Some(last) if self.is_full() => beyond(last.2),
            _ => f64::INFINITY,
        }
    }

    /// Whether no point with an index of `j` or more can still enter.
    pub(super) fn is_settled(&self, j: u32) -> bool {
        self.is_full() && self.found.last().is_some_and(|last| last.0 == 0.0 && last.1 < j)
    }

    pub(super) fn offer(&mut self, square: f64, j: u32) {
        let distance = square.sqrt();
        let before = |&(d, id, _): &(f64, u32, f64)| d < distance || (d <= distance && id < j);
        let at = self.found.partition_point(before);
        if at < self.k {
            self.found.truncate(self.k - 1);
            self.found.insert(at, (distance, j, square));
        }
    }

    /// Indices and squared distances, the nearest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, f64)> + '_ {
        self.found.iter().map(|&(_, j, square)| (j, square))
    }
}

/// Lower bounds of a tile for the points of its rows, and of its columns where it is not on the
/// diagonal.
pub(super) fn scan<T: Real>(
    points: &Points<'_, T>,
    products: &[f32],
    of_rows: &mut Candidates,
    mut of_cols: Cols<'_>,
) {
    let (lower, slack) = (&points.lower[..], &points.slack[..]);
    let cols = of_cols.range();
    let never = vec![f32::NEG_INFINITY; if of_cols.counts() { 0 } else { cols.len() }];
    for (r, products) in products.chunks_exact(cols.len()).enumerate() {
        let i = of_rows.rows.start + r;
        let of_j = &lower[cols.clone()];
        let (mut from, mut hits) = (0, [0; WIDTH]);
        while let Some(hit) = next_hit(
            Row {
                own: lower[i],
                limit: of_rows.limit[r],
                of_j,
                limits: of_cols.limits(&never),
                products,
            },
            from,
            &mut hits,
        ) {
            from = (hit + WIDTH).min(cols.len());
            for c in (hit..from).filter(|c| hits[c - hit] != 0) {
                let (bound, j) = (lower[i] + of_j[c] + products[c], cols.start + c);
                if bound <= of_rows.limit[r] && i != j {
                    of_rows.insert(r, (bound, j as u32), slack);
                }
                if let Cols::Block(of_cols) = &mut of_cols
                    && bound <= of_cols.limit[c]
                {
                    of_cols.insert(c, (bound, i as u32), slack);
                }
            }
        }
    }
}

/// Whether the points of the columns get candidates too.
pub(super) enum Cols<'a> {
    /// They do.
    Block(&'a mut Candidates),
    /// They do not: they have had, or will have, their own tile.
    Passive(Range<usize>),
}

impl Cols<'_> {
    fn range(&self) -> Range<usize> {
        match self {
            Self::Block(block) => block.rows.clone(),
            Self::Passive(range) => range.clone(),
        }
    }

    fn counts(&self) -> bool {
        matches!(self, Self::Block(_))
    }

    fn limits<'b>(&'b self, never: &'b [f32]) -> &'b [f32] {
        match self {
            Self::Block(block) => &block.limit,
            Self::Passive(_) => never,
        }
    }
}
