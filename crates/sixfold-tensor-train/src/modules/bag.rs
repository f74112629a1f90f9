//! Bags of rows as a layer.

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::{Int, Tensor, TensorData};

use super::TtEmbedding;
use crate::bags::Bags;
use crate::lookup::Plan;
use crate::{Error, Result, ops};

/// What becomes of the rows of a bag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BagMode {
    /// Their sum, weighted where weights are given.
    #[default]
    Sum,
    /// Their mean; padding does not count.
    Mean,
    /// The largest of each column.
    Max,
}

/// A table in tensor-train form under bags of ids, in the place of PyTorch's `EmbeddingBag`. An empty bag is
/// 0.
///
/// ```
/// use burn::tensor::{Int, Tensor};
/// use sixfold_tensor_train::{BagMode, Cores, TtEmbedding, TtEmbeddingBag, TtShape};
///
/// let device = sixfold_model::device("flex")?;
/// let shape = TtShape::train(4, [2, 2], [1, 2], 1)?;
/// let cores = Cores::new(shape, vec![1.0, 2.0, 1.0, 10.0, 3.0, 30.0])?;
/// let bags = TtEmbeddingBag::new(TtEmbedding::from_cores(&cores, &device), BagMode::Mean);
/// let ids = Tensor::<1, Int>::from_ints([3, 0, 1], &device);
/// let offsets = Tensor::<1, Int>::from_ints([0, 2], &device);
/// let means = bags.forward(ids, offsets, None)?;
/// assert_eq!(means.into_data().to_vec::<f32>().unwrap(), [3.5, 35.0, 3.0, 30.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Module, Debug)]
pub struct TtEmbeddingBag {
    /// The table.
    pub table: TtEmbedding,
    #[module(skip)]
    mode: BagMode,
    include_last: bool,
}

impl TtEmbeddingBag {
    /// Bags over a table.
    pub fn new(table: TtEmbedding, mode: BagMode) -> Self {
        Self { table, mode, include_last: false }
    }

    /// Takes offsets of which the last is the end of the ids and begins no bag.
    pub fn including_last_offset(mut self) -> Self {
        self.include_last = true;
        self
    }

    /// What becomes of the rows.
    pub fn mode(&self) -> BagMode {
        self.mode
    }

    /// The bags that begin at `offsets` among `ids`.
    ///
    /// # Shapes
    /// `ids`: `[ids]`, `offsets`: `[bags]`, `weights`: `[ids]` → `[bags, D]`
    ///
    /// # Errors
    /// If an id is not below the vocabulary, offsets fall or leave the ids, or weights are given where the
    /// mode is no sum.
    ///
    /// # Panics
    /// If there is not a weight for each id.
    pub fn forward(
        &self,
        ids: Tensor<1, Int>,
        offsets: Tensor<1, Int>,
        weights: Option<Tensor<1>>,
    ) -> Result<Tensor<2>> {
        let plan = self.table.plan(ids.into_data().iter::<i64>())?;
        let offsets: Vec<i64> = offsets.into_data().iter::<i64>().collect();
        let bags = Arc::new(Bags::new(&plan, &offsets, self.include_last)?);
        self.forward_planned(&plan, &bags, weights)
    }

    /// As [`forward`](Self::forward), for bags that were made ahead of time.
    ///
    /// # Errors
    /// If weights are given where the mode is no sum.
    ///
    /// # Panics
    /// If the bags are of another plan, or there is not a weight for each id.
    pub fn forward_planned(
        &self,
        plan: &Arc<Plan>,
        bags: &Arc<Bags>,
        weights: Option<Tensor<1>>,
    ) -> Result<Tensor<2>> {
        if weights.is_some() && self.mode != BagMode::Sum {
            let name = "the number of weights";
            let expected = "none: only sums are weighted";
            return Err(Error::InvalidParameter { name, found: bags.ids() as f64, expected });
        }
        let rows = self.table.forward_planned(&Arc::new(plan.of_unique()));
        let constant = |values: Vec<f32>| {
            let data = TensorData::new(values, [bags.ids()]);
            Tensor::<1>::from_data(data, (&rows.device(), rows.dtype()))
        };
        let weights = match self.mode {
            BagMode::Max => return Ok(ops::bag_max(rows, bags)),
            BagMode::Sum => weights.unwrap_or_else(|| constant(vec![1.0; bags.ids()])),
            BagMode::Mean => constant(bags.mean_weights()),
        };
        Ok(ops::bag_sum(rows, weights, bags))
    }
}
