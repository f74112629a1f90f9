//! What the order of a vocabulary does to the error: `order_error FILE [TENSOR] [RANK…]`.
//!
//! `cargo run --release -p sixfold-tensor-train --no-default-features --example order_error --
//! model.safetensors embeddings.word_embeddings.weight 8 16 32`
#![expect(clippy::print_stdout, reason = "it is there to print")]

use std::time::Instant;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use sixfold_linalg::files::MatrixFile;
use sixfold_tensor_train::decompose::{Target, decompose};
use sixfold_tensor_train::order::Order;
use sixfold_tensor_train::shape::{column_factors, row_factors};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = MatrixFile::open(arguments.next().ok_or("expected a file")?)?;
    let table = match arguments.next() {
        Some(name) => file.tensor(&name)?,
        None => file.matrix()?,
    };
    let ranks: Vec<usize> = arguments.map(|rank| rank.parse()).collect::<Result<_, _>>()?;
    let ranks = if ranks.is_empty() { vec![16, 64] } else { ranks };
    let (vocab, d) = table.dim();
    let (rows, columns) = (row_factors(vocab, 3), column_factors(d, 3));
    println!("{vocab} × {d} as {rows:?} × {columns:?}");
    let mut ids: Vec<u32> = (0..vocab as u32).collect();
    ids.shuffle(&mut ChaCha8Rng::seed_from_u64(0));
    let start = Instant::now();
    let clustered = Order::clustered(&table, &rows)?;
    println!("clustered in {:.2} s", start.elapsed().as_secs_f64());
    let orders = [
        ("as it is", Order::identity(vocab)),
        ("shuffled", Order::from_permutation(ids)?),
        ("clustered", clustered),
    ];
    for rank in ranks {
        for (name, order) in &orders {
            let found = decompose(&order.apply(&table)?, &rows, &columns, &Target::Rank(rank))?;
            let compression = found.cores().shape().compression();
            let error = found.relative_error();
            println!("rank {rank:4}  {compression:6.1} times smaller  {name:9} {error:.4}");
        }
    }
    Ok(())
}
