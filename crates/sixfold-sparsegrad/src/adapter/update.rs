//! The update of one matrix.

use ndarray::{Array2, ArrayViewMut2};

use crate::{Basis, Error, Mask, Result, Update};

/// The trained entries of the core of one matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerUpdate {
    /// Name of its basis.
    pub basis: String,
    /// Which entries of the core are trained.
    pub mask: Mask,
    /// Their values, in the order of the mask.
    pub values: Vec<f32>,
}

impl LayerUpdate {
    /// The dense core S, zero where nothing was trained.
    ///
    /// # Shapes
    /// `[r_in, r_out]`.
    ///
    /// # Panics
    /// If there is another number of values than of entries.
    pub fn core(&self) -> Array2<f32> {
        let [rows, columns] = self.mask.shape();
        assert_eq!(self.values.len(), self.mask.len(), "as many values as entries");
        let mut dense = vec![0.0; rows * columns];
        match self.mask.indices() {
            None => dense.copy_from_slice(&self.values),
            Some(indices) => {
                for (index, value) in indices.iter().zip(&self.values) {
                    dense[*index as usize] = *value;
                }
            }
        }
        Array2::from_shape_vec((rows, columns), dense).expect("one value for each entry")
    }

    /// ΔW = scale·U·S·Vᵀ.
    ///
    /// # Shapes
    /// `[d_in, d_out]`.
    ///
    /// # Panics
    /// If the core has another shape than the basis, or another number of values than of entries.
    pub fn delta(&self, basis: &Basis, scale: f32) -> Array2<f32> {
        let mut delta = Array2::zeros(basis.weights());
        self.add_to(basis, scale, delta.view_mut());
        delta
    }

    /// W ← W + alpha·U·S·Vᵀ, in panels: nothing else of the size of W is made.
    ///
    /// # Shapes
    /// `weights` is `[d_in, d_out]`, with any strides.
    ///
    /// # Panics
    /// As [`delta`](Self::delta), and if W has another shape than the basis.
    pub fn add_to(&self, basis: &Basis, alpha: f32, weights: ArrayViewMut2<'_, f32>) {
        let update = Update::Sparse(&self.mask, &self.values);
        basis.apply(update, alpha, weights).expect("an update of this basis");
    }

    /// That it fits a basis and has numbers in it.
    pub(super) fn check(&self, path: &str, basis: &Basis) -> Result<()> {
        let wrong = |what, expected, found| {
            let path = path.to_owned();
            Err(Error::Shape { path, what, expected, found })
        };
        let (expected, found) = (basis.core(), self.mask.shape());
        if found != expected {
            return wrong("the core", expected.to_vec(), found.to_vec());
        }
        if self.values.len() != self.mask.len() {
            return wrong("the values", vec![self.mask.len()], vec![self.values.len()]);
        }
        if let Some(at) = self.values.iter().position(|value| !value.is_finite()) {
            let index = self.mask.indices().map_or(at, |indices| indices[at] as usize);
            let path = path.to_owned();
            return Err(Error::NotFinite { path, what: "the core", index });
        }
        Ok(())
    }
}
