//! Filling a model from an archive.

use std::collections::{BTreeMap, BTreeSet};

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Tensor, TensorData};

use super::archive::{Archive, stored_shape};
use super::naming::{Naming, Source};
use super::{Checkpoint, HeadKind, WeightType};
use crate::{Error, PathTracker, Result, TensorReport, parameter_shapes};

impl Checkpoint {
    /// Reads every parameter of `model` from the directory's safetensors.
    pub(super) fn load<M: Module>(&self, model: M, head: HeadKind) -> Result<M> {
        let archive = Archive::open(&self.dir)?;
        let naming = self.naming(&self.prefix(&archive));
        let plan = self.plan(&model, &archive, &naming, head)?;
        let mut loader = Loader {
            archive: &archive,
            plan,
            weights: self.weights,
            tracker: PathTracker::default(),
            error: None,
        };
        let model = model.map(&mut loader);
        match loader.error {
            Some(error) => Err(error),
            None => Ok(model),
        }
    }

    /// The prefix under which this file holds the token table; the usual one if it is nowhere.
    fn prefix(&self, archive: &Archive) -> String {
        let table = |prefix: &str| {
            let source =
                super::source(self.family.body, &self.naming(prefix), "embed.tokens.weight");
            source.map(|source| source.name).unwrap_or_default()
        };
        let mut prefixes: Vec<String> =
            self.family.prefixes.iter().map(|&prefix| prefix.to_owned()).collect();
        // Data-parallel training leaves one more.
        prefixes.extend(self.family.prefixes.iter().map(|prefix| format!("module.{prefix}")));
        let found = prefixes.iter().find(|prefix| archive.shape(&table(prefix)).is_some());
        found.unwrap_or(&prefixes[0]).clone()
    }

    /// Finds the source of every parameter, and reports all that does not fit.
    fn plan<M: Module>(
        &self,
        model: &M,
        archive: &Archive,
        naming: &Naming,
        kind: HeadKind,
    ) -> Result<BTreeMap<String, Source>> {
        let mut report = TensorReport::default();
        let mut plan = BTreeMap::new();
        let mut taken = BTreeSet::new();
        let mut head = HeadTensors::default();
        for (path, shape) in parameter_shapes(model) {
            let Some(mut source) = self.source(naming, &path, kind) else {
                report.missing.push(format!("{path} (no name in this family)"));
                continue;
            };
            source.name = known_name(archive, source.name);
            let expected = stored_shape(&source, &shape);
            let of_head = kind == HeadKind::Classifier && path.starts_with("head.");
            match archive.shape(&source.name) {
                None if of_head => head.missing.push((path, source.name)),
                None => report.missing.push(source.name),
                Some(found) => {
                    if of_head {
                        head.found.push(path.clone());
                    }
                    if found != expected {
                        report.misshapen.push((source.name.clone(), expected, found.to_vec()));
                    }
                    taken.insert(source.name.clone());
                    plan.insert(path, source);
                }
            }
        }
        let missing = head.missing.iter().map(|(_, name)| name.clone());
        if head.is_partial() {
            report.missing.extend(missing);
        } else if !head.missing.is_empty() {
            let tensors: Vec<String> = missing.collect();
            tracing::info!(?tensors, "the checkpoint has no such head: drawn anew");
        }
        report.missing.sort_unstable();
        report.missing.dedup();
        report.unexpected = archive
            .names()
            .filter(|name| !taken.contains(*name) && !self.expected_elsewhere(naming, name))
            .map(str::to_owned)
            .collect();
        if report.is_empty() {
            Ok(plan)
        } else {
            Err(Error::Tensors { path: archive.path.clone(), report: Box::new(report) })
        }
    }

    /// Whether a tensor that nobody took is a buffer, or belongs to a head that was not asked for.
    fn expected_elsewhere(&self, naming: &Naming, name: &str) -> bool {
        let bare = name.strip_prefix("module.").unwrap_or(name);
        self.family.buffers.iter().any(|end| name.ends_with(end))
            || self.family.heads.iter().any(|begin| {
                let begin = begin.replace("{p}", naming.prefix.trim_start_matches("module."));
                bare.starts_with(&begin)
            })
    }
}

/// What a file holds of a classifier's head, by parameter path.
#[derive(Default)]
struct HeadTensors {
    found: Vec<String>,
    missing: Vec<(String, String)>,
}

impl HeadTensors {
    /// A head is whole, or new: its scores as a whole, with or without the dense layer, which
    /// BERT's pre-training brings as the pooler. Anything between is a damaged file.
    fn is_partial(&self) -> bool {
        let found = |module: &str| self.found.iter().any(|path| path.starts_with(module));
        self.missing.iter().any(|(path, _)| {
            let module = path.rsplit_once('.').map_or("", |(module, _)| module);
            found(module) || found("head.output")
        })
    }
}

/// The name as stored: TensorFlow's conversions call gain and offset of a norm gamma and beta.
fn known_name(archive: &Archive, name: String) -> String {
    if archive.shape(&name).is_some() {
        return name;
    }
    let old = match name.rsplit_once('.') {
        Some((module, "weight")) => format!("{module}.gamma"),
        Some((module, "bias")) => format!("{module}.beta"),
        _ => return name,
    };
    if archive.shape(&old).is_some() { old } else { name }
}

/// Replaces the values of parameters by those of an archive, one at a time.
struct Loader<'a> {
    archive: &'a Archive,
    plan: BTreeMap<String, Source>,
    weights: WeightType,
    tracker: PathTracker,
    error: Option<Error>,
}

impl ModuleMapper for Loader<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.tracker.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, container: &str) {
        self.tracker.exit(container);
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(source) = self.plan.get(&self.tracker.path()) else { return param };
        if self.error.is_some() {
            return param;
        }
        let shape = param.lazy_shape();
        let dims: Vec<usize> = shape.iter().copied().collect();
        match self.archive.read(source, &dims) {
            Err(error) => {
                self.error = Some(error);
                param
            }
            Ok(values) => {
                let device = param.lazy_device();
                let tensor = Tensor::from_data(TensorData::new(values, dims), &device);
                let tensor = if device.is_autodiff() { tensor.require_grad() } else { tensor };
                match self.weights.convert(tensor) {
                    Ok(tensor) => Param::initialized(param.id, tensor),
                    Err(error) => {
                        self.error = Some(error);
                        param
                    }
                }
            }
        }
    }
}
