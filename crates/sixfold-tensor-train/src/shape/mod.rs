//! What a tensor train is made of: factors of rows and columns, and ranks.

mod factors;
mod rank;
pub mod reference;

pub use factors::{column_factors, row_factors};
pub(crate) use rank::budget;

use std::ops::Range;

use crate::{Error, Result};

/// The fewest and the most cores of a table.
const CORES: std::ops::RangeInclusive<usize> = 2..=8;

/// The sizes of a V×D table in tensor-train or tensor-ring form: cores G_k of shape
/// `[r_{k−1}, I_k, J_k, r_k]` with V ≤ I_1⋯I_d and D = J_1⋯J_d, and
///
/// W[i, j] = Tr(G_1[i_1, j_1]⋯G_d[i_d, j_d])
///
/// for i = ((i_1·I_2 + i_2)·I_3 + …) + i_d, j alike. A tensor train has r_0 = r_d = 1, so that the trace
/// is of one number; a tensor ring has r_0 = r_d > 1.
///
/// ```
/// use sixfold_tensor_train::TtShape;
///
/// // The paper's first model on IMDB.
/// let shape = TtShape::train(25_000, [25, 30, 40], [4, 8, 8], 16)?;
/// assert_eq!(shape.parameters(), 68_160);
/// assert_eq!((shape.compression() * 10.0).round(), 939.0);
/// # Ok::<(), sixfold_tensor_train::Error>(())
/// ```
///
/// # References
/// Hrinchuk et al., Findings of EMNLP 2020, §3; Oseledets, SIAM J. Sci. Comput. 33 (2011).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Unchecked", into = "Unchecked")]
#[doc(alias = "TTMatrix")]
pub struct TtShape {
    vocab: usize,
    rows: Vec<usize>,
    columns: Vec<usize>,
    /// r_0 … r_d
    ranks: Vec<usize>,
}

impl TtShape {
    /// A shape of these factors and ranks r_0 … r_d.
    ///
    /// # Errors
    /// If the cores are fewer than 2 or more than 8, the product of the row factors is below `vocab`,
    /// r_0 ≠ r_d, a size is 0, or a rank of a train is larger than its unfolding can have.
    pub fn new(
        vocab: usize,
        rows: impl Into<Vec<usize>>,
        columns: impl Into<Vec<usize>>,
        ranks: impl Into<Vec<usize>>,
    ) -> Result<Self> {
        let shape = Self { vocab, rows: rows.into(), columns: columns.into(), ranks: ranks.into() };
        shape.check()?;
        for bond in 1..shape.cores() {
            let (rank, attainable) = (shape.ranks[bond], shape.attainable_rank(bond));
            if rank > attainable && !shape.is_ring() {
                return Err(Error::Rank { bond, rank, attainable });
            }
        }
        Ok(shape)
    }

    /// A tensor train of one rank, clipped where an unfolding cannot have as much.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn train(
        vocab: usize,
        rows: impl Into<Vec<usize>>,
        columns: impl Into<Vec<usize>>,
        rank: usize,
    ) -> Result<Self> {
        let (rows, columns) = (rows.into(), columns.into());
        let mut ranks = vec![rank; rows.len() + 1];
        (ranks[0], ranks[rows.len()]) = (1, 1);
        let mut shape = Self { vocab, rows, columns, ranks };
        shape.check()?;
        for bond in 1..shape.cores() {
            shape.ranks[bond] = rank.min(shape.attainable_rank(bond));
        }
        Ok(shape)
    }

    /// A tensor ring of one rank.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn ring(
        vocab: usize,
        rows: impl Into<Vec<usize>>,
        columns: impl Into<Vec<usize>>,
        rank: usize,
    ) -> Result<Self> {
        let rows = rows.into();
        let ranks = vec![rank; rows.len() + 1];
        Self::new(vocab, rows, columns, ranks)
    }

    fn check(&self) -> Result<()> {
        let mut problems = Vec::new();
        let (rows, columns) = (self.rows.len(), self.columns.len());
        if !CORES.contains(&rows) {
            problems.push(format!("{rows} row factors, expected 2 to 8"));
        }
        if rows != columns {
            problems.push(format!("{rows} row factors but {columns} column factors"));
        }
        if self.ranks.len() != rows + 1 {
            problems.push(format!("{} ranks r_0 … r_d, expected {}", self.ranks.len(), rows + 1));
        }
        if self.ranks.first() != self.ranks.last() {
            problems.push("r_0 and r_d differ".to_owned());
        }
        let sizes = [
            ("row factors", &self.rows),
            ("column factors", &self.columns),
            ("ranks", &self.ranks),
        ];
        for (name, sizes) in sizes {
            if sizes.contains(&0) {
                problems.push(format!("{name} {sizes:?} contain a 0"));
            }
            if sizes.iter().try_fold(1_usize, |product, size| product.checked_mul(*size)).is_none()
            {
                problems.push(format!("the product of the {name} {sizes:?} overflows"));
            }
        }
        if self.vocab == 0 {
            problems.push("a vocabulary of 0 rows".to_owned());
        }
        if problems.is_empty() && self.padded_vocab() < self.vocab {
            let product = self.padded_vocab();
            problems.push(format!(
                "the row factors {:?} give {product} rows, fewer than the vocabulary's {}",
                self.rows, self.vocab
            ));
        }
        if problems.is_empty() && self.padded_vocab() > u32::MAX as usize {
            problems.push(format!("{} rows, more than 2³² − 1", self.padded_vocab()));
        }
        if problems.is_empty() { Ok(()) } else { Err(Error::Shape { problems }) }
    }

    /// The same factors with other ranks.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_ranks(&self, ranks: impl Into<Vec<usize>>) -> Result<Self> {
        Self::new(self.vocab, self.rows.clone(), self.columns.clone(), ranks)
    }

    /// The same columns and ranks with so many slices, every row of which may be looked up: a shape for some
    /// of a table's slices, whose ranks may be more than so few could have.
    pub(crate) fn with_slices(&self, rows: Vec<usize>) -> Self {
        let (vocab, columns) = (rows.iter().product(), self.columns.clone());
        Self { vocab, rows, columns, ranks: self.ranks.clone() }
    }

    /// V: the rows that may be looked up.
    pub fn vocab_size(&self) -> usize {
        self.vocab
    }

    /// I_1⋯I_d: the rows that the cores describe.
    pub fn padded_vocab(&self) -> usize {
        self.rows.iter().product()
    }

    /// D: the length of a row.
    pub fn d_embed(&self) -> usize {
        self.columns.iter().product()
    }

    /// d: the number of cores.
    pub fn cores(&self) -> usize {
        self.rows.len()
    }

    /// I_1 … I_d.
    pub fn rows(&self) -> &[usize] {
        &self.rows
    }

    /// J_1 … J_d.
    pub fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// r_0 … r_d.
    pub fn ranks(&self) -> &[usize] {
        &self.ranks
    }

    /// Whether it is a ring, r_0 > 1.
    pub fn is_ring(&self) -> bool {
        self.ranks[0] > 1
    }

    /// The shape in which core k is stored, counted from 0: `[I_k, r_{k−1}, J_k, r_k]`, so that what a
    /// row needs of it lies together.
    pub fn core(&self, k: usize) -> [usize; 4] {
        [self.rows[k], self.ranks[k], self.columns[k], self.ranks[k + 1]]
    }

    /// Numbers in core k.
    pub fn core_len(&self, k: usize) -> usize {
        self.core(k).iter().product()
    }

    /// Where core k stands among the numbers of all cores, one after the other.
    pub fn core_range(&self, k: usize) -> Range<usize> {
        let start = (0..k).map(|k| self.core_len(k)).sum();
        start..start + self.core_len(k)
    }

    /// Σ r_{k−1}·I_k·J_k·r_k.
    pub fn parameters(&self) -> usize {
        (0..self.cores()).map(|k| self.core_len(k)).sum()
    }

    /// V·D numbers of the table for each of its [`parameters`](Self::parameters); the padding does not
    /// count.
    pub fn compression(&self) -> f64 {
        self.vocab as f64 * self.d_embed() as f64 / self.parameters() as f64
    }

    /// The digits i_1 … i_d of row `i`.
    ///
    /// ```
    /// use sixfold_tensor_train::TtShape;
    /// let shape = TtShape::train(24, [2, 3, 4], [1, 1, 2], 1)?;
    /// assert_eq!(shape.digits(23), [1, 2, 3]);
    /// assert_eq!(shape.digits(4), [0, 1, 0]);
    /// # Ok::<(), sixfold_tensor_train::Error>(())
    /// ```
    pub fn digits(&self, i: usize) -> Vec<usize> {
        let mut digits = vec![0; self.cores()];
        let mut rest = i;
        for (digit, base) in digits.iter_mut().zip(&self.rows).rev() {
            (*digit, rest) = (rest % base, rest / base);
        }
        digits
    }

    /// Checks ids and makes them row numbers.
    ///
    /// # Errors
    /// If one is not below [`vocab_size`](Self::vocab_size).
    pub fn check_ids(&self, ids: impl IntoIterator<Item = i64>) -> Result<Vec<u32>> {
        let check = |(position, id): (usize, i64)| match usize::try_from(id) {
            Ok(row) if row < self.vocab => Ok(row as u32),
            _ => Err(Error::Index { id, position, vocab: self.vocab }),
        };
        ids.into_iter().enumerate().map(check).collect()
    }
}

/// What a file says, before anybody checked it.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    vocab: usize,
    rows: Vec<usize>,
    columns: Vec<usize>,
    ranks: Vec<usize>,
}

impl TryFrom<Unchecked> for TtShape {
    type Error = Error;

    fn try_from(shape: Unchecked) -> Result<Self> {
        Self::new(shape.vocab, shape.rows, shape.columns, shape.ranks)
    }
}

impl From<TtShape> for Unchecked {
    fn from(shape: TtShape) -> Self {
        let TtShape { vocab, rows, columns, ranks } = shape;
        Self { vocab, rows, columns, ranks }
    }
}
