//! The names of what is compared.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A way to train a model, or a control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// All parameters, densely: regular fine-tuning.
    Full,
    /// LoRA, of the rank whose parameters are nearest to k.
    Lora,
    /// LoRA-XS: a dense core between singular vectors of the weights, with nearest to k entries.
    LoraXs,
    /// The original MeProp: of the gradient of each output row the largest entries go back, and all weights move.
    #[serde(rename = "meprop")]
    MeProp,
    /// The paper's MeProp: the largest entries of each step's weight gradient, in the features themselves, with the
    /// compact optimiser of the others.
    #[serde(rename = "meprop-paper")]
    MePropPaper,
    /// This crate's default, in place: a corner of the gradient in coordinates that two blocks share.
    #[serde(rename = "sparsegrad")]
    SparseGrad,
    /// The same beside the weights.
    #[serde(rename = "sparsegrad-adapter")]
    SparseGradAdapter,
    /// The default in the coordinates of the paper, which all blocks share.
    #[serde(rename = "sparsegrad-shared")]
    SparseGradShared,
    /// As the paper says: full bases, entries chosen at each step, the rest of the model trained.
    #[serde(rename = "sparsegrad-paper")]
    SparseGradPaper,
    /// As the authors' program does: one basis transposed, norms frozen, corrections by the global step.
    #[serde(rename = "sparsegrad-reference")]
    SparseGradReference,
    /// A control: `sparsegrad` in random coordinates.
    RandomBasis,
    /// A control: entries chosen as by `sparsegrad` and trained as by it, in the features themselves.
    IdentityBasis,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Full,
        Self::Lora,
        Self::LoraXs,
        Self::MeProp,
        Self::MePropPaper,
        Self::SparseGrad,
        Self::SparseGradAdapter,
        Self::SparseGradShared,
        Self::SparseGradPaper,
        Self::SparseGradReference,
        Self::RandomBasis,
        Self::IdentityBasis,
    ];

    /// The name in configs and results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Lora => "lora",
            Self::LoraXs => "lora-xs",
            Self::MeProp => "meprop",
            Self::MePropPaper => "meprop-paper",
            Self::SparseGrad => "sparsegrad",
            Self::SparseGradAdapter => "sparsegrad-adapter",
            Self::SparseGradShared => "sparsegrad-shared",
            Self::SparseGradPaper => "sparsegrad-paper",
            Self::SparseGradReference => "sparsegrad-reference",
            Self::RandomBasis => "random-basis",
            Self::IdentityBasis => "identity-basis",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Where the coordinates of the trained entries come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BasisName {
    /// Gradients, one basis for the matrices of a type in two neighbouring blocks: the crate's default.
    #[default]
    Paired,
    /// Gradients, one basis for all matrices of a type: the paper's.
    Shared,
    /// Gradients, a basis for each matrix.
    PerLayer,
    /// Singular vectors of each matrix.
    WeightSvd,
    /// Random directions.
    Random,
    /// The features themselves.
    Identity,
    /// The shared one with its side of the inputs transposed, as in the authors' program.
    ReferenceTransposed,
}

impl BasisName {
    /// The name in configs and results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Paired => "paired",
            Self::Shared => "shared",
            Self::PerLayer => "per-layer",
            Self::WeightSvd => "weight-svd",
            Self::Random => "random",
            Self::Identity => "identity",
            Self::ReferenceTransposed => "reference-transposed",
        }
    }
}

impl fmt::Display for BasisName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_configs() {
        for method in Method::ALL {
            assert_eq!(serde_json::to_value(method).unwrap(), method.name());
        }
        use BasisName::*;
        for basis in [Paired, Shared, PerLayer, WeightSvd, Random, Identity, ReferenceTransposed] {
            assert_eq!(serde_json::to_value(basis).unwrap(), basis.name());
        }
    }
}
