//! Telling the processor what will be read.

/// Asks for the bytes of a slice, wherever it lies. Rows read windows that lie far apart in the
/// text: without this most of the time is spent waiting for them.
#[inline(always)]
#[cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "prefetching takes a pointer, and safe Rust has none for it")
)]
pub(crate) fn prefetch(slice: &[u32]) {
    #[cfg(target_arch = "x86_64")]
    if let (Some(first), Some(last)) = (slice.first(), slice.last()) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint for addresses of references; it neither reads nor faults. Every x86-64
        // processor has it. A window is rarely longer than two lines of the cache.
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(first).cast());
            _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(last).cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = slice;
}
