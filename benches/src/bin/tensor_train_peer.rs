//! Sixfold's side of the comparison with a port of the tensor-train paper's layer and with PyTorch.
//! `benches/peers/run_tensor_train.py` starts it beside `benches/peers/tensor_train.py`, which reads the ids and
//! cores that this side writes on start into `SIXFOLD_POINTS`.

use std::cell::RefCell;
use std::env;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant;

use ndarray::{Array2, ArrayView2, ArrayViewMut2};
use serde_json::{Map, Value, json};
use sixfold_benches::peer::{Result, Run, Unit, Work, serve};
use sixfold_benches::product;
use sixfold_benches::tables::{cores, grad, hidden, shape, zipf};
use sixfold_linalg::files::write_npy;
use sixfold_tensor_train::logits::{Method, logits, logits_into};
use sixfold_tensor_train::lookup::{Plan, RowReader, backward, forward, forward_into};
use sixfold_tensor_train::shape::row_factors;
use sixfold_tensor_train::{Cores, TtShape};

/// Hidden states of a head.
const HIDDEN: usize = 64;

/// Rows whose latency is measured one by one.
const ALONE: usize = 10_000;

fn main() -> Result<()> {
    let dir = PathBuf::from(env::var("SIXFOLD_POINTS").map_err(|_| "SIXFOLD_POINTS is not set")?);
    std::fs::create_dir_all(&dir)?;
    let mut works = Vec::new();
    let mut sizes = Map::new();
    for (table, rank) in [(25, 16), (100, 16), (100, 64)] {
        let name = format!("{table}k_r{rank}");
        let shape = shape(table, rank)?;
        write_cores(&dir, &name, &shape)?;
        for n in [8_192, 65_536] {
            write_ids(&dir, table, n)?;
            let plan = Plan::new(&shape, &zipf(shape.vocab_size(), n));
            let numbers =
                json!({ "unique": plan.unique().len(), "prefixes": plan.prefixes(&shape) });
            sizes.insert(format!("{name}_{n}"), numbers);
            works.extend(lookups(&name, &shape, n, flop_of(&shape, &plan)));
        }
    }
    for (table, rank) in [(25, 16), (100, 16), (100, 64)] {
        let shape = shape(table, rank)?;
        let flop = ALONE as f64 * flop_of_row(&shape);
        let name = format!("row_{table}k_r{rank}");
        works.push(Work::new(name, flop, Unit::Flop, move |_| Ok(one_by_one(cores(&shape)?))));
    }
    for rank in [4, 8, 16, 32, 64] {
        let shape = shape(100, rank)?;
        write_cores(&dir, &format!("100k_r{rank}"), &shape)?;
        let flop = 2.0 * (HIDDEN * shape.vocab_size() * shape.d_embed()) as f64;
        works.push(Work {
            variants: &["sixfold", "merged", "tiled", "gemm"],
            ..Work::new(format!("logits_100k_r{rank}"), flop, Unit::Flop, move |variant| {
                head(&shape, variant)
            })
        });
    }
    #[cfg(feature = "model")]
    works.extend(through_burn::works());
    let planned = Rc::new(RefCell::new(Value::Null));
    let found = Rc::clone(&planned);
    works.push(Work::new("planner", 0.0, Unit::Flop, move |_| Ok(planner(Rc::clone(&found)))));
    works.push(Work::new("parity", 0.0, Unit::Flop, move |_| parity(dir.clone())));
    serve(&works, || {
        let planned = planned.borrow();
        json!({ "sixfold": env!("CARGO_PKG_VERSION"), "sizes": sizes, "planner": *planned })
    })
}

/// Lookups of one batch, forward and with the gradient, and the rows of a dense table.
fn lookups(name: &str, shape: &TtShape, n: usize, flop: f64) -> [Work; 2] {
    ["forward", "backward"].map(|pass| {
        let of = shape.clone();
        let name = format!("{pass}_{name}_{n}");
        let (variants, times): (&[_], _) =
            if pass == "forward" { (&["sixfold", "copy"], 1.0) } else { (&["sixfold"], 3.0) };
        let work = Work::new(name, times * flop, Unit::Flop, move |variant| {
            let cores = cores(&of)?;
            let ids = zipf(of.vocab_size(), n);
            Ok(match (pass, variant) {
                ("forward", "copy") => copy(&of, ids),
                ("forward", _) => look_up(cores, ids),
                _ => look_up_and_back(cores, ids),
            })
        });
        let short = n < 10_000 && shape.vocab_size() < 50_000;
        Work { variants, runs: if short { 8 } else { 2 }, ..work }
    })
}

/// The same lookups as tensors of burn.
#[cfg(feature = "model")]
mod through_burn {
    use std::sync::Arc;

    use burn::tensor::{Int, Tensor, TensorData};
    use sixfold_tensor_train::{TtEmbedding, ops};

    use super::*;

    /// The module, and plain tensor operations, with their plans.
    pub(super) fn works() -> [Work; 2] {
        [("module", 65_536), ("ops", 8_192)].map(|(path, n)| {
            let work = Work::new(format!("{path}_25k_r16_{n}"), 0.0, Unit::Flop, move |_| {
                look_up(path, n)
            });
            Work { runs: 4, ..work }
        })
    }

    fn look_up(path: &str, n: usize) -> Result<Run> {
        let device = sixfold_model::device("flex")?;
        let shape = Arc::new(shape(25, 16)?);
        let table = TtEmbedding::from_cores(&cores(&shape)?, &device);
        let ids = zipf(shape.vocab_size(), n);
        if path == "module" {
            let values: Vec<i32> = ids.iter().map(|id| *id as i32).collect();
            let ids = Tensor::<2, Int>::from_data(TensorData::new(values, [1, n]), &device);
            return Ok(Box::new(move || {
                black_box(table.forward(ids.clone()));
                Ok(())
            }));
        }
        let cores: Vec<Tensor<4>> = table.cores.iter().map(|core| core.val()).collect();
        Ok(Box::new(move || {
            let plan = Plan::new(&shape, &ids);
            black_box(ops::lookup::reference::lookup(&cores, &shape, &plan));
            Ok(())
        }))
    }
}

/// Operations of a row of three cores whose prefix nobody shares.
fn flop_of_row(shape: &TtShape) -> f64 {
    let (ranks, columns) = (shape.ranks(), shape.columns());
    let prefix = 2 * columns[0] * columns[1] * ranks[1] * ranks[2];
    (prefix + 2 * shape.d_embed() * ranks[2]) as f64
}

/// Operations of the different ids of a batch, each prefix once.
fn flop_of(shape: &TtShape, plan: &Plan) -> f64 {
    let row = (2 * shape.d_embed() * shape.ranks()[2]) as f64;
    let prefix = flop_of_row(shape) - row;
    plan.prefixes(shape) as f64 * prefix + plan.unique().len() as f64 * row
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
    let grad = grad(rows.len());
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
    let hidden = hidden(HIDDEN, d);
    if variant == "gemm" {
        let table = Array2::from_elem((vocab, d), 0.5_f32);
        let mut out = Array2::zeros((HIDDEN, vocab));
        let hidden = Array2::from_shape_vec((HIDDEN, d), hidden)?;
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
        let all = ArrayViewMut2::from_shape((HIDDEN, vocab), &mut out)?;
        logits_into(cores.shape(), cores.values(), &hidden, method, all);
        black_box(&out);
        Ok(())
    }))
}

/// Row factors of vocabularies up to 2²⁴ by 2 to 6 cores: the slowest search and the largest share of padding.
fn planner(found: Rc<RefCell<Value>>) -> Run {
    Box::new(move || {
        // 2²⁴ − 3 is a prime; the others lie as far apart as they are large.
        let most = 1_usize << 24;
        let spread = (0..512).map(|i| (4096.0 * 4096.0_f64.powf(f64::from(i) / 511.0)) as usize);
        let vocabularies: Vec<usize> =
            spread.chain([most, most - 1, most - 3]).map(|vocab| vocab.min(most)).collect();
        let by_cores = (2..=6).map(|cores| {
            let (mut slowest, mut padding) = ((0.0, 0), (0.0, 0));
            for &vocab in &vocabularies {
                let search = || {
                    let begun = Instant::now();
                    black_box(row_factors(vocab, cores));
                    begun.elapsed().as_secs_f64()
                };
                // Of three, so that it is not another process that is slow.
                let seconds = (0..3).map(|_| search()).fold(f64::INFINITY, f64::min);
                let padded: usize = row_factors(vocab, cores).iter().product();
                let share = (padded - vocab) as f64 / vocab as f64;
                slowest = if seconds > slowest.0 { (seconds, vocab) } else { slowest };
                padding = if share > padding.0 { (share, vocab) } else { padding };
            }
            json!({ "cores": cores, "seconds": slowest, "padding": padding })
        });
        *found.borrow_mut() =
            json!({ "searches": vocabularies.len(), "by_cores": by_cores.collect::<Vec<_>>() });
        Ok(())
    })
}

/// What the other side checks: rows and gradient of the smallest batch, and logits by either method.
fn parity(dir: PathBuf) -> Result<Run> {
    let small = cores(&shape(25, 16)?)?;
    let large = cores(&shape(100, 8)?)?;
    Ok(Box::new(move || {
        let (shape, values) = (small.shape(), small.values());
        let plan = Plan::new(shape, &zipf(shape.vocab_size(), 8_192));
        let rows = forward(shape, values, &plan);
        let gradient = backward(shape, values, &plan, &grad(rows.len()));
        write(&dir, "rows", shape.d_embed(), &rows)?;
        write(&dir, "gradient", 1, &gradient)?;
        let shape = large.shape();
        let hidden = hidden(HIDDEN, shape.d_embed());
        for (name, method) in [("merged", Method::Merged), ("tiled", Method::Tiled)] {
            let all = logits(shape, large.values(), &hidden, method);
            write(&dir, name, shape.vocab_size(), &all)?;
        }
        Ok(())
    }))
}

/// A matrix of so many columns as `parity_NAME.npy`.
fn write(dir: &Path, name: &str, columns: usize, values: &[f32]) -> Result<()> {
    let values = ArrayView2::from_shape((values.len() / columns, columns), values)?;
    Ok(write_npy(dir.join(format!("parity_{name}.npy")), values)?)
}
