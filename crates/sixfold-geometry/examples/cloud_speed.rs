//! The anisotropy of a matrix against the raw `gemm` crate on its Gram matrix, in one run.
//!
//! `cargo run --release -p sixfold-geometry --no-default-features --example cloud_speed [n d]`
//!
//! One thread, CPU time, the two in turns, the least of nine. The Gram matrix is N·D² operations:
//! half the time of gemm's full product XᵀX.

#![expect(clippy::print_stdout, reason = "a program")]

use std::hint::black_box;

use gemm::Parallelism;
use ndarray::Array2;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use sixfold_geometry::Cloud;

const ROUNDS: usize = 9;

fn main() {
    let mut sizes = std::env::args().skip(1).map(|size| size.parse().expect("a number"));
    let (n, d) = (sizes.next().unwrap_or(20_000), sizes.next().unwrap_or(768));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("one thread");
    pool.install(|| compare(n, d));
}

fn compare(n: usize, d: usize) {
    let x = points(n, d);
    let mut least = [f64::INFINITY; 3];
    let mut anisotropy = 0.0;
    let mut product = Array2::<f32>::zeros((d, d));
    for _ in 0..ROUNDS {
        let [gemm, update, score] =
            [timed(|| full_product(&x, &mut product)), timed(|| drop(black_box(filled(&x)))), {
                let cloud = filled(&x);
                timed(|| anisotropy = cloud.anisotropy().expect("points that vary"))
            }];
        for (least, time) in least.iter_mut().zip([gemm, update, score]) {
            *least = least.min(time);
        }
    }
    let [gemm, update, score] = least;
    let flop = n as f64 * (d * d) as f64;
    println!("{n} × {d} f32, anisotropy {anisotropy:.7}");
    println!("gemm, N·D² operations   {:8.2} ms  {:.0} GFLOP/s", gemm * 5e2, 2e-9 * flop / gemm);
    println!("Cloud::update           {:8.2} ms", update * 1e3);
    println!("Cloud::anisotropy       {:8.2} ms", score * 1e3);
    println!("ratio                   {:8.3}", (update + score) / (gemm / 2.0));
}

fn filled(x: &Array2<f32>) -> Cloud {
    let mut cloud = Cloud::new(x.ncols());
    cloud.update(x.view()).expect("finite points");
    cloud
}

/// Points whose spectrum falls as a power, away from the origin.
fn points(n: usize, d: usize) -> Array2<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    Array2::from_shape_fn((n, d), |(_, j)| {
        let z: f32 = StandardNormal.sample(&mut rng);
        0.5 + z * ((j + 1) as f32).powf(-0.4)
    })
}

fn full_product(x: &Array2<f32>, into: &mut Array2<f32>) {
    let (n, d) = x.dim();
    #[expect(unsafe_code, reason = "the raw crate takes pointers")]
    // SAFETY: x is n × d and the product d × d, both in row-major order.
    unsafe {
        gemm::gemm(
            d,
            d,
            n,
            into.as_mut_ptr(),
            1,
            d as isize,
            false,
            x.as_ptr(),
            d as isize,
            1,
            x.as_ptr(),
            1,
            d as isize,
            0.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
    black_box(into);
}

/// CPU seconds of the calling thread.
fn timed(f: impl FnOnce()) -> f64 {
    let before = cpu();
    f();
    cpu() - before
}

fn cpu() -> f64 {
    // The kernel brings its count up to date when the thread offers its place.
    std::thread::yield_now();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let time = text.split_whitespace().next().and_then(|word| word.parse::<f64>().ok());
    time.expect("nanoseconds on the CPU") * 1e-9
}
