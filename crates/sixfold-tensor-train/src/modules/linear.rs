//! A linear layer whose weights are a tensor train.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};
use sixfold_model::{Projection, Seed};

use crate::ops::lookup::reference::table;
use crate::{Cores, Error, Initializer, Result, TtShape};

/// In which order x·W is contracted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contraction {
    /// Core by core from the first.
    FromFirst,
    /// Core by core from the last.
    FromLast,
    /// W is built, once for the batch, and multiplied.
    Whole,
}

impl Contraction {
    /// The one with the fewest operations for `n` inputs. A ring is always built whole.
    pub fn choose(shape: &TtShape, n: usize) -> Self {
        if shape.is_ring() {
            return Self::Whole;
        }
        let cost = |way| (Self::operations(way, shape, n), way);
        [Self::FromFirst, Self::FromLast, Self::Whole]
            .map(cost)
            .into_iter()
            .min_by(|(a, _), (b, _)| a.total_cmp(b))
            .map_or(Self::Whole, |(_, way)| way)
    }

    /// Multiplications for `n` inputs.
    pub fn operations(self, shape: &TtShape, n: usize) -> f64 {
        let d = shape.cores();
        let product = |sizes: &[usize]| sizes.iter().map(|size| *size as f64).product::<f64>();
        let (rows, columns) = (shape.rows(), shape.columns());
        let core = |k: usize| product(&shape.core(k));
        let n = n as f64;
        match self {
            Self::FromFirst => {
                let step = |k| n * product(&columns[..k]) * core(k) * product(&rows[k + 1..]);
                (0..d).map(step).sum()
            }
            Self::FromLast => {
                let step = |k| n * product(&rows[..k]) * core(k) * product(&columns[k + 1..]);
                (0..d).map(step).sum()
            }
            Self::Whole => {
                let step = |k| product(&rows[..k]) * product(&columns[..k]) * core(k);
                let ring = shape.ranks()[0] as f64;
                ring * (1..d).map(step).sum::<f64>() + n * product(rows) * product(columns)
            }
        }
    }
}

/// y = x·W + b with W `[d_in, d_out]` as a tensor train, in the place of a linear layer.
///
/// ```
/// use burn::tensor::Tensor;
/// use sixfold_model::{Projection, Seed};
/// use sixfold_tensor_train::{TtLinear, TtShape};
///
/// let device = sixfold_model::device("flex")?;
/// let shape = TtShape::train(1024, [8, 8, 16], [16, 16, 16], 8)?;
/// let layer = TtLinear::new(shape, true, Seed::new(0), &device)?;
/// let y = layer.project(Tensor::<3>::ones([2, 5, 1024], &device));
/// assert_eq!(y.dims(), [2, 5, 4096]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # References
/// Novikov et al., *Tensorizing Neural Networks*, NIPS 2015.
#[derive(Module, Debug)]
#[doc(alias = "TTLinear")]
pub struct TtLinear {
    /// G_1 … G_d, each `[I_k, r_{k−1}, J_k, r_k]`.
    pub cores: Vec<Param<Tensor<4>>>,
    /// `[d_out]`
    pub bias: Option<Param<Tensor<1>>>,
    #[module(skip)]
    shape: TtShape,
}

impl TtLinear {
    /// A layer of random cores with the deviation of Glorot, √(2/(d_in + d_out)), and a bias of zeros.
    ///
    /// # Errors
    /// If the row factors do not give `vocab_size` of the shape, which is d_in, exactly.
    pub fn new(shape: TtShape, bias: bool, seed: Seed, device: &Device) -> Result<Self> {
        let seed = seed.derive("init").derive("cores").value();
        let cores = Cores::init(shape, &Initializer::Glorot, seed)?;
        let bias = bias.then(|| Tensor::zeros([cores.shape().d_embed()], device));
        Self::from_cores(&cores, bias, device)
    }

    /// A layer of these cores.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn from_cores(cores: &Cores, bias: Option<Tensor<1>>, device: &Device) -> Result<Self> {
        let shape = cores.shape().clone();
        if shape.padded_vocab() != shape.vocab_size() {
            let found = shape.padded_vocab();
            let expected = shape.vocab_size();
            return Err(Error::Length { what: "an input of the row factors", expected, found });
        }
        let core = |k| {
            let data = TensorData::new(cores.core(k).to_vec(), shape.core(k));
            Param::from_tensor(Tensor::from_data(data, device))
        };
        let cores = (0..shape.cores()).map(core).collect();
        Ok(Self { cores, bias: bias.map(Param::from_tensor), shape })
    }

    /// Its shape: rows are inputs, columns outputs.
    pub fn shape(&self) -> &TtShape {
        &self.shape
    }

    /// x·W + b in this order.
    ///
    /// # Shapes
    /// `[.., d_in]` → `[.., d_out]`
    ///
    /// # Panics
    /// If the last axis is none of d_in, or a ring is not built whole.
    pub fn forward_by<const D: usize>(&self, x: Tensor<D>, way: Contraction) -> Tensor<D> {
        let y = self.times(x, way);
        match &self.bias {
            Some(bias) => y + bias.val().unsqueeze(),
            None => y,
        }
    }

    fn times<const D: usize>(&self, x: Tensor<D>, way: Contraction) -> Tensor<D> {
        let mut dims = x.dims();
        let d_in = std::mem::replace(&mut dims[D - 1], self.shape.d_embed());
        assert_eq!(d_in, self.shape.vocab_size(), "inputs as long as W has rows");
        let n: usize = dims[..D - 1].iter().product();
        let y = match way {
            Contraction::FromFirst => self.first_to_last(x.reshape([n, d_in]), n),
            Contraction::FromLast => self.last_to_first(x.reshape([n, d_in]), n),
            Contraction::Whole => {
                let cores: Vec<_> = self.cores.iter().map(Param::val).collect();
                x.reshape([n, d_in]).matmul(table(&cores, &self.shape))
            }
        };
        y.reshape(dims)
    }

    /// States are `[n·J_1⋯J_{k−1}, r_{k−1}·I_k, I_{k+1}⋯I_d]`.
    fn first_to_last(&self, x: Tensor<2>, n: usize) -> Tensor<2> {
        assert!(!self.shape.is_ring(), "a ring is built whole");
        let (mut above, mut rest) = (n, self.shape.vocab_size());
        let mut state = x.reshape([n, rest, 1]);
        for (k, core) in self.cores.iter().enumerate() {
            let [rows, left, columns, right] = self.shape.core(k);
            rest /= rows;
            // [J_k·r_k, r_{k−1}·I_k]
            let core = core.val().permute([2, 3, 1, 0]).reshape([1, columns * right, left * rows]);
            state = core.matmul(state.reshape([above, left * rows, rest]));
            above *= columns;
        }
        state.reshape([n, self.shape.d_embed()])
    }

    /// States are `[n·I_1⋯I_{k−1}, I_k·r_k, J_{k+1}⋯J_d]`.
    fn last_to_first(&self, x: Tensor<2>, n: usize) -> Tensor<2> {
        assert!(!self.shape.is_ring(), "a ring is built whole");
        let (mut above, mut done) = (n * self.shape.vocab_size(), 1);
        let mut state = x.reshape([above, 1, 1]);
        for (k, core) in self.cores.iter().enumerate().rev() {
            let [rows, left, columns, right] = self.shape.core(k);
            above /= rows;
            // [r_{k−1}·J_k, I_k·r_k]
            let core = core.val().permute([1, 2, 0, 3]).reshape([1, left * columns, rows * right]);
            state = core.matmul(state.reshape([above, rows * right, done]));
            done *= columns;
        }
        state.reshape([n, self.shape.d_embed()])
    }
}

impl Projection for TtLinear {
    fn project<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let n = x.dims()[..D - 1].iter().product();
        self.forward_by(x, Contraction::choose(&self.shape, n))
    }

    fn tangent<const D: usize>(&self, _: Tensor<D>, dx: Tensor<D>) -> Tensor<D> {
        let n = dx.dims()[..D - 1].iter().product();
        self.times(dx, Contraction::choose(&self.shape, n))
    }
}
