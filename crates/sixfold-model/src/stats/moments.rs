//! Moments of all residual sites in one pass.

mod cell;
mod device;

use std::collections::BTreeMap;

use burn::tensor::Tensor;
use rayon::prelude::*;
use sixfold_linalg::{CrossMoments, Directions, Moments};

use super::filter::{TokenClass, TokenFilter};
use super::values::values;
use crate::device::is_host;
use crate::{Batch, Result, Site, Tap};
use cell::Cell;
use device::OnDevice;

/// A tap that accumulates the first and second moments of every residual site, and the cross
/// moments of neighbouring sites where they are asked for.
///
/// Tokens are split by class and by group, and each cell has moments of its own: any filter, and
/// any set of groups left out, is a merge of cells ([`select`](Self::select)). One pass over the
/// text therefore gives every score for every filter, with jackknife intervals over groups of
/// documents. Results do not depend on how the text was cut into batches, within 1e-5.
///
/// In the host's memory, tokens wait in a buffer of their cell until there are 512 of them (128 of
/// models narrower than 256, 1024 where a batch brings as many), whose products are then formed in
/// f32 about their own mean and merged in f64. On other devices each batch's products are formed in
/// f32 where the states are, about the mean of the first batch, and merged on the host.
///
/// # Complexity
/// d² multiplications a token and site, and 2·d² more for cross moments. Memory
/// O(sites · d² · cells), however long the text.
#[derive(Debug)]
pub struct MomentTap {
    with_transitions: bool,
    cells: BTreeMap<Key, Cell>,
    /// The tokens of the batch by cell: row-major indices.
    batch: BTreeMap<Key, Vec<u32>>,
    on_device: OnDevice,
    error: Option<sixfold_linalg::Error>,
}

/// Class and group.
type Key = (TokenClass, usize);

/// The moments of all sites, and of each site with the next one.
#[derive(Clone, Debug, Default)]
pub struct LayerMoments {
    /// Moments by site.
    pub sites: Vec<Moments>,
    /// Cross moments of site i (x) and site i + 1 (y); empty where they were not asked for.
    pub transitions: Vec<CrossMoments>,
    /// Norms and directions by site; without any token where cross moments are counted, whose
    /// scores do not need them.
    pub directions: Vec<Directions>,
}

impl Default for MomentTap {
    fn default() -> Self {
        Self::new()
    }
}

impl MomentTap {
    /// Starts without any token, for the moments of each site and of each site with the next: what
    /// linearity needs.
    pub fn new() -> Self {
        Self {
            with_transitions: true,
            cells: BTreeMap::new(),
            batch: BTreeMap::new(),
            on_device: OnDevice::default(),
            error: None,
        }
    }

    /// Starts without any token, for the moments of each site by itself: what geometry needs, at a
    /// third of the work.
    pub fn sites() -> Self {
        Self { with_transitions: false, ..Self::new() }
    }

    /// Says which batch comes next: the class of each of its tokens (padding left out, row by
    /// row, as [`classify`](super::classify) gives them), and the group of each row.
    ///
    /// # Panics
    /// If there is not one class a token and one group a row.
    pub fn begin(&mut self, batch: &Batch, classes: &[TokenClass], groups: &[usize]) {
        let tokens = batch.token_indices();
        assert_eq!(tokens.len(), classes.len(), "one class for each token");
        assert_eq!(batch.rows(), groups.len(), "one group for each row");
        self.batch.clear();
        for (&token, &class) in tokens.iter().zip(classes) {
            let key = (class, groups[token / batch.len()]);
            self.batch.entry(key).or_default().push(token as u32);
        }
        self.on_device.begin();
    }

    /// [`begin`](Self::begin) with all tokens in one cell: no classes, one group.
    pub fn begin_all(&mut self, batch: &Batch) {
        let tokens = batch.token_indices().into_iter().map(|token| token as u32).collect();
        self.batch = BTreeMap::from([((TokenClass::default(), 0), tokens)]);
        self.on_device.begin();
    }

    /// The groups seen so far.
    pub fn groups(&self) -> Vec<usize> {
        let mut groups: Vec<usize> = self.cells.keys().map(|(_, group)| *group).collect();
        groups.sort_unstable();
        groups.dedup();
        groups
    }

    /// The moments of the tokens that `filter` keeps, without the groups for which `leave_out`
    /// is true. Tokens that still wait in a buffer are counted first.
    ///
    /// # Errors
    /// The first error of the pass, such as a value that is not finite.
    pub fn select(
        &mut self,
        filter: TokenFilter,
        leave_out: impl Fn(usize) -> bool,
    ) -> Result<LayerMoments> {
        self.flush()?;
        let mut merged: Option<LayerMoments> = None;
        for ((class, group), cell) in &self.cells {
            if !filter.keeps(*class) || leave_out(*group) {
                continue;
            }
            match &mut merged {
                None => merged = Some(cell.moments.clone()),
                Some(merged) => merged.merge(&cell.moments)?,
            }
        }
        Ok(merged.unwrap_or_default())
    }

    /// The moments of the tokens that `filter` keeps, group by group: for statistics that leave
    /// out one group after the other. Groups without such tokens are not listed.
    ///
    /// # Errors
    /// As [`select`](Self::select).
    pub fn by_group(&mut self, filter: TokenFilter) -> Result<Vec<(usize, LayerMoments)>> {
        let mut found: BTreeMap<usize, LayerMoments> = BTreeMap::new();
        self.flush()?;
        for ((class, group), cell) in &self.cells {
            if !filter.keeps(*class) {
                continue;
            }
            match found.entry(*group) {
                std::collections::btree_map::Entry::Vacant(entry) => {
                    entry.insert(cell.moments.clone());
                }
                std::collections::btree_map::Entry::Occupied(mut entry) => {
                    entry.get_mut().merge(&cell.moments)?;
                }
            }
        }
        Ok(found.into_iter().collect())
    }

    fn flush(&mut self) -> Result<()> {
        if self.error.is_none() {
            let cells: Vec<&mut Cell> = self.cells.values_mut().collect();
            self.error = cells.into_par_iter().try_for_each(Cell::flush).err();
        }
        self.error.clone().map_or(Ok(()), |error| Err(error.into()))
    }

    fn observe(&mut self, site: usize, x: &Tensor<3>) -> sixfold_linalg::Result<()> {
        for key in self.batch.keys() {
            self.cells.entry(*key).or_insert_with(|| Cell::new(self.with_transitions));
        }
        if !is_host(&x.device()) {
            return self.on_device.observe(site, x, &self.batch, &mut self.cells);
        }
        let d = x.dims()[2];
        let values = values(x.clone());
        // Both maps are sorted by key, and each key of the batch has a cell.
        let cells = self.cells.iter_mut().filter(|(key, _)| self.batch.contains_key(key));
        let work: Vec<_> = cells.map(|(_, cell)| cell).zip(self.batch.values()).collect();
        work.into_par_iter().try_for_each(|(cell, tokens)| cell.push(site, d, tokens, &values))
    }
}

impl Tap for MomentTap {
    fn wants(&self, site: Site) -> bool {
        site.residual_index().is_some() && self.error.is_none()
    }

    fn visit(&mut self, site: Site, x: Tensor<3>) -> Tensor<3> {
        let site = site.residual_index().expect("only residual sites are wanted");
        self.error = self.observe(site, &x).err();
        x
    }
}

impl LayerMoments {
    /// Adds the tokens of another one.
    ///
    /// # Errors
    /// Where the two are of different models.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        for (mine, theirs) in self.sites.iter_mut().zip(&other.sites) {
            mine.merge(theirs)?;
        }
        for (mine, theirs) in self.transitions.iter_mut().zip(&other.transitions) {
            mine.merge(theirs)?;
        }
        for (mine, theirs) in self.directions.iter_mut().zip(&other.directions) {
            mine.merge(theirs)?;
        }
        Ok(())
    }
}
