//! Copies past the caches.

/// Numbers from which on a result stays in no cache of today's: before a row is written there, its old content need
/// not be read.
const LARGE: usize = 1 << 23;

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

    /// Calls `f` with a function that copies rows; what they hold is visible to other threads once this returns.
    pub(super) fn run(self, f: impl FnOnce(&dyn Fn(&[f32], &mut [f32]))) {
        if self.past {
            f(&past);
            fence();
        } else {
            f(&|from, to| to.copy_from_slice(from));
        }
    }
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
                Copies::into_result(numbers).run(|copy| {
                    copy(&from[..len], &mut to[offset..offset + len]);
                });
                assert_eq!(to[offset..offset + len], from[..len]);
                assert!(to[..offset].iter().chain(&to[offset + len..]).all(|x| *x < 0.0));
            }
        }
    }
}
