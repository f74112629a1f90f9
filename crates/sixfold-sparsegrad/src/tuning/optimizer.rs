//! AdamW for all that has gradients of its own, and compact moments for entries that change from step to step.

use std::collections::BTreeMap;
use std::sync::Arc;

use burn::tensor::{DType, TensorData};
use serde_json::{Value, json};
use sixfold_model::train::{AdamW, ClippedGradients, Gradients, Optimizer};

use super::sinks::{Chosen, Standing, TopKSink};
use crate::SparseAdamConfig;
use crate::{Adapted, AdaptedModel, EntryTable, EntryTableParts, Error, Kept, Mask, Result};

/// The optimiser of a model of which some projections are [`Adapted`].
///
/// Parameters take [`AdamW`]'s step: the values of a fixed mask are a parameter like any other, so that their moments
/// are as small as they are. Weights that hold their update are then brought up to date. Where entries are chosen at
/// each step, their gradients come past the tape, count in the norm that clips, and have moments in an [`EntryTable`].
#[derive(Debug)]
pub struct SparseAdam {
    dense: AdamW,
    config: SparseAdamConfig,
    moving: BTreeMap<String, Moving>,
    step: u32,
}

/// A matrix whose trained entries change.
#[derive(Clone, Debug)]
pub(super) struct Moving {
    pub(super) sink: Arc<TopKSink>,
    pub(super) k: usize,
    pub(super) core: [usize; 2],
    pub(super) table: EntryTable,
    /// The entries of the step at hand.
    chosen: Vec<u32>,
}

impl Moving {
    pub(super) fn new(
        sink: Arc<TopKSink>,
        k: usize,
        core: [usize; 2],
        config: &SparseAdamConfig,
    ) -> Result<Self> {
        let table = EntryTable::new(config.clone(), k)?;
        Ok(Self { sink, k, core, table, chosen: Vec::new() })
    }
}

impl SparseAdam {
    pub(super) fn new(
        dense: AdamW,
        config: SparseAdamConfig,
        moving: BTreeMap<String, Moving>,
    ) -> Self {
        Self { dense, config, moving, step: 0 }
    }

    /// AdamW over the parameters.
    pub fn dense(&self) -> &AdamW {
        &self.dense
    }

    /// The moments of a matrix whose trained entries change.
    pub fn table(&self, path: &str) -> Option<&EntryTable> {
        self.moving.get(path).map(|moving| &moving.table)
    }

    /// Bytes of the moments of entries that change.
    pub fn table_bytes(&self) -> usize {
        self.moving.values().map(|moving| moving.table.bytes()).sum()
    }
}

/// What gradients of entries that change are called among those of parameters.
fn name(path: &str) -> String {
    format!("{path}.core")
}

impl<M: AdaptedModel> Optimizer<M> for SparseAdam {
    fn dense(&self) -> &AdamW {
        &self.dense
    }

    fn dense_mut(&mut self) -> &mut AdamW {
        &mut self.dense
    }

    fn begin(&mut self, micro_batches: usize) {
        for moving in self.moving.values() {
            moving.sink.begin(micro_batches);
        }
    }

    fn gather(&mut self, mut gradients: Gradients) -> sixfold_model::Result<Gradients> {
        for (path, moving) in &mut self.moving {
            let chosen = moving.sink.take(path).map_err(|_| {
                sixfold_model::Error::NonFiniteGradient { path: format!("{path}.weight") }
            })?;
            let Some(Chosen { indices, gradients: values }) = chosen else { continue };
            gradients.insert(name(path), values);
            moving.chosen = indices;
        }
        Ok(gradients)
    }

    fn step(&mut self, model: M, mut gradients: ClippedGradients, lr: f64) -> M {
        self.step += 1;
        let mut changes: BTreeMap<String, (Arc<Mask>, Vec<f32>)> = BTreeMap::new();
        for (path, moving) in &mut self.moving {
            let Some((mut values, scale)) = gradients.remove(&name(path)) else { continue };
            values.iter_mut().for_each(|value| *value *= scale as f32);
            let indices = std::mem::take(&mut moving.chosen);
            if moving.sink.is_sticky() {
                moving.table.retain(&indices);
            }
            let kept = Kept { indices: &indices, gradients: &values, values: None };
            let change = moving.table.step(kept, lr as f32, self.step);
            let change = change.expect("finite gradients of ascending entries, fewer than the cap");
            let mask = Mask::new(moving.core, indices).expect("entries of the core");
            changes.insert(path.clone(), (Arc::new(mask), change));
        }
        let model = self.dense.step(model, gradients, lr);
        model.map_adapted(&mut |path, adapted| match adapted {
            Adapted::Sparse(sparse) => Adapted::Sparse(sparse.settle()),
            Adapted::Sunk(sunk) => Adapted::Sunk(match changes.remove(path) {
                Some((mask, change)) => sunk.changed(&mask, &change),
                None => sunk,
            }),
            other => other,
        })
    }

    fn settings(&self) -> Value {
        let moving: BTreeMap<&String, usize> =
            self.moving.iter().map(|(path, moving)| (path, moving.k)).collect();
        json!({ "sparse": self.config, "moving": moving })
    }

    fn extra(&self) -> BTreeMap<String, TensorData> {
        let mut extra = BTreeMap::new();
        if self.moving.is_empty() {
            return extra;
        }
        extra.insert("step".to_owned(), TensorData::new(vec![self.step], [1]));
        for (path, moving) in &self.moving {
            let Standing { indices, age } = moving.sink.standing();
            let n = indices.len();
            extra.insert(format!("chosen.{path}"), TensorData::new(indices, [n]));
            extra.insert(format!("age.{path}"), TensorData::new(vec![age], [1]));
            let EntryTableParts { indices, first, second, counts, ages } = moving.table.to_parts();
            let mut put = |name: &str, data: TensorData| {
                extra.insert(format!("{name}.{path}"), data);
            };
            for (name, values) in [("indices", indices), ("counts", counts), ("ages", ages)] {
                let n = values.len();
                put(name, TensorData::new(values, [n]));
            }
            for (name, values) in [("first", first), ("second", second)] {
                let n = values.len();
                put(name, TensorData::new(values, [n]));
            }
        }
        extra
    }

    fn restore(&mut self, mut extra: BTreeMap<String, TensorData>) -> Result<(), String> {
        let mut take = |name: String, dtype: DType| match extra.remove(&name) {
            Some(data) if data.dtype() == dtype => Ok(data),
            Some(data) => Err(format!("`{name}` has type {:?}, expected {dtype:?}", data.dtype())),
            None => Err(format!("no `{name}`")),
        };
        if !self.moving.is_empty() {
            let step = take("step".to_owned(), DType::U32)?;
            self.step = step.iter::<u32>().next().ok_or("`step` is empty")?;
        }
        for (path, moving) in &mut self.moving {
            let mut whole = |name: &str| -> Result<Vec<u32>, String> {
                Ok(take(format!("{name}.{path}"), DType::U32)?.iter::<u32>().collect())
            };
            let (chosen, age) = (whole("chosen")?, whole("age")?);
            let age = age.first().copied().unwrap_or_default();
            moving.sink.stand(Standing { indices: chosen, age });
            let [indices, counts, ages] = [whole("indices")?, whole("counts")?, whole("ages")?];
            let mut real = |name: &str| -> Result<Vec<f32>, String> {
                Ok(take(format!("{name}.{path}"), DType::F32)?.iter::<f32>().collect())
            };
            let [first, second] = [real("first")?, real("second")?];
            let parts = EntryTableParts { indices, first, second, counts, ages };
            moving.table = EntryTable::from_parts(self.config.clone(), moving.k, parts)
                .map_err(|error: Error| format!("`{path}`: {error}"))?;
        }
        match extra.into_keys().next() {
            None => Ok(()),
            Some(name) => Err(format!("`{name}` is nothing that the optimiser knows")),
        }
    }
}
