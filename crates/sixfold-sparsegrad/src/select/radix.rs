//! The k-th largest magnitude, by counting bits.

use rayon::prelude::*;

use crate::{Error, Result};

/// Values of one task.
const CHUNK: usize = 1 << 16;

/// Bits of the first pass: the exponent and three bits of the mantissa.
const FIRST: u32 = 11;

/// Bits of each of the two further passes.
const FURTHER: u32 = 10;

/// Magnitudes have 31 bits, and order as these do.
const MAGNITUDE: u32 = 0x7fff_ffff;

/// The bits of infinity: no number is as large.
const INFINITY: u32 = 0x7f80_0000;

/// A few values of one list.
#[derive(Clone, Copy)]
struct Chunk<'a> {
    list: usize,
    /// Index of the first.
    from: usize,
    values: &'a [f32],
}

/// What is kept: all magnitudes above a value, and the first few of those that equal it.
struct Threshold {
    bits: u32,
    /// How many that are equal are kept.
    kept: usize,
    /// How many there are.
    equal: usize,
}

/// The k largest magnitudes of several lists together: indices into each, ascending.
pub(super) fn largest(lists: &[&[f32]], k: usize) -> Result<Vec<Vec<u32>>> {
    let size: usize = lists.iter().map(|list| list.len()).sum();
    if k > size {
        return Err(Error::TooMany { k, size });
    }
    if let Some(long) = lists.iter().find(|list| u32::try_from(list.len()).is_err()) {
        let what = format!("{} values are more than an index of 32 bits can tell", long.len());
        return Err(Error::Config { problems: vec![what] });
    }
    let chunks: Vec<Chunk<'_>> = lists
        .iter()
        .enumerate()
        .flat_map(|(list, values)| {
            let chunk = move |(i, values)| Chunk { list, from: i * CHUNK, values };
            values.chunks(CHUNK).enumerate().map(chunk)
        })
        .collect();
    let first = counts(&chunks, first_digits);
    if first[(INFINITY >> (2 * FURTHER)) as usize..].iter().any(|count| *count > 0) {
        return Err(not_finite(lists));
    }
    if k == 0 {
        return Ok(vec![Vec::new(); lists.len()]);
    }
    let threshold = threshold(&chunks, &first, k);
    let mut found = vec![Vec::new(); lists.len()];
    for (chunk, mut kept) in chunks.iter().zip(gather(&chunks, &threshold)) {
        found[chunk.list].append(&mut kept);
    }
    Ok(found)
}

fn not_finite(lists: &[&[f32]]) -> Error {
    let places = lists.iter().enumerate();
    let mut wrong = places.filter_map(|(list, values)| {
        values.iter().position(|x| !x.is_finite()).map(|index| (list, index))
    });
    let (list, index) = wrong.next().unwrap_or_default();
    let path = if lists.len() > 1 { list.to_string() } else { String::new() };
    Error::NotFinite { path, what: "score", index }
}

/// Digits by which values are counted.
type Counts = Vec<usize>;

fn counts(chunks: &[Chunk<'_>], count: impl Fn(&[f32], &mut Counts) + Sync) -> Counts {
    let zeros = || vec![0; 1 << FIRST];
    let counted = chunks.par_iter().fold(zeros, |mut counts, chunk| {
        count(chunk.values, &mut counts);
        counts
    });
    counted.reduce(zeros, |mut a, b| {
        a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
        a
    })
}

/// Two sets of counters, since neighbours often have the same exponent and would wait for each other.
fn first_digits(values: &[f32], counts: &mut Counts) {
    let mut other = [0_u32; 1 << FIRST];
    let digit = |x: &f32| ((x.to_bits() & MAGNITUDE) >> (2 * FURTHER)) as usize;
    let (pairs, rest) = values.as_chunks::<2>();
    for [a, b] in pairs {
        counts[digit(a)] += 1;
        other[digit(b)] += 1;
    }
    rest.iter().for_each(|x| counts[digit(x)] += 1);
    counts.iter_mut().zip(other).for_each(|(a, b)| *a += b as usize);
}

/// Finds the k-th largest magnitude, digit by digit.
fn threshold(chunks: &[Chunk<'_>], first: &Counts, k: usize) -> Threshold {
    let (mut prefix, mut kept, mut equal) = digit(first, k);
    for shift in [FURTHER, 0] {
        let counts = counts(chunks, |values, counts| {
            for x in values {
                let bits = (x.to_bits() & MAGNITUDE) >> shift;
                if bits >> FURTHER == prefix {
                    counts[(bits & ((1 << FURTHER) - 1)) as usize] += 1;
                }
            }
        });
        let (next, left, here) = digit(&counts, kept);
        (prefix, kept, equal) = (prefix << FURTHER | next, left, here);
    }
    Threshold { bits: prefix, kept, equal }
}

/// The digit of the k-th largest, which one it is among those of this digit, and how many these are.
fn digit(counts: &Counts, k: usize) -> (u32, usize, usize) {
    let mut left = k;
    for (digit, count) in counts.iter().enumerate().rev() {
        if left <= *count {
            return (digit as u32, left, *count);
        }
        left -= count;
    }
    unreachable!("there are at least k values")
}

/// What each chunk keeps.
fn gather(chunks: &[Chunk<'_>], threshold: &Threshold) -> Vec<Vec<u32>> {
    let bits = |x: &f32| x.to_bits() & MAGNITUDE;
    // Ties go to the lower index: each chunk must know how many come before it.
    let before: Vec<usize> = if threshold.kept == threshold.equal {
        vec![0; chunks.len()]
    } else {
        let ties =
            |chunk: &Chunk<'_>| chunk.values.iter().filter(|x| bits(x) == threshold.bits).count();
        let ties: Vec<usize> = chunks.par_iter().map(ties).collect();
        let sums = ties.iter().scan(0, |sum, ties| {
            let before = *sum;
            *sum += ties;
            Some(before)
        });
        sums.collect()
    };
    let kept = |(chunk, before): (&Chunk<'_>, &usize)| {
        let mut left = threshold.kept.saturating_sub(*before);
        let mut kept = Vec::new();
        for (i, x) in chunk.values.iter().enumerate() {
            let bits = bits(x);
            if bits < threshold.bits {
                continue;
            }
            if bits == threshold.bits {
                if left == 0 {
                    continue;
                }
                left -= 1;
            }
            kept.push((chunk.from + i) as u32);
        }
        kept
    };
    chunks.par_iter().zip(&before).map(kept).collect()
}
