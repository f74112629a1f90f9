//! From a model to one in which a method has its trained numbers, with the right parts frozen.

use std::collections::{BTreeMap, BTreeSet};

use burn::module::Module;
use burn::tensor::Tensor;
use sixfold_model::train::{Patterns, frozen, unfreeze};
use sixfold_model::{Seed, parameter_shapes};
use sixfold_sparsegrad::config::Realisation;
use sixfold_sparsegrad::{
    Adaptable, Adapted, AdaptedModel, Calibration, LoraLinear, MePropLinear, SparseGradConfig,
    Tuned, attach, calibrate,
};

use super::ways::{Common, Sparse, Way};

/// A model in which a method has its trained numbers.
#[expect(clippy::large_enum_variant, reason = "one of them at a time")]
pub(super) enum Prepared<A> {
    /// All that is trained is a parameter.
    Dense(A),
    /// Some of it is entries of a core.
    Sparse(Tuned<A>),
}

/// Calibrations of one model on the same batches, so that none is done twice.
#[derive(Default)]
pub(super) struct Calibrations(BTreeMap<String, Calibration>);

impl Calibrations {
    /// How the update is kept makes no difference.
    fn key(Sparse { config, transposed, .. }: &Sparse) -> String {
        let same = SparseGradConfig { realisation: Realisation::InPlace, ..config.clone() };
        format!("{same:?} {transposed}")
    }

    /// Whether some settings are calibrated.
    pub(super) fn has(&self, sparse: &Sparse) -> bool {
        self.0.contains_key(&Self::key(sparse))
    }

    /// Coordinates and entries for some settings.
    pub(super) fn of<M: Adaptable>(
        &mut self,
        model: &M,
        sparse: &Sparse,
        mut loss: impl FnMut(&M::Adapted, usize) -> sixfold_model::Result<Tensor<1>>,
    ) -> sixfold_sparsegrad::Result<&Calibration> {
        let Sparse { config, transposed, .. } = sparse;
        let key = Self::key(sparse);
        if !self.0.contains_key(&key) {
            let mut found = calibrate(model, config, &mut loss)?;
            if *transposed {
                for basis in found.bases.values_mut() {
                    *basis = basis.transposed_input()?;
                }
                found.choose(model, config, &mut loss)?;
            }
            self.0.insert(key.clone(), found);
        }
        Ok(&self.0[&key])
    }
}

/// Gives a model the trained numbers of a method, and freezes the rest of it.
///
/// `loss` is that of a calibration batch.
pub(super) fn prepare<M: Adaptable>(
    model: M,
    way: &Way,
    common: &Common,
    calibrations: &mut Calibrations,
    loss: impl FnMut(&M::Adapted, usize) -> sixfold_model::Result<Tensor<1>>,
) -> anyhow::Result<Prepared<M::Adapted>> {
    let adapted = common.adapted(&model)?;
    let besides = besides(&model, &adapted, common);
    Ok(match way {
        Way::Full => Prepared::Dense(model.adapt(&mut |_, linear| Adapted::Plain(linear))),
        Way::Lora => {
            let seed = Seed::new(common.seed).derive("lora");
            let tuned = model.no_grad().adapt(&mut |path, linear| match adapted.get(path) {
                // α = r: the update is not scaled.
                Some(shape) => {
                    let rank = common.lora_rank(*shape);
                    Adapted::Lora(LoraLinear::new(linear, rank, 1.0, seed.derive(path)))
                }
                None => Adapted::Plain(linear),
            });
            Prepared::Dense(trained(tuned, &besides)?)
        }
        Way::MeProp => {
            let tuned = model.no_grad().adapt(&mut |path, mut linear| match adapted.get(path) {
                Some([_, d_out]) => {
                    linear.weight = linear.weight.set_require_grad(true);
                    Adapted::MeProp(MePropLinear::new(linear, common.meprop_k(*d_out)))
                }
                None => Adapted::Plain(linear),
            });
            Prepared::Dense(trained(tuned, &besides)?)
        }
        Way::Sparse(sparse) => {
            let found = calibrations.of(&model, sparse, loss)?;
            Prepared::Sparse(attached(model, sparse, found, &besides)?)
        }
    })
}

/// A model with the entries of a calibration.
pub(super) fn attached<M: Adaptable>(
    model: M,
    sparse: &Sparse,
    found: &Calibration,
    besides: &[String],
) -> sixfold_sparsegrad::Result<Tuned<M::Adapted>> {
    let config = SparseGradConfig { modules_to_save: besides.to_vec(), ..sparse.config.clone() };
    attach(model, &config, found, &sparse.adam)
}

/// Patterns of what every method trains beside the adapted matrices.
pub(super) fn besides<M: Adaptable>(
    model: &M,
    adapted: &BTreeMap<String, [usize; 2]>,
    common: &Common,
) -> Vec<String> {
    if !common.train_rest {
        return common.head.clone();
    }
    let weights: BTreeSet<String> = adapted.keys().map(|path| format!("{path}.weight")).collect();
    let all = parameter_shapes(model).into_iter().map(|(path, _)| path);
    all.filter(|path| !weights.contains(path)).collect()
}

fn trained<A: Module>(model: A, patterns: &[String]) -> sixfold_model::Result<A> {
    match patterns {
        [] => Ok(model),
        _ => unfreeze(model, &Patterns::new(patterns)?),
    }
}

impl<A: AdaptedModel> Prepared<A> {
    /// The model.
    pub(super) fn model(&self) -> &A {
        match self {
            Self::Dense(model) => model,
            Self::Sparse(tuned) => &tuned.model,
        }
    }

    /// Numbers that are trained: of entries that change from step to step, those of one step.
    pub(super) fn trainable(&self, way: &Way) -> usize {
        let model = self.model();
        let frozen = frozen(model);
        let mut sunk: BTreeMap<String, usize> = BTreeMap::new();
        model.visit_adapted(&mut |path, adapted| {
            if let (Adapted::Sunk(one), Way::Sparse(sparse)) = (adapted, way) {
                let [d_in, d_out] = one.coordinates().weights();
                sunk.insert(format!("{path}.weight"), sparse.config.k_of(d_in, d_out));
            }
        });
        let shapes = parameter_shapes(model).into_iter();
        let counted = shapes.filter(|(path, _)| !frozen.contains(path)).map(|(path, shape)| {
            let all: usize = shape.iter().product();
            sunk.get(&path).copied().unwrap_or(all)
        });
        counted.sum()
    }
}
