//! Loops over buffers: split over the rayon pool, each piece with vector instructions.

use std::mem::MaybeUninit;

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use rayon::prelude::*;

use super::pool::room;
use super::{HostBackend, simd};

/// Elements of a piece: 64 KiB, which the second-level cache holds twice.
pub const CHUNK: usize = 16 * 1024;

/// Elements up to which waking other threads costs more than it saves.
const ALONE: usize = 2 * CHUNK;

/// Calls `f` with the first index of each piece and the piece: on several threads where there is
/// work for them.
fn pieces<T: Send>(values: &mut [T], chunk: usize, f: impl Fn(usize, &mut [T]) + Sync) {
    if values.len() <= ALONE {
        values.chunks_mut(chunk).enumerate().for_each(|(i, piece)| f(i * chunk, piece));
    } else {
        values.par_chunks_mut(chunk).enumerate().for_each(|(i, piece)| f(i * chunk, piece));
    }
}

/// A vector of `n` values that `f` fills: it gets the first index of a piece and the piece.
/// Pieces are of `chunk` values; the memory is written once, not cleared before.
///
/// `f` must write all of what it gets and return that very piece, which it can only have by
/// initialising it.
///
/// # Panics
/// If `f` returns another slice than the one it got.
pub fn filled(
    n: usize,
    chunk: usize,
    f: impl for<'a> Fn(usize, &'a mut [MaybeUninit<f32>]) -> &'a mut [f32] + Sync,
) -> Vec<f32> {
    let mut values = room(n);
    let spare = &mut values.spare_capacity_mut()[..n];
    let chunk = chunk.max(1);
    pieces(spare, chunk, |start, piece| {
        let given: *const [f32] =
            std::ptr::slice_from_raw_parts(piece.as_ptr().cast(), piece.len());
        let filled: *const [f32] = f(start, piece);
        assert!(std::ptr::eq(given, filled), "the piece that was given, filled in full");
    });
    #[expect(unsafe_code, reason = "clearing first would double the traffic of every operation")]
    // SAFETY: the capacity is at least n, and each piece of the first n values has come back from
    // `f` as an initialised slice of its length.
    unsafe {
        values.set_len(n);
    }
    values
}

/// A row `times` times over, in memory that is written once.
pub fn repeated(row: &[f32], times: usize) -> Vec<f32> {
    if row.is_empty() {
        return Vec::new();
    }
    let chunk = (CHUNK / row.len()).max(1) * row.len();
    filled(times * row.len(), chunk, |_, piece| {
        for place in piece.chunks_exact_mut(row.len()) {
            place.write_copy_of_slice(row);
        }
        #[expect(unsafe_code, reason = "rows written one by one have no safe way to be joined")]
        // SAFETY: pieces are whole rows, and the loop has written each.
        unsafe {
            piece.assume_init_mut()
        }
    })
}

/// The values as a vector: the tensor's own memory where nobody shares it, else a copy.
pub fn owned<B: HostBackend>(x: FloatTensor<B>) -> Vec<f32> {
    B::take(x).unwrap_or_else(|values| {
        filled(values.len(), CHUNK, |start, piece| {
            let source = &values[start..start + piece.len()];
            piece.write_copy_of_slice(source)
        })
    })
}

/// Applies `f` to pieces of a tensor: in its own memory where nobody shares it, else in a copy
/// made piece by piece.
pub fn map<B: HostBackend>(x: FloatTensor<B>, f: impl Fn(&mut [f32]) + Sync) -> FloatTensor<B> {
    map_with::<B>(
        x,
        &[],
        #[inline(always)]
        |piece, _| f(piece),
    )
}

/// As [`map`], beside the pieces of another buffer of the same length (or none at all).
pub fn map_with<B: HostBackend>(
    x: FloatTensor<B>,
    other: &[f32],
    f: impl Fn(&mut [f32], &[f32]) + Sync,
) -> FloatTensor<B> {
    let shape = x.shape();
    let beside = |start: usize, len: usize| match other {
        [] => other,
        _ => &other[start..start + len],
    };
    let values = match B::take(x) {
        Ok(mut values) => {
            pieces(&mut values, CHUNK, |start, piece| {
                let other = beside(start, piece.len());
                simd(
                    #[inline(always)]
                    || f(piece, other),
                );
            });
            values
        }
        Err(values) => filled(values.len(), CHUNK, |start, piece| {
            let source = &values[start..start + piece.len()];
            let other = beside(start, piece.len());
            let piece = piece.write_copy_of_slice(source);
            simd(
                #[inline(always)]
                || f(piece, other),
            );
            piece
        }),
    };
    B::make(values, shape)
}

/// Applies `f` to each row of `width` values, in pieces of whole rows; as [`map`] otherwise.
pub fn rows<B: HostBackend>(
    x: FloatTensor<B>,
    width: usize,
    f: impl Fn(&mut [f32]) + Sync,
) -> FloatTensor<B> {
    rows_with::<B>(
        x,
        width,
        #[inline(always)]
        |_, row| f(row),
    )
}

/// As [`rows`]; `f` also gets the number of the row.
pub fn rows_with<B: HostBackend>(
    x: FloatTensor<B>,
    width: usize,
    f: impl Fn(usize, &mut [f32]) + Sync,
) -> FloatTensor<B> {
    let shape = x.shape();
    if width == 0 {
        return x;
    }
    let chunk = (CHUNK / width).max(1) * width;
    let each = |start: usize, piece: &mut [f32]| {
        simd(
            #[inline(always)]
            || {
                for (i, row) in piece.chunks_exact_mut(width).enumerate() {
                    f(start / width + i, row);
                }
            },
        );
    };
    let values = match B::take(x) {
        Ok(mut values) => {
            pieces(&mut values, chunk, each);
            values
        }
        Err(values) => filled(values.len(), chunk, |start, piece| {
            let piece = piece.write_copy_of_slice(&values[start..start + piece.len()]);
            each(start, piece);
            piece
        }),
    };
    B::make(values, shape)
}
