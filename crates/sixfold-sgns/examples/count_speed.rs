//! Tokens a second of counting, by stage: `count_speed FILE [COLUMN]`.
//!
//! `RAYON_NUM_THREADS=1` gives the figures of one thread. A `.gz` is unpacked first, and the time of
//! that is shown apart. Words are runs of a–z.
#![expect(clippy::print_stdout, reason = "it is there to print")]

use std::io::{Read, Write};
use std::path::Path;
use std::time::Instant;

use sixfold_sgns::corpus::{CorpusConfig, Normalise, Shard, count_words};
use sixfold_sgns::counting::{CountConfig, count, count_with};

/// User and system time of this process, in seconds.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    ticks as f64 / 100.0
}

/// The most memory this process ever had, in MiB.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    let kib = line.split_whitespace().next().and_then(|kib| kib.parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}

fn timed<T>(name: &str, tokens: u64, work: impl FnOnce() -> T) -> T {
    let (wall, before) = (Instant::now(), cpu());
    let result = work();
    let (wall, cpu) = (wall.elapsed().as_secs_f64(), cpu() - before);
    let rate = |seconds: f64| tokens as f64 / seconds / 1e6;
    println!(
        "{name:<44} wall {wall:6.2} s {:6.2} M tokens/s   CPU {cpu:6.2} s {:6.2} M tokens/s",
        rate(wall),
        rate(cpu)
    );
    result
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("expected a file")?;
    let column = arguments.next().map(|column| column.parse()).transpose()?;
    let mut plain = tempfile::NamedTempFile::new()?;
    let path = if path.ends_with(".gz") {
        timed("gunzip", 0, || -> std::io::Result<()> {
            let mut text = Vec::new();
            let file = std::fs::File::open(&path)?;
            flate2::read::MultiGzDecoder::new(file).read_to_end(&mut text)?;
            plain.write_all(&text)
        })?;
        plain.path()
    } else {
        Path::new(&path)
    };
    let corpus = CorpusConfig { column, normalise: Normalise::Ascii, ..CorpusConfig::new([path]) };
    let config = CountConfig { min_count: 50, window: 5, ..CountConfig::default() };
    let total = count_words(&corpus, Shard::WHOLE, config.memory)?.total();
    println!("{total} tokens, {} threads", rayon::current_num_threads());
    for memory in [2 << 30, 64 << 20] {
        println!("memory {} MiB", memory >> 20);
        let config = CountConfig { memory, ..config.clone() };
        for _ in 0..3 {
            timed("words alone", total, || count_words(&corpus, Shard::WHOLE, memory))?;
            let (vocabulary, counts) =
                timed("words and pairs, in one pass", total, || count(&corpus, &config))?;
            timed("pairs, with a vocabulary", total, || count_with(&corpus, &vocabulary, &config))?;
            println!("  {} words, {} pairs", vocabulary.len(), counts.non_zeros());
        }
    }
    println!("peak {:.0} MiB", peak());
    Ok(())
}
