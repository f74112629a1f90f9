//! The tokens of one class and group: their moments, and those that wait to be counted.

use ndarray::{Array2, ArrayView2};
use sixfold_linalg::{Centred, CrossMoments, Directions, Moments, Products, Result};

use super::LayerMoments;

#[derive(Debug)]
pub(super) struct Cell {
    with_transitions: bool,
    pub(super) moments: LayerMoments,
    /// By site; all sites wait for the same tokens between two batches.
    waiting: Vec<Rows>,
    /// What the site before has counted in this batch, block by block: the other side of the
    /// cross moments.
    before: Vec<Option<Centred<f32>>>,
    /// Room for the products of a block.
    products: Products<f32>,
    /// Memory of blocks that are done with.
    spare: Vec<Vec<f32>>,
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
            products: Products::default(),
            spare: Vec::new(),
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
        let capacity = capacity(d, tokens.len());
        let mut counted = Vec::new();
        let mut tokens = tokens;
        while !tokens.is_empty() {
            let Rows { values: waiting, .. } = &mut self.waiting[site];
            let room = capacity.saturating_sub(waiting.len() / d);
            let (now, later) = tokens.split_at(room.min(tokens.len()));
            for &token in now {
                waiting.extend_from_slice(&values[token as usize * d..][..d]);
            }
            tokens = later;
            if now.len() == room {
                let next = self.spare.pop().unwrap_or_default();
                let block = Rows { d, values: std::mem::replace(waiting, next) };
                match self.with_transitions {
                    true => {
                        let before = self.before.get_mut(counted.len()).and_then(Option::take);
                        counted.push(Some(self.count_with(site, block, before)?));
                    }
                    false => {
                        self.count(site, &block)?;
                        self.put_by(block.values);
                    }
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
            if rows.values.is_empty() {
                before = None;
            } else if self.with_transitions {
                before = Some(self.count_with(site, rows, before)?);
            } else {
                self.count(site, &rows)?;
            }
        }
        self.spare.clear();
        Ok(())
    }

    /// Counts a block of a site by itself.
    fn count(&mut self, site: usize, block: &Rows) -> Result<()> {
        let (moments, directions) = self.site(site, block.d);
        moments.update(block.view())?;
        directions.update(block.view())
    }

    /// Counts a block of a site, and with the same tokens of the site before; it is centred once
    /// for both, and for the site to come.
    fn count_with(
        &mut self,
        site: usize,
        block: Rows,
        before: Option<Centred<f32>>,
    ) -> Result<Centred<f32>> {
        let d = block.d;
        let rows = Centred::new(block.into_array())?;
        let mut products = std::mem::take(&mut self.products);
        self.site(site, d).0.add_centred(&rows, &mut products)?;
        if let (Some(at), Some(before)) = (site.checked_sub(1), before) {
            let transition = self.transition(at, [before.dim().1, d]);
            transition.add_centred(&before, &rows, &mut products)?;
            self.put_by(before.into_inner().into_raw_vec_and_offset().0);
        }
        self.products = products;
        Ok(rows)
    }

    /// Keeps the memory of a block for the next one.
    fn put_by(&mut self, mut memory: Vec<f32>) {
        memory.clear();
        self.spare.push(memory);
    }
}

impl Rows {
    fn shape(&self) -> (usize, usize) {
        (self.values.len() / self.d.max(1), self.d)
    }

    fn view(&self) -> ArrayView2<'_, f32> {
        ArrayView2::from_shape(self.shape(), &self.values).expect("whole rows")
    }

    fn into_array(self) -> Array2<f32> {
        Array2::from_shape_vec(self.shape(), self.values).expect("whole rows")
    }
}

/// Rows of a buffer for a cell that gets `tokens` at once: so many that merging d² sums costs
/// little beside their products, and no more than stay in the cache where there are many cells.
fn capacity(d: usize, tokens: usize) -> usize {
    match (d, tokens) {
        (..256, _) => 128,
        (_, ..1024) => 512,
        _ => 1024,
    }
}
