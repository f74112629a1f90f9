//! Coordinates and entries from the gradients of a few batches.

use std::collections::BTreeMap;
use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use ndarray::{Array2, ArrayView2};

use super::sinks::{GramSink, SquareSink};
use super::targets::{Target, targets};
use crate::config::{BasisKind, Mode, Policy};
use crate::ops::Sink;
use crate::{
    Adaptable, Adapted, Basis, Budget, Coordinates, Error, Mask, Result, Scores, Selection,
    SparseGradConfig, Spectrum, SunkLinear,
};

/// In which coordinates matrices are adapted, and which entries of each.
#[derive(Clone, Debug, Default)]
pub struct Calibration {
    /// Bases by name: that of a type of matrix, such as `body.blocks.*.mlp.up`, or of one matrix.
    pub bases: BTreeMap<String, Basis>,
    /// What share of the gradients' energy their coordinates hold, where they were made of gradients.
    pub spectra: BTreeMap<String, Spectrum>,
    /// The basis of each matrix.
    pub basis_of: BTreeMap<String, String>,
    /// The trained entries of each matrix; none where they are chosen at each step.
    pub masks: BTreeMap<String, Mask>,
}

/// Finds coordinates and entries.
///
/// `loss` gives the mean loss of the batch of a number below
/// [`calibration_batches`](SparseGradConfig::calibration_batches); where both coordinates and entries come from
/// gradients, each batch is asked for twice. Truncated coordinates are rounded ([`Basis::in_half`]). The weights stay as
/// they are: nothing is trained here, and the model's other parameters get no gradient.
///
/// # Errors
/// Those of [`SparseGradConfig::validate`] and of `loss`; [`Error::NoMatch`](crate::Error::NoMatch);
/// [`Error::NotFinite`](crate::Error::NotFinite) for a gradient; a matrix too small for its entries.
///
/// # Complexity
/// A forward and a backward pass of each batch, `2·d_in·d_out·(d_in + d_out)` operations a gradient and that of
/// [`GramCalibration::finish`](crate::GramCalibration::finish). Memory for `2·(d_in² + d_out²)` numbers a basis and one
/// gradient: none is stored.
///
/// # References
/// SparseGrad (EMNLP 2024), section 3.1: the higher-order SVD of all gradients of a type of matrix.
pub fn calibrate<M: Adaptable>(
    model: &M,
    config: &SparseGradConfig,
    mut loss: impl FnMut(&M::Adapted, usize) -> sixfold_model::Result<Tensor<1>>,
) -> Result<Calibration> {
    config.validate()?;
    let targets = targets(model, config)?;
    let mut found = Calibration::default();
    for (path, target) in &targets {
        found.basis_of.insert(path.clone(), target.basis.clone());
    }
    found.find_bases(model, config, &targets, &mut loss)?;
    for basis in found.bases.values_mut().filter(|basis| basis.core() != basis.weights()) {
        *basis = basis.in_half();
    }
    if !config.is_dynamic() {
        found.find_masks(model, config, &targets, &mut loss)?;
    }
    Ok(found)
}

impl Calibration {
    /// Chooses the entries anew, in the bases at hand: after some steps, or in bases of the caller's own.
    ///
    /// # Errors
    /// Those of [`calibrate`]; a matrix without a basis.
    pub fn choose<M: Adaptable>(
        &mut self,
        model: &M,
        config: &SparseGradConfig,
        mut loss: impl FnMut(&M::Adapted, usize) -> sixfold_model::Result<Tensor<1>>,
    ) -> Result<()> {
        config.validate()?;
        let targets = targets(model, config)?;
        if let Some(target) = targets.values().find(|t| !self.bases.contains_key(&t.basis)) {
            return Err(Error::Config { problems: vec![format!("no basis `{}`", target.basis)] });
        }
        self.find_masks(model, config, &targets, &mut loss)
    }

    fn find_bases<M: Adaptable>(
        &mut self,
        model: &M,
        config: &SparseGradConfig,
        targets: &BTreeMap<String, Target>,
        loss: &mut impl FnMut(&M::Adapted, usize) -> sixfold_model::Result<Tensor<1>>,
    ) -> Result<()> {
        if config.basis == BasisKind::Gradients {
            let mut sinks: BTreeMap<&str, ([usize; 2], Arc<GramSink>)> = BTreeMap::new();
            for target in targets.values() {
                let fresh = || (target.shape, Arc::new(GramSink::new(target.shape)));
                sinks.entry(&target.basis).or_insert_with(fresh);
            }
            let features = |path: &str, device: &Device| -> Option<(Coordinates, Arc<dyn Sink>)> {
                let (shape, sink) = &sinks[targets.get(path)?.basis.as_str()];
                let basis = Basis::identity(shape[0], shape[1]);
                Some((Coordinates::new(&*targets[path].basis, &basis, device), sink.clone() as _))
            };
            backward_passes(model, config, loss, features)?;
            for (name, ([d_in, d_out], sink)) in sinks {
                let sums = sink.take(name)?;
                let [r_in, r_out] = config.core_of(d_in, d_out);
                let (basis, spectrum) =
                    sums.finish_with_spectrum(r_in, r_out).map_err(|error| error.at(name))?;
                let reference = config.mode == Mode::Reference;
                let basis = if reference { basis.transposed_input()? } else { basis };
                self.bases.insert(name.to_owned(), basis);
                self.spectra.insert(name.to_owned(), spectrum);
            }
            return Ok(());
        }
        let weights = weights(model, targets);
        for (number, (path, target)) in targets.iter().enumerate() {
            if self.bases.contains_key(&target.basis) {
                continue;
            }
            let [d_in, d_out] = target.shape;
            let [r_in, r_out] = config.core_of(d_in, d_out);
            let basis = match config.basis {
                BasisKind::Random => {
                    let seed = sixfold_model::Seed::new(config.seed).derive("basis");
                    let seed = seed.derive(&number.to_string()).value();
                    Basis::random(d_in, d_out, r_in, r_out, seed)?
                }
                BasisKind::Weights => Basis::of_weights(weights[path].view(), r_in, r_out)?,
                BasisKind::Identity | BasisKind::Gradients => Basis::identity(d_in, d_out),
            };
            self.bases.insert(target.basis.clone(), basis);
        }
        Ok(())
    }

    fn find_masks<M: Adaptable>(
        &mut self,
        model: &M,
        config: &SparseGradConfig,
        targets: &BTreeMap<String, Target>,
        loss: &mut impl FnMut(&M::Adapted, usize) -> sixfold_model::Result<Tensor<1>>,
    ) -> Result<()> {
        let selection = |shape: [usize; 2], number: usize| {
            let budget = Budget::Entries(config.k_of(shape[0], shape[1]));
            match config.selection {
                Policy::TopK | Policy::Dynamic => Selection::TopK { budget },
                Policy::Corner => Selection::Corner { r: None, budget },
                Policy::Strip => Selection::Strip { rows: None, budget },
                Policy::Random => {
                    let seed = sixfold_model::Seed::new(config.seed).derive("mask");
                    let seed = seed.derive(&number.to_string()).value();
                    Selection::Random { budget, seed }
                }
                Policy::Magnitude => Selection::Magnitude { budget },
                Policy::All => Selection::All,
            }
        };
        let mut squares: BTreeMap<&str, Arc<SquareSink>> = BTreeMap::new();
        if config.selection == Policy::TopK {
            for (path, target) in targets {
                let core = self.bases[&target.basis].core();
                squares.insert(path, Arc::new(SquareSink::new(core)));
            }
            let mut coordinates: BTreeMap<String, Coordinates> = BTreeMap::new();
            let bases = &self.bases;
            let rotated = |path: &str, device: &Device| -> Option<(Coordinates, Arc<dyn Sink>)> {
                let name = &targets.get(path)?.basis;
                let fresh = || Coordinates::new(&**name, &bases[name], device);
                let coordinates = coordinates.entry(name.clone()).or_insert_with(fresh).clone();
                Some((coordinates, squares[path].clone() as _))
            };
            backward_passes(model, config, loss, rotated)?;
        }
        let weights = match config.selection {
            Policy::Magnitude => weights(model, targets),
            _ => BTreeMap::new(),
        };
        for (number, (path, target)) in targets.iter().enumerate() {
            let basis = &self.bases[&target.basis];
            let saliency = match squares.get(path.as_str()) {
                Some(sink) => Some(sink.take(path)?),
                None => None,
            };
            let scores = Scores {
                saliency: saliency.as_ref().map(|values| {
                    ArrayView2::from_shape(basis.core(), values).expect("one for each entry")
                }),
                weights: weights.get(path).map(|weights| weights.view()),
            };
            let mask = selection(target.shape, number).resolve(basis, &scores);
            self.masks.insert(path.clone(), mask.map_err(|error| error.at(path))?);
        }
        Ok(())
    }
}

/// A pass for each batch, with the gradients of the matrices that `drain` knows led into its sinks.
fn backward_passes<M: Adaptable>(
    model: &M,
    config: &SparseGradConfig,
    loss: &mut impl FnMut(&M::Adapted, usize) -> sixfold_model::Result<Tensor<1>>,
    mut drain: impl FnMut(&str, &Device) -> Option<(Coordinates, Arc<dyn Sink>)>,
) -> Result<()> {
    let frozen = model.clone().no_grad();
    let watched =
        frozen.adapt(&mut |path, linear| match drain(path, &linear.weight.lazy_device()) {
            Some((coordinates, sink)) => Adapted::Sunk(SunkLinear::new(linear, &coordinates, sink)),
            None => Adapted::Plain(linear),
        });
    for batch in 0..config.calibration_batches {
        let _ = loss(&watched, batch)?.backward();
    }
    Ok(())
}

/// The adapted weights, on the host.
fn weights<M: Adaptable>(
    model: &M,
    targets: &BTreeMap<String, Target>,
) -> BTreeMap<String, Array2<f32>> {
    let mut found = BTreeMap::new();
    model.visit_projections(&mut |path, linear| {
        if let Some(target) = targets.get(path) {
            let values = linear.weight.val().to_data().iter::<f32>().collect();
            let matrix = Array2::from_shape_vec(target.shape, values).expect("a matrix");
            found.insert(path.to_owned(), matrix);
        }
    });
    found
}
