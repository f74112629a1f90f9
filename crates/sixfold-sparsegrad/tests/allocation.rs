//! Memory of calibrations, updates and steps, counted by the allocator of this program.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::Array2;
use sixfold_sparsegrad::{
    Basis, EntryTable, GramCalibration, Kept, Mask, SparseAdamConfig, Update, gradient_at, top_k,
};

struct Counting;

/// What faer reserves for its products, once a thread, and touches as it needs. Nothing of ours is as large
/// here.
const RESERVED: usize = 1 << 26;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

impl Counting {
    fn add(bytes: usize) {
        if bytes >= RESERVED {
            return;
        }
        let now = NOW.fetch_add(bytes, Ordering::Relaxed) + bytes;
        PEAK.fetch_max(now, Ordering::Relaxed);
    }
}

#[expect(unsafe_code, reason = "the trait of allocators is unsafe")]
// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::add(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if layout.size() < RESERVED {
            NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        }
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most bytes at once of what was not there before.
fn peak<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = NOW.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let done = work();
    (PEAK.load(Ordering::Relaxed) - before, done)
}

fn numbers(rows: usize, columns: usize) -> Array2<f32> {
    Array2::from_shape_fn((rows, columns), |(i, j)| ((i * 7 + j * 13) % 17) as f32 - 8.0)
}

/// One test, so that no other allocates beside it.
#[test]
fn nothing_of_the_size_of_what_is_avoided() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    pool.install(|| {
        calibrations();
        updates();
        samples();
        steps();
    });
}

/// A16: twice the squares of both sides in f32, scratch and the truncated decomposition included.
fn calibrations() {
    let [d_in, d_out] = [600, 900];
    let gradient = numbers(d_in, d_out);
    let bound = 2 * 4 * (d_in * d_in + d_out * d_out);
    let (used, calibration) = peak(|| {
        let mut calibration = GramCalibration::new(d_in, d_out);
        (0..3).for_each(|_| calibration.add(gradient.view()).unwrap());
        calibration
    });
    assert!(used <= bound, "{used} of {bound}");
    let held = 4 * (d_in * (d_in + 1) + d_out * (d_out + 1));
    let (used, basis) = peak(|| calibration.finish(32, 32).unwrap());
    assert_eq!(basis.core(), [32, 32]);
    assert!(held + used <= bound, "{held} + {used} of {bound}");
}

fn updates() {
    let [d_in, d_out] = [600, 2000];
    let mut weights = numbers(d_in, d_out);
    let size = 4 * d_in * d_out;
    for (basis, most) in [
        (Basis::identity(d_in, d_out), size / 50),
        (Basis::random(d_in, d_out, 64, 64, 1).unwrap(), size / 10),
        // Both halves of a whole basis are panels, two of them at once.
        (
            Basis::random(d_in, d_out, d_in, d_out, 1).unwrap(),
            2 * 4 * 128 * (d_in + d_out) + size / 4,
        ),
    ] {
        let core = basis.core();
        let mask = Mask::new(core, (0..1000).map(|i| i * 4).collect()).unwrap();
        let values = vec![1.0; 1000];
        let update = Update::Sparse(&mask, &values);
        let (used, done) = peak(|| basis.apply(update, 0.1, weights.view_mut()));
        done.unwrap();
        assert!(used <= most, "{core:?}: {used} of {most}");
    }
}

fn samples() {
    let [tokens, rows, columns] = [2000, 400, 900];
    let (x, dy) = (numbers(tokens, rows), numbers(tokens, columns));
    let mask = Mask::new([rows, columns], (0..2000).map(|i| i * 180).collect()).unwrap();
    let (used, found) = peak(|| gradient_at(x.view(), dy.view(), &mask).unwrap());
    let blocks = 4 * 256 * (rows + columns);
    assert_eq!(found.len(), 2000);
    assert!(used <= blocks + (1 << 17), "{used}");
    // Selection needs counters for each task, and what it returns twice.
    let values = vec![1.0_f32; 1 << 20];
    let (used, kept) = peak(|| top_k(&values, 1000).unwrap());
    assert!(kept.len() == 1000 && used <= values.len(), "{used}");
}

/// What a table says it takes is what it takes.
fn steps() {
    let gradients = vec![1.0; 5000];
    let mut table = EntryTable::new(SparseAdamConfig::default(), 5000).unwrap();
    let before = NOW.load(Ordering::Relaxed);
    for step in 0..12_u32 {
        let indices: Vec<u32> = (0..5000).map(|i| i * 9 + step).collect();
        let kept = Kept { indices: &indices, gradients: &gradients, values: None };
        table.step(kept, 0.1, step + 1).unwrap();
        drop(indices);
        let held = NOW.load(Ordering::Relaxed) as i64 - before as i64;
        // The pool frees a little of its own meanwhile.
        assert!((held - table.bytes() as i64).abs() < 1 << 14, "{held} {}", table.bytes());
        assert!(table.len() <= table.cap());
    }
    assert_eq!(table.len(), 40_000);
}
