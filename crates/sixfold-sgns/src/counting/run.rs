//! Sorted partial counts: in memory, or on disk.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::row::{RowSums, read_row};
use crate::spill::Spill;
use crate::{Error, Result};

/// How the rows of a matrix are cut into pieces of work.
#[derive(Debug)]
pub(crate) struct Groups {
    pub(crate) rows: Vec<Range<usize>>,
    /// Columns, and rows too.
    pub(crate) n: usize,
    pool: Mutex<Vec<(RowSums, Vec<u8>)>>,
}

impl Groups {
    /// Groups of about 64 thousand pairs, as far as rows of at most `pairs[i]` allow.
    pub(crate) fn new(pairs: impl ExactSizeIterator<Item = u64>) -> Self {
        const PAIRS: u64 = 1 << 16;
        let n = pairs.len();
        let (mut rows, mut start, mut sum) = (Vec::new(), 0, 0);
        for (row, pairs) in pairs.enumerate() {
            let pairs = pairs.min(n as u64) + 1;
            if sum + pairs > PAIRS && row > start {
                rows.push(start..row);
                (start, sum) = (row, 0);
            }
            sum += pairs;
        }
        rows.push(start..n);
        Self { rows, n, pool: Mutex::default() }
    }

    /// Calls with sums that are zero and an empty buffer, and keeps them for the next.
    fn with_sums<T>(&self, work: impl FnOnce(&mut RowSums, &mut Vec<u8>) -> T) -> T {
        let kept = self.pool.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let (mut sums, mut bytes) = kept.unwrap_or_else(|| (RowSums::new(self.n + 1), Vec::new()));
        let result = work(&mut sums, &mut bytes);
        bytes.clear();
        self.pool.lock().unwrap_or_else(PoisonError::into_inner).push((sums, bytes));
        result
    }
}

/// Counts of all rows, by groups.
#[derive(Debug)]
pub(crate) struct Run {
    groups: Vec<Segment>,
    spill: Option<Spill>,
    pub(crate) memory: u64,
}

#[derive(Debug)]
struct Segment {
    pairs: u64,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Memory(Box<[u8]>),
    Disk { offset: u64, len: usize },
}

impl Run {
    /// Makes the groups on all threads, `width` at a time. What goes beyond `memory` goes to disk.
    pub(crate) fn build(
        groups: &Groups,
        width: usize,
        memory: u64,
        dir: Option<&PathBuf>,
        group: impl Fn(usize, &mut RowSums, &mut Vec<u8>) -> Result<u64> + Sync,
    ) -> Result<Self> {
        let mut run =
            Self { groups: Vec::with_capacity(groups.rows.len()), spill: None, memory: 0 };
        let all: Vec<usize> = (0..groups.rows.len()).collect();
        for wave in all.chunks(width) {
            let made = wave.par_iter().map(|at| {
                groups.with_sums(|sums, bytes| {
                    let pairs = group(*at, sums, bytes)?;
                    // A copy of just the size: what is kept long does not hold more than it needs.
                    Ok((pairs, Box::from(bytes.as_slice())))
                })
            });
            for (pairs, bytes) in made.collect::<Result<Vec<(u64, Box<[u8]>)>>>()? {
                let len = bytes.len();
                let place = if run.memory + len as u64 <= memory {
                    run.memory += len as u64;
                    Place::Memory(bytes)
                } else {
                    let spill = match &mut run.spill {
                        Some(spill) => spill,
                        none => none.insert(Spill::new(dir)?),
                    };
                    Place::Disk { offset: spill.append(&bytes)?, len }
                };
                run.groups.push(Segment { pairs, place });
            }
        }
        Ok(run)
    }

    /// A run of rows that are there already: pairs and bytes of each group.
    pub(crate) fn from_segments<'a>(segments: impl IntoIterator<Item = (u64, &'a [u8])>) -> Self {
        let segment =
            |(pairs, bytes): (u64, &[u8])| Segment { pairs, place: Place::Memory(bytes.into()) };
        Self { groups: segments.into_iter().map(segment).collect(), spill: None, memory: 0 }
    }

    /// The sum of runs over the same groups.
    pub(crate) fn merge(
        runs: Vec<Self>,
        groups: &Groups,
        cap: u64,
        memory: u64,
        dir: Option<&PathBuf>,
    ) -> Result<Self> {
        let width = width(cap, runs.len() as u64 + 1);
        Self::build(groups, width, memory, dir, |at, sums, bytes| {
            let segments =
                runs.iter().map(|run| run.segment(at)).collect::<Result<Vec<Read<'_>>>>()?;
            let mut left: Vec<&[u8]> = segments.iter().map(Read::bytes).collect();
            let mut pairs = 0;
            for _ in groups.rows[at].clone() {
                for left in &mut left {
                    read_row(left, |column, count| sums.add(column, count)).ok_or_else(corrupt)?;
                }
                pairs += sums.write_sparse(groups.n, bytes);
            }
            Ok(pairs)
        })
    }

    /// How many pairs a group has.
    pub(crate) fn pairs(&self, group: usize) -> u64 {
        self.groups[group].pairs
    }

    /// The rows of a group.
    pub(crate) fn segment(&self, group: usize) -> Result<Read<'_>> {
        match (&self.groups[group].place, &self.spill) {
            (Place::Disk { offset, len }, Some(spill)) => {
                let mut bytes = vec![0; *len];
                spill.read(*offset, &mut bytes)?;
                Ok(Read::Disk(bytes))
            }
            (Place::Memory(bytes), _) => Ok(Read::Memory(bytes)),
            (Place::Disk { .. }, None) => Err(corrupt()),
        }
    }
}

/// How many groups to work on at a time, each with so many pieces of memory, within a sixteenth of
/// the cap.
pub(crate) fn width(cap: u64, pieces: u64) -> usize {
    // 64 thousand pairs at 3 bytes, and the half more that a single row may have.
    const PIECE: u64 = 300 << 10;
    let fit = (cap / 16 / (PIECE * pieces)).max(1);
    fit.min(rayon::current_num_threads() as u64 * 8) as usize
}

/// The bytes of a group.
pub(crate) enum Read<'a> {
    Memory(&'a [u8]),
    Disk(Vec<u8>),
}

impl Read<'_> {
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Memory(bytes) => bytes,
            Self::Disk(bytes) => bytes,
        }
    }
}

/// A temporary file that does not hold what was written.
pub(crate) fn corrupt() -> Error {
    let dir = std::env::temp_dir().join("(a temporary file)");
    Error::malformed(&dir, "it does not hold what was written to it")
}
