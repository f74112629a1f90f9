//! How fast stochastic training is: `cargo run --release --example sgd_speed -- FILE [COLUMN] [THREADS]
//! [OUT]`. Documents are lines of the file, or cells of a column of tab-separated ones; words are runs
//! of a–z. The vectors of the words go to OUT, whose ending tells the format.

#![expect(clippy::print_stdout, reason = "it tells people")]

use std::ops::ControlFlow;
use std::time::Instant;

use sixfold_sgns::corpus::{CorpusConfig, Normalise, Shard, count_words};
use sixfold_sgns::formats::Format;
use sixfold_sgns::stochastic::{Sgd, SgdConfig};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("which file?")?;
    let column = arguments.next().map(|column| column.parse()).transpose()?;
    let threads = arguments.next().map_or(Ok(1), |threads| threads.parse())?;
    let corpus = CorpusConfig { column, normalise: Normalise::Ascii, ..CorpusConfig::new([path]) };
    let words = count_words(&corpus, Shard::WHOLE, 1 << 30)?;
    let total = words.total();
    let words = words.into_vocabulary(50, None)?;
    let config = SgdConfig { threads, ..SgdConfig::word2vec() };
    let sgd = Sgd::new(&corpus, &words, &config)?;
    let begun = Instant::now();
    let fit = sgd.train(|_| ControlFlow::Continue(()))?;
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "{} words, {} epochs of {total} tokens in {seconds:.2} s: {:.0} tokens/s",
        words.len(),
        config.epochs,
        total as f64 * config.epochs as f64 / seconds
    );
    if let Some(out) = arguments.next() {
        let format = Format::from_extension(&out).ok_or("which format?")?;
        fit.vectors(words)?.save(&out, format)?;
    }
    Ok(())
}
