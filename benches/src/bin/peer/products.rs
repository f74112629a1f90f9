//! Raw products of matrices: the `gemm` crate, faer, the backend, and the model's own seam.

use std::hint::black_box;
use std::num::NonZeroUsize;

use burn::module::{Param, ParamId};
use burn::nn::Linear;
use burn::tensor::{Tensor, TensorData};
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use gemm::Parallelism;
use sixfold_model::{Projection, Seed};

use crate::models::DEVICE;
use sixfold_benches::peer::{Result, Run, Unit, Work};

/// Rows, inner, columns: a square, and the wide linear layers of MiniLM and BERT-base.
const SHAPES: [[usize; 3]; 3] = [[1024, 1024, 1024], [2048, 384, 1536], [1024, 768, 3072]];

/// The products; PyTorch's side has the same names.
pub(crate) fn works() -> Vec<Work> {
    let work = |[m, k, n]: [usize; 3]| Work {
        variants: &["gemm", "faer", "backend", "projection"],
        runs: 10,
        ..Work::new(
            format!("gemm_{m}x{k}x{n}"),
            2.0 * (m * k * n) as f64,
            Unit::Flop,
            move |variant| prepare(variant, [m, k, n]),
        )
    };
    SHAPES.into_iter().map(work).collect()
}

fn prepare(variant: &str, shape: [usize; 3]) -> Result<Run> {
    let [m, k, n] = shape;
    let (a, b) = (random("a", m * k), random("b", k * n));
    let threads = NonZeroUsize::new(threads()?).ok_or("RAYON_NUM_THREADS is 0")?;
    let device = sixfold_model::device(DEVICE)?;
    let tensor = |values, shape| Tensor::<2>::from_data(TensorData::new(values, shape), &device);
    Ok(match variant {
        "gemm" => {
            let mut c = vec![0.0; m * n];
            Box::new(move || {
                gemm_into(&mut c, &a, &b, shape, Parallelism::Rayon(threads.get()));
                black_box(&c);
                Ok(())
            })
        }
        "faer" => {
            let mut c = vec![0.0; m * n];
            Box::new(move || {
                let (a, b) = (
                    MatRef::from_row_major_slice(&a, m, k),
                    MatRef::from_row_major_slice(&b, k, n),
                );
                let c = MatMut::from_row_major_slice_mut(&mut c, m, n);
                matmul(c, Accum::Replace, a, b, 1.0, Par::Rayon(threads));
                Ok(())
            })
        }
        "backend" => {
            let (a, b) = (tensor(a, [m, k]), tensor(b, [k, n]));
            Box::new(move || {
                black_box(a.clone().matmul(b.clone()));
                Ok(())
            })
        }
        _ => {
            let a = tensor(a, [m, k]);
            let weight = Param::initialized(ParamId::new(), tensor(b, [k, n]));
            let linear = Linear { weight, bias: None };
            Box::new(move || {
                black_box(linear.project(a.clone()));
                Ok(())
            })
        }
    })
}

/// `c = a·b`, all in rows.
fn gemm_into(c: &mut [f32], a: &[f32], b: &[f32], shape: [usize; 3], threads: Parallelism) {
    let [m, k, n] = shape;
    assert_eq!((a.len(), b.len(), c.len()), (m * k, k * n, m * n), "lengths and shape");
    let stride = |columns: usize| columns as isize;
    #[expect(unsafe_code, reason = "gemm takes pointers")]
    // SAFETY: the slices hold m·k, k·n and m·n elements as asserted, the strides are those of
    // rows without gaps, and `c` is borrowed exclusively.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            c.as_mut_ptr(),
            1,
            stride(n),
            false,
            a.as_ptr(),
            1,
            stride(k),
            b.as_ptr(),
            1,
            stride(n),
            0.0,
            1.0,
            false,
            false,
            false,
            threads,
        );
    }
}

/// Uniform values around 0.
fn random(name: &str, n: usize) -> Vec<f32> {
    use rand::Rng;
    let mut rng = Seed::new(0).stream(name);
    (0..n).map(|_| (rng.next_u32() >> 8) as f32 / (1 << 24) as f32 - 0.5).collect()
}

/// The threads that both sides are given.
fn threads() -> Result<usize> {
    Ok(std::env::var("RAYON_NUM_THREADS").map_err(|_| "RAYON_NUM_THREADS is not set")?.parse()?)
}
