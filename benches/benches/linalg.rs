//! `sixfold-linalg`: nalgebra against faer by size, products against the raw `gemm` crate, moments.
//!
//! `cargo bench -p sixfold-benches --no-default-features --bench linalg` compiles no burn. With
//! the filter `shares` only the table at the end is made.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group};
use faer::{Mat, Par, Side};
use gemm::Parallelism;
use nalgebra::DMatrix;
use ndarray::{Array2, ArrayView2};
use sixfold_linalg::{Moments, PairMoments, Real, Threads, gram_with, matmul_into, matmul_with};

/// Sides around the backend's `LARGE`.
const SIDES: [usize; 9] = [16, 32, 48, 64, 96, 128, 256, 512, 768];

/// m, k and n of the products.
const PRODUCTS: [[usize; 3]; 4] = [[512; 3], [1024; 3], [2048; 3], [2048, 384, 1536]];

/// Numbers between −½ and ½ without a pattern.
fn entries<T: Real>(rows: usize, cols: usize) -> Array2<T> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    Array2::from_shape_simple_fn((rows, cols), || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        T::narrow((state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5)
    })
}

/// A symmetric or a general matrix in the types of both libraries.
fn both(n: usize, symmetric: bool) -> (DMatrix<f64>, Mat<f64>) {
    let a = entries::<f64>(n, n);
    let at = |i: usize, j: usize| if symmetric { a[(i.min(j), i.max(j))] } else { a[(i, j)] };
    (DMatrix::from_fn(n, n, at), Mat::from_fn(n, n, at))
}

/// One factorisation by nalgebra, by faer on one thread, and by faer on two where that may help.
fn duel<A, B>(
    criterion: &mut Criterion,
    name: &str,
    symmetric: bool,
    nalgebra: impl Fn(&DMatrix<f64>) -> A,
    faer: impl Fn(&Mat<f64>) -> B,
) {
    let mut group = criterion.benchmark_group(name);
    group.warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_millis(400));
    for n in SIDES {
        // Many short samples: the least of them is what a busy machine leaves alone.
        group.sample_size(if n > 128 { 10 } else { 40 });
        let (small, large) = both(n, symmetric);
        group.bench_function(BenchmarkId::new("nalgebra", n), |b| b.iter(|| nalgebra(&small)));
        faer::set_global_parallelism(Par::Seq);
        group.bench_function(BenchmarkId::new("faer", n), |b| b.iter(|| faer(&large)));
        if n >= 256 {
            faer::set_global_parallelism(Par::rayon(2));
            group.bench_function(BenchmarkId::new("faer-2-threads", n), |b| {
                b.iter(|| faer(&large));
            });
        }
    }
    group.finish();
}

fn decompositions(criterion: &mut Criterion) {
    duel(
        criterion,
        "eigh",
        true,
        |a| a.clone().symmetric_eigen(),
        |a| a.self_adjoint_eigen(Side::Lower).expect("converges"),
    );
    duel(
        criterion,
        "eigvalsh",
        true,
        |a| a.symmetric_eigenvalues(),
        |a| a.self_adjoint_eigenvalues(Side::Lower).expect("converges"),
    );
    duel(
        criterion,
        "qr",
        false,
        |a| {
            let qr = a.clone().qr();
            (qr.q(), qr.unpack_r())
        },
        |a| {
            let qr = a.qr();
            (qr.compute_thin_Q(), qr.thin_R().to_owned())
        },
    );
    duel(
        criterion,
        "svd",
        false,
        |a| a.clone().svd(true, true),
        |a| a.thin_svd().expect("converges"),
    );
}

fn ours(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sixfold");
    group.sample_size(10);
    group.warm_up_time(Duration::from_millis(100)).measurement_time(Duration::from_millis(400));
    for n in [64, 256] {
        let a = entries::<f64>(n, n);
        let tall = entries::<f64>(8 * n, n);
        group.bench_function(BenchmarkId::new("eigh", n), |b| {
            b.iter(|| sixfold_linalg::eigh(a.view()));
        });
        group.bench_function(BenchmarkId::new("svd", n), |b| {
            b.iter(|| sixfold_linalg::svd(a.view()));
        });
        group.bench_function(BenchmarkId::new("qr-tall", n), |b| {
            b.iter(|| sixfold_linalg::qr(tall.view()));
        });
        group.bench_function(BenchmarkId::new("cholesky-qr2-tall", n), |b| {
            b.iter(|| sixfold_linalg::cholesky_qr2(tall.view()));
        });
    }
    group.finish();
}

fn moments<T: Real>(criterion: &mut Criterion, rows: usize, d: usize) {
    let mut group = criterion.benchmark_group("moments");
    group.sample_size(10);
    group.warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(1));
    group.throughput(Throughput::Elements(rows as u64));
    let (x, y) = (entries::<T>(rows, d), entries::<T>(rows, d));
    let shape = format!("{rows}x{d}-{}", T::NAME);
    group.bench_function(BenchmarkId::new("one", &shape), |b| {
        let mut state = Moments::new(d);
        b.iter(|| state.update(x.view()));
    });
    group.bench_function(BenchmarkId::new("pair", &shape), |b| {
        let mut state = PairMoments::new(d, d);
        b.iter(|| state.update(x.view(), y.view()));
    });
    group.finish();
}

fn streams(criterion: &mut Criterion) {
    moments::<f32>(criterion, 8192, 384);
    moments::<f32>(criterion, 4096, 768);
    moments::<f64>(criterion, 8192, 384);
}

/// C = A·B by the `gemm` crate itself, all matrices in row-major order.
fn raw(c: &mut Array2<f32>, a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>, par: Parallelism) {
    let ((m, k), n) = (a.dim(), b.ncols());
    let (rows, columns) = (|x: &[isize]| x[0], |x: &[isize]| x[1]);
    #[expect(unsafe_code, reason = "the peer's interface takes pointers")]
    // SAFETY: pointers and strides come from arrays of shapes m·k, k·n and m·n.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            c.as_mut_ptr(),
            columns(c.strides()),
            rows(c.strides()),
            false,
            a.as_ptr(),
            columns(a.strides()),
            rows(a.strides()),
            b.as_ptr(),
            columns(b.strides()),
            rows(b.strides()),
            0.0,
            1.0,
            false,
            false,
            false,
            par,
        );
    }
}

/// The least time of each contender, taken in turns for `budget`.
fn minima<const N: usize>(
    budget: Duration,
    mut contenders: [Box<dyn FnMut() + '_>; N],
) -> [f64; N] {
    let mut least = [f64::INFINITY; N];
    let begun = Instant::now();
    let mut rounds = 0;
    while rounds < 5 || begun.elapsed() < budget {
        for (least, contender) in least.iter_mut().zip(&mut contenders) {
            let start = Instant::now();
            contender();
            *least = least.min(start.elapsed().as_secs_f64());
        }
        rounds += 1;
    }
    least
}

/// Prints what share of the raw rate the products reach.
#[expect(clippy::print_stdout, reason = "the table is what this bench is for")]
fn shares() {
    println!("\n| m × k × n | threads | gemm, GFLOP/s | matmul_into | matmul | gram of A |");
    println!("|---|---|---|---|---|---|");
    for [m, k, n] in PRODUCTS {
        let (a, b) = (entries::<f32>(m, k), entries::<f32>(k, n));
        for threads in [1, 2] {
            let par = if threads == 1 { Parallelism::None } else { Parallelism::Rayon(threads) };
            let (mut c, mut d) = (Array2::zeros((m, n)), Array2::zeros((m, n)));
            let ours = Threads::new(threads);
            let (a, b) = (a.view(), b.view());
            let [peer, into, new, gram] = minima(
                Duration::from_secs(4),
                [
                    Box::new(|| raw(&mut c, a, b, par)),
                    Box::new(|| matmul_into(1.0, a, b, 0.0, d.view_mut(), ours)),
                    Box::new(|| drop(black_box(matmul_with(a, b, ours)))),
                    Box::new(|| drop(black_box(gram_with(a, ours)))),
                ],
            );
            let rate = 2.0 * (m * k * n) as f64 / peer / 1e9;
            // As if the whole square were computed.
            let gram = 2.0 * (m * k * k) as f64 / gram / 1e9 / rate;
            let [into, new, gram] = [peer / into, peer / new, gram].map(|x| 100.0 * x);
            println!(
                "| {m} × {k} × {n} | {threads} | {rate:.0} | {into:.0} % | {new:.0} % | {gram:.0} % |"
            );
        }
    }
}

criterion_group!(benches, decompositions, ours, streams);

fn main() {
    benches();
    Criterion::default().configure_from_args().final_summary();
    // Arguments without a dash are filters; cargo adds `--bench`.
    if std::env::args().skip(1).filter(|a| !a.starts_with('-')).all(|a| a == "shares") {
        shares();
    }
}
