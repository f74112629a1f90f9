//! Projections of a model, as they were or adapted.

mod coordinates;
mod lora;
mod meprop;
mod model;
mod sparse;
mod sunk;

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::Tensor;
use sixfold_model::Projection;

pub use coordinates::Coordinates;
pub use lora::LoraLinear;
pub use meprop::MePropLinear;
pub use model::{Adaptable, AdaptedModel};
pub use sparse::SparseLinear;
pub use sunk::SunkLinear;

/// A projection as it was, or adapted in one of the ways that are compared.
///
/// The paths of its parameters do not tell which: `blocks.0.mlp.up.weight` is W in each.
#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "a few dozen in a model")]
pub enum Adapted {
    /// As it was.
    Plain(Linear),
    /// Some entries of a core are trained.
    Sparse(SparseLinear),
    /// The gradient goes into a sink.
    Sunk(SunkLinear),
    /// A product of two thin matrices is trained beside it.
    Lora(LoraLinear),
    /// Its gradient is cut to a few entries of each row.
    MeProp(MePropLinear),
}

impl Adapted {
    /// The projection with whatever was trained in its weights.
    pub fn merge(self) -> Linear {
        match self {
            Self::Plain(linear) => linear,
            Self::Sparse(sparse) => sparse.merge(),
            Self::Sunk(sunk) => sunk.into_linear(),
            Self::Lora(lora) => lora.merge(),
            Self::MeProp(meprop) => meprop.linear,
        }
    }

    /// The projection without an update that lies beside the weights or can be taken out of them; others stay as they
    /// are.
    pub fn unload(self) -> Linear {
        match self {
            Self::Sparse(sparse) => sparse.unload(),
            Self::Sunk(sunk) => sunk.unload(),
            Self::Lora(lora) => lora.unload(),
            other => other.merge(),
        }
    }

    /// The weights, as they stand.
    pub fn weight(&self) -> Tensor<2> {
        match self {
            Self::Plain(linear) => linear.weight.val(),
            Self::Sparse(sparse) => sparse.weight.val(),
            Self::Sunk(sunk) => sunk.weight.val(),
            Self::Lora(lora) => lora.weight.val(),
            Self::MeProp(meprop) => meprop.linear.weight.val(),
        }
    }
}

impl Projection for Adapted {
    fn project<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Plain(linear) => linear.project(x),
            Self::Sparse(sparse) => sparse.project(x),
            Self::Sunk(sunk) => sunk.project(x),
            Self::Lora(lora) => lora.project(x),
            Self::MeProp(meprop) => meprop.project(x),
        }
    }
}
