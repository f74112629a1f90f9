//! What a layer is made of.

use burn::tensor::Device;
use sixfold_model::Seed;

use super::TtEmbedding;
use crate::{Cores, Error, Initializer, Order, Result, TtShape};

/// A table to be trained from scratch.
///
/// ```
/// use sixfold_model::Seed;
/// use sixfold_tensor_train::{TtEmbeddingConfig, TtShape};
///
/// let device = sixfold_model::device("flex")?;
/// // 93 times smaller than 25 000 × 256.
/// let config = TtEmbeddingConfig::new(TtShape::planned(25_000, 256, 3, 16)?);
/// let table = config.with_padding_idx(1).init(Seed::new(0), &device)?;
/// assert_eq!(table.shape().rows(), [27, 29, 32]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TtEmbeddingConfig {
    /// Factors and ranks; a ring where r_0 > 1.
    pub shape: TtShape,
    /// What the cores begin with: the paper's rule by default.
    #[serde(default)]
    pub initializer: Initializer,
    /// The id that stands for nothing: its rows are zeros.
    #[serde(default)]
    pub padding_idx: Option<usize>,
    /// Which row each id has, where it is not that of its number.
    #[serde(default)]
    pub order: Option<Order>,
}

impl TtEmbeddingConfig {
    /// The paper's first values, no padding, ids in their order.
    pub fn new(shape: TtShape) -> Self {
        Self { shape, initializer: Initializer::default(), padding_idx: None, order: None }
    }

    /// Other first values.
    pub fn with_initializer(mut self, initializer: Initializer) -> Self {
        self.initializer = initializer;
        self
    }

    /// An id that stands for nothing.
    pub fn with_padding_idx(mut self, id: usize) -> Self {
        self.padding_idx = Some(id);
        self
    }

    /// Other rows for ids.
    pub fn with_order(mut self, order: Order) -> Self {
        self.order = Some(order);
        self
    }

    /// That values are in their ranges and fit together.
    ///
    /// # Errors
    /// All that is wrong.
    pub fn validate(&self) -> Result<()> {
        let vocab = self.shape.vocab_size();
        let mut problems = Vec::new();
        if let Err(error) = self.initializer.validate() {
            problems.push(error.to_string());
        }
        if let Some(id) = self.padding_idx.filter(|id| *id >= vocab) {
            problems.push(format!("padding_idx {id} is not one of {vocab} rows"));
        }
        if let Some(order) = self.order.as_ref().filter(|order| order.len() != vocab) {
            problems.push(format!("an order of {} ids for {vocab} rows", order.len()));
        }
        if problems.is_empty() { Ok(()) } else { Err(Error::Shape { problems }) }
    }

    /// A table of random cores, drawn on the host, so that they are the same on every device.
    ///
    /// # Errors
    /// Those of [`validate`](Self::validate).
    pub fn init(&self, seed: Seed, device: &Device) -> Result<TtEmbedding> {
        self.validate()?;
        let seed = seed.derive("init").derive("cores").value();
        let cores = Cores::init(self.shape.clone(), &self.initializer, seed)?;
        let mut table = TtEmbedding::from_cores(&cores, device);
        if let Some(id) = self.padding_idx {
            table = table.with_padding(id)?;
        }
        match &self.order {
            Some(order) => table.with_order(order.clone()),
            None => Ok(table),
        }
    }
}
