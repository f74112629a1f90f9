//! Adapters: what they stand for, their files, and sums of them.

mod broken;
mod files;
mod hash;
mod sizes;
mod sum;
mod update;

use std::path::PathBuf;
use std::sync::Arc;

use ndarray::{Array2, s};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sixfold_sparsegrad::{Adapter, AdapterConfig, Basis, LayerUpdate, Mask, Side};

/// An empty folder of the tests, of its own name for each.
pub(crate) fn place(name: &str) -> PathBuf {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("sparsegrad").join(name);
    if dir.exists() {
        std::fs::remove_dir_all(&dir).unwrap();
    }
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

pub(crate) fn random(shape: [usize; 2], seed: u64) -> Array2<f32> {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    Array2::from_shape_simple_fn(shape, || generator.random_range(-1.0..1.0))
}

/// Orthonormal columns; the features themselves for a rank of 0.
pub(crate) fn side(width: usize, rank: usize, seed: u64) -> Side {
    if rank == 0 {
        return Side::Identity(width);
    }
    Side::Columns(sixfold_linalg::qr(random([width, rank], seed).view()).unwrap().q)
}

pub(crate) fn basis(weights: [usize; 2], ranks: [usize; 2], seed: u64) -> Basis {
    let output = side(weights[1], ranks[1], seed + 1_000);
    Basis { input: side(weights[0], ranks[0], seed), output }
}

/// k entries of a core, spread over it; all where there are no more.
pub(crate) fn mask(shape: [usize; 2], k: usize) -> Mask {
    let size = shape[0] * shape[1];
    if k >= size {
        return Mask::all(shape);
    }
    Mask::new(shape, (0..k).map(|i| (i * size / k) as u32).collect()).unwrap()
}

pub(crate) fn update(basis: (&str, &Basis), k: usize, seed: u64) -> LayerUpdate {
    let mask = mask([basis.1.input.rank(), basis.1.output.rank()], k);
    let values = random([1, mask.len()], seed).into_raw_vec_and_offset().0;
    LayerUpdate { basis: basis.0.to_owned(), mask, values }
}

/// Two groups of two layers: one sparse in a corner, one full.
pub(crate) fn adapter(seed: u64) -> Adapter {
    let config = AdapterConfig {
        base_model_name_or_path: Some("some/model".to_owned()),
        base_model_hash: Some("00ff".to_owned()),
        target_modules: vec!["**.mlp.*".to_owned()],
        rank: Some(5),
        fraction: Some(0.012),
        seed,
        scale: 0.3,
        ..AdapterConfig::default()
    };
    let mut adapter = Adapter::new(config);
    let up = Arc::new(basis([12, 30], [5, 7], seed));
    let down = Arc::new(basis([30, 12], [4, 0], seed + 1));
    for (name, basis, k) in [("mlp.up", up, 11), ("mlp.down", down, 1_000)] {
        adapter.insert_basis(name, basis.clone()).unwrap();
        for block in 0..2 {
            let update = update((name, &*basis), k, seed + block);
            adapter.insert(format!("blocks.{block}.{name}"), update).unwrap();
        }
    }
    adapter
}

/// ΔW by loops in f64.
pub(crate) fn oracle(update: &LayerUpdate, basis: &Basis, scale: f32) -> Array2<f64> {
    let entry = |side: &Side, row: usize, column: usize| match side {
        Side::Identity(_) => f64::from(u8::from(row == column)),
        Side::Columns(columns) => f64::from(columns[(row, column)]),
    };
    let (d_in, d_out) = (basis.input.width(), basis.output.width());
    let width = basis.output.rank();
    let mut delta = Array2::zeros((d_in, d_out));
    for (at, value) in update.values.iter().enumerate() {
        let index = update.mask.indices().map_or(at, |indices| indices[at] as usize);
        for i in 0..d_in {
            for j in 0..d_out {
                delta[(i, j)] += f64::from(scale)
                    * entry(&basis.input, i, index / width)
                    * f64::from(*value)
                    * entry(&basis.output, j, index % width);
            }
        }
    }
    delta
}

/// The largest difference, over the largest entry of `expected`.
pub(crate) fn error(found: &Array2<f32>, expected: &Array2<f64>) -> f64 {
    assert_eq!(found.dim(), expected.dim());
    let largest = expected.iter().fold(0.0_f64, |max, x| max.max(x.abs()));
    let gap = found
        .iter()
        .zip(expected)
        .fold(0.0_f64, |max, (found, expected)| max.max((f64::from(*found) - expected).abs()));
    gap / largest.max(f64::MIN_POSITIVE)
}

/// Rows in reverse order, as a view with other strides would have them.
pub(crate) fn reversed(x: &Array2<f32>) -> Array2<f32> {
    x.slice(s![..;-1, ..]).to_owned()
}
