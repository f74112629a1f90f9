//! Ranks: what unfoldings can have, and what fits into a budget.

use super::TtShape;
use crate::{Error, Result};

impl TtShape {
    /// The largest rank between cores `bond` and `bond + 1` (from 1) that a train of these factors can
    /// have: the smaller side of the unfolding there.
    ///
    /// # Panics
    /// If there is no such bond.
    pub fn attainable_rank(&self, bond: usize) -> usize {
        assert!((1..self.cores()).contains(&bond), "a bond between two cores");
        let side = |of: std::ops::Range<usize>| {
            of.map(|k| self.rows[k] * self.columns[k]).fold(1_usize, usize::saturating_mul)
        };
        side(0..bond).min(side(bond..self.cores()))
    }

    /// The train of these factors with the largest equal rank that takes at most `parameters`.
    ///
    /// # Errors
    /// If rank 1 takes more.
    ///
    /// # Complexity
    /// O(d·log rank)
    pub fn within(
        vocab: usize,
        rows: impl Into<Vec<usize>>,
        columns: impl Into<Vec<usize>>,
        parameters: usize,
    ) -> Result<Self> {
        let (rows, columns) = (rows.into(), columns.into());
        let of_rank = |rank| Self::train(vocab, rows.clone(), columns.clone(), rank);
        let smallest = of_rank(1)?;
        if smallest.parameters() > parameters {
            return Err(Error::Budget { budget: parameters, smallest: smallest.parameters() });
        }
        let largest =
            (1..smallest.cores()).map(|bond| smallest.attainable_rank(bond)).max().unwrap_or(1);
        let (mut fits, mut above) = (1, largest + 1);
        while above - fits > 1 {
            let rank = fits.midpoint(above);
            if of_rank(rank)?.parameters() <= parameters { fits = rank } else { above = rank }
        }
        of_rank(fits)
    }

    /// The train of `cores` cores that represents a table at least `compression` times smaller, with
    /// planned factors and the largest equal rank.
    ///
    /// ```
    /// use sixfold_tensor_train::TtShape;
    /// let shape = TtShape::compressed(30_522, 384, 3, 100.0)?;
    /// assert!(shape.compression() >= 100.0);
    /// assert!(shape.padded_vocab() < 30_675, "less than 0.5 % of padding");
    /// # Ok::<(), sixfold_tensor_train::Error>(())
    /// ```
    ///
    /// # Errors
    /// If rank 1 is larger, or the number of cores is none that a table can have.
    pub fn compressed(
        vocab: usize,
        d_embed: usize,
        cores: usize,
        compression: f64,
    ) -> Result<Self> {
        let (rows, columns) = (row_factors_of(vocab, cores)?, column_factors_of(d_embed, cores)?);
        Self::within(vocab, rows, columns, budget([vocab, d_embed], compression)?)
    }

    /// The train of `cores` cores with planned factors and one rank.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn planned(vocab: usize, d_embed: usize, cores: usize, rank: usize) -> Result<Self> {
        let (rows, columns) = (row_factors_of(vocab, cores)?, column_factors_of(d_embed, cores)?);
        Self::train(vocab, rows, columns, rank)
    }
}

/// The most numbers that leave a table so many times smaller.
pub(crate) fn budget([vocab, d_embed]: [usize; 2], compression: f64) -> Result<usize> {
    if !(compression.is_finite() && compression > 0.0) {
        let (name, found) = ("the compression", compression);
        return Err(Error::InvalidParameter { name, found, expected: "above 0" });
    }
    Ok((vocab as f64 * d_embed as f64 / compression).floor() as usize)
}

/// The planned factors, where sizes and number of cores allow any.
fn row_factors_of(vocab: usize, cores: usize) -> Result<Vec<usize>> {
    check("the vocabulary", vocab, cores)?;
    Ok(super::row_factors(vocab, cores))
}

fn column_factors_of(d_embed: usize, cores: usize) -> Result<Vec<usize>> {
    check("a row", d_embed, cores)?;
    Ok(super::column_factors(d_embed, cores))
}

fn check(what: &str, size: usize, cores: usize) -> Result<()> {
    let mut problems = Vec::new();
    if !super::CORES.contains(&cores) {
        problems.push(format!("{cores} cores, expected 2 to 8"));
    }
    if size == 0 || size > u32::MAX as usize {
        problems.push(format!("{what} has length {size}, expected 1 to 2³² − 1"));
    }
    if problems.is_empty() { Ok(()) } else { Err(Error::Shape { problems }) }
}
