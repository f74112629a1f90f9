//! From whole numbers to the matrix of counts.

use rayon::prelude::*;

use super::config::{CountConfig, Subsample, SubsampleMode};
use super::row::read_row;
use super::run::{Groups, Run, corrupt};
use crate::{Counts, Error, Result};

/// What a count of whole numbers is worth: count/unit · keep(w) · keep(c).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale<'a> {
    pub(crate) unit: u64,
    pub(crate) keep: Option<&'a [f64]>,
}

impl<'a> Scale<'a> {
    pub(crate) fn new(config: &CountConfig, keep: Option<&'a [f64]>) -> Self {
        let expected = |subsample: Subsample| subsample.mode == SubsampleMode::Expected;
        let keep = keep.filter(|_| config.subsample.is_some_and(expected));
        Self { unit: config.unit(), keep }
    }

    /// The same for (w, c) and (c, w), to the last bit.
    pub(crate) fn value(self, row: usize, column: u32, count: u64) -> f64 {
        let value = count as f64 / self.unit as f64;
        self.keep.map_or(value, |keep| value * (keep[row] * keep[column as usize]))
    }
}

/// The matrix of a run.
pub(crate) fn matrix(
    groups: &Groups,
    run: &Run,
    scale: Scale<'_>,
    symmetric: bool,
) -> Result<Counts> {
    let n = groups.n;
    let pairs: u64 = (0..groups.rows.len()).map(|group| run.pairs(group)).sum();
    if pairs == 0 {
        let reason = "no two known words stand in one window; a document is a line: look at the line \
                      ends of the text, or lower min_count";
        return Err(Error::Empty { what: "the matrix of counts", reason: reason.into() });
    }
    let mut columns = vec![0u32; pairs as usize];
    let mut values = vec![0f32; pairs as usize];
    let mut lens = vec![0usize; n];
    let mut row_sums = vec![0f64; n];
    let mut pieces = Vec::with_capacity(groups.rows.len());
    let (mut c, mut v, mut l, mut s) =
        (&mut columns[..], &mut values[..], &mut lens[..], &mut row_sums[..]);
    for (group, rows) in groups.rows.iter().enumerate() {
        let (c0, v0, l0, s0);
        (c0, c) = c.split_at_mut(run.pairs(group) as usize);
        (v0, v) = v.split_at_mut(run.pairs(group) as usize);
        (l0, l) = l.split_at_mut(rows.len());
        (s0, s) = s.split_at_mut(rows.len());
        pieces.push((group, rows.start, c0, v0, l0, s0));
    }
    pieces.into_par_iter().try_for_each(|(group, start, columns, values, lens, sums)| {
        let segment = run.segment(group)?;
        let mut bytes = segment.bytes();
        let mut at = 0;
        for (within, (len, sum)) in lens.iter_mut().zip(sums).enumerate() {
            let before = at;
            read_row(&mut bytes, |column, count| {
                let value = scale.value(start + within, column, count);
                columns[at] = column;
                values[at] = value as f32;
                *sum += value;
                at += 1;
            })
            .ok_or_else(corrupt)?;
            *len = at - before;
        }
        Ok::<_, Error>(())
    })?;
    let offsets: Vec<usize> = std::iter::once(0)
        .chain(lens.iter().scan(0, |sum, len| {
            *sum += len;
            Some(*sum)
        }))
        .collect();
    // A symmetric matrix has columns that sum to the same, in the same order.
    let column_sums = match symmetric {
        true => row_sums.clone(),
        false => column_sums(groups, run, scale)?,
    };
    Ok(Counts::from_counted(offsets, columns, values, row_sums, column_sums, symmetric))
}

fn column_sums(groups: &Groups, run: &Run, scale: Scale<'_>) -> Result<Vec<f64>> {
    let mut sums = vec![0.0; groups.n];
    for (group, rows) in groups.rows.iter().enumerate() {
        let segment = run.segment(group)?;
        let mut bytes = segment.bytes();
        for row in rows.clone() {
            let add = |column, count| sums[column as usize] += scale.value(row, column, count);
            read_row(&mut bytes, add).ok_or_else(corrupt)?;
        }
    }
    Ok(sums)
}
