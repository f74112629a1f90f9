//! Loads a checkpoint and says what it cost: seconds, and peak memory against the weights.
//!
//! `cargo run -p sixfold-model --release --example load -- DIR [DEVICE]`

#![expect(clippy::print_stdout, reason = "an example reports what it measured")]

use std::time::Instant;

use burn::module::Module;
use sixfold_model::Checkpoint;

fn main() -> sixfold_model::Result<()> {
    let mut args = std::env::args().skip(1);
    let dir = args.next().expect("usage: load DIR [DEVICE]");
    let device = sixfold_model::device(&args.next().unwrap_or_else(|| "flex".to_owned()))?;
    let checkpoint = Checkpoint::open(dir)?;
    let before = memory("VmRSS");
    let start = Instant::now();
    let model = checkpoint.transformer(&device)?;
    let seconds = start.elapsed().as_secs_f64();
    let weights = model.num_params() as f64 * 4.0 / f64::from(1 << 20);
    println!("{}: {weights:.1} MiB of weights in {seconds:.3} s", checkpoint.family());
    if let (Some(before), Some(peak)) = (before, memory("VmHWM")) {
        let growth = peak - before;
        println!("peak memory grew by {growth:.1} MiB: {:.2} × the weights", growth / weights);
    }
    Ok(())
}

/// A line of Linux's account of this process, in MiB.
fn memory(key: &str) -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(key))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}
