//! Bags of ids, and what becomes of their rows, on the host.

mod pool;

pub use pool::{max, max_backward, sum, sum_backward};

use crate::lookup::Plan;
use crate::{Error, Result};

/// Which ids of a batch stand in which bag, over the rows of a [`Plan`]'s different ids. Padding stands in
/// none.
///
/// ```
/// use sixfold_tensor_train::bags::Bags;
/// use sixfold_tensor_train::lookup::Plan;
/// use sixfold_tensor_train::TtShape;
///
/// let shape = TtShape::train(10, [3, 4], [1, 1], 1)?;
/// let plan = Plan::new(&shape, &[7, 7, 2, 9]);
/// // Two bags begin at 0 and 3; the end of the last one is that of the ids.
/// let bags = Bags::new(&plan, &[0, 3], false)?;
/// assert_eq!((bags.len(), bags.members(0), bags.members(1)), (2, &[1, 1, 0][..], &[2][..]));
/// assert!(Bags::new(&plan, &[0, 5], false).is_err());
/// # Ok::<(), sixfold_tensor_train::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bags {
    /// Where the members of each bag begin, and where those of the last end.
    offsets: Vec<u32>,
    /// The row of each member.
    rows: Vec<u32>,
    /// The position in the batch of each member.
    positions: Vec<u32>,
    /// The bag of each member.
    bags: Vec<u32>,
    /// The members of each row, ascending.
    row_offsets: Vec<u32>,
    row_members: Vec<u32>,
    /// Ids of the batch.
    ids: usize,
}

impl Bags {
    /// Bags that begin at `offsets` among the ids of a plan. With `include_last`, the last offset is the end
    /// of the last bag and begins none (both conventions of PyTorch's `EmbeddingBag`).
    ///
    /// # Errors
    /// If offsets do not begin with 0, fall, or leave the ids.
    pub fn new(plan: &Plan, offsets: &[i64], include_last: bool) -> Result<Self> {
        let n = plan.len();
        let mut ends = check(offsets, n)?;
        if include_last {
            let end = ends.last().copied().unwrap_or(0);
            if end != n {
                let bag = offsets.len().saturating_sub(1);
                let expected = "is the last one, expected the number of ids";
                return Err(Error::Offsets { bag, offset: end as i64, expected });
            }
        } else if ends.is_empty() && n > 0 {
            let expected = "is that of no bag, but there are ids";
            return Err(Error::Offsets { bag: 0, offset: 0, expected });
        } else {
            ends.push(n);
        }
        let mut bags = Self {
            offsets: vec![0],
            rows: Vec::with_capacity(n),
            positions: Vec::with_capacity(n),
            bags: Vec::with_capacity(n),
            row_offsets: vec![0; plan.unique().len() + 1],
            row_members: Vec::new(),
            ids: n,
        };
        for (bag, range) in ends.windows(2).enumerate() {
            for position in range[0]..range[1] {
                let row = plan.inverse()[position];
                if (row as usize) < plan.unique().len() {
                    bags.rows.push(row);
                    bags.positions.push(position as u32);
                    bags.bags.push(bag as u32);
                }
            }
            bags.offsets.push(bags.rows.len() as u32);
        }
        bags.sort_by_row();
        Ok(bags)
    }

    fn sort_by_row(&mut self) {
        for row in &self.rows {
            self.row_offsets[*row as usize + 1] += 1;
        }
        for row in 1..self.row_offsets.len() {
            self.row_offsets[row] += self.row_offsets[row - 1];
        }
        let mut next = self.row_offsets.clone();
        self.row_members = vec![0; self.rows.len()];
        for (member, row) in self.rows.iter().enumerate() {
            let next = &mut next[*row as usize];
            self.row_members[*next as usize] = member as u32;
            *next += 1;
        }
    }

    /// Bags.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Ids of the batch, padding among them.
    pub fn ids(&self) -> usize {
        self.ids
    }

    /// Different ids.
    pub fn rows(&self) -> usize {
        self.row_offsets.len() - 1
    }

    /// The rows of a bag's members, in the order of the batch.
    ///
    /// # Panics
    /// If there is no such bag.
    pub fn members(&self, bag: usize) -> &[u32] {
        &self.rows[self.range(bag)]
    }

    pub(crate) fn range(&self, bag: usize) -> std::ops::Range<usize> {
        self.offsets[bag] as usize..self.offsets[bag + 1] as usize
    }

    /// Where each bag's members begin, each member's row, position and bag.
    pub(crate) fn lists(&self) -> [&[u32]; 4] {
        [&self.offsets, &self.rows, &self.positions, &self.bags]
    }

    /// Where each row's members begin, and the members.
    pub(crate) fn by_row(&self) -> [&[u32]; 2] {
        [&self.row_offsets, &self.row_members]
    }

    /// 1 / the number of members of its bag for each id of the batch, 0 for padding: weights that make sums
    /// means.
    pub fn mean_weights(&self) -> Vec<f32> {
        let mut weights = vec![0.0; self.ids];
        for (position, bag) in self.positions.iter().zip(&self.bags) {
            weights[*position as usize] = 1.0 / self.range(*bag as usize).len() as f32;
        }
        weights
    }
}

/// Offsets within `n` ids.
fn check(offsets: &[i64], n: usize) -> Result<Vec<usize>> {
    let mut before = 0;
    let check = |(bag, &offset): (usize, &i64)| {
        let wrong = |expected| Error::Offsets { bag, offset, expected };
        let at = usize::try_from(offset).map_err(|_| wrong("is negative"))?;
        if bag == 0 && at != 0 {
            return Err(wrong("is the first one, expected 0"));
        }
        if at < before {
            return Err(wrong("is less than the one before"));
        }
        if at > n {
            return Err(wrong("is more than there are ids"));
        }
        before = at;
        Ok(at)
    };
    offsets.iter().enumerate().map(check).collect()
}
