//! Memory of lookups, heads and bags, counted by the allocator of this program: nothing of the size of the
//! table, and no more than what the different ids of a batch need.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sixfold_tensor_train::bags::{self, Bags};
use sixfold_tensor_train::logits::{self, Method};
use sixfold_tensor_train::lookup::{self, Plan};
use sixfold_tensor_train::{Cores, Initializer, TtShape};

struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static LARGEST: AtomicUsize = AtomicUsize::new(0);

impl Counting {
    fn add(bytes: usize) {
        let now = NOW.fetch_add(bytes, Ordering::Relaxed) + bytes;
        PEAK.fetch_max(now, Ordering::Relaxed);
        LARGEST.fetch_max(bytes, Ordering::Relaxed);
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

/// What some work took, in bytes.
#[derive(Debug)]
struct Used {
    /// At most, of what was not there before.
    peak: usize,
    /// At once.
    largest: usize,
    /// What its result still holds.
    kept: usize,
}

/// Counts what `f` takes; its result is dropped.
fn used<T>(f: impl FnOnce() -> T) -> Used {
    let before = NOW.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    LARGEST.store(0, Ordering::Relaxed);
    let result = black_box(f());
    let kept = NOW.load(Ordering::Relaxed).saturating_sub(before);
    drop(result);
    let peak = PEAK.load(Ordering::Relaxed) - before;
    Used { peak, largest: LARGEST.load(Ordering::Relaxed), kept }
}

/// Ids by Zipf's law, frequent ones anywhere in the table.
fn zipf(vocab: usize, n: usize) -> Vec<u32> {
    let mut sum = 0.0;
    let add = |i| {
        sum += 1.0 / f64::from(i);
        sum
    };
    let sums: Vec<f64> = (1..=vocab as u32).map(add).collect();
    let mut generator = ChaCha8Rng::seed_from_u64(n as u64);
    let draw = || {
        let at = generator.random_range(0.0..sums[vocab - 1]);
        let rank = sums.partition_point(|s| *s < at);
        // A number that shares no factor with the vocabularies below permutes them.
        (rank.min(vocab - 1) * 7_919 % vocab) as u32
    };
    std::iter::repeat_with(draw).take(n).collect()
}

fn cores(table: usize, rank: usize) -> Cores {
    let (rows, columns) =
        if table == 25_000 { ([25, 30, 40], [4, 8, 8]) } else { ([40, 50, 50], [8, 8, 8]) };
    let shape = TtShape::train(table, rows, columns, rank).unwrap();
    Cores::init(shape, &Initializer::Glorot, 0).unwrap()
}

/// Bytes of V_pad×D numbers.
fn table_bytes(shape: &TtShape) -> usize {
    shape.padded_vocab() * shape.d_embed() * 4
}

/// M1 and M2 of a lookup and its gradient; rows and their gradient belong to the caller.
fn lookup(table: usize, rank: usize, n: usize) {
    let cores = cores(table, rank);
    let (shape, values) = (cores.shape(), cores.values());
    let ids = zipf(table, n);
    let plan = Plan::new(shape, &ids);
    let (unique, prefixes) = (plan.unique().len(), plan.prefixes(shape));
    let prefix = shape.columns()[0] * shape.columns()[1] * shape.ranks()[2];
    let numbers = unique * shape.d_embed() + prefixes * prefix + shape.parameters();
    let of_plan = 12 * (n + unique);
    let allowed = (1.1 * 4.0 * numbers as f64) as usize + of_plan + 40 * n;
    let mut rows = vec![0.0; n * shape.d_embed()];
    let grad: Vec<f32> = (0..rows.len()).map(|i| (i % 7) as f32 - 3.0).collect();
    let used = used(|| {
        let plan = Plan::new(shape, &ids);
        lookup::forward_into(shape, values, &plan, &mut rows);
        lookup::backward(shape, values, &plan, &grad)
    });
    let what = format!("{table} rows, rank {rank}, {n} ids, {unique} differ, {prefixes} prefixes");
    assert!(used.peak <= allowed, "{what}: {used:?}, allowed {allowed}");
    // The largest holds the rows of different ids, of which a batch has fewer than half the table here.
    assert!(used.largest < table_bytes(shape) / 2, "{what}: {used:?}");
    // Not less than the result: the counters count.
    assert!(used.kept >= shape.parameters() * 4, "{what}: {used:?}");
    let used = self::used(|| lookup::unique_rows(shape, values, &plan));
    let allowed = (1.1 * 4.0 * (unique * shape.d_embed()) as f64) as usize;
    assert!(used.peak <= allowed, "different rows, {what}: {used:?}, allowed {allowed}");
}

/// M2: what stays of the ids until the backward pass.
fn plans(table: usize, n: usize) {
    let cores = cores(table, 4);
    let ids = zipf(table, n);
    let unique = Plan::new(cores.shape(), &ids).unique().len();
    let used = used(|| Plan::new(cores.shape(), &ids));
    let allowed = 12 * (n + unique);
    assert!(used.kept <= allowed, "{n} ids, {unique} differ: {used:?}, allowed {allowed}");
    assert!(used.kept >= 4 * n, "{n} ids: {used:?}");
}

/// Logits and losses of some hidden states, with their gradients.
fn head(cores: &Cores, n: usize, method: Method) {
    let (shape, values) = (cores.shape(), cores.values());
    let (d, vocab) = (shape.d_embed(), shape.vocab_size());
    let hidden: Vec<f32> = (0..n * d).map(|i| (i % 13) as f32 - 6.0).collect();
    let targets: Vec<u32> = (0..n).map(|i| (i * 391 % vocab) as u32).collect();
    let grad = vec![1.0 / n as f32; n * vocab];
    let table = table_bytes(shape);
    let result = n * vocab * 4;
    assert!(result < table / 4, "so few states that logits are no table");
    let check = |what: &str, used: &Used, result: usize, largest: usize| {
        assert!(used.largest <= largest, "{what} {method:?}: {used:?}, at once {largest}");
        // Blocks of rows for each of four threads, and gradients of eight parts.
        let allowed = result + table / 2;
        assert!(used.peak <= allowed, "{what} {method:?}: {used:?}, allowed {allowed}");
    };
    let logits = used(|| logits::logits(shape, values, &hidden, method));
    check("logits", &logits, result, result);
    let back = used(|| logits::logits_backward(shape, values, &hidden, &grad, method));
    check("gradient of logits", &back, 0, result);
    // Of the loss not even the logits are ever whole.
    let found = logits::cross_entropy(shape, values, &hidden, &targets, method);
    let loss = used(|| logits::cross_entropy(shape, values, &hidden, &targets, method));
    check("loss", &loss, 0, result / 2);
    let grad = &grad[..n];
    let back = used(|| {
        let sums = &found.log_sums;
        logits::cross_entropy_backward(shape, values, &hidden, &targets, sums, grad, method)
    });
    check("gradient of the loss", &back, 0, result / 2);
}

/// Bags of a batch: the rows of different ids, and results; no row for each id.
fn pooled(cores: &Cores, n: usize, each: usize) {
    let (shape, values) = (cores.shape(), cores.values());
    let d = shape.d_embed();
    let ids = zipf(shape.vocab_size(), n);
    let offsets: Vec<i64> = (0..n).step_by(each).map(|at| at as i64).collect();
    let grad = vec![1.0; offsets.len() * d];
    let unique = Plan::new(shape, &ids).unique().len();
    let run = |largest: bool| {
        let plan = Plan::new(shape, &ids);
        let bags = Bags::new(&plan, &offsets, false).unwrap();
        let rows = lookup::unique_rows(shape, values, &plan);
        let of_rows = if largest {
            black_box(bags::max(&rows, d, &bags));
            bags::max_backward(&rows, d, &bags, &grad)
        } else {
            let weights = bags.mean_weights();
            black_box(bags::sum(&rows, d, &bags, &weights));
            bags::sum_backward(&rows, d, &bags, &weights, &grad).0
        };
        lookup::backward(shape, values, &plan.of_unique(), &of_rows)
    };
    // Rows and their gradient, sums, cores in parts, the plan, the bags.
    let numbers = 2 * unique * d + offsets.len() * d;
    let parts = unique * d + Plan::new(shape, &ids).prefixes(shape) * d + shape.parameters();
    let allowed = (1.1 * 4.0 * (numbers + parts) as f64) as usize + 60 * n;
    for largest in [false, true] {
        let used = used(|| run(largest));
        assert!(used.largest < table_bytes(shape) / 4, "{used:?}");
        assert!(used.largest <= unique * d * 4, "no row for each id: {used:?}");
        assert!(used.peak <= allowed, "max {largest}: {used:?}, allowed {allowed}");
    }
}

/// One test, since the counters are of the whole program.
#[test]
fn memory_is_that_of_the_different_ids() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap();
    pool.install(|| {
        for (table, rank, n) in
            [(100_000, 16, 8192), (100_000, 64, 8192), (25_000, 16, 8192), (25_000, 16, 65_536)]
        {
            lookup(table, rank, n);
        }
        // Few ids of a large table are sorted, many are marked in a bitmap.
        for (table, n) in [(100_000, 100), (100_000, 8192), (25_000, 65_536)] {
            plans(table, n);
        }
        let cores = cores(25_000, 16);
        head(&cores, 64, Method::Merged);
        head(&cores, 64, Method::Tiled);
        pooled(&cores, 8192, 16);
    });
}
