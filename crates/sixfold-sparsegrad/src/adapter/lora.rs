//! Adapters as LoRA, and LoRA as adapters.

use ndarray::{Array2, Axis, s};
use sixfold_linalg::{Threads, matmul_with, qr, svd};

use super::{Adapter, AdapterConfig, LayerUpdate};
use crate::config::{BasisKind, Policy};
use crate::{Basis, Error, Lora, LoraLayer, Mask, Result, Side};

/// The rank of exported layers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum LoraRank {
    /// min(r_in, r_out), without a decomposition: A or B is the basis itself.
    #[default]
    Basis,
    /// The numerical rank of the core: singular values above this share of the largest.
    Numerical(f64),
}

impl Adapter {
    /// The same update as a LoRA adapter of Hugging Face PEFT, with a scaling of 1.
    ///
    /// ΔWᵀ = B·A is exact: for r_in ≤ r_out with A = Uᵀ and B = scale·V·Sᵀ, otherwise with
    /// A = scale·Sᵀ·Uᵀ and B = V. With [`LoraRank::Numerical`] and S = P·Σ·Qᵀ, A = (U·P)ᵀ and
    /// B = scale·V·Q·Σ.
    ///
    /// `hf_name` gives the name of the module that holds the matrix at a path, such as
    /// `bert.encoder.layer.0.intermediate.dense` for `blocks.0.mlp.up`.
    ///
    /// # Shapes
    /// PyTorch's: A is `[r, d_in]`, B is `[d_out, r]`.
    ///
    /// # Errors
    /// [`Error::Config`] for two matrices with one name; [`Error::NotFinite`] where scale·S overflows;
    /// [`Error::Linalg`] where the decomposition fails.
    pub fn to_lora(&self, hf_name: impl Fn(&str) -> String, rank: LoraRank) -> Result<Lora> {
        let mut lora = Lora::new(self.config.base_model_name_or_path.clone());
        for (path, update) in &self.layers {
            let Basis { input, output } = &*self.bases[&update.basis];
            let mut core = update.core();
            let (mut a, mut b);
            match rank {
                LoraRank::Basis if input.rank() <= output.rank() => {
                    core *= self.config.scale;
                    a = times(input, Array2::eye(input.rank()));
                    b = times(output, core.reversed_axes());
                }
                LoraRank::Basis => {
                    core *= self.config.scale;
                    a = times(input, core);
                    b = times(output, Array2::eye(output.rank()));
                }
                LoraRank::Numerical(rcond) => {
                    let factors = svd(core.view())?;
                    // A core of zeros has rank 0, which PEFT refuses.
                    let rank = factors.rank(rcond).max(1);
                    let scale = self.config.scale;
                    a = times(input, factors.u.slice(s![.., ..rank]).to_owned());
                    b = times(output, factors.vt.slice(s![..rank, ..]).t().to_owned());
                    for (mut column, sigma) in b.axis_iter_mut(Axis(1)).zip(&factors.s) {
                        column *= scale * sigma;
                    }
                }
            }
            a = a.reversed_axes().as_standard_layout().into_owned();
            b = b.as_standard_layout().into_owned();
            let module = hf_name(path);
            alone(path, &module, lora.layers().contains_key(&module))?;
            lora.insert(module, LoraLayer { a, b, scaling: 1.0 })?;
        }
        Ok(lora)
    }

    /// A LoRA adapter as one of this crate: with the QR decompositions Aᵀ = U·R and B = V·R', the core
    /// is S = scaling·R·R'ᵀ, exact to rounding.
    ///
    /// `path_of` gives the path of the matrix that a module holds, as `hf_name` of
    /// [`to_lora`](Self::to_lora) does the other way round; each matrix has its own basis, of its path.
    ///
    /// # Errors
    /// [`Error::Config`] for two modules with one path; [`Error::Linalg`]; [`Error::NotFinite`].
    pub fn from_lora(lora: &Lora, path_of: impl Fn(&str) -> String) -> Result<Self> {
        let mut adapter = Self::new(AdapterConfig {
            base_model_name_or_path: lora.base_model_name_or_path.clone(),
            selection: Policy::All,
            basis: BasisKind::Weights,
            ..AdapterConfig::default()
        });
        for (module, layer) in lora.layers() {
            let (path, input, output) = (path_of(module), qr(layer.a.t())?, qr(layer.b.view())?);
            alone(module, &path, adapter.layers.contains_key(&path))?;
            let mut core = matmul_with(input.r.view(), output.r.t(), Threads::ONE);
            core *= layer.scaling;
            let (input, output) = (Side::Columns(input.q), Side::Columns(output.q));
            adapter.insert_basis(path.clone(), Basis { input, output })?;
            let (rows, columns) = core.dim();
            let values = core.into_raw_vec_and_offset().0;
            let mask = Mask::all([rows, columns]);
            adapter.insert(path.clone(), LayerUpdate { basis: path, mask, values })?;
        }
        Ok(adapter)
    }
}

/// That the new name is nobody else's.
fn alone(of: &str, name: &str, taken: bool) -> Result<()> {
    let problem = || format!("`{of}` becomes `{name}`, and so does another");
    if taken { Err(Error::Config { problems: vec![problem()] }) } else { Ok(()) }
}

/// U·M.
fn times(side: &Side, matrix: Array2<f32>) -> Array2<f32> {
    match side {
        Side::Identity(_) => matrix,
        Side::Columns(columns) => matmul_with(columns.view(), matrix.view(), Threads::ONE),
    }
}
