//! CPU time of a step of every method, in turns in one process: the least of several, and what that is of LoRA's and of
//! full fine-tuning's.
//!
//! `sparsegrad_steps [ROUNDS] [SHAPE…]`, shapes `small`, `minilm`, `bert-base`; one thread with RAYON_NUM_THREADS=1.
#![expect(clippy::print_stdout, reason = "a program")]

use sixfold_benches::batch;
use sixfold_benches::peer::{Result, cpu_seconds};
use sixfold_benches::tuning::{METHODS, spec_of, steps};

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let rounds: usize = args.next().map_or(5, |n| n.parse().expect("a number of rounds"));
    let mut shapes: Vec<String> = args.collect();
    if shapes.is_empty() {
        shapes = ["small", "minilm", "bert-base"].map(str::to_owned).to_vec();
    }
    println!("| shape | method | ms a step | of LoRA | of full |");
    println!("|---|---|---:|---:|---:|");
    for shape in shapes {
        let spec = spec_of(&shape).unwrap_or_else(|| panic!("no shape `{shape}`"));
        let mut all: Vec<_> =
            METHODS.iter().map(|method| steps(method, &spec, batch(8, 128, 1000))).collect();
        let mut least = [f64::INFINITY; METHODS.len()];
        for round in 0..=rounds {
            for (step, least) in all.iter_mut().zip(&mut least) {
                let before = cpu_seconds()?;
                step();
                // The first has pages to touch.
                if round > 0 {
                    *least = least.min(cpu_seconds()? - before);
                }
            }
        }
        for (method, seconds) in METHODS.iter().zip(least) {
            let (of_lora, of_full) = (seconds / least[1], seconds / least[0]);
            println!("| {shape} | {method} | {:.1} | {of_lora:.2} | {of_full:.2} |", 1e3 * seconds);
        }
    }
    Ok(())
}
