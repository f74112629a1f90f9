//! Memory of streaming: the resident set after ten thousand and after a million tokens.
//!
//! `cargo run --release -p sixfold-geometry --example stream_memory [cross-moments]`
//!
//! A small random encoder, seven sites, token classes and sixteen groups of documents in use: clouds
//! and a sample, or, where asked, moments with the cross moments of neighbouring sites.

#![expect(clippy::print_stdout, reason = "a program")]

use sixfold_geometry::CloudTap;
use sixfold_model::stats::{MomentTap, SampleTap, TokenClass, TokenFilter};
use sixfold_model::{Batch, PaddingSide, Seed, Transformer, TransformerSpec, device};

const ROWS: usize = 32;
const LEN: usize = 64;
const MARKS: [usize; 2] = [10_000, 1_000_000];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let model =
        Transformer::new(&TransformerSpec::encoder(1000, 64, 6, 4), Seed::new(0), &device("flex")?);
    let linear = std::env::args().any(|argument| argument == "cross-moments");
    let (mut clouds, mut moments) = (CloudTap::new(), MomentTap::new());
    let mut sample = SampleTap::new(1000, &[TokenFilter::All, TokenFilter::NoFirst], 0);
    let (mut tokens, mut before) = (0, None);
    for n in 0_u32.. {
        let row = |i: u32| -> Vec<u32> {
            (0..LEN as u32).map(|j| (n * 7919 + i * 104_729 + j * 31) % 1000).collect()
        };
        let rows: Vec<Vec<u32>> = (0..ROWS as u32).map(row).collect();
        let batch = Batch::pad(&rows, 0, PaddingSide::Right);
        let classes: Vec<TokenClass> = (0..ROWS * LEN)
            .map(|i| TokenClass { first: i % LEN == 0, ..TokenClass::default() })
            .collect();
        let groups: Vec<usize> = (0..ROWS).map(|row| (n as usize + row) % 16).collect();
        if linear {
            moments.begin(&batch, &classes, &groups);
            model.forward_with(&batch, &mut moments)?;
        } else {
            clouds.begin(&batch, &classes, &groups);
            model.forward_with(&batch, &mut clouds)?;
            let first: Vec<u64> = (0..ROWS).map(|row| (tokens + row * LEN) as u64).collect();
            sample.begin(&batch, &classes, &first);
            model.forward_with(&batch, &mut sample)?;
        }
        tokens += batch.n_tokens();
        if before.is_none() && tokens >= MARKS[0] {
            before = Some(resident()?);
            println!("{tokens:9} tokens {:8.1} MiB", resident()?);
        }
        if tokens >= MARKS[1] {
            break;
        }
    }
    let after = resident()?;
    println!("{tokens:9} tokens {after:8.1} MiB");
    println!("difference {:14.1} MiB", after - before.unwrap_or(after));
    if linear {
        let counted = moments.select(TokenFilter::All, |_| false)?.transitions[5].count();
        println!("tokens of the last transition {counted}");
    } else {
        let anisotropy = clouds.clouds()?[6].anisotropy()?;
        println!("anisotropy of the last site {anisotropy:.4}");
    }
    Ok(())
}

/// The resident set in MiB.
fn resident() -> Result<f64, Box<dyn std::error::Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no VmRSS")?;
    let kilobytes: f64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
    Ok(kilobytes / 1024.0)
}
