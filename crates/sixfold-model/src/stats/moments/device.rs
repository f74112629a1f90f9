//! Moments on devices that the host cannot read: products where the states are, merged here.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};
use ndarray::{Array1, Array2, Axis};
use sixfold_linalg::Result;

use super::Key;
use super::cell::Cell;
use crate::batch::indices;

/// Rows of one f32 block: few enough that its sums keep their digits.
const BLOCK: usize = 4096;

/// What has to stay on the device.
#[derive(Debug, Default)]
pub(super) struct OnDevice {
    /// Shift and scale by site, from the first batch.
    references: Vec<Reference>,
    /// The shifted and scaled blocks of the site before, in this batch.
    previous: Vec<Tensor<2>>,
}

/// Shift and scale of a site, on the host and on its device.
#[derive(Debug)]
struct Reference {
    shift: Array1<f64>,
    scale: Array1<f64>,
    on_device: (Tensor<2>, Tensor<2>),
}

impl OnDevice {
    /// Forgets the last batch.
    pub(super) fn begin(&mut self) {
        self.previous.clear();
    }

    /// Counts the tokens of a batch at a site, in cells that exist.
    pub(super) fn observe(
        &mut self,
        site: usize,
        x: &Tensor<3>,
        batch: &BTreeMap<Key, Vec<u32>>,
        cells: &mut BTreeMap<Key, Cell>,
    ) -> Result<()> {
        let [rows, seq, d] = x.dims();
        let device = x.device();
        let flat = x.clone().reshape([rows * seq, d]);
        if self.references.len() == site {
            let all: Vec<u32> = batch.values().flatten().copied().collect();
            let tokens = flat.clone().select(0, indices(&all, [all.len()], &device));
            self.references.push(Reference::of(&tokens, &device));
        }
        let blocks =
            batch.iter().flat_map(|(key, rows)| rows.chunks(BLOCK).map(move |rows| (key, rows)));
        let mut current = Vec::new();
        for (n, (key, rows)) in blocks.enumerate() {
            let Some(cell) = cells.get_mut(key) else { continue };
            let block = flat.clone().select(0, indices(rows, [rows.len()], &device));
            if !cell.with_transitions() {
                add_directions(cell, site, &block)?;
            }
            let (shift, scale) = self.references[site].on_device.clone();
            let block = (block - shift) / scale;
            self.add_site(cell, site, &block)?;
            if let (Some(before), Some(previous)) = (site.checked_sub(1), self.previous.get(n)) {
                self.add_transition(cell, before, previous, &block)?;
            }
            if cell.with_transitions() {
                current.push(block);
            }
        }
        self.previous = current;
        Ok(())
    }

    fn add_site(&self, cell: &mut Cell, site: usize, block: &Tensor<2>) -> Result<()> {
        let Reference { shift, scale, .. } = &self.references[site];
        let (moments, _) = cell.site(site, shift.len());
        if moments.count() == 0 {
            moments.set_reference(shift.view(), scale.view())?;
        }
        let gram = host(block.clone().transpose().matmul(block.clone()));
        moments.add_block(block.dims()[0] as u64, sums(block).view(), gram.view())
    }

    fn add_transition(
        &self,
        cell: &mut Cell,
        before: usize,
        x: &Tensor<2>,
        y: &Tensor<2>,
    ) -> Result<()> {
        let (of_x, of_y) = (&self.references[before], &self.references[before + 1]);
        let moments = cell.transition(before, [of_x.shift.len(), of_y.shift.len()]);
        if moments.count() == 0 {
            moments.set_reference(
                [of_x.shift.view(), of_y.shift.view()],
                [of_x.scale.view(), of_y.scale.view()],
            )?;
        }
        let cross = host(x.clone().transpose().matmul(y.clone()));
        moments.add_block(x.dims()[0] as u64, sums(x).view(), sums(y).view(), cross.view())
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

/// Norms and unit vectors: the device sums the directions, the host the norms, in f64.
fn add_directions(cell: &mut Cell, site: usize, block: &Tensor<2>) -> Result<()> {
    let [rows, d] = block.dims();
    let norms = block.clone().square().sum_dim(1).sqrt();
    // 0/0 of a row of zeros must not reach the sum.
    let units = block.clone() / norms.clone().clamp_min(f32::MIN_POSITIVE);
    let norms: Vec<f32> = norms.into_data().iter::<f32>().collect();
    let directed = norms.iter().filter(|norm| **norm > 0.0).count();
    let sum = norms.into_iter().map(f64::from).sum();
    let (_, directions) = cell.site(site, d);
    directions.add_block(rows as u64, directed as u64, sum, sums(&units).view())
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
