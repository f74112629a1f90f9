//! What a decomposition aims at, and the rule that follows for each bond.

use crate::shape::budget;
use crate::{Error, Result, TtShape};

/// How far a table is compressed.
///
/// ```
/// use sixfold_tensor_train::decompose::Target;
/// let tenth = Target::RelativeError(0.1);
/// assert_eq!(format!("{tenth:?}"), "RelativeError(0.1)");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// One rank for all bonds, clipped where an unfolding cannot have as much.
    Rank(usize),
    /// Ranks r_0 … r_d with r_0 = r_d = 1.
    Ranks(Vec<usize>),
    /// The smallest ranks found with ‖W − W_TT‖ ≤ ε·‖W‖ (Frobenius): each bond may discard its share
    /// ε²/(d−1)·‖W‖², and what bonds before it left of theirs. Cores are rounded to `f32`: errors below
    /// 1e-6 cannot be had.
    RelativeError(f64),
    /// The largest equal rank with which all cores take at most V·D/c numbers.
    Compression(f64),
}

/// What decides the rank of a bond.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rule {
    /// This rank.
    Rank(usize),
    /// The smallest that discards at most this squared norm.
    Energy(f64),
}

/// The rules of all bonds.
pub(crate) enum Rules {
    /// r_0 … r_d
    Ranks(Vec<usize>),
    /// ε
    Error(f64),
}

impl Rules {
    /// Those that a target sets for a table of this shape, whatever its ranks.
    pub(crate) fn new(shape: &TtShape, target: &Target) -> Result<Self> {
        let (vocab, rows, columns) = (shape.vocab_size(), shape.rows(), shape.columns());
        match target {
            Target::Rank(rank) => {
                TtShape::train(vocab, rows, columns, (*rank).min(1))?;
                let of_bond = |bond: usize| (*rank).min(shape.attainable_rank(bond));
                let ranks = (1..shape.cores()).map(of_bond);
                let ranks = std::iter::once(1).chain(ranks).chain([1]).collect();
                Ok(Self::Ranks(ranks))
            }
            Target::Ranks(ranks) => {
                let shape = shape.with_ranks(ranks.clone())?;
                if shape.is_ring() {
                    let ring = shape.ranks()[0];
                    let problem = format!("r_0 is {ring}, expected 1: a decomposition is a train");
                    return Err(Error::Shape { problems: vec![problem] });
                }
                check_neighbours(&shape)?;
                Ok(Self::Ranks(ranks.clone()))
            }
            Target::RelativeError(error) => {
                if !(error.is_finite() && *error >= 0.0) {
                    let (name, expected) = ("the relative error", "at least 0");
                    return Err(Error::InvalidParameter { name, found: *error, expected });
                }
                Ok(Self::Error(*error))
            }
            Target::Compression(compression) => {
                let budget = budget([vocab, shape.d_embed()], *compression)?;
                let shape = TtShape::within(vocab, rows, columns, budget)?;
                Ok(Self::Ranks(shape.ranks().to_vec()))
            }
        }
    }

    /// Whether small discarded energies must be told from rounding.
    pub(crate) fn are_precise(&self) -> bool {
        matches!(self, Self::Error(_))
    }

    /// The rule of a bond (from 1) when `spent` of the squared norm `energy` has been discarded at bonds
    /// decided before, and `open` are still to decide, this one among them.
    pub(crate) fn at(&self, bond: usize, energy: f64, spent: f64, open: usize) -> Rule {
        match self {
            Self::Ranks(ranks) => Rule::Rank(ranks[bond]),
            Self::Error(error) => {
                // Discarded parts are orthogonal: their energies add up to that of the error.
                let budget = (error * error * energy - spent).max(0.0);
                Rule::Energy(budget / open as f64)
            }
        }
    }
}

/// A rank is also bounded by the ranks beside it: r_k ≤ r_{k−1}·I_k·J_k, and from the right alike.
fn check_neighbours(shape: &TtShape) -> Result<()> {
    for bond in 1..shape.cores() {
        let side = |core: usize, rank: usize| shape.rows()[core] * shape.columns()[core] * rank;
        let ranks = shape.ranks();
        let attainable = side(bond - 1, ranks[bond - 1]).min(side(bond, ranks[bond + 1]));
        if ranks[bond] > attainable {
            return Err(Error::Rank { bond, rank: ranks[bond], attainable });
        }
    }
    Ok(())
}

/// The smallest rank, at least 1, that discards at most `budget`, and what it discards; squared singular
/// values descend.
pub(crate) fn cut(squares: &[f64], rule: Rule) -> (usize, f64) {
    // Summed from the smallest on.
    let tail = |rank: usize| squares[rank..].iter().rev().map(|x| x.max(0.0)).sum::<f64>();
    match rule {
        Rule::Rank(rank) => {
            let rank = rank.min(squares.len());
            (rank, tail(rank))
        }
        Rule::Energy(budget) => {
            let (mut rank, mut discarded) = (squares.len(), 0.0);
            while rank > 1 && discarded + squares[rank - 1].max(0.0) <= budget {
                discarded += squares[rank - 1].max(0.0);
                rank -= 1;
            }
            (rank, discarded)
        }
    }
}
