//! What training made of a model: cores and their coordinates, without the weights.
//!
//! An [`Adapter`] holds, for each adapted matrix W `[d_in, d_out]`, a core S `[r_in, r_out]` with k
//! values, and the bases U, V that several matrices share. It stands for
//!
//! ```text
//! ΔW = scale · U·S·Vᵀ
//! ```
//!
//! | task | where |
//! |---|---|
//! | merge into weights, and out again | [`Adapter::add_to`], [`Adapter::delta`] |
//! | files | [`Adapter::save`], [`Adapter::open`], [`Adapter::open_with`] |
//! | several at once | [`Adapter::weighted_sum`], [`Adapter::scaled`] |
//! | Hugging Face PEFT's LoRA, both ways | [`Adapter::to_lora`], [`Adapter::from_lora`] |

mod config;
pub(crate) mod files;
mod hash;
mod lora;
mod sum;
mod update;

use std::collections::BTreeMap;
use std::sync::Arc;

use ndarray::{Array2, ArrayViewMut2};

pub use config::{AdapterConfig, FORMAT_VERSION, PEFT_TYPE};
pub use files::{Precision, SaveOptions, StoredBases};
pub use hash::{MatrixHasher, hash_basis, hash_matrices};
pub use lora::LoraRank;
pub use update::LayerUpdate;

use crate::{Basis, Error, Result};

/// Trained updates of the matrices of a model: ΔW = scale·U·S·Vᵀ for each.
///
/// ```
/// use ndarray::{Array2, array};
/// use sixfold_sparsegrad::{Adapter, AdapterConfig, Basis, LayerUpdate, Mask, Side};
///
/// let mut adapter = Adapter::new(AdapterConfig { scale: 0.5, ..AdapterConfig::default() });
/// let output = array![[0.6_f32], [0.8]];
/// adapter.insert_basis("up", Basis { input: Side::Identity(3), output: Side::Columns(output) })?;
/// let mask = Mask::new([3, 1], vec![1])?;
/// adapter.insert("blocks.0.mlp.up", LayerUpdate { basis: "up".into(), mask, values: vec![10.0] })?;
///
/// let mut weights = Array2::<f32>::ones([3, 2]);
/// adapter.add_to("blocks.0.mlp.up", 1.0, weights.view_mut())?;
/// assert_eq!(weights, array![[1.0, 1.0], [4.0, 5.0], [1.0, 1.0]]);
/// # Ok::<(), sixfold_sparsegrad::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[doc(alias = "PeftModel")]
pub struct Adapter {
    /// What it was made with, and for which model.
    pub config: AdapterConfig,
    bases: BTreeMap<String, Arc<Basis>>,
    layers: BTreeMap<String, LayerUpdate>,
}

impl Adapter {
    /// An adapter that changes nothing yet.
    pub fn new(config: AdapterConfig) -> Self {
        Self { config, bases: BTreeMap::new(), layers: BTreeMap::new() }
    }

    /// Names a basis, for the layers that are going to use it.
    ///
    /// A basis that several adapters hold as the same [`Arc`] is in memory once.
    ///
    /// # Errors
    /// [`Error::Config`] if another basis has the name; [`Error::NotFinite`] for NaN or infinite
    /// columns, with the name as the path.
    pub fn insert_basis(
        &mut self,
        name: impl Into<String>,
        basis: impl Into<Arc<Basis>>,
    ) -> Result<()> {
        let (name, basis) = (name.into(), basis.into());
        for side in [&basis.input, &basis.output] {
            let found = side.columns().and_then(|x| x.iter().position(|x| !x.is_finite()));
            if let Some(index) = found {
                return Err(Error::NotFinite { path: name, what: "the basis", index });
            }
        }
        match self.bases.get(&name) {
            Some(there) if there != &basis => {
                Err(Error::Config { problems: vec![format!("basis `{name}` is another already")] })
            }
            _ => {
                self.bases.insert(name, basis);
                Ok(())
            }
        }
    }

    /// Adds the update of the matrix at `path`, or replaces it.
    ///
    /// # Errors
    /// [`Error::Config`] if there is no such basis; [`Error::Shape`] for a core of another shape than
    /// the basis has, or another number of values than the mask; [`Error::NotFinite`].
    pub fn insert(&mut self, path: impl Into<String>, update: LayerUpdate) -> Result<()> {
        let path = path.into();
        let Some(basis) = self.bases.get(&update.basis) else {
            let known: Vec<_> = self.bases.keys().collect();
            let name = &update.basis;
            let problem = format!("`{path}` uses the basis `{name}`; there are {known:?}");
            return Err(Error::Config { problems: vec![problem] });
        };
        update.check(&path, basis)?;
        self.layers.insert(path, update);
        Ok(())
    }

    /// The bases by name.
    pub fn bases(&self) -> &BTreeMap<String, Arc<Basis>> {
        &self.bases
    }

    /// The updates by the path of their matrix.
    pub fn layers(&self) -> &BTreeMap<String, LayerUpdate> {
        &self.layers
    }

    /// Trained values of all layers, K.
    pub fn parameters(&self) -> usize {
        self.layers.values().map(|update| update.values.len()).sum()
    }

    /// The update of a matrix, and its basis.
    ///
    /// # Errors
    /// [`Error::NoMatch`] if the adapter does not change it.
    pub fn layer(&self, path: &str) -> Result<(&LayerUpdate, &Arc<Basis>)> {
        let Some(update) = self.layers.get(path) else {
            let known = self.layers.keys().cloned().collect();
            return Err(Error::NoMatch { pattern: path.to_owned(), known });
        };
        // `insert` saw the basis, and none is ever taken away.
        Ok((update, &self.bases[&update.basis]))
    }

    /// ΔW = scale·U·S·Vᵀ of one matrix.
    ///
    /// # Shapes
    /// `[d_in, d_out]`.
    ///
    /// # Errors
    /// [`Error::NoMatch`].
    ///
    /// # Complexity
    /// As [`add_to`](Self::add_to), and the memory of the result.
    pub fn delta(&self, path: &str) -> Result<Array2<f32>> {
        let (update, basis) = self.layer(path)?;
        Ok(update.delta(basis, self.config.scale))
    }

    /// W ← W + factor·ΔW for one matrix: merges it with a `factor` of 1, and takes it out with −1.
    ///
    /// # Shapes
    /// `weights` is `[d_in, d_out]`, with any strides.
    ///
    /// # Errors
    /// [`Error::NoMatch`]; [`Error::Shape`].
    ///
    /// # Complexity
    /// 2·d_in·r_in·r_out operations, or 2·d_in·k for a core that is large and sparse, and
    /// 2·d_in·r_out·d_out; identity sides cost nothing. Scratch is at most 1/32 of W for a dense core, and
    /// about 100 KiB for each thread. Bit-equal for any number of threads.
    #[doc(alias = "merge_and_unload")]
    pub fn add_to(&self, path: &str, factor: f32, weights: ArrayViewMut2<'_, f32>) -> Result<()> {
        let (update, basis) = self.layer(path)?;
        let (expected, found) = (basis.weights(), weights.shape().to_vec());
        if found != expected {
            let (path, expected) = (path.to_owned(), expected.to_vec());
            return Err(Error::Shape { path, what: "the weight", expected, found });
        }
        update.add_to(basis, factor * self.config.scale, weights);
        Ok(())
    }

    /// The same update, `factor` times as large.
    #[must_use]
    pub fn scaled(mut self, factor: f32) -> Self {
        self.config.scale *= factor;
        self
    }
}
