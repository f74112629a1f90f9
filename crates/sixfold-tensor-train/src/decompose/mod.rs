//! From a dense table to a tensor train: TT-SVD.
//!
//! Cores are split off one after the other, at whichever end of the train the unfolding has the smaller
//! side, so that no decomposition is ever of a large matrix. What a step discards is orthogonal to what all
//! others do: the discarded energies add up to the squared error exactly.

mod basis;
mod carry;
mod measure;
mod peeling;
mod table;
mod target;
mod unfolding;

use self::peeling::Peeling;
use self::unfolding::TableUnfolding;
use crate::{Cores, Error, Result, TtShape};

pub use measure::relative_error;
pub use table::Table;
pub use target::Target;

pub(crate) use table::scan;
pub(crate) use target::{Rules, cut};

/// Cores and how far they are from what they were made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Decomposition {
    cores: Cores,
    norm: f64,
    discarded: Vec<f64>,
}

impl Decomposition {
    pub(crate) fn new(cores: Cores, norm: f64, discarded: Vec<f64>) -> Self {
        Self { cores, norm, discarded }
    }

    /// The cores.
    pub fn cores(&self) -> &Cores {
        &self.cores
    }

    /// The cores alone.
    pub fn into_cores(self) -> Cores {
        self.cores
    }

    /// ‖W‖, the Frobenius norm of what was decomposed.
    pub fn norm(&self) -> f64 {
        self.norm
    }

    /// The squared norm that was discarded at each bond, d − 1 numbers. Their sum is ‖W − W_TT‖², but for
    /// the rounding of cores to `f32`.
    pub fn discarded(&self) -> &[f64] {
        &self.discarded
    }

    /// ‖W − W_TT‖ / ‖W‖ over the padded table, whose padding is zeros; 0 for a table of zeros.
    ///
    /// Over the real rows alone the error is at most as large: [`relative_error`] measures it.
    pub fn relative_error(&self) -> f64 {
        let sum = self.discarded.iter().sum::<f64>();
        if sum > 0.0 { sum.sqrt() / self.norm } else { 0.0 }
    }
}

/// The tensor train of a table: rows in V ≤ I_1⋯I_d, padded with zeros, columns in D = J_1⋯J_d.
///
/// The error is at most √(d−1) times that of the best train of the same ranks.
///
/// ```
/// use ndarray::Array2;
/// use sixfold_tensor_train::decompose::{Target, decompose};
///
/// let table = Array2::from_shape_fn((24, 8), |(i, j)| (i * i + 3 * j) as f32);
/// let found = decompose(&table, &[4, 6], &[2, 4], &Target::RelativeError(1e-3))?;
/// assert!(found.relative_error() <= 1e-3);
/// assert!(found.cores().shape().ranks()[1] <= 3, "a sum of three products");
/// assert!((found.cores().to_dense() - &table).iter().all(|x| x.abs() < 1.0));
/// # Ok::<(), sixfold_tensor_train::Error>(())
/// ```
///
/// # Errors
/// If the factors do not make the table, a target cannot be met ([`Error::Rank`], [`Error::Budget`],
/// [`Error::InvalidParameter`]), a value is not finite, or the norm is beyond `f32`.
///
/// # Complexity
/// With s = min(I_1·J_1, I_d·J_d): V·D·(s + 2r) operations and three passes over the table, in f32 or, for
/// an error, in f64; then the same of what is left, r/s of the table, which is also the memory taken. Where
/// s is above 1024, randomised iteration takes about 16·V·D·(r + 10) operations and comes near to the best
/// basis. Where it is not, results are the same to the last bit for any number of threads.
///
/// # References
/// Oseledets, SIAM J. Sci. Comput. 33 (2011), algorithm 1 and theorem 2.2.
#[doc(alias = "to_tt_matrix")]
pub fn decompose(
    table: &impl Table,
    rows: &[usize],
    columns: &[usize],
    target: &Target,
) -> Result<Decomposition> {
    let (vocab, d_embed) = table.dim();
    let shape = TtShape::train(vocab, rows, columns, 1)?;
    if shape.d_embed() != d_embed {
        let made = shape.d_embed();
        let problem = format!("the column factors {columns:?} make {made} columns of {d_embed}");
        return Err(Error::Shape { problems: vec![problem] });
    }
    let rules = Rules::new(&shape, target)?;
    let _span = tracing::info_span!("decompose", vocab, d_embed).entered();
    let found = scan(table)?;
    let unit = unit(found.max_abs);
    let scale = 1.0 / f64::from(unit);
    let mut peeling = Peeling::new(&shape, rules, found.energy * scale * scale);
    let end = peeling.end();
    let table = TableUnfolding { table, rows, columns, end, scale: scale as f32 };
    let mut carry = peeling.step(&table, end)?;
    while !peeling.is_done() {
        let (end, side) = (peeling.end(), peeling.side());
        carry = peeling.step(&carry.unfolding(end, side), end)?;
    }
    peeling.finish(carry, vocab, unit)
}

/// The power of two by which a table is divided so that sums of squares neither overflow nor vanish in f32:
/// 1 but for tables of extraordinary size.
fn unit(max_abs: f32) -> f32 {
    const SAFE: i32 = 40;
    const MOST: i32 = 120;
    if max_abs == 0.0 {
        return 1.0;
    }
    let exponent = max_abs.log2().floor() as i32;
    if exponent.abs() <= SAFE { 1.0 } else { 2.0_f32.powi(exponent.clamp(-MOST, MOST)) }
}

/// A core `[I, r_l, J, r_r]` by its entries.
pub(crate) fn core(
    [rows, left, columns, right]: [usize; 4],
    at: impl Fn(usize, usize, usize, usize) -> f64,
) -> Vec<f32> {
    let mut core = Vec::with_capacity(rows * left * columns * right);
    for i in 0..rows {
        for a in 0..left {
            for j in 0..columns {
                core.extend((0..right).map(|b| at(i, a, j, b) as f32));
            }
        }
    }
    core
}
