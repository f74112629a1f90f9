//! Moments of all residual sites in one pass: Gram blocks on the device, merged on the host.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};
use ndarray::{Array1, Array2, Axis};
use sixfold_linalg::{CrossMoments, Directions, Moments};

use super::filter::{TokenClass, TokenFilter};
use crate::batch::indices;
use crate::{Batch, Result, Site, Tap};

/// Rows of one f32 block: few enough that its sums keep their digits.
const BLOCK: usize = 4096;

/// A tap that accumulates the first and second moments of every residual site, and the cross
/// moments of neighbouring sites.
///
/// Tokens are split by class and by group, and each cell has moments of its own: any filter, and
/// any set of groups left out, is a merge of cells ([`select`](Self::select)). One pass over the
/// text therefore gives every score for every filter, with jackknife intervals over groups of
/// documents. Memory is O(sites · d² · cells), however long the text.
///
/// Each block is shifted by the mean and divided by the deviation of the first block before its
/// f32 products are formed on the device; blocks are merged in f64.
///
/// # Complexity
/// 3·d² multiplications a token and site, of which cross moments are two thirds.
#[derive(Debug)]
pub struct MomentTap {
    cells: BTreeMap<(TokenClass, usize), LayerMoments>,
    references: Vec<Reference>,
    rows: Vec<((TokenClass, usize), Vec<u32>)>,
    previous: Vec<Tensor<2>>,
    error: Option<sixfold_linalg::Error>,
}

/// The moments of all sites, and of each site with the next one.
#[derive(Clone, Debug, Default)]
pub struct LayerMoments {
    /// Moments by site.
    pub sites: Vec<Moments>,
    /// Cross moments of site i (x) and site i + 1 (y).
    pub transitions: Vec<CrossMoments>,
    /// Norms and directions by site.
    pub directions: Vec<Directions>,
}

/// Shift and scale of a site, on the host and on its device.
#[derive(Debug)]
struct Reference {
    shift: Array1<f64>,
    scale: Array1<f64>,
    on_device: (Tensor<2>, Tensor<2>),
}

impl Default for MomentTap {
    fn default() -> Self {
        Self::new()
    }
}

impl MomentTap {
    /// Starts without any token.
    pub fn new() -> Self {
        Self {
            cells: BTreeMap::new(),
            references: Vec::new(),
            rows: Vec::new(),
            previous: Vec::new(),
            error: None,
        }
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
        let mut rows: BTreeMap<(TokenClass, usize), Vec<u32>> = BTreeMap::new();
        for (&token, &class) in tokens.iter().zip(classes) {
            rows.entry((class, groups[token / batch.len()])).or_default().push(token as u32);
        }
        // Blocks of bounded length; a cell may have several.
        self.rows = rows
            .into_iter()
            .flat_map(|(key, rows)| {
                rows.chunks(BLOCK).map(|block| (key, block.to_vec())).collect::<Vec<_>>()
            })
            .collect();
        self.previous.clear();
    }

    /// The groups seen so far.
    pub fn groups(&self) -> Vec<usize> {
        let mut groups: Vec<usize> = self.cells.keys().map(|(_, group)| *group).collect();
        groups.sort_unstable();
        groups.dedup();
        groups
    }

    /// The moments of the tokens that `filter` keeps, without the groups for which `leave_out`
    /// is true.
    ///
    /// # Errors
    /// The first error of the pass, such as a value that is not finite.
    pub fn select(
        &self,
        filter: TokenFilter,
        leave_out: impl Fn(usize) -> bool,
    ) -> Result<LayerMoments> {
        if let Some(error) = &self.error {
            return Err(error.clone().into());
        }
        let mut merged: Option<LayerMoments> = None;
        for ((class, group), cell) in &self.cells {
            if !filter.keeps(*class) || leave_out(*group) {
                continue;
            }
            match &mut merged {
                None => merged = Some(cell.clone()),
                Some(merged) => merged.merge(cell)?,
            }
        }
        Ok(merged.unwrap_or_default())
    }

    fn observe(&mut self, site: usize, x: &Tensor<3>) -> sixfold_linalg::Result<()> {
        let [batch, seq, d] = x.dims();
        let device = x.device();
        let flat = x.clone().reshape([batch * seq, d]);
        if self.references.len() == site {
            let all: Vec<u32> =
                self.rows.iter().flat_map(|(_, rows)| rows.iter().copied()).collect();
            let tokens = flat.clone().select(0, indices(&all, [all.len()], &device));
            self.references.push(Reference::of(&tokens, &device));
        }
        let mut current = Vec::with_capacity(self.rows.len());
        for (n, (key, rows)) in self.rows.iter().enumerate() {
            let block = flat.clone().select(0, indices(rows, [rows.len()], &device));
            let cell = self.cells.entry(*key).or_default();
            cell.add_directions(site, &block)?;
            let (shift, scale) = self.references[site].on_device.clone();
            let block = (block - shift) / scale;
            cell.add_site(site, &self.references, &block)?;
            if let (Some(before), Some(previous)) = (site.checked_sub(1), self.previous.get(n)) {
                cell.add_transition(before, &self.references, previous, &block)?;
            }
            current.push(block);
        }
        self.previous = current;
        Ok(())
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

    fn add_directions(&mut self, site: usize, block: &Tensor<2>) -> sixfold_linalg::Result<()> {
        if self.directions.len() == site {
            self.directions.push(Directions::new(block.dims()[1]));
        }
        self.directions[site].update(host(block.clone()).view())
    }

    fn add_site(
        &mut self,
        site: usize,
        references: &[Reference],
        block: &Tensor<2>,
    ) -> sixfold_linalg::Result<()> {
        if self.sites.len() == site {
            let Reference { shift, scale, .. } = &references[site];
            let mut moments = Moments::new(shift.len());
            moments.set_reference(shift.view(), scale.view())?;
            self.sites.push(moments);
        }
        let gram = host(block.clone().transpose().matmul(block.clone()));
        let sum = sums(block);
        self.sites[site].add_block(block.dims()[0] as u64, sum.view(), gram.view())?;
        Ok(())
    }

    fn add_transition(
        &mut self,
        before: usize,
        references: &[Reference],
        x: &Tensor<2>,
        y: &Tensor<2>,
    ) -> sixfold_linalg::Result<()> {
        if self.transitions.len() == before {
            let (of_x, of_y) = (&references[before], &references[before + 1]);
            let mut moments = CrossMoments::new(of_x.shift.len(), of_y.shift.len());
            moments.set_reference(
                [of_x.shift.view(), of_y.shift.view()],
                [of_x.scale.view(), of_y.scale.view()],
            )?;
            self.transitions.push(moments);
        }
        let cross = host(x.clone().transpose().matmul(y.clone()));
        let (sum_x, sum_y) = (sums(x), sums(y));
        let rows = x.dims()[0] as u64;
        self.transitions[before].add_block(rows, sum_x.view(), sum_y.view(), cross.view())?;
        Ok(())
    }
}

impl Reference {
    /// Mean and deviation of a block; 1 for features that do not vary.
    fn of(block: &Tensor<2>, device: &Device) -> Self {
        let [rows, d] = block.dims();
        let values = host(block.clone());
        let shift = values.mean_axis(Axis(0)).unwrap_or_else(|| Array1::zeros(d));
        let scale = if rows < 2 {
            Array1::ones(d)
        } else {
            values.std_axis(Axis(0), 0.0).mapv(|std| if std > 0.0 { std } else { 1.0 })
        };
        let row = |values: &Array1<f64>| {
            let values: Vec<f32> = values.iter().map(|&value| value as f32).collect();
            Tensor::<2>::from_data(TensorData::new(values, [1, d]), device)
        };
        let on_device = (row(&shift), row(&scale));
        // The host must know the very numbers that the device subtracts and divides by.
        let rounded = |values: Array1<f64>| values.mapv(|value| f64::from(value as f32));
        Self { shift: rounded(shift), scale: rounded(scale), on_device }
    }
}

/// Sums over the rows of a block, in f64.
fn sums(block: &Tensor<2>) -> Array1<f64> {
    host(block.clone().sum_dim(0)).row(0).to_owned()
}

/// A matrix on the host, in f64.
fn host(matrix: Tensor<2>) -> Array2<f64> {
    let shape = matrix.dims();
    let values: Vec<f64> = matrix.into_data().iter::<f32>().map(f64::from).collect();
    Array2::from_shape_vec(shape, values).expect("as many values as the shape says")
}
