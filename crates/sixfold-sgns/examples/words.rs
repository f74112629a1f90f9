//! Word vectors from a text, in memory: counts, the Riemannian solver, nearest words, and the file that other tools read.
//!
//! `cargo run --release -p sixfold-sgns --example words -- fixtures/text/shakespeare.txt king vectors.txt`
//!
//! For corpora of many gigabytes, use the program (`--features cli`): it counts in shards.

use sixfold_sgns::corpus::{CorpusConfig, Normalise};
use sixfold_sgns::counting::{CountConfig, count};
use sixfold_sgns::formats::Format;
use sixfold_sgns::sweep::HostSweep;
use sixfold_sgns::{
    Factors, Objective, ObjectiveConfig, Solver, SolverConfig, VectorsConfig, initial,
};

#[expect(clippy::print_stdout, reason = "an example")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let text = arguments.next().unwrap_or_else(|| "fixtures/text/shakespeare.txt".to_owned());
    let word = arguments.next().unwrap_or_else(|| "king".to_owned());

    let config = CountConfig { min_count: 5, ..CountConfig::default() };
    let corpus = CorpusConfig { normalise: Normalise::Ascii, ..CorpusConfig::new([&text]) };
    let (words, counts) = count(&corpus, &config)?;
    println!("{} words, {} pairs that differ", words.len(), counts.non_zeros());

    let objective = Objective::new(counts, &ObjectiveConfig { negatives: 5.0, smoothing: 0.75 })?;
    let (a, b) = initial::from_sppmi(&objective, 50, 0)?;
    let solver = SolverConfig { iterations: 5, ..SolverConfig::default() };
    let mut solver = Solver::new(&objective, HostSweep::new(&objective), (&a, &b), solver)?;
    while let Some(step) = solver.step()? {
        let (reached, bound) = (step.objective, objective.bound());
        println!("{:>3}: {reached:.6e} of at most {bound:.6e}", step.iteration);
    }

    let (u, s, v) = solver.svd()?;
    let vectors = Factors::new(words, u, s, v)?.vectors(&VectorsConfig::default())?;
    println!("nearest to {word}:");
    for near in vectors.neighbours(&word, 8)? {
        println!("  {:.3} {}", near.score, near.word);
    }
    if let Some(path) = arguments.next() {
        vectors.save(&path, Format::Word2VecText)?;
        println!("{path} has the vectors in word2vec's text format");
    }
    Ok(())
}
