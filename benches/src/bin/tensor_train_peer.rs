//! Sixfold's side of the comparison with a port of the tensor-train paper's layer and with PyTorch.
//! `benches/peers/run_tensor_train.py` starts it beside `benches/peers/tensor_train.py`, which reads the ids and
//! cores that this side writes on start into `SIXFOLD_POINTS`.

use std::env;
use std::hint::black_box;
use std::path::{Path, PathBuf};

use ndarray::{Array2, ArrayView2, ArrayViewMut2};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use sixfold_benches::peer::{Result, Run, Unit, Work, serve};
use sixfold_benches::product;
use sixfold_linalg::files::write_npy;
use sixfold_tensor_train::logits::{Method, logits_into};
use sixfold_tensor_train::lookup::{Plan, RowReader, backward, forward_into};
use sixfold_tensor_train::{Cores, Initializer, TtShape};

/// Hidden states of a head.
const HIDDEN: usize = 64;

/// Rows whose latency is measured one by one.
const ALONE: usize = 10_000;

fn main() -> Result<()> {
    let dir = PathBuf::from(env::var("SIXFOLD_POINTS").map_err(|_| "SIXFOLD_POINTS is not set")?);
    std::fs::create_dir_all(&dir)?;
    let mut works = Vec::new();
    for (table, rank) in [(25, 16), (100, 16), (100, 64)] {
        let name = format!("{table}k_r{rank}");
        let shape = shape(table, rank)?;
        write_cores(&dir, &name, &shape)?;
        for n in [8_192, 65_536] {
            write_ids(&dir, table, n)?;
            let rows = (n * shape.d_embed() * 4) as f64;
            for pass in ["forward", "backward"] {
                let shape = shape.clone();
                works.push(Work {
                    variants: if pass == "forward" { &["sixfold", "copy"] } else { &["sixfold"] },
                    ..Work::new(format!("{pass}_{name}_{n}"), rows, Unit::Byte, move |variant| {
                        let cores = cores(&shape)?;
                        let ids = zipf(shape.vocab_size(), n);
                        Ok(match (pass, variant) {
                            ("forward", "copy") => copy(&shape, ids),
                            ("forward", _) => look_up(cores, ids),
                            _ => look_up_and_back(cores, ids),
                        })
                    })
                });
            }
        }
    }
    for (table, rank) in [(25, 16), (100, 16), (100, 64)] {
        let shape = shape(table, rank)?;
        works.push(Work::new(
            format!("row_{table}k_r{rank}"),
            ALONE as f64,
            Unit::Byte,
            move |_| Ok(one_by_one(cores(&shape)?)),
        ));
    }
    for rank in [4, 8, 16, 32, 64] {
        let shape = shape(100, rank)?;
        let flop = 2.0 * (HIDDEN * shape.vocab_size() * shape.d_embed()) as f64;
        works.push(Work {
            variants: &["sixfold", "merged", "tiled", "gemm"],
            ..Work::new(format!("logits_100k_r{rank}"), flop, Unit::Flop, move |variant| {
                head(&shape, variant)
            })
        });
    }
    serve(&works, || json!({ "sixfold": env!("CARGO_PKG_VERSION") }))
}

/// The tables of `research/tensor-train.md` §6.
fn shape(thousands: usize, rank: usize) -> Result<TtShape> {
    let (rows, columns) =
        if thousands == 25 { ([25, 30, 40], [4, 8, 8]) } else { ([40, 50, 50], [8, 8, 8]) };
    Ok(TtShape::train(thousands * 1000, rows, columns, rank)?)
}

fn cores(shape: &TtShape) -> Result<Cores> {
    Ok(Cores::init(shape.clone(), &Initializer::Glorot, 0)?)
}

fn write_cores(dir: &Path, name: &str, shape: &TtShape) -> Result<()> {
    let cores = cores(shape)?;
    for k in 0..shape.cores() {
        let [rows, left, columns, right] = shape.core(k);
        let core = ArrayView2::from_shape((rows, left * columns * right), cores.core(k))?;
        write_npy(dir.join(format!("core_{name}_{k}.npy")), core)?;
    }
    Ok(())
}

/// Zipf's law: the i-th id with a probability of 1/i, in the order of ids.
fn zipf(vocab: usize, n: usize) -> Vec<u32> {
    let mut sums = Vec::with_capacity(vocab);
    let mut sum = 0.0_f64;
    for i in 1..=vocab {
        sum += 1.0 / i as f64;
        sums.push(sum);
    }
    let mut generator = ChaCha8Rng::seed_from_u64(n as u64);
    // Frequent ids stand anywhere in a table.
    let mut order: Vec<u32> = (0..vocab as u32).collect();
    for i in (1..vocab).rev() {
        order.swap(i, generator.random_range(0..=i));
    }
    let draw = || {
        let at = generator.random_range(0.0..sum);
        order[sums.partition_point(|s| *s < at).min(vocab - 1)]
    };
    std::iter::repeat_with(draw).take(n).collect()
}

fn ids_path(dir: &Path, thousands: usize, n: usize) -> PathBuf {
    dir.join(format!("ids_{thousands}k_{n}.npy"))
}

fn write_ids(dir: &Path, thousands: usize, n: usize) -> Result<()> {
    let ids = zipf(thousands * 1000, n);
    // f32 holds them exactly, and is what the crate writes.
    let values = Array2::from_shape_fn((n, 1), |(i, _)| ids[i] as f32);
    Ok(write_npy(ids_path(dir, thousands, n), values.view())?)
}

/// With the plan, into memory that is used again.
fn look_up(cores: Cores, ids: Vec<u32>) -> Run {
    let mut rows = vec![0.0; ids.len() * cores.shape().d_embed()];
    Box::new(move || {
        let plan = Plan::new(cores.shape(), &ids);
        forward_into(cores.shape(), cores.values(), &plan, &mut rows);
        black_box(&rows);
        Ok(())
    })
}

fn look_up_and_back(cores: Cores, ids: Vec<u32>) -> Run {
    let mut rows = vec![0.0; ids.len() * cores.shape().d_embed()];
    let grad: Vec<f32> = (0..rows.len()).map(|i| (i % 7) as f32 - 3.0).collect();
    Box::new(move || {
        let plan = Plan::new(cores.shape(), &ids);
        forward_into(cores.shape(), cores.values(), &plan, &mut rows);
        black_box(&rows);
        black_box(backward(cores.shape(), cores.values(), &plan, &grad));
        Ok(())
    })
}

/// The rows of a dense table.
fn copy(shape: &TtShape, ids: Vec<u32>) -> Run {
    let d = shape.d_embed();
    let table = vec![1.0_f32; shape.vocab_size() * d];
    let mut rows = vec![0.0; ids.len() * d];
    Box::new(move || {
        for (row, id) in rows.chunks_exact_mut(d).zip(&ids) {
            row.copy_from_slice(&table[*id as usize * d..][..d]);
        }
        black_box(&rows);
        Ok(())
    })
}

fn one_by_one(cores: Cores) -> Run {
    let mut row = vec![0.0; cores.shape().d_embed()];
    let vocab = cores.shape().vocab_size();
    Box::new(move || {
        let mut reader = RowReader::new(cores.shape(), cores.values());
        for i in 0..ALONE {
            // No prefix is that of the row before.
            reader.read(i * 7_919 % vocab, &mut row);
            black_box(&row);
        }
        Ok(())
    })
}

fn head(shape: &TtShape, variant: &str) -> Result<Run> {
    let (d, vocab) = (shape.d_embed(), shape.vocab_size());
    let hidden = Array2::from_shape_fn((HIDDEN, d), |(i, j)| ((i * 7 + j) % 13) as f32 - 6.0);
    if variant == "gemm" {
        let table = Array2::from_elem((vocab, d), 0.5_f32);
        let mut out = Array2::zeros((HIDDEN, vocab));
        return Ok(Box::new(move || {
            product::multiply(out.view_mut(), hidden.view(), table.t());
            black_box(&out);
            Ok(())
        }));
    }
    let cores = cores(shape)?;
    let method = match variant {
        "merged" => Method::Merged,
        "tiled" => Method::Tiled,
        _ => Method::choose(shape, HIDDEN),
    };
    let mut out = vec![0.0; HIDDEN * vocab];
    Ok(Box::new(move || {
        let hidden = hidden.as_slice().ok_or("hidden states lie together")?;
        let out = ArrayViewMut2::from_shape((HIDDEN, vocab), &mut out)?;
        logits_into(cores.shape(), cores.values(), hidden, method, out);
        Ok(())
    }))
}
