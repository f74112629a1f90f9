//! Memory of the neighbour search, counted by the allocator of this program.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::Array2;
use sixfold_geometry::neighbours;
use sixfold_linalg::Real;

struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

#[expect(unsafe_code, reason = "the trait of allocators is unsafe")]
// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(now, Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Peak of what a search allocates, the table included.
fn peak<T: Real>(n: usize, d: usize, k: usize, value: impl Fn(usize) -> T) -> usize {
    let x = Array2::from_shape_fn((n, d), |(i, j)| value(i * 31 + j * j * 17 + i * j));
    let before = NOW.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let table = neighbours(x.view(), k).unwrap();
    assert_eq!(table.n(), n);
    PEAK.load(Ordering::Relaxed) - before
}

/// One test, since the counters are of the whole program.
#[test]
fn extra_memory_is_bounded() {
    let wave = |i: usize| (i as f64 * 0.7).sin();
    for (n, d, k) in [(9000, 4, 2), (3000, 700, 2), (2500, 4, 100), (1500, 3, 1499), (600, 5000, 2)]
    {
        let allowed = (32 << 20) + 16 * n * k;
        let single = peak(n, d, k, |i| wave(i) as f32);
        assert!(single <= allowed, "f32 {n}×{d}, k = {k}: {single} of {allowed}");
        let double = peak(n, d, k, |i| 1e6 + wave(i));
        assert!(double <= allowed, "f64 {n}×{d}, k = {k}: {double} of {allowed}");
        // The bound is on what is extra: a copy of the points would break it here.
        assert!(n * d * 8 < allowed || double < n * d * 8);
        let equal = peak(n / 3, d, k.min(n / 3 - 1), |_| 0.1);
        assert!(equal <= allowed, "all equal {n}×{d}, k = {k}: {equal} of {allowed}");
    }
}
