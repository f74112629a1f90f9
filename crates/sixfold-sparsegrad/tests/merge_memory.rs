//! A7: what merging takes beside the weights, counted by the allocator of this program.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::{Array2, ArrayViewMut2};
use sixfold_sparsegrad::{Adapter, Basis, LayerUpdate, Mask, Side};

struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

impl Counting {
    fn add(bytes: usize) {
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

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Self::add(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes that some work took at most.
fn peak<T>(f: impl FnOnce() -> T) -> usize {
    let before = NOW.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    drop(f());
    PEAK.load(Ordering::Relaxed) - before
}

/// Columns that are as good as any here: nothing is compared but bytes.
fn columns(width: usize, rank: usize) -> Side {
    Side::Columns(Array2::from_shape_fn((width, rank), |(i, j)| ((i + 3 * j) % 7) as f32))
}

fn adapter(basis: Basis, k: Option<usize>) -> Adapter {
    let shape = [basis.input.rank(), basis.output.rank()];
    let size = shape[0] * shape[1];
    let mask = match k {
        None => Mask::all(shape),
        Some(k) => Mask::new(shape, (0..k).map(|i| (i * size / k) as u32).collect()).unwrap(),
    };
    let mut adapter = Adapter::default();
    adapter.insert_basis("b", basis).unwrap();
    let values = vec![0.5; mask.len()];
    adapter.insert("w", LayerUpdate { basis: "b".into(), mask, values }).unwrap();
    adapter
}

#[test]
fn merging_takes_no_second_matrix() {
    let (d_in, d_out) = (768, 3072);
    let matrix = (d_in * d_out * size_of::<f32>()) as f64;
    let corner = |r| Basis { input: columns(d_in, r), output: columns(d_out, r) };
    let cases = [
        ("entries of a corner", adapter(corner(256), Some(28_000))),
        ("a dense corner", adapter(corner(167), None)),
        ("entries of a full core", {
            let basis = Basis { input: columns(d_in, d_in), output: Side::Identity(d_out) };
            adapter(basis, Some(28_000))
        }),
        ("entries of the weights", {
            let basis = Basis { input: Side::Identity(d_in), output: Side::Identity(d_out) };
            adapter(basis, Some(28_000))
        }),
    ];
    // Each thread has a block of its own: with two, all stays within 5 % of this matrix.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let mut weights = Array2::<f32>::zeros((d_in, d_out));
    let merge = |adapter: &Adapter, weights: ArrayViewMut2<'_, f32>| {
        adapter.add_to("w", 1.0, weights).unwrap();
    };
    for (name, adapter) in &cases {
        // The pool's own memory is made once.
        pool.install(|| merge(adapter, weights.view_mut()));
        let added = pool.install(|| peak(|| merge(adapter, weights.view_mut()))) as f64 / matrix;
        assert!(added <= 0.05, "{name}: {added} of a matrix to merge");
        let made = pool.install(|| peak(|| adapter.delta("w").unwrap())) as f64 / matrix;
        assert!((1.0..=1.05).contains(&made), "{name}: {made} of a matrix for ΔW");
    }
}
