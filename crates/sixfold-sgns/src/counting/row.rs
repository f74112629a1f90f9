//! Sums of one row, and rows as bytes.
//!
//! A row is a list of (column, count) with rising columns: the difference to the column before
//! (to −1 at first), then the count, both as LEB128, and 0 behind the last.

use std::ops::BitOr;

/// Sums by column.
#[derive(Debug)]
pub(crate) struct RowSums {
    sums: Vec<u64>,
    /// Half as wide, where that is enough: they stay in the first level of the cache.
    narrow: Vec<u32>,
    touched: Vec<u32>,
}

impl RowSums {
    /// For columns below `len`.
    pub(crate) fn new(len: usize) -> Self {
        Self { sums: vec![0; len], narrow: vec![0; len], touched: Vec::new() }
    }

    /// Whether a row with so many additions is better read off by looking at all columns.
    pub(crate) fn is_dense(&self, additions: usize) -> bool {
        additions > self.sums.len() / 24
    }

    /// All sums, for rows that [`Self::write_dense`] reads off.
    pub(crate) fn wide(&mut self) -> &mut [u64] {
        &mut self.sums
    }

    /// All sums, for rows that [`Self::write_narrow`] reads off.
    pub(crate) fn narrow(&mut self) -> &mut [u32] {
        &mut self.narrow
    }

    /// Adds, for rows that [`Self::write_sparse`] reads off.
    #[inline]
    pub(crate) fn add(&mut self, column: u32, count: u64) {
        if count == 0 {
            return;
        }
        let sum = &mut self.sums[column as usize];
        if *sum == 0 {
            self.touched.push(column);
        }
        *sum += count;
    }

    /// Appends the row and clears it; columns from `end` on are left out. Gives how many pairs
    /// there are.
    pub(crate) fn write_dense(&mut self, end: usize, row: &mut Vec<u8>) -> u64 {
        write_all(&mut self.sums, end, row)
    }

    /// Like [`Self::write_dense`].
    pub(crate) fn write_narrow(&mut self, end: usize, row: &mut Vec<u8>) -> u64 {
        write_all(&mut self.narrow, end, row)
    }

    /// Like [`Self::write_dense`].
    pub(crate) fn write_sparse(&mut self, end: usize, row: &mut Vec<u8>) -> u64 {
        let mut writer = Writer { row, next: 0, pairs: 0 };
        self.touched.sort_unstable();
        for column in self.touched.drain(..) {
            let sum = std::mem::take(&mut self.sums[column as usize]);
            if (column as usize) < end {
                writer.pair(column, sum);
            }
        }
        writer.end()
    }
}

fn write_all<T>(sums: &mut [T], end: usize, row: &mut Vec<u8>) -> u64
where
    T: Copy + Default + PartialEq + BitOr<Output = T> + Into<u64>,
{
    const STEP: usize = 8;
    let zero = T::default();
    let mut writer = Writer { row, next: 0, pairs: 0 };
    for (step, sums) in sums[..end].chunks_mut(STEP).enumerate() {
        // Most steps of most rows are empty.
        if sums.iter().fold(zero, |all, sum| all | *sum) == zero {
            continue;
        }
        for (at, sum) in sums.iter_mut().enumerate() {
            if *sum != zero {
                writer.pair((step * STEP + at) as u32, (*sum).into());
                *sum = zero;
            }
        }
    }
    sums[end..].fill(zero);
    writer.end()
}

struct Writer<'a> {
    row: &'a mut Vec<u8>,
    next: u32,
    pairs: u64,
}

impl Writer<'_> {
    #[inline]
    fn pair(&mut self, column: u32, count: u64) {
        let step = u64::from(column - self.next) + 1;
        if step < 128 && count < 128 {
            self.row.extend_from_slice(&[step as u8, count as u8]);
        } else {
            write_number(self.row, step);
            write_number(self.row, count);
        }
        self.next = column + 1;
        self.pairs += 1;
    }

    fn end(self) -> u64 {
        self.row.push(0);
        self.pairs
    }
}

/// Appends a number as LEB128.
#[inline]
pub(crate) fn write_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 128 {
        bytes.push(number as u8 | 128);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Takes a number from the front; `None` if the bytes end in it or it has more than 64 bits.
#[inline]
pub(crate) fn read_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        let part = u64::from(first & 127);
        if shift == 63 && part > 1 {
            return None;
        }
        number |= part << shift;
        if *first < 128 {
            return Some(number);
        }
    }
    None
}

/// Takes a row from the front and hands on its pairs; `None` where the bytes are no row.
#[inline]
pub(crate) fn read_row(bytes: &mut &[u8], mut each: impl FnMut(u32, u64)) -> Option<()> {
    let mut next = 0u64;
    loop {
        let step = read_number(bytes)?;
        if step == 0 {
            return Some(());
        }
        let column = next.checked_add(step - 1)?;
        next = column + 1;
        each(u32::try_from(column).ok()?, read_number(bytes)?);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rows_come_back(pairs in proptest::collection::vec((0u32..300, 1u64..1 << 50), 0..60)) {
            let mut sums = RowSums::new(301);
            let mut expected = BTreeMap::new();
            let (mut sparse, mut dense) = (Vec::new(), Vec::new());
            for (column, count) in &pairs {
                sums.add(*column, *count);
                *expected.entry(*column).or_insert(0) += *count;
            }
            let kept = expected.range(..250).count() as u64;
            prop_assert_eq!(sums.write_sparse(250, &mut sparse), kept);
            for (column, count) in &pairs {
                sums.wide()[*column as usize] += *count;
            }
            prop_assert_eq!(sums.write_dense(250, &mut dense), kept);
            prop_assert_eq!(&sparse, &dense);
            prop_assert!(sums.wide().iter().all(|sum| *sum == 0));
            let mut found = Vec::new();
            let mut bytes = sparse.as_slice();
            read_row(&mut bytes, |column, count| found.push((column, count))).unwrap();
            prop_assert!(bytes.is_empty());
            let expected: Vec<_> = expected.range(..250).map(|(c, n)| (*c, *n)).collect();
            prop_assert_eq!(found, expected);
            for end in 0..sparse.len() {
                prop_assert!(read_row(&mut &sparse[..end], |_, _| ()).is_none());
            }
        }

        #[test]
        fn numbers_come_back(number: u64) {
            let mut bytes = Vec::new();
            write_number(&mut bytes, number);
            prop_assert_eq!(read_number(&mut bytes.as_slice()), Some(number));
        }
    }
}
