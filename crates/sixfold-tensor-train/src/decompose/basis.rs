//! The leading singular directions of an unfolding's smaller side.

use ndarray::{Array2, ArrayView2, s};
use sixfold_linalg::{
    Eigh, LinearOperator, Real, TruncatedSvdConfig, eigh, gram, matmul, truncated_svd_of,
};

use super::target::{Rule, cut};
use super::unfolding::Unfolding;
use crate::Result;

/// The largest side whose Gram matrix is decomposed whole; above it, singular vectors are found by
/// randomised iteration.
const WHOLE: usize = 1024;

/// The rank that is tried first where an error decides it and the side is large.
const FIRST_RANK: usize = 64;

/// An orthonormal basis of what is kept.
pub(super) struct Basis {
    /// `[side, r]`
    pub(super) vectors: Array2<f64>,
    /// The squared norm of what is left out.
    pub(super) discarded: f64,
}

/// The directions that a rule keeps of an unfolding of squared norm `energy`.
///
/// Blocks are multiplied in `T` and their products added in f64: in f32 an unfolding of 100,000 columns
/// would lose the small singular values to rounding.
pub(super) fn basis<T: Real>(source: &impl Unfolding, rule: Rule, energy: f64) -> Result<Basis> {
    let most = source.side().min(source.width());
    let rule = match rule {
        Rule::Rank(rank) => Rule::Rank(rank.min(most)),
        energy => energy,
    };
    if source.side() <= WHOLE {
        whole::<T>(source, rule)
    } else {
        leading::<T>(source, rule, energy)
    }
}

fn whole<T: Real>(source: &impl Unfolding, rule: Rule) -> Result<Basis> {
    let side = source.side();
    let mut sum = Array2::<f64>::zeros((side, side));
    source.blocks::<T>(|_, block| sum.zip_mut_with(&gram(block.t()), |sum, x| *sum += x.widen()));
    let Eigh { values, vectors } = on_one_thread(|| eigh(sum.view()))?;
    let squares = &values.as_slice().expect("new")[..side.min(source.width())];
    let (rank, discarded) = cut(squares, rule);
    Ok(Basis { vectors: vectors.slice(s![.., ..rank]).to_owned(), discarded })
}

/// Larger factorisations are shared among threads, and their number would show in the last bits.
fn on_one_thread<R: Send>(f: impl FnOnce() -> R + Send) -> R {
    match rayon::ThreadPoolBuilder::new().num_threads(1).build() {
        Ok(pool) => pool.install(f),
        Err(_) => f(),
    }
}

fn leading<T: Real>(source: &impl Unfolding, rule: Rule, energy: f64) -> Result<Basis> {
    let most = source.side().min(source.width());
    let mut tried = match rule {
        Rule::Rank(rank) => rank,
        Rule::Energy(_) => FIRST_RANK.min(most),
    };
    let config = TruncatedSvdConfig { power_iterations: 3, ..TruncatedSvdConfig::default() };
    loop {
        let found = truncated_svd_of::<T>(&Streamed(source), tried, &config)?;
        let squares: Vec<f64> = found.s.iter().map(|s| s.widen() * s.widen()).collect();
        let rest = (energy - squares.iter().sum::<f64>()).max(0.0);
        let (rank, discarded) = match rule {
            Rule::Energy(budget) if rest > budget && tried < most => {
                tried = (2 * tried).min(most);
                continue;
            }
            Rule::Energy(budget) => cut(&squares, Rule::Energy((budget - rest).max(0.0))),
            rule => cut(&squares, rule),
        };
        let vectors = found.u.slice(s![.., ..rank]).mapv(|x| x.widen());
        return Ok(Basis { vectors, discarded: rest + discarded });
    }
}

/// An unfolding by its products.
struct Streamed<'a, U>(&'a U);

impl<T: Real, U: Unfolding> LinearOperator<T> for Streamed<'_, U> {
    fn shape(&self) -> [usize; 2] {
        [self.0.side(), self.0.width()]
    }

    fn apply(&self, x: ArrayView2<'_, T>) -> Array2<T> {
        let mut sum = Array2::<f64>::zeros((self.0.side(), x.ncols()));
        self.0.blocks::<T>(|start, block| {
            let x = x.slice(s![start..start + block.ncols(), ..]);
            sum.zip_mut_with(&matmul(block, x), |sum, x| *sum += x.widen());
        });
        sum.mapv(T::narrow)
    }

    fn apply_transpose(&self, x: ArrayView2<'_, T>) -> Array2<T> {
        let mut product = Array2::zeros((self.0.width(), x.ncols()));
        self.0.blocks::<T>(|start, block| {
            let mut rows = product.slice_mut(s![start..start + block.ncols(), ..]);
            rows.assign(&matmul(block.t(), x));
        });
        product
    }
}
