//! LoRA adapters of Hugging Face PEFT.

mod config;
mod files;

use std::collections::BTreeMap;

use ndarray::Array2;
use sixfold_linalg::matmul;

use crate::{Error, Result};

/// Low-rank updates by the names that modules have in Hugging Face's model.
///
/// ```
/// use ndarray::array;
/// use sixfold_sparsegrad::{Lora, LoraLayer};
///
/// let mut lora = Lora::default();
/// let (a, b) = (array![[1.0, 2.0]], array![[3.0], [4.0], [5.0]]);
/// lora.insert("encoder.layer.0.output.dense", LoraLayer { a, b, scaling: 0.5 })?;
/// let delta = lora.layer("encoder.layer.0.output.dense")?.delta();
/// assert_eq!(delta, array![[1.5, 2.0, 2.5], [3.0, 4.0, 5.0]]);
/// # Ok::<(), sixfold_sparsegrad::Error>(())
/// ```
///
/// # References
/// Hu et al. 2022, *LoRA: Low-Rank Adaptation of Large Language Models*.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lora {
    /// The model that was adapted.
    pub base_model_name_or_path: Option<String>,
    /// Whether the model stores its weights `[d_in, d_out]`, as GPT-2's `Conv1D` does.
    pub fan_in_fan_out: bool,
    layers: BTreeMap<String, LoraLayer>,
}

/// The update of one module.
#[derive(Clone, Debug, PartialEq)]
pub struct LoraLayer {
    /// A, `[r, d_in]`.
    pub a: Array2<f32>,
    /// B, `[d_out, r]`.
    pub b: Array2<f32>,
    /// What B·A is multiplied by: α/r, or α/√r in rsLoRA.
    pub scaling: f32,
}

impl LoraLayer {
    /// Rank, r.
    pub fn rank(&self) -> usize {
        self.a.nrows()
    }

    /// ΔW = scaling·Aᵀ·Bᵀ in burn's layout, the transposed of PyTorch's.
    ///
    /// # Shapes
    /// `[d_in, d_out]`.
    ///
    /// # Panics
    /// If the ranks of A and B differ.
    pub fn delta(&self) -> Array2<f32> {
        let mut delta = matmul(self.a.t(), self.b.t());
        delta *= self.scaling;
        delta
    }
}

impl Lora {
    /// An adapter of a model that changes nothing yet.
    pub fn new(base_model_name_or_path: Option<String>) -> Self {
        Self { base_model_name_or_path, ..Self::default() }
    }

    /// Adds the update of a module, or replaces it.
    ///
    /// # Errors
    /// [`Error::Shape`] if the ranks of A and B differ or are 0; [`Error::NotFinite`].
    pub fn insert(&mut self, module: impl Into<String>, layer: LoraLayer) -> Result<()> {
        let path = module.into();
        let (rank, found) = (layer.rank(), layer.b.ncols());
        if rank != found || rank == 0 {
            let (expected, found) = (vec![layer.b.nrows(), rank.max(1)], layer.b.shape().to_vec());
            return Err(Error::Shape { path, what: "lora_B", expected, found });
        }
        for (what, values) in [("lora_A", &layer.a), ("lora_B", &layer.b)] {
            if let Some(index) = values.iter().position(|value| !value.is_finite()) {
                return Err(Error::NotFinite { path, what, index });
            }
        }
        if !layer.scaling.is_finite() {
            return Err(Error::NotFinite { path, what: "the scaling", index: 0 });
        }
        self.layers.insert(path, layer);
        Ok(())
    }

    /// The updates by the names of their modules.
    pub fn layers(&self) -> &BTreeMap<String, LoraLayer> {
        &self.layers
    }

    /// The update of a module.
    ///
    /// # Errors
    /// [`Error::NoMatch`].
    pub fn layer(&self, module: &str) -> Result<&LoraLayer> {
        self.layers.get(module).ok_or_else(|| {
            let known = self.layers.keys().cloned().collect();
            Error::NoMatch { pattern: module.to_owned(), known }
        })
    }
}
