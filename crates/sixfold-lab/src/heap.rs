//! Bytes on the heap, where the program's allocator counts them.
//!
//! The binary does: `#[global_allocator] static ALLOCATOR: heap::Counting = heap::Counting;`. In a program with another
//! allocator [`is_counted`] says so, and nothing is measured.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, with a count of what it gave.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counting;

fn add(bytes: usize) {
    let now = NOW.fetch_add(bytes, Ordering::Relaxed) + bytes;
    PEAK.fetch_max(now, Ordering::Relaxed);
}

#[expect(unsafe_code, reason = "the trait of allocators is unsafe")]
// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        add(size);
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Whether the program counts.
pub fn is_counted() -> bool {
    NOW.load(Ordering::Relaxed) > 0
}

/// Bytes that are in use.
pub fn now() -> usize {
    NOW.load(Ordering::Relaxed)
}

/// Bytes that are in use once threads that end have given back what was theirs: within a second, when nothing changes for
/// a while.
pub fn settled() -> usize {
    let mut before = now();
    for _ in 0..100 {
        std::thread::sleep(std::time::Duration::from_millis(10));
        let now = now();
        if now == before {
            break;
        }
        before = now;
    }
    before
}

/// The most that was in use since [`restart`], or the start of the program.
pub fn peak() -> usize {
    PEAK.load(Ordering::Relaxed)
}

/// Forgets the peak so far; returns the bytes in use.
///
/// One count serves the whole program: two measurements at a time disturb each other.
pub fn restart() -> usize {
    let now = now();
    PEAK.store(now, Ordering::Relaxed);
    now
}
