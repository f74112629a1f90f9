//! From a model and what calibration found to a model in training, and back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use burn::module::Module;
use ndarray::ArrayView2;
use sixfold_model::parameter_shapes;
use sixfold_model::train::{AdamW, Patterns, Trainer, freeze, unfreeze};

use super::Calibration;
use super::optimizer::{Moving, SparseAdam};
use super::sinks::TopKSink;
use crate::adapter::MatrixHasher;
use crate::config::Mode;
use crate::{
    Adaptable, Adapted, AdaptedModel, Adapter, AdapterConfig, Coordinates, Error, Result,
    SparseAdamConfig, SparseGradConfig, SparseLinear, SunkLinear,
};

/// A model whose matrices are adapted, and what their optimiser needs.
#[derive(Debug)]
pub struct Tuned<A> {
    /// The model, with nothing trained yet.
    pub model: A,
    /// What the adapter will say of it.
    pub adapter: AdapterConfig,
    moving: BTreeMap<String, Moving>,
    config: SparseAdamConfig,
}

/// Adapts the matrices of a model.
///
/// All else is frozen but what [`modules_to_save`](SparseGradConfig::modules_to_save) names; in the paper's modes all
/// else is trained (without norms in that of the reference, which forgets them).
///
/// # Errors
/// [`Error::NoMatch`], [`Error::Config`] for a matrix that calibration has not seen; values of `sparse` out of range.
pub fn attach<M: Adaptable>(
    model: M,
    config: &SparseGradConfig,
    found: &Calibration,
    sparse: &SparseAdamConfig,
) -> Result<Tuned<M::Adapted>> {
    config.validate()?;
    sparse.validate()?;
    let adapter = AdapterConfig {
        base_model_hash: Some(base_hash(&model, |path| found.basis_of.contains_key(path))),
        target_modules: config.targets.clone(),
        selection: config.selection,
        basis: config.basis,
        rank: config.rank,
        fraction: Some(config.fraction),
        seed: config.seed,
        ..AdapterConfig::default()
    };
    let paper = config.mode != Mode::Default;
    let model = if paper { model } else { model.no_grad() };
    let mut coordinates: BTreeMap<&str, Coordinates> = BTreeMap::new();
    let mut moving = BTreeMap::new();
    let mut problem = None;
    let model = model.adapt(&mut |path, linear| {
        let Some(name) = found.basis_of.get(path) else { return Adapted::Plain(linear) };
        let Some(basis) = found.bases.get(name) else {
            problem.get_or_insert(format!("no basis `{name}`"));
            return Adapted::Plain(linear);
        };
        let shape: [usize; 2] = linear.weight.lazy_shape().dims();
        if shape != basis.weights() {
            problem.get_or_insert(format!("`{path}` is not of the basis `{name}`"));
            return Adapted::Plain(linear);
        }
        let device = linear.weight.lazy_device();
        let fresh = || Coordinates::new(name.clone(), basis, &device);
        let coordinates = coordinates.entry(name).or_insert_with(fresh).clone();
        if config.is_dynamic() {
            let k = config.k_of(shape[0], shape[1]);
            let sink = Arc::new(TopKSink::new(k, config.refresh_every.unwrap_or(1) as u32));
            match Moving::new(sink.clone(), k, coordinates.core(), sparse) {
                Ok(new) => moving.insert(path.to_owned(), new),
                Err(error) => {
                    problem.get_or_insert(error.to_string());
                    None
                }
            };
            let sunk = SunkLinear::new(linear, &coordinates, sink);
            // The sum of all changes of a truncated core is small, and makes an adapter.
            return Adapted::Sunk(if config.is_full() { sunk } else { sunk.remembered() });
        }
        let Some(mask) = found.masks.get(path) else {
            problem.get_or_insert(format!("no entries of `{path}`"));
            return Adapted::Plain(linear);
        };
        let mask = mask.clone();
        Adapted::Sparse(SparseLinear::new(linear, &coordinates, mask, config.realisation))
    });
    if let Some(problem) = problem {
        return Err(Error::Config { problems: vec![problem] });
    }
    let model = trained_besides(model, config)?;
    Ok(Tuned { model, adapter, moving, config: sparse.clone() })
}

impl<A> Tuned<A> {
    /// The optimiser, from that of a [`Trainer`]: hand it to
    /// [`with_optimizer`](Trainer::with_optimizer).
    pub fn optimizer(self, dense: AdamW) -> (A, SparseAdam) {
        (self.model, SparseAdam::new(dense, self.config, self.moving))
    }
}

impl<A: AdaptedModel> Tuned<A> {
    /// A training of the model.
    ///
    /// # Errors
    /// Those of [`Trainer::new`].
    pub fn trainer(
        self,
        n_examples: usize,
        config: &sixfold_model::train::TrainerConfig,
        groups: &sixfold_model::train::ParamGroups,
    ) -> sixfold_model::Result<Trainer<A, SparseAdam>> {
        let Self { model, moving, config: sparse, .. } = self;
        let trainer = Trainer::new(model, n_examples, config, groups)?;
        Ok(trainer.with_optimizer(|dense| SparseAdam::new(dense, sparse, moving)))
    }
}

/// Trains what is trained besides the adapted matrices.
fn trained_besides<A: Module>(model: A, config: &SparseGradConfig) -> Result<A> {
    match config.mode {
        Mode::Default => match &config.modules_to_save[..] {
            [] => Ok(model),
            patterns => Ok(unfreeze(model, &Patterns::new(patterns)?)?),
        },
        Mode::Paper => Ok(model),
        // As in the reference, whose two optimisers both leave norms out.
        Mode::Reference => {
            let paths = parameter_shapes(&model).into_iter().map(|(path, _)| path);
            let norms: Vec<String> =
                paths.filter(|path| path.split('.').any(|part| part.contains("norm"))).collect();
            Ok(freeze(model, &Patterns::new(norms)?)?)
        }
    }
}

/// The hash of the matrices that `adapted` names, before they were adapted.
fn base_hash<M: Adaptable>(model: &M, adapted: impl Fn(&str) -> bool) -> String {
    let mut hasher = MatrixHasher::default();
    model.visit_projections(&mut |path, linear| {
        if adapted(path) {
            let weight = linear.weight.val();
            let shape = weight.dims();
            let values: Vec<f32> = weight.to_data().iter::<f32>().collect();
            hasher.add(path, ArrayView2::from_shape(shape, &values).expect("a matrix"));
        }
    });
    hasher.finish()
}

/// The updates of a model, without its weights.
///
/// # Errors
/// [`Error::Config`] for matrices whose trained entries changed within a full core: their update is dense.
pub fn adapter_of<A: AdaptedModel>(model: &A, config: &AdapterConfig) -> Result<Adapter> {
    let mut adapter = Adapter::new(config.clone());
    let mut outcome = Ok(());
    model.visit_adapted(&mut |path, adapted| {
        if outcome.is_err() {
            return;
        }
        outcome = match adapted {
            Adapted::Sparse(sparse) => with_basis(&mut adapter, sparse.coordinates())
                .and_then(|()| adapter.insert(path, sparse.update())),
            Adapted::Sunk(sunk) => match sunk.update() {
                Some(update) => with_basis(&mut adapter, sunk.coordinates())
                    .and_then(|()| adapter.insert(path, update)),
                None => Err(Error::Config {
                    problems: vec![format!(
                        "the changes of `{path}` fill a full core: save its merged weights"
                    )],
                }),
            },
            _ => Ok(()),
        };
    });
    outcome.map(|()| adapter)
}

/// Puts a basis into an adapter, if it is not there.
fn with_basis(adapter: &mut Adapter, coordinates: &Coordinates) -> Result<()> {
    match adapter.bases().contains_key(coordinates.name()) {
        true => Ok(()),
        false => adapter.insert_basis(coordinates.name(), coordinates.basis()),
    }
}

/// The model with all updates in its weights.
pub fn merge<A: AdaptedModel>(model: A) -> A::Plain {
    model.into_plain(&mut |_, adapted| adapted.merge())
}

/// The model without the updates that lie beside its weights or can be taken out of them.
pub fn unload<A: AdaptedModel>(model: A) -> A::Plain {
    model.into_plain(&mut |_, adapted| adapted.unload())
}

/// A model with the updates of an adapter.
///
/// # Errors
/// [`Error::Hash`] where it was made for other weights (`path` is named); [`Error::NoMatch`] for a matrix that the model
/// does not have; [`Error::Shape`].
pub fn with_adapter<M: Adaptable>(
    model: M,
    adapter: &Adapter,
    realisation: crate::config::Realisation,
) -> Result<M::Adapted> {
    let mut missing: BTreeSet<&str> = adapter.layers().keys().map(String::as_str).collect();
    let mut known = Vec::new();
    let mut outcome = Ok(());
    let mut coordinates: BTreeMap<&str, Coordinates> = BTreeMap::new();
    let hash = base_hash(&model, |path| adapter.layers().contains_key(path));
    adapter.config.check_base("adapter", &hash)?;
    let model = model.adapt(&mut |path, linear| {
        known.push(path.to_owned());
        let Ok((update, basis)) = adapter.layer(path) else { return Adapted::Plain(linear) };
        missing.remove(path);
        let shape: [usize; 2] = linear.weight.lazy_shape().dims();
        if shape != basis.weights() {
            let (expected, found) = (basis.weights().to_vec(), shape.to_vec());
            let (path, what) = (path.to_owned(), "the weights");
            outcome = Err(Error::Shape { path, what, expected, found });
            return Adapted::Plain(linear);
        }
        let device = linear.weight.lazy_device();
        let fresh = || Coordinates::new(update.basis.clone(), basis, &device);
        let coordinates = coordinates.entry(&update.basis).or_insert_with(fresh).clone();
        let sparse = SparseLinear::new(linear, &coordinates, update.mask.clone(), realisation);
        let scale = adapter.config.scale;
        let values: Vec<f32> = update.values.iter().map(|value| value * scale).collect();
        Adapted::Sparse(sparse.with_values(&values))
    });
    outcome?;
    match missing.into_iter().next() {
        None => Ok(model),
        Some(pattern) => Err(Error::NoMatch { pattern: pattern.to_owned(), known }),
    }
}
