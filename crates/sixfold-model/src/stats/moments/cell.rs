//! The tokens of one class and group: their moments, and those that wait to be counted.

use ndarray::ArrayView2;
use sixfold_linalg::{CrossMoments, Directions, Moments, Result};

use super::LayerMoments;

#[derive(Debug)]
pub(super) struct Cell {
    with_transitions: bool,
    pub(super) moments: LayerMoments,
    /// By site; all sites wait for the same tokens between two batches.
    waiting: Vec<Rows>,
    /// What the site before has counted in this batch, block by block: the other side of the
    /// cross moments.
    before: Vec<Rows>,
}

/// Rows of `d` values.
#[derive(Debug, Default)]
struct Rows {
    d: usize,
    values: Vec<f32>,
}

impl Cell {
    pub(super) fn new(with_transitions: bool) -> Self {
        Self {
            with_transitions,
            moments: LayerMoments::default(),
            waiting: Vec::new(),
            before: Vec::new(),
        }
    }

    pub(super) fn with_transitions(&self) -> bool {
        self.with_transitions
    }

    /// The moments of a site of `d` features.
    pub(super) fn site(&mut self, site: usize, d: usize) -> (&mut Moments, &mut Directions) {
        let LayerMoments { sites, directions, .. } = &mut self.moments;
        while sites.len() <= site {
            sites.push(Moments::new(d));
            directions.push(Directions::new(d));
        }
        (&mut sites[site], &mut directions[site])
    }

    /// The cross moments of site `before` with the next one, of `dims` features.
    pub(super) fn transition(&mut self, before: usize, dims: [usize; 2]) -> &mut CrossMoments {
        let transitions = &mut self.moments.transitions;
        while transitions.len() <= before {
            transitions.push(CrossMoments::new(dims[0], dims[1]));
        }
        &mut transitions[before]
    }

    /// Takes these rows of `values`, and counts whatever fills the buffer.
    ///
    /// # Shapes
    /// `values` is `[n, d]`.
    pub(super) fn push(
        &mut self,
        site: usize,
        d: usize,
        tokens: &[u32],
        values: &[f32],
    ) -> Result<()> {
        if site == 0 {
            self.before.clear();
        }
        self.waiting.resize_with(self.waiting.len().max(site + 1), Rows::default);
        self.waiting[site].d = d;
        let mut counted = Vec::new();
        let mut tokens = tokens;
        while !tokens.is_empty() {
            let Rows { values: waiting, .. } = &mut self.waiting[site];
            let room = capacity(d) - waiting.len() / d;
            let (now, later) = tokens.split_at(room.min(tokens.len()));
            for &token in now {
                waiting.extend_from_slice(&values[token as usize * d..][..d]);
            }
            tokens = later;
            if now.len() == room {
                let block = Rows { d, values: std::mem::take(waiting) };
                let before = self.before.get_mut(counted.len()).map(std::mem::take);
                self.count(site, &block, before.as_ref())?;
                if self.with_transitions {
                    counted.push(block);
                } else {
                    // The memory serves the next block.
                    self.waiting[site].values = block.values;
                    self.waiting[site].values.clear();
                }
            }
        }
        self.before = counted;
        Ok(())
    }

    /// Counts all that waits.
    pub(super) fn flush(&mut self) -> Result<()> {
        self.before.clear();
        let mut before = None;
        for (site, rows) in std::mem::take(&mut self.waiting).into_iter().enumerate() {
            if !rows.values.is_empty() {
                self.count(site, &rows, before.as_ref())?;
            }
            before = Some(rows);
        }
        Ok(())
    }

    fn count(&mut self, site: usize, block: &Rows, before: Option<&Rows>) -> Result<()> {
        let x = block.view();
        let (moments, directions) = self.site(site, block.d);
        moments.update(x)?;
        directions.update(x)?;
        if let (true, Some(at), Some(before)) = (self.with_transitions, site.checked_sub(1), before)
        {
            self.transition(at, [before.d, block.d]).update(before.view(), x)?;
        }
        Ok(())
    }
}

impl Rows {
    fn view(&self) -> ArrayView2<'_, f32> {
        let shape = (self.values.len() / self.d.max(1), self.d);
        ArrayView2::from_shape(shape, &self.values).expect("whole rows")
    }
}

/// Rows of a buffer: as many as features, so that it takes half of the memory of the moments, and
/// merging d² sums costs little beside d³ products.
fn capacity(d: usize) -> usize {
    d.clamp(256, 1024)
}
