//! Adapters to PEFT and back: `peft DIR`, called by `fixtures/sixfold-sparsegrad/check_peft.py`.
//!
//! Reads the matrices of `DIR/weights.safetensors`, `[d_in, d_out]` by the names of their modules, and makes a random
//! adapter for them: `DIR/ours` and `DIR/ours-numerical` are it as LoRA, and `DIR/ours.safetensors` the weights
//! with it merged. Where there is a LoRA of PEFT in `DIR/theirs` or `DIR/theirs-bf16`, the weights with that one
//! merged are in a file of its name, and those by way of an adapter of this crate in `…-adapter.safetensors`.

use std::collections::BTreeMap;
use std::path::Path;

use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use safetensors::tensor::{Dtype, TensorView};
use sixfold_linalg::files::{Matrix, MatrixFile};
use sixfold_linalg::qr;
use sixfold_sparsegrad::{Adapter, AdapterConfig, Basis, LayerUpdate, Lora, LoraRank, Mask, Side};

type Weights = BTreeMap<String, Array2<f32>>;
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let dir = std::env::args().nth(1).ok_or("expected a folder")?;
    let dir = Path::new(&dir);
    let weights = read(&dir.join("weights.safetensors"))?;

    let adapter = random(&weights)?;
    adapter.to_lora(str::to_owned, LoraRank::Basis)?.save(dir.join("ours"))?;
    adapter.to_lora(str::to_owned, LoraRank::Numerical(1e-6))?.save(dir.join("ours-numerical"))?;
    write(&dir.join("ours.safetensors"), &merged(&weights, &adapter)?)?;

    for name in ["theirs", "theirs-bf16"] {
        if !dir.join(name).exists() {
            continue;
        }
        let lora = Lora::open(dir.join(name))?;
        let mut sums = weights.clone();
        for (module, layer) in lora.layers() {
            *sums.get_mut(module).ok_or("a module that has no weights")? += &layer.delta();
        }
        write(&dir.join(format!("{name}.safetensors")), &sums)?;
        let adapter = Adapter::from_lora(&lora, str::to_owned)?;
        let file = dir.join(format!("{name}-adapter.safetensors"));
        write(&file, &merged(&weights, &adapter)?)?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<Weights> {
    let file = MatrixFile::open(path)?;
    let matrix = |name: &str| match file.tensor(name)? {
        Matrix::F32(x) => Ok((name.to_owned(), x.into_owned())),
        Matrix::F64(_) => Err("expected single precision".into()),
    };
    file.names().into_iter().map(matrix).collect()
}

fn write(path: &Path, weights: &Weights) -> Result<()> {
    let bytes: Vec<(&String, Vec<usize>, Vec<u8>)> = weights
        .iter()
        .map(|(name, x)| {
            (name, x.shape().to_vec(), x.iter().flat_map(|x| x.to_le_bytes()).collect())
        })
        .collect();
    let mut views = Vec::new();
    for (name, shape, bytes) in &bytes {
        views.push((name, TensorView::new(Dtype::F32, shape.clone(), bytes)?));
    }
    std::fs::write(path, safetensors::serialize(views, None)?)?;
    Ok(())
}

/// Other ranks for each shape, and cores that are full, sparse and of low rank in turn.
fn random(weights: &Weights) -> Result<Adapter> {
    let mut generator = ChaCha8Rng::seed_from_u64(8);
    let mut uniform = |shape: (usize, usize)| {
        Array2::from_shape_simple_fn(shape, || generator.random_range(-1.0_f32..1.0))
    };
    let mut adapter = Adapter::new(AdapterConfig { scale: 0.2, ..AdapterConfig::default() });
    for (at, (name, w)) in weights.iter().enumerate() {
        let (d_in, d_out) = w.dim();
        let shape = [4 + at % 3, 5 + at % 2];
        let input = Side::Columns(qr(uniform((d_in, shape[0])).view())?.q);
        let output = match at % 4 {
            3 => Side::Identity(d_out),
            _ => Side::Columns(qr(uniform((d_out, shape[1])).view())?.q),
        };
        let shape = [shape[0], output.rank()];
        let mask = match at % 3 {
            0 => Mask::all(shape),
            1 => Mask::new(shape, (0..shape[0] as u32).map(|i| 3 * i).collect())?,
            _ => Mask::new(shape, vec![1, 2, 3])?,
        };
        let values = uniform((1, mask.len())).into_raw_vec_and_offset().0;
        adapter.insert_basis(name, Basis { input, output })?;
        adapter.insert(name, LayerUpdate { basis: name.clone(), mask, values })?;
    }
    Ok(adapter)
}

fn merged(weights: &Weights, adapter: &Adapter) -> Result<Weights> {
    let mut weights = weights.clone();
    for (name, w) in &mut weights {
        adapter.add_to(name, 1.0, w.view_mut())?;
    }
    Ok(weights)
}
