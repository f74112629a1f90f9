//! What a batch of ids asks for.

use std::borrow::Cow;

use crate::TtShape;

/// A batch of ids made ready: each id once, in ascending order, and where it stands. A data loader can make
/// it ahead of time on a thread of its own.
///
/// # Complexity
/// 8 bytes an id, and 8 bytes an id that differs. O(n + V/64) operations to make; O(n·log n) where the
/// table has more than 512 rows an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    unique: Vec<u32>,
    /// For each position, the place of its id in `unique`, or [`BLANK`].
    inverse: Vec<u32>,
    /// Positions of each unique id: `positions[offsets[u]..offsets[u + 1]]`, ascending.
    offsets: Vec<u32>,
    positions: Vec<u32>,
}

/// What is no id, and no place of one.
const BLANK: u32 = u32::MAX;

/// Rows for each id up to which a bitmap of the table is faster than sorting.
const SPARSE: usize = 512;

impl Plan {
    /// A plan for ids that [`check_ids`](TtShape::check_ids) let pass.
    ///
    /// # Panics
    /// If an id is not below the vocabulary, or there are 2³² of them.
    pub fn new(shape: &TtShape, ids: &[u32]) -> Self {
        Self::with_padding(shape, ids, None)
    }

    /// As [`new`](Self::new), with an id that stands for nothing: its rows are zeros, and its gradient goes
    /// nowhere.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    pub fn with_padding(shape: &TtShape, ids: &[u32], padding: Option<u32>) -> Self {
        let vocab = shape.vocab_size();
        assert!(u32::try_from(ids.len()).is_ok(), "fewer than 2³² ids");
        if let Some(id) = ids.iter().find(|id| **id as usize >= vocab) {
            panic!("id {id} is not one of {vocab} rows");
        }
        let ids: Cow<'_, [u32]> = match padding {
            None => ids.into(),
            Some(padding) => {
                ids.iter().map(|id| if *id == padding { BLANK } else { *id }).collect()
            }
        };
        let (unique, inverse) = if ids.len().saturating_mul(SPARSE) < vocab {
            sorted(&ids)
        } else {
            marked(&ids, vocab)
        };
        let (offsets, positions) = places(unique.len(), &inverse);
        Self { unique, inverse, offsets, positions }
    }

    /// The plan for every row of a table in order.
    pub(crate) fn all(shape: &TtShape) -> Self {
        let ids: Vec<u32> = (0..shape.vocab_size() as u32).collect();
        Self::new(shape, &ids)
    }

    /// The ids, each once, ascending.
    pub fn unique(&self) -> &[u32] {
        &self.unique
    }

    /// For each position of the batch, the place of its id in [`unique`](Self::unique); `u32::MAX` for
    /// padding.
    pub fn inverse(&self) -> &[u32] {
        &self.inverse
    }

    /// The positions of a unique id, ascending.
    ///
    /// # Panics
    /// If there is none at this place.
    pub fn positions(&self, place: usize) -> &[u32] {
        &self.positions[self.offsets[place] as usize..self.offsets[place + 1] as usize]
    }

    /// The number of unique ids before which at least so many positions lie, or all.
    pub(super) fn place_after(&self, positions: usize) -> usize {
        let ends = &self.offsets[1..];
        match positions < self.positions.len() {
            true => ends.partition_point(|end| (*end as usize) < positions),
            false => ends.len(),
        }
    }

    /// The plan for the different ids alone, in their order.
    pub fn of_unique(&self) -> Self {
        let places: Vec<u32> = (0..self.unique.len() as u32).collect();
        let offsets = (0..=self.unique.len() as u32).collect();
        Self { unique: self.unique.clone(), inverse: places.clone(), offsets, positions: places }
    }

    /// Ids of the batch.
    pub fn len(&self) -> usize {
        self.inverse.len()
    }

    /// Whether the batch has no ids.
    pub fn is_empty(&self) -> bool {
        self.inverse.is_empty()
    }

    /// Different prefixes (i_1 … i_{d−1}) among the ids.
    pub fn prefixes(&self, shape: &TtShape) -> usize {
        let last = shape.rows()[shape.cores() - 1] as u32;
        self.unique.chunk_by(|a, b| a / last == b / last).count()
    }
}

/// Unique ids and inverse by a bitmap of the table and the number of ids before each of its words.
fn marked(ids: &[u32], vocab: usize) -> (Vec<u32>, Vec<u32>) {
    let mut bits = vec![0_u64; vocab.div_ceil(64)];
    for id in ids.iter().filter(|id| **id != BLANK) {
        bits[(id / 64) as usize] |= 1 << (id % 64);
    }
    let mut before = Vec::with_capacity(bits.len());
    let mut count = 0;
    for word in &bits {
        before.push(count);
        count += word.count_ones();
    }
    let mut unique = Vec::with_capacity(count as usize);
    for (i, &word) in bits.iter().enumerate() {
        let mut word = word;
        while word != 0 {
            unique.push(64 * i as u32 + word.trailing_zeros());
            word &= word - 1;
        }
    }
    let place = |id: &u32| {
        if *id == BLANK {
            return BLANK;
        }
        let (word, bit) = ((id / 64) as usize, id % 64);
        before[word] + (bits[word] & ((1 << bit) - 1)).count_ones()
    };
    (unique, ids.iter().map(place).collect())
}

/// The same by sorting.
fn sorted(ids: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let mut unique = ids.to_vec();
    unique.sort_unstable();
    unique.dedup();
    unique.pop_if(|id| *id == BLANK);
    let place = |id: &u32| match *id {
        BLANK => BLANK,
        id => unique.partition_point(|other| *other < id) as u32,
    };
    let inverse = ids.iter().map(place).collect();
    (unique, inverse)
}

/// Offsets and positions by counting.
fn places(unique: usize, inverse: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let mut offsets = vec![0_u32; unique + 1];
    for place in inverse.iter().filter(|place| **place != BLANK) {
        offsets[*place as usize + 1] += 1;
    }
    for u in 0..unique {
        offsets[u + 1] += offsets[u];
    }
    let mut positions = vec![0; offsets[unique] as usize];
    let mut next = offsets.clone();
    for (position, place) in inverse.iter().enumerate().filter(|(_, place)| **place != BLANK) {
        let next = &mut next[*place as usize];
        positions[*next as usize] = position as u32;
        *next += 1;
    }
    (offsets, positions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bitmap_and_sorting_agree() {
        let ids = [64, 3, 700, 64, 0, 63, 700, 699];
        assert_eq!(marked(&ids, 701), sorted(&ids));
        assert_eq!(sorted(&ids).0, [0, 3, 63, 64, 699, 700]);
        let shape = TtShape::train(701, [30, 30], [1, 1], 1).unwrap();
        let plan = Plan::new(&shape, &ids);
        assert_eq!(plan.positions(3), [0, 3]);
        assert_eq!((plan.len(), plan.prefixes(&shape)), (8, 3));
        assert!(Plan::new(&shape, &[]).is_empty());
        let padded = Plan::with_padding(&shape, &ids, Some(64));
        assert_eq!(padded.unique(), [0, 3, 63, 699, 700]);
        assert_eq!(padded.inverse()[..3], [BLANK, 1, 4]);
        assert_eq!((padded.len(), padded.positions(4)), (8, &[2, 6][..]));
    }
}
