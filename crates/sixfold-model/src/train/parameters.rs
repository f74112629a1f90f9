//! Parameters and moments to and from files, by path.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};

use super::AdamW;
use super::archive::{Archive, Stored};
use super::buffers::{Moments, ParamState, Values};
use crate::{Error, PathTracker, Result, TensorReport};

/// Every parameter of a model: float, integer, Boolean. Copies are made when they are written.
pub(super) fn stored<M: Module>(model: &M) -> BTreeMap<String, Stored<'static>> {
    struct Collect {
        tracker: PathTracker,
        found: BTreeMap<String, Stored<'static>>,
    }
    macro_rules! collect {
        ($visit:ident, $kind:ty) => {
            fn $visit<const D: usize>(&mut self, param: &Param<Tensor<D, $kind>>) {
                let tensor = param.val();
                let stored = Stored {
                    dtype: tensor.dtype(),
                    shape: tensor.dims().to_vec(),
                    fetch: Box::new(move || tensor.to_data()),
                };
                self.found.insert(self.tracker.path(), stored);
            }
        };
    }
    impl ModuleVisitor for Collect {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.tracker.enter(name, container);
        }
        fn exit_module(&mut self, _: &str, container: &str) {
            self.tracker.exit(container);
        }
        collect!(visit_float, burn::tensor::Float);
        collect!(visit_int, Int);
        collect!(visit_bool, Bool);
    }
    let mut collect = Collect { tracker: PathTracker::default(), found: BTreeMap::new() };
    model.visit(&mut collect);
    collect.found
}

/// The model with the values of a file.
pub(super) fn load<M: Module>(model: M, archive: Archive) -> Result<M> {
    struct Load {
        tracker: PathTracker,
        archive: Archive,
        error: Option<Error>,
    }
    impl Load {
        fn read(&mut self) -> Option<TensorData> {
            if self.error.is_some() {
                return None;
            }
            self.archive.read(&self.tracker.path()).map_err(|error| self.error = Some(error)).ok()
        }
    }
    macro_rules! load {
        ($map:ident, $kind:ty, $finish:expr) => {
            fn $map<const D: usize>(
                &mut self,
                param: Param<Tensor<D, $kind>>,
            ) -> Param<Tensor<D, $kind>> {
                let Some(data) = self.read() else { return param };
                let (id, old, mapper) = param.consume();
                let dtype = data.dtype();
                let new = Tensor::from_data(data, (&old.device(), dtype));
                Param::from_mapped_value(id, $finish(new, old), mapper)
            }
        };
    }
    impl ModuleMapper for Load {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.tracker.enter(name, container);
        }
        fn exit_module(&mut self, _: &str, container: &str) {
            self.tracker.exit(container);
        }
        load!(map_float, burn::tensor::Float, |new: Tensor<D>, old: Tensor<D>| new
            .set_require_grad(old.is_require_grad()));
        load!(map_int, Int, |new, _| new);
        load!(map_bool, Bool, |new, _| new);
    }
    let expected = stored(&model);
    let expected = expected.iter().map(|(path, stored)| (path.clone(), stored.shape.clone()));
    compare(&archive, &expected.collect())?;
    let mut load = Load { tracker: PathTracker::default(), archive, error: None };
    let model = model.map(&mut load);
    match load.error {
        None => Ok(model),
        Some(error) => Err(error),
    }
}

/// Before the names of what an optimiser keeps besides the moments of parameters.
const EXTRA: &str = "extra.";

/// The state of an optimiser: `first.PATH`, `second.PATH`, `steps.PATH`, `extra.NAME`.
pub(super) fn stored_moments<'a>(
    optimizer: &'a AdamW,
    extra: &'a BTreeMap<String, TensorData>,
) -> BTreeMap<String, Stored<'a>> {
    let mut tensors = BTreeMap::new();
    for (path, ParamState { steps, moments }) in &optimizer.state {
        let (dtype, n) = match moments {
            Moments::Host { first, .. } => (DType::F32, first.len()),
            Moments::Device { first, .. } => (first.dtype(), first.dims()[0]),
        };
        let mut put = |name: &str, dtype, shape, fetch| {
            tensors.insert(format!("{name}.{path}"), Stored { dtype, shape, fetch });
        };
        put("first", dtype, vec![n], Box::new(|| moments.data().0));
        put("second", dtype, vec![n], Box::new(|| moments.data().1));
        put("steps", DType::U64, vec![1], Box::new(|| TensorData::new(vec![*steps], [1])));
    }
    for (name, data) in extra {
        let (dtype, shape) = (data.dtype(), data.shape().to_vec());
        let stored = Stored { dtype, shape, fetch: Box::new(|| data.clone()) };
        tensors.insert(format!("{EXTRA}{name}"), stored);
    }
    tensors
}

/// Takes what an optimiser keeps besides moments out of its file.
pub(super) fn load_extra(archive: &mut Archive) -> Result<BTreeMap<String, TensorData>> {
    let names: Vec<String> =
        archive.tensors.keys().filter(|name| name.starts_with(EXTRA)).cloned().collect();
    let mut extra = BTreeMap::new();
    for name in names {
        extra.insert(name[EXTRA.len()..].to_owned(), archive.read(&name)?);
        archive.tensors.remove(&name);
    }
    Ok(extra)
}

/// The state of an optimiser for a model. A parameter without state has not taken a step.
pub(super) fn load_moments<M: Module>(
    model: &M,
    mut archive: Archive,
) -> Result<BTreeMap<String, ParamState>> {
    let parameters = float_parameters(model);
    let with_state: Vec<(String, usize, Device)> = parameters
        .into_iter()
        .filter(|(path, ..)| archive.tensors.contains_key(&format!("steps.{path}")))
        .collect();
    let mut expected = BTreeMap::new();
    for (path, n, _) in &with_state {
        expected.insert(format!("first.{path}"), vec![*n]);
        expected.insert(format!("second.{path}"), vec![*n]);
        expected.insert(format!("steps.{path}"), vec![1]);
    }
    compare(&archive, &expected)?;
    let mut state = BTreeMap::new();
    for (path, _, device) in with_state {
        let device = device.without_autodiff();
        let mut tensor = |name: &str| -> Result<Values> {
            let data = archive.read(&format!("{name}.{path}"))?;
            let dtype = data.dtype();
            Ok(Values::take(Tensor::<1>::from_data(data, (&device, dtype))))
        };
        let moments = match (tensor("first")?, tensor("second")?) {
            (Values::Host(first), Values::Host(second)) => Moments::Host { first, second },
            (Values::Device(first), Values::Device(second)) => Moments::Device { first, second },
            _ => {
                let what = format!("`first.{path}` and `second.{path}` are of different types");
                return Err(Error::Malformed { path: archive.path, what });
            }
        };
        let steps = archive.read(&format!("steps.{path}"))?.iter::<u64>().next().unwrap_or(0);
        state.insert(path, ParamState { steps, moments });
    }
    Ok(state)
}

/// Path, number of values and device of each float parameter.
fn float_parameters<M: Module>(model: &M) -> Vec<(String, usize, Device)> {
    #[derive(Default)]
    struct Floats {
        tracker: PathTracker,
        found: Vec<(String, usize, Device)>,
    }
    impl ModuleVisitor for Floats {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.tracker.enter(name, container);
        }
        fn exit_module(&mut self, _: &str, container: &str) {
            self.tracker.exit(container);
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let n = param.lazy_shape().iter().product();
            self.found.push((self.tracker.path(), n, param.lazy_device()));
        }
    }
    let mut floats = Floats::default();
    model.visit(&mut floats);
    floats.found
}

/// Reports all tensors that are not as expected.
fn compare(archive: &Archive, expected: &BTreeMap<String, Vec<usize>>) -> Result<()> {
    let mut report = TensorReport::default();
    for (name, shape) in expected {
        match archive.tensors.get(name) {
            None => report.missing.push(name.clone()),
            Some(found) if found.shape != *shape => {
                report.misshapen.push((name.clone(), shape.clone(), found.shape.clone()));
            }
            Some(_) => {}
        }
    }
    let unknown = archive.tensors.keys().filter(|name| !expected.contains_key(*name));
    report.unexpected = unknown.cloned().collect();
    if report.is_empty() {
        return Ok(());
    }
    Err(Error::Tensors { path: archive.path.clone(), report: Box::new(report) })
}
