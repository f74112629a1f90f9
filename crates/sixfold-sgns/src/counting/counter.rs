//! Counting pairs, chunk by chunk.
//!
//! A chunk is indexed by word: the places of each word follow each other. A row is then a pass over
//! the places of its word that adds the window around each into sums that stay in cache.

use std::ops::Range;

use super::config::{CountConfig, Sides};
use super::prefetch::prefetch;
use super::row::RowSums;
use super::run::{Groups, Run, width};
use super::windows::Layout;
use crate::Result;
use crate::corpus::Tokens;

/// Runs of one size that are merged into one of the next.
const FAN_IN: usize = 8;

/// How many windows ahead memory is asked for.
const AHEAD: usize = 12;

/// Adds up counts of a text that comes in blocks.
#[derive(Debug)]
pub(crate) struct Counter<'a> {
    config: &'a CountConfig,
    layout: Layout,
    pub(crate) groups: Groups,
    weights: Vec<u64>,
    chunk: Vec<u32>,
    capacity: usize,
    /// The first place of the chunk whose window was not counted yet.
    first: usize,
    /// Runs by level: each of a level is a sum of eight of the level below.
    levels: Vec<Vec<Run>>,
}

impl<'a> Counter<'a> {
    /// `counts` tells how often each word comes, or 0 where nobody knows.
    pub(crate) fn new(
        counts: impl ExactSizeIterator<Item = u64>,
        keep: Option<&[f64]>,
        config: &'a CountConfig,
    ) -> Self {
        let n = counts.len();
        let pairs = |count| if count == 0 { n as u64 } else { count * 2 * config.window as u64 };
        // Of the memory, three eighths are for a chunk and its index, four bytes a place each.
        let capacity = (config.memory / 64 * 3).min(1 << 31) as usize;
        let layout = Layout::new(n, keep, config);
        let chunk = vec![n as u32; config.window];
        Self {
            config,
            layout,
            groups: Groups::new(counts.map(pairs)),
            weights: config.weights(),
            chunk,
            capacity: capacity.max(4 * config.window),
            first: config.window,
            levels: Vec::new(),
        }
    }

    /// Counts blocks that follow each other. Their ids are places in `translate`, if there is one.
    pub(crate) fn add(&mut self, batch: Vec<Tokens>, translate: Option<&[u32]>) -> Result<()> {
        for laid in self.layout.lay(batch, translate) {
            let mut laid = laid.as_slice();
            while !laid.is_empty() {
                let room = self.capacity.saturating_sub(self.chunk.len()).min(laid.len());
                let (now, later) = laid.split_at(room);
                if self.chunk.capacity() < self.chunk.len() + now.len() {
                    // Doubling, but never beyond what a chunk may hold.
                    let wanted = (2 * self.chunk.len() + now.len()).min(self.capacity);
                    self.chunk.reserve_exact(wanted - self.chunk.len());
                }
                self.chunk.extend_from_slice(now);
                laid = later;
                if self.chunk.len() >= self.capacity {
                    self.flush()?;
                }
            }
        }
        Ok(())
    }

    /// The sums of all.
    pub(crate) fn finish(mut self) -> Result<(Groups, Run)> {
        let window = self.config.window;
        self.chunk.extend(std::iter::repeat_n(self.groups.n as u32, window));
        self.flush()?;
        self.chunk = Vec::new();
        let mut runs: Vec<Run> = self.levels.drain(..).flatten().collect();
        let run = match (runs.pop(), runs.is_empty()) {
            (Some(run), true) => run,
            (last, _) => {
                runs.extend(last);
                let memory = self.memory_left(&runs);
                Run::merge(
                    runs,
                    &self.groups,
                    self.config.memory,
                    memory,
                    self.config.temporary.as_ref(),
                )?
            }
        };
        Ok((self.groups, run))
    }

    /// An eighth of the memory is for runs.
    fn memory_left(&self, more: &[Run]) -> u64 {
        let used: u64 = self.levels.iter().flatten().chain(more).map(|run| run.memory).sum();
        (self.config.memory / 8).saturating_sub(used)
    }

    /// Counts all windows that lie within the chunk, and keeps what the next ones need.
    fn flush(&mut self) -> Result<()> {
        let window = self.config.window;
        let end = self.chunk.len().saturating_sub(window).max(self.first);
        let run = self.count(self.first..end)?;
        self.chunk.drain(..end - window);
        self.first = window;
        let mut run = Some(run);
        for level in 0.. {
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            self.levels[level].extend(run.take());
            if self.levels[level].len() < FAN_IN {
                break;
            }
            let runs = std::mem::take(&mut self.levels[level]);
            let memory = self.memory_left(&runs);
            let merged = Run::merge(
                runs,
                &self.groups,
                self.config.memory,
                memory,
                self.config.temporary.as_ref(),
            )?;
            run = Some(merged);
        }
        Ok(())
    }

    fn count(&self, centres: Range<usize>) -> Result<Run> {
        let n = self.groups.n;
        let (offsets, places) = index(&self.chunk, centres, n);
        let side = match self.config.sides {
            Sides::Both => 0..2 * self.config.window + 1,
            Sides::Left => 0..self.config.window,
            Sides::Right => self.config.window + 1..2 * self.config.window + 1,
        };
        let weights = &self.weights[side.clone()];
        let narrow: Vec<u32> = weights.iter().map(|weight| *weight as u32).collect();
        let heaviest: u64 = weights.iter().sum();
        let group = |at: usize, sums: &mut RowSums, bytes: &mut Vec<u8>| {
            let mut pairs = 0;
            for row in self.groups.rows[at].clone() {
                let places = &places[offsets[row] as usize..offsets[row + 1] as usize];
                let window = |place: u32| {
                    let from = place as usize - self.config.window;
                    &self.chunk[from + side.start..from + side.end]
                };
                let windows = places.iter().enumerate().map(|(at, place)| {
                    if let Some(ahead) = places.get(at + AHEAD) {
                        prefetch(window(*ahead));
                    }
                    window(*place)
                });
                pairs += if !sums.is_dense(places.len() * weights.len()) {
                    for window in windows {
                        for (word, weight) in window.iter().zip(weights) {
                            sums.add(*word, *weight);
                        }
                    }
                    sums.write_sparse(n, bytes)
                } else if places.len() as u64 * heaviest <= u64::from(u32::MAX) {
                    add_windows(sums.narrow(), windows, &narrow);
                    sums.write_narrow(n, bytes)
                } else {
                    let sums_wide = sums.wide();
                    for window in windows {
                        for (word, weight) in window.iter().zip(weights) {
                            sums_wide[*word as usize] += weight;
                        }
                    }
                    sums.write_dense(n, bytes)
                };
            }
            Ok(pairs)
        };
        Run::build(
            &self.groups,
            width(self.config.memory, 1),
            self.memory_left(&[]),
            self.config.temporary.as_ref(),
            group,
        )
    }
}

/// Adds windows to sums. Usual lengths have loops that are unrolled.
fn add_windows<'a>(sums: &mut [u32], windows: impl Iterator<Item = &'a [u32]>, weights: &[u32]) {
    match weights.len() {
        2 => add_unrolled::<2>(sums, windows, weights),
        5 => add_unrolled::<5>(sums, windows, weights),
        10 => add_unrolled::<10>(sums, windows, weights),
        11 => add_unrolled::<11>(sums, windows, weights),
        21 => add_unrolled::<21>(sums, windows, weights),
        _ => {
            for window in windows {
                for (word, weight) in window.iter().zip(weights) {
                    sums[*word as usize] += weight;
                }
            }
        }
    }
}

fn add_unrolled<'a, const N: usize>(
    sums: &mut [u32],
    windows: impl Iterator<Item = &'a [u32]>,
    weights: &[u32],
) {
    let Some(weights) = weights.first_chunk::<N>() else { return };
    for window in windows.filter_map(|window| window.first_chunk::<N>()) {
        for (word, weight) in window.iter().zip(weights) {
            sums[*word as usize] += weight;
        }
    }
}

/// The places of each word in a range of a chunk, by counting sort: those of word w are
/// `places[offsets[w]..offsets[w + 1]]`, rising.
fn index(chunk: &[u32], range: Range<usize>, n: usize) -> (Vec<u32>, Vec<u32>) {
    let mut offsets = vec![0u32; n + 2];
    for word in &chunk[range.clone()] {
        offsets[*word as usize + 1] += 1;
    }
    let mut sum = 0;
    for offset in &mut offsets {
        sum += *offset;
        *offset = sum;
    }
    let mut places = vec![0u32; offsets[n] as usize];
    let mut next = offsets.clone();
    for place in range {
        let word = chunk[place] as usize;
        if word < n {
            places[next[word] as usize] = place as u32;
            next[word] += 1;
        }
    }
    (offsets, places)
}
