//! One turn of one method: bytes of a step, counted, and times of some.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::Result;
use burn::tensor::Device;
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};
use sixfold_model::ops::host;
use sixfold_model::train::{AdamW, AdamWConfig, Gradients, Optimizer, ParamGroups, Patterns};
use sixfold_model::{Batch, PaddingSide, Seed, SequenceClassifier, parameter_shapes};
use sixfold_sparsegrad::config::{BasisKind, Mode, Policy};
use sixfold_sparsegrad::{Calibration, SparseAdam, calibrate};

use super::super::material::AdaptedClassifier;
use super::super::methods::Method;
use super::super::prepare::{Calibrations, Prepared, attached, besides, prepare};
use super::super::ways::{Common, Sparse, Way};
use super::config::{CostConfig, Shape};
use crate::heap;

/// Rate of the steps: what is measured does not depend on it.
const LR: f64 = 1e-4;

/// What a turn gives.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Turn {
    pub(super) trainable: usize,
    /// Persistent bytes that the planner expects.
    pub(super) predicted: usize,
    /// Persistent bytes and the peak, where they were counted.
    pub(super) counted: Option<[usize; 2]>,
    /// Wall times of the steps.
    pub(super) step_ms: Vec<f64>,
}

/// Turns on one shape.
pub(super) struct Bench<'a> {
    config: &'a CostConfig,
    shape: Shape,
    common: Common,
    device: Device,
    adapted: BTreeMap<String, [usize; 2]>,
    /// Parameters beside the adapted matrices, and those of the head.
    sizes: [usize; 2],
    found: BTreeMap<String, Calibration>,
}

impl<'a> Bench<'a> {
    pub(super) fn new(config: &'a CostConfig, shape: Shape, device: &Device) -> Result<Self> {
        let common = config.common();
        let model = fresh(shape, device);
        let adapted = common.adapted(&model)?;
        let head = Patterns::new(&common.head)?;
        let mut sizes = [0, 0];
        for (path, one) in parameter_shapes(&model) {
            let n: usize = one.iter().product();
            sizes[0] += n;
            sizes[1] += if head.matches(&path) { n } else { 0 };
        }
        sizes[0] -= adapted.values().map(|[d_in, d_out]| d_in * d_out).sum::<usize>();
        let (device, found) = (device.clone(), BTreeMap::new());
        Ok(Self { config, shape, common, device, adapted, sizes, found })
    }

    /// A turn of a method; bytes are counted where asked for, in steps of their own.
    pub(super) fn turn(&mut self, method: Method, count: bool) -> Result<Turn> {
        let shapes: Vec<[usize; 2]> = self.adapted.values().copied().collect();
        let way = self.common.way(method, &shapes);
        self.calibrate(method, &way)?;
        let prepared = self.prepare(method, &way)?;
        let trainable = prepared.trainable(&way);
        let mut step_ms = Vec::new();
        let mut before = Instant::now();
        let steps = self.config.steps + 1;
        let touched = self.steps(prepared, steps, &mut |at| match at {
            At::Begin => before = Instant::now(),
            At::Gradients => {}
            At::Step => step_ms.push(1e3 * before.elapsed().as_secs_f64()),
        })?;
        step_ms.remove(0);
        // Last, when threads have what they keep for themselves.
        let counted = match count && heap::is_counted() {
            true => Some(self.count(method, &way)?),
            false => None,
        };
        let touched = counted.map_or(touched, |(_, touched)| touched);
        let tokens = self.config.batch_size * self.config.tokens;
        let plan = way.plan(&self.common, &self.adapted, self.sizes, tokens, touched)?;
        let counted = counted.map(|(bytes, _)| bytes);
        Ok(Turn { trainable, predicted: plan.persistent(), counted, step_ms })
    }

    /// Persistent bytes and the peak of the second step, in which all moments exist; and the entries of a
    /// matrix that have moments by then.
    ///
    /// Persistent is what is there once a backward pass is over: weights, gradients, moments, bases, indices. The pool
    /// of large buffers is off, which is no part of a method.
    fn count(&self, method: Method, way: &Way) -> Result<([usize; 2], Option<usize>)> {
        let kept = host::keep_at_most(0);
        let before = heap::settled();
        let mut bytes = [0, 0];
        let counted = self.prepare(method, way).and_then(|prepared| {
            self.steps(prepared, 2, &mut |at| match at {
                At::Begin => {
                    heap::restart();
                }
                At::Gradients => bytes[0] = heap::now().saturating_sub(before),
                At::Step => bytes[1] = heap::peak().saturating_sub(before),
            })
        });
        host::keep_at_most(kept);
        Ok((bytes, counted?))
    }

    /// Coordinates and entries that cost what those of gradients do: random ones.
    fn calibrate(&mut self, method: Method, way: &Way) -> Result<()> {
        let Way::Sparse(Sparse { config, .. }) = way else { return Ok(()) };
        let mut config = config.clone();
        if config.basis != BasisKind::Identity {
            config.basis = BasisKind::Random;
        }
        if config.selection == Policy::TopK {
            config.selection = Policy::Random;
        }
        if config.mode == Mode::Reference {
            // A transposed basis is as large.
            config.mode = Mode::Paper;
        }
        if !self.found.contains_key(method.name()) {
            let model = fresh(self.shape, &self.device);
            let found = calibrate(&model, &config, |_, _| unreachable!("nothing is calibrated"))?;
            self.found.insert(method.name().to_owned(), found);
        }
        Ok(())
    }

    fn prepare(&self, method: Method, way: &Way) -> Result<Prepared<AdaptedClassifier>> {
        let model = fresh(self.shape, &self.device);
        match (way, self.found.get(method.name())) {
            (Way::Sparse(sparse), Some(found)) => {
                let besides = besides(&model, &self.adapted, &self.common);
                Ok(Prepared::Sparse(attached(model, sparse, found, &besides)?))
            }
            _ => prepare(model, way, &self.common, &mut Calibrations::default(), |_, _| {
                unreachable!("nothing is calibrated")
            }),
        }
    }

    /// Some steps on random tokens; the mean number of entries of a matrix that have moments after them.
    fn steps(
        &self,
        prepared: Prepared<AdaptedClassifier>,
        steps: usize,
        see: &mut dyn FnMut(At),
    ) -> Result<Option<usize>> {
        let config = AdamWConfig { weight_decay: 0.0, ..AdamWConfig::default() };
        let dense = AdamW::new(config, &ParamGroups::default(), prepared.model())?;
        match prepared {
            Prepared::Dense(model) => {
                self.with(model, dense, steps, see)?;
                Ok(None)
            }
            Prepared::Sparse(tuned) => {
                let (model, optimizer) = tuned.optimizer(dense);
                let optimizer: SparseAdam = self.with(model, optimizer, steps, see)?;
                let tables = self.adapted.keys().filter_map(|path| optimizer.table(path));
                let lengths: Vec<usize> = tables.map(|table| table.len()).collect();
                let sum: usize = lengths.iter().sum();
                Ok((!lengths.is_empty()).then(|| sum / lengths.len()))
            }
        }
    }

    fn with<O: Optimizer<AdaptedClassifier>>(
        &self,
        mut model: AdaptedClassifier,
        mut optimizer: O,
        steps: usize,
        see: &mut dyn FnMut(At),
    ) -> Result<O> {
        let mut random = Seed::new(0).stream("data");
        for _ in 0..steps {
            see(At::Begin);
            let (batch, classes) = self.batch(&mut random);
            optimizer.begin(1);
            let gradients = Gradients::from_backward(model.loss(&batch, &classes)?, &model);
            let gradients = optimizer.gather(gradients)?;
            see(At::Gradients);
            model = optimizer.step(model, gradients.clip(Some(1.0))?, LR);
            see(At::Step);
        }
        Ok(optimizer)
    }

    fn batch(&self, random: &mut impl Rng) -> (Batch, Vec<i32>) {
        let (rows, tokens) = (self.config.batch_size, self.config.tokens);
        let vocab = self.shape.spec().vocab_size as u32;
        let texts: Vec<Vec<u32>> = (0..rows)
            .map(|_| (0..tokens).map(|_| random.random_range(0..vocab)).collect())
            .collect();
        let classes = (0..rows).map(|_| random.random_range(0..2)).collect();
        (Batch::pad(&texts, 0, PaddingSide::Right), classes)
    }
}

/// Where a step stands.
enum At {
    /// Before it.
    Begin,
    /// After the backward pass.
    Gradients,
    /// After it.
    Step,
}

fn fresh(shape: Shape, device: &Device) -> SequenceClassifier {
    SequenceClassifier::new(&shape.spec(), &Shape::head(), Seed::new(0), device)
}
