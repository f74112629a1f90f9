//! First values of cores, for which the table has the standard deviation that is wanted.

mod draw;
mod moments;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

pub use moments::kurtosis;

use crate::{Cores, Error, Result, TtShape};

/// What cores begin with.
///
/// All entries of all cores have mean 0, one variance σ², and no correlation. An entry of the table is a sum
/// of r_0⋯r_{d−1} products of one entry of each core; for it to have exactly the variance s²,
///
/// σ = s^{1/d}·(r_0⋯r_{d−1})^{−1/(2d)}
///
/// (r_0 = 1 for a tensor train.) How heavy the tails are then follows from the ranks: see [`kurtosis`].
///
/// ```
/// use sixfold_tensor_train::{Cores, Initializer, TtShape};
///
/// let shape = TtShape::train(25_000, [25, 30, 40], [4, 8, 8], 16)?;
/// let cores = Cores::init(shape, &Initializer::Std(0.02), 0)?;
/// let rows = cores.rows(&(0..1_000).collect::<Vec<_>>())?;
/// assert!((rows.std(0.0) - 0.02).abs() < 0.002);
/// # Ok::<(), sixfold_tensor_train::Error>(())
/// ```
///
/// # References
/// Hrinchuk et al., Findings of EMNLP 2020, whose code leaves r_0 of a tensor ring out.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[doc(alias = "glorot_initializer")]
pub enum Initializer {
    /// Normal entries, s = √(2/(V_pad + D)) with V_pad = I_1⋯I_d: the paper's. A table of a language model
    /// is usually begun with [`Std`](Self::Std) 0.02 or 1/√D instead.
    #[default]
    #[doc(alias = "xavier")]
    Glorot,
    /// Normal entries, and this s.
    Std(f64),
    /// Normal entries without those below 2 standard deviations, and this s: with no small factors there
    /// are fewer tiny products, and the table comes nearer to a normal one. TT-Rec takes s = 1/√(3V).
    ///
    /// # References
    /// Yin et al., *TT-Rec*, MLSys 2021.
    SampledGaussian(f64),
    /// Factors with orthonormal columns, drawn uniformly and scaled, and this s. The padded table of a train
    /// then has the Frobenius norm s·√(V_pad·D) exactly, wherever ranks are at most r_{k−1}·I_k·J_k.
    ///
    /// # References
    /// Yin et al., *Nimble GNN Embedding with Tensor-Train Decomposition*, KDD 2022.
    Orthogonal(f64),
}

impl Initializer {
    /// s: the standard deviation of the table's entries.
    pub fn std(&self, shape: &TtShape) -> f64 {
        match *self {
            Self::Glorot => (2.0 / (shape.padded_vocab() as f64 + shape.d_embed() as f64)).sqrt(),
            Self::Std(std) | Self::SampledGaussian(std) | Self::Orthogonal(std) => std,
        }
    }

    /// σ: the standard deviation of the cores' entries.
    pub fn core_std(&self, shape: &TtShape) -> f64 {
        let d = shape.cores();
        let paths: f64 = shape.ranks()[..d].iter().map(|rank| *rank as f64).product();
        (self.std(shape) / paths.sqrt()).powf(1.0 / d as f64)
    }

    /// That the standard deviation is one that f32 can have.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] otherwise.
    pub fn validate(&self) -> Result<()> {
        match *self {
            Self::Glorot => Ok(()),
            Self::Std(std) | Self::SampledGaussian(std) | Self::Orthogonal(std) => {
                if std > 0.0 && (std as f32).is_normal() {
                    return Ok(());
                }
                let (name, expected) = ("the standard deviation", "above 0 and finite in f32");
                Err(Error::InvalidParameter { name, found: std, expected })
            }
        }
    }
}

impl Cores {
    /// Cores of random values. Each core has a stream of its own, so that it is the same whatever the sizes
    /// of the others are, but for its scale.
    ///
    /// # Errors
    /// Those of [`Initializer::validate`].
    ///
    /// # Complexity
    /// O(parameters); for [`Initializer::Orthogonal`] 4·I_k·J_k·r_{k−1}·r_k² operations a core.
    #[doc(alias = "random_matrix")]
    pub fn init(shape: TtShape, initializer: &Initializer, seed: u64) -> Result<Self> {
        initializer.validate()?;
        let std = initializer.core_std(&shape);
        let mut values = Vec::with_capacity(shape.parameters());
        for k in 0..shape.cores() {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(k as u64);
            match initializer {
                Initializer::Glorot | Initializer::Std(_) => {
                    let drawn = (0..shape.core_len(k)).map(|_| draw::normal(&mut rng));
                    values.extend(drawn.map(|x| (std * x) as f32));
                }
                Initializer::SampledGaussian(_) => {
                    let std = std / moments::tail().variance.sqrt();
                    let drawn = (0..shape.core_len(k)).map(|_| draw::tail(&mut rng));
                    values.extend(drawn.map(|x| (std * x) as f32));
                }
                Initializer::Orthogonal(_) => {
                    let drawn = draw::orthogonal(&mut rng, shape.core(k))?;
                    values.extend(drawn.iter().map(|x| (std * x) as f32));
                }
            }
        }
        Self::new(shape, values)
    }
}
