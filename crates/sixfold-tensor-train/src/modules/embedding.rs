//! The table as a layer.

use std::sync::Arc;

use burn::module::{Module, Param};
use burn::nn::Embedding;
use burn::tensor::{Device, Int, Tensor, TensorData};
use sixfold_model::TokenEmbedding;

use crate::lookup::Plan;
use crate::{Cores, Error, Order, Result, TtShape, ops};

/// An embedding table in tensor-train form, in the place of burn's `Embedding`.
///
/// Rows are computed from the cores when they are looked up; no forward or backward pass builds the table.
/// A shape with r_0 > 1 makes it a tensor ring.
///
/// ```
/// use burn::tensor::{Int, Tensor};
/// use sixfold_tensor_train::{Cores, TtEmbedding, TtShape};
///
/// let device = sixfold_model::device("flex")?;
/// let shape = TtShape::train(4, [2, 2], [1, 2], 1)?;
/// let cores = Cores::new(shape, vec![1.0, 2.0, 1.0, 10.0, 3.0, 30.0])?;
/// let table = TtEmbedding::from_cores(&cores, &device);
/// let rows = table.forward(Tensor::<2, Int>::from_ints([[3, 0]], &device));
/// assert_eq!(rows.into_data().to_vec::<f32>().unwrap(), [6.0, 60.0, 1.0, 10.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # References
/// Hrinchuk et al., Findings of EMNLP 2020, §3.
#[derive(Module, Debug)]
#[doc(alias = "TTEmbedding")]
pub struct TtEmbedding {
    /// G_1 … G_d, each `[I_k, r_{k−1}, J_k, r_k]`.
    pub cores: Vec<Param<Tensor<4>>>,
    #[module(skip)]
    shape: Arc<TtShape>,
    #[module(skip)]
    order: Option<Arc<Order>>,
    #[module(skip)]
    padding_idx: Option<u32>,
}

/// A table in tensor-ring form: the same layer with a shape of [`TtShape::ring`].
pub type TrEmbedding = TtEmbedding;

impl TtEmbedding {
    /// The table of these cores.
    pub fn from_cores(cores: &Cores, device: &Device) -> Self {
        let shape = cores.shape();
        let core = |k| {
            let data = TensorData::new(cores.core(k).to_vec(), shape.core(k));
            Param::from_tensor(Tensor::from_data(data, device))
        };
        let cores = (0..shape.cores()).map(core).collect();
        Self { cores, shape: Arc::new(shape.clone()), order: None, padding_idx: None }
    }

    /// The same table, with an id whose rows are zeros and have no gradient.
    ///
    /// # Errors
    /// If it is no row.
    pub fn with_padding(mut self, id: usize) -> Result<Self> {
        self.padding_idx = Some(self.shape.check_ids([id as i64])?[0]);
        Ok(self)
    }

    /// The same cores, with rows for ids in another order: id v has row `order.position(v)` of them, in
    /// look-ups, logits and targets alike.
    ///
    /// # Errors
    /// If it is not an order of the vocabulary.
    pub fn with_order(mut self, order: Order) -> Result<Self> {
        let (expected, found) = (self.shape.vocab_size(), order.len());
        if expected != found {
            return Err(Error::Length { what: "the order", expected, found });
        }
        self.order = (!order.is_identity()).then(|| Arc::new(order));
        Ok(self)
    }

    /// The order of its vocabulary, unless ids are rows.
    pub fn order(&self) -> Option<&Order> {
        self.order.as_deref()
    }

    /// Its shape.
    pub fn shape(&self) -> &TtShape {
        &self.shape
    }

    /// The id that stands for nothing.
    pub fn padding_idx(&self) -> Option<usize> {
        self.padding_idx.map(|id| id as usize)
    }

    /// Its cores on the host.
    ///
    /// # Panics
    /// If one was replaced by a core of another shape.
    pub fn to_cores(&self) -> Cores {
        let values =
            |core: &Param<Tensor<4>>| core.val().into_data().iter::<f32>().collect::<Vec<_>>();
        let values = self.cores.iter().flat_map(values).collect();
        Cores::new(TtShape::clone(&self.shape), values).expect("cores of the shape")
    }

    /// The whole table as a dense layer, for programs that know no tensor trains: ids are those of this table,
    /// whatever its order. A row of padding is zeros, also for a head that is tied to the layer, whereas the cores
    /// score it as they do any other.
    ///
    /// # Complexity
    /// V·D numbers, the one operation here that builds them.
    pub fn to_dense(&self) -> Embedding {
        let plan = self.plan(0..self.shape.vocab_size() as i64);
        let plan = plan.unwrap_or_else(|error| unreachable!("ids below the vocabulary: {error}"));
        Embedding { weight: Param::from_tensor(self.forward_planned(&plan).detach()) }
    }

    /// What a batch of ids asks for; the one thing that needs ids on the host. A data loader can make it
    /// ahead of time.
    ///
    /// # Errors
    /// If an id is not below the vocabulary.
    pub fn plan(&self, ids: impl IntoIterator<Item = i64>) -> Result<Arc<Plan>> {
        let mut ids = self.shape.check_ids(ids)?;
        let mut padding = self.padding_idx;
        if let Some(order) = &self.order {
            for id in ids.iter_mut().chain(&mut padding) {
                *id = order.position(*id as usize) as u32;
            }
        }
        Ok(Arc::new(Plan::with_padding(&self.shape, &ids, padding)))
    }

    /// The rows of a plan, `[n, D]`.
    ///
    /// # Panics
    /// If the plan is for a larger table.
    pub fn forward_planned(&self, plan: &Arc<Plan>) -> Tensor<2> {
        ops::lookup(&self.values(), &self.shape, plan)
    }

    /// Looks rows up.
    ///
    /// # Shapes
    /// `[batch, seq]` → `[batch, seq, D]`
    ///
    /// # Panics
    /// If an id is not below the vocabulary.
    pub fn forward(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        self.try_forward(ids).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Looks rows up, of ids in any shape.
    ///
    /// # Shapes
    /// `[..]` of N axes → `[.., D]` of M = N + 1 axes
    ///
    /// # Errors
    /// If an id is not below the vocabulary.
    ///
    /// # Panics
    /// If M is not N + 1.
    pub fn try_forward<const N: usize, const M: usize>(
        &self,
        ids: Tensor<N, Int>,
    ) -> Result<Tensor<M>> {
        assert_eq!(N + 1, M, "rows have an axis more than ids");
        let mut shape = [self.shape.d_embed(); M];
        shape[..N].copy_from_slice(&ids.dims());
        let plan = self.plan(ids.into_data().iter::<i64>())?;
        Ok(self.forward_planned(&plan).reshape(shape))
    }

    fn values(&self) -> Vec<Tensor<4>> {
        self.cores.iter().map(Param::val).collect()
    }

    /// The rows of all ids on a device, where they are not the ids.
    fn positions(&self, device: &Device) -> Option<Tensor<1, Int>> {
        let positions = self.order.as_ref()?.positions();
        let values: Vec<i32> = positions.iter().map(|position| *position as i32).collect();
        Some(Tensor::from_data(TensorData::new(values, [positions.len()]), device))
    }
}

impl TokenEmbedding for TtEmbedding {
    fn vocab_size(&self) -> usize {
        self.shape.vocab_size()
    }

    fn d_embed(&self) -> usize {
        self.shape.d_embed()
    }

    fn embed(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        self.forward(ids)
    }

    fn logits<const D: usize>(&self, h: Tensor<D>) -> Tensor<D> {
        let mut shape = h.dims();
        let d = std::mem::replace(&mut shape[D - 1], self.vocab_size());
        let n = shape[..D - 1].iter().product();
        let logits = ops::logits(h.reshape([n, d]), &self.values(), &self.shape);
        match self.positions(&logits.device()) {
            Some(positions) => logits.select(1, positions),
            None => logits,
        }
        .reshape(shape)
    }

    fn cross_entropy(&self, h: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
        let targets = match self.positions(&targets.device()) {
            Some(positions) => positions.select(0, targets),
            None => targets,
        };
        ops::cross_entropy(h, &self.values(), targets, &self.shape)
    }
}
