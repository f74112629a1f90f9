//! What the processor is told about memory: that rows will be read soon, and that others will not for long.

/// Numbers from which on a result stays in no cache of today's: before a row is written there, its old content need
/// not be read.
const LARGE: usize = 1 << 23;

/// Rows ahead that are asked for.
pub(super) const AHEAD: usize = 2;

/// Numbers of a line of the caches.
#[cfg(target_arch = "x86_64")]
const LINE: usize = 16;

/// How rows of a result are copied.
#[derive(Clone, Copy)]
pub(super) struct Copies {
    past: bool,
}

impl Copies {
    /// For a result of so many numbers.
    pub(super) fn into_result(numbers: usize) -> Self {
        Self { past: numbers >= LARGE }
    }

    /// Whether rows are written past the caches.
    pub(super) fn are_past(self) -> bool {
        self.past
    }

    /// Copies to each of `rows` the one of `from` beside it, or zeros; other threads see them once this returns.
    pub(super) fn run<'r, 'f, R>(
        self,
        rows: impl Iterator<Item = R>,
        from: impl Iterator<Item = Option<&'f [f32]>> + Clone,
    ) where
        R: Into<Option<&'r mut [f32]>>,
    {
        let next = from.clone().skip(AHEAD).chain(std::iter::repeat(None));
        for ((row, from), next) in rows.zip(from).zip(next) {
            if let Some(next) = next {
                prefetch(next);
            }
            let Some(row) = row.into() else { continue };
            match from {
                None => row.fill(0.0),
                Some(from) if self.past => past(from, row),
                Some(from) => row.copy_from_slice(from),
            }
        }
        if self.past {
            fence();
        }
    }
}

/// Asks for a row that will be read soon: rows are too short for the processor to guess, and lie anywhere.
#[inline(always)]
#[cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "prefetching takes a pointer, and safe Rust has none for it")
)]
pub(super) fn prefetch(row: &[f32]) {
    #[cfg(target_arch = "x86_64")]
    for line in row.chunks(LINE) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint for the address of a slice; it neither reads nor faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = row;
}

/// Copies a row past the caches, if it can be split into aligned vectors.
///
/// # Panics
/// If the lengths differ.
#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "safe Rust has no stores past the caches")]
fn past(from: &[f32], to: &mut [f32]) {
    use std::arch::x86_64::{__m128, _mm_loadu_ps, _mm_stream_ps};
    assert_eq!(from.len(), to.len(), "rows of one length");
    let start = to.as_mut_ptr();
    if !to.len().is_multiple_of(4) || !start.cast::<__m128>().is_aligned() {
        to.copy_from_slice(from);
        return;
    }
    for at in (0..from.len()).step_by(4) {
        // SAFETY: `at` and the three after it lie in both slices, and the vectors of `to` are aligned.
        unsafe { _mm_stream_ps(start.add(at), _mm_loadu_ps(from.as_ptr().add(at))) };
    }
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "a fence is an instruction")]
fn fence() {
    // SAFETY: every x86-64 processor has it, and it touches no memory.
    unsafe { std::arch::x86_64::_mm_sfence() };
}

#[cfg(not(target_arch = "x86_64"))]
fn past(from: &[f32], to: &mut [f32]) {
    to.copy_from_slice(from);
}

#[cfg(not(target_arch = "x86_64"))]
fn fence() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_copies_at_any_alignment() {
        let from: Vec<f32> = (0..64).map(|i| i as f32).collect();
        for numbers in [64, LARGE] {
            for (offset, len) in [(0, 64), (1, 32), (3, 16), (0, 7), (4, 0)] {
                let mut to = vec![-1.0; 70];
                let row = Some(&mut to[offset..offset + len]);
                let copies = Copies::into_result(numbers);
                copies.run([row, None].into_iter(), [Some(&from[..len]), None].into_iter());
                assert_eq!(to[offset..offset + len], from[..len]);
                assert!(to[..offset].iter().chain(&to[offset + len..]).all(|x| *x < 0.0));
            }
        }
    }
}
