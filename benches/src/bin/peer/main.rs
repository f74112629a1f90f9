//! Sixfold's side of the comparison with PyTorch: does one timed repetition for each line that
//! it reads, as `benches/peers/protocol.py` explains. `benches/peers/run.py` starts it beside
//! `benches/peers/model.py`.

mod models;
mod products;
mod training;

use serde_json::json;
use sixfold_benches::peer::{Result, Work, serve};

fn main() -> Result<()> {
    let works: Vec<Work> =
        [products::works(), models::works(), training::works()].into_iter().flatten().collect();
    serve(&works, || json!({ "sixfold": env!("CARGO_PKG_VERSION"), "device": models::DEVICE }))
}
