//! The order of a vocabulary: which row of the cores a token has.
//!
//! Rows that share digits share cores, so that a table is the better approximated the more alike such rows
//! are. The order in which a tokenizer numbers its tokens says little about that.

mod cluster;
mod ordered;

use crate::decompose::Table;
use crate::{Error, Result};

pub use ordered::Ordered;

/// A permutation of the vocabulary: the token `id` has row [`position(id)`](Self::position) of the cores.
///
/// ```
/// use sixfold_tensor_train::order::Order;
///
/// let order = Order::by_frequency(&[3, 100, 20]);
/// assert_eq!(order.ids(), [1, 2, 0]);
/// assert_eq!((order.position(1), order.position(0)), (0, 2));
/// assert_eq!(order.bytes(), 1, "three numbers of two bits");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Vec<u32>", into = "Vec<u32>")]
pub struct Order {
    /// The token at each position.
    ids: Vec<u32>,
    /// The position of each token.
    positions: Vec<u32>,
}

impl Order {
    /// Tokens as they are numbered.
    ///
    /// # Panics
    /// If there are 2³² or more.
    pub fn identity(vocab: usize) -> Self {
        let vocab = u32::try_from(vocab).expect("fewer than 2³² tokens");
        let ids: Vec<u32> = (0..vocab).collect();
        Self { positions: ids.clone(), ids }
    }

    /// The most frequent token first; among equals, the smaller number.
    ///
    /// # Panics
    /// If there are 2³² or more.
    pub fn by_frequency(counts: &[u64]) -> Self {
        let mut ids = Self::identity(counts.len()).ids;
        ids.sort_by_key(|id| std::cmp::Reverse(counts[*id as usize]));
        Self::of(ids)
    }

    /// Tokens with like rows together, for cores with these row factors: I_1 groups as compact as can be
    /// found, in each of them I_2 groups, and so on.
    ///
    /// A group is halved where the line through the means of both halves is cut in the right
    /// proportion, beginning along its leading principal direction, until no row changes sides.
    ///
    /// # Errors
    /// If the factors do not make the table, or a value is not finite.
    ///
    /// # Complexity
    /// For d cores about 600·(d − 1)·V·D operations, or fewer where the factors are small, and 32 numbers a
    /// row of memory. The result is the same for any number of threads.
    #[doc(alias = "reorder")]
    pub fn clustered(table: &impl Table, row_factors: &[usize]) -> Result<Self> {
        cluster::cluster(table, row_factors).map(Self::of)
    }

    /// `ids[p]` is the token whose row stands at position p.
    ///
    /// # Errors
    /// If they are not the numbers below their count, each once.
    pub fn from_permutation(ids: Vec<u32>) -> Result<Self> {
        const FREE: u32 = u32::MAX;
        let vocab = ids.len();
        let mut positions = vec![FREE; vocab];
        for (position, id) in ids.iter().enumerate() {
            let at = positions.get_mut(*id as usize).ok_or(Error::Index {
                id: i64::from(*id),
                position,
                vocab,
            })?;
            if *at != FREE {
                let (name, expected) = ("an id of the order", "each id once");
                return Err(Error::InvalidParameter { name, found: f64::from(*id), expected });
            }
            *at = position as u32;
        }
        Ok(Self { ids, positions })
    }

    /// A permutation that is one for certain.
    fn of(ids: Vec<u32>) -> Self {
        let mut positions = vec![0; ids.len()];
        for (position, id) in ids.iter().enumerate() {
            positions[*id as usize] = position as u32;
        }
        Self { ids, positions }
    }

    /// The number of tokens.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are no tokens.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Whether tokens stand as they are numbered.
    pub fn is_identity(&self) -> bool {
        self.ids.is_sorted()
    }

    /// The row of a token.
    ///
    /// # Panics
    /// If there is no such token.
    pub fn position(&self, id: usize) -> usize {
        self.positions[id] as usize
    }

    /// The rows of all tokens.
    pub fn positions(&self) -> &[u32] {
        &self.positions
    }

    /// The tokens of all rows.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// The order that undoes this one.
    #[must_use]
    pub fn inverse(&self) -> Self {
        Self { ids: self.positions.clone(), positions: self.ids.clone() }
    }

    /// Bytes that it takes beside the cores: V·⌈log₂ V⌉ bits, none for the [`identity`](Self::identity).
    /// They belong to the size of a compressed table.
    pub fn bytes(&self) -> usize {
        if self.is_identity() {
            return 0;
        }
        let bits = usize::BITS - (self.len() - 1).leading_zeros();
        (self.len() * bits as usize).div_ceil(8)
    }

    /// A table's rows in this order, to be read one by one: row p is that of token `ids[p]`.
    ///
    /// # Errors
    /// If the table has another number of rows.
    pub fn apply<T: Table>(&self, table: T) -> Result<Ordered<'_, T>> {
        Ordered::new(self, table)
    }
}

impl TryFrom<Vec<u32>> for Order {
    type Error = Error;

    fn try_from(ids: Vec<u32>) -> Result<Self> {
        Self::from_permutation(ids)
    }
}

impl From<Order> for Vec<u32> {
    fn from(order: Order) -> Self {
        order.ids
    }
}
