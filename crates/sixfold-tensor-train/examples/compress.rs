//! A trained table as a tensor train: relative error and size at several ranks, with the rows as they come and with
//! similar rows brought together.
//!
//! `cargo run --release -p sixfold-tensor-train --no-default-features --example compress -- model.safetensors NAME`
//!
//! Without a file it makes a table up. To keep what it finds, use the program (`sixfold-tensor-train compress`, feature
//! `cli`).

use ndarray::Array2;
use sixfold_linalg::files::MatrixFile;
use sixfold_tensor_train::order::Order;
use sixfold_tensor_train::{Target, TtShape, decompose};

#[expect(clippy::print_stdout, reason = "an example")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let table = match &arguments[..] {
        [path, name] => MatrixFile::open(path)?.tensor(name)?.to_f64().mapv(|value| value as f32),
        _ => made_up(),
    };
    let (v, d) = table.dim();
    let shape = TtShape::planned(v, d, 3, 8)?;
    let order = Order::clustered(&table, shape.rows())?;
    let clustered = order.apply(&table)?;
    println!("{v} × {d}: factors {:?} and {:?}", shape.rows(), shape.columns());
    println!("{:>5} {:>12} {:>10} {:>10}", "rank", "compression", "as it is", "clustered");
    for rank in [4, 8, 16, 32] {
        let target = Target::Rank(rank);
        let plain = decompose(&table, shape.rows(), shape.columns(), &target)?;
        let near = decompose(&clustered, shape.rows(), shape.columns(), &target)?;
        println!(
            "{rank:>5} {:>12.1} {:>10.4} {:>10.4}",
            plain.cores().shape().compression(),
            plain.relative_error(),
            near.relative_error()
        );
    }
    Ok(())
}

/// Rows of a few kinds, in no order.
fn made_up() -> Array2<f32> {
    Array2::from_shape_fn((1_200, 48), |(i, j)| {
        let kind = (i * 7 % 13) as f32;
        (kind * (j as f32 + 1.0) * 0.37).sin() + 0.1 * ((i * 31 + j) as f32).sin()
    })
}
