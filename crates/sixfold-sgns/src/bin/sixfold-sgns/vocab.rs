//! `sixfold-sgns vocab`.

use std::path::PathBuf;

use lexopt::Parser;
use sixfold_sgns::corpus::{Shard, WordCounts, count_words};

use crate::options::{
    Failure, Outcome, TEXT_HELP, Taken, Text, distinct, needed, next, size, tell, unexpected, value,
};

const HELP: &str = "\
Count the words of a text, and write a line for each: the word, a tab, its count.

Usage: sixfold-sgns vocab [OPTIONS] -o VOCABULARY FILES...
       sixfold-sgns vocab [OPTIONS] --shard I/N -o PART FILES...
       sixfold-sgns vocab [OPTIONS] --merge -o VOCABULARY PARTS...

Options:
  -o, --output FILE      Where to write
      --min-count N      Drop words that come less often [5]
      --top-n N          Keep only the N most frequent words
      --memory SIZE      Refuse texts whose words need more [2G]
      --merge            FILES are the parts of a text, as --shard writes them

";

pub(crate) fn run(parser: &mut Parser) -> Outcome {
    let mut text = Text::default();
    let (mut output, mut min_count, mut top_n) = (None::<PathBuf>, 5, None);
    let (mut memory, mut merge) = (2 << 30, false);
    while let Some(argument) = next(parser)? {
        match &argument {
            Taken::Option(name) if name == "help" => return Ok(format!("{HELP}{TEXT_HELP}")),
            Taken::Option(name) if name == "output" => output = Some(value(parser, name)?),
            Taken::Option(name) if name == "min-count" => min_count = value(parser, name)?,
            Taken::Option(name) if name == "top-n" => top_n = Some(value(parser, name)?),
            Taken::Option(name) if name == "memory" => memory = size(parser, name)?,
            Taken::Option(name) if name == "merge" => merge = true,
            _ if text.take(&argument, parser)? => {}
            _ => return Err(unexpected(&argument)),
        }
    }
    let output = needed(output, "output")?;
    distinct(&output, &text.corpus.paths)?;
    let words = match (merge, text.shard) {
        (true, Some(_)) => {
            return Err(Failure::Usage("--merge and --shard exclude each other".into()));
        }
        (true, None) => WordCounts::load_shards(&text.corpus.paths)?,
        (false, shard) => count_words(&text.corpus, shard.unwrap_or(Shard::WHOLE), memory)?,
    };
    let (all, total) = (words.len(), words.total());
    if let Some(shard) = text.shard {
        words.save_shard(&output, &text.corpus, shard)?;
        tell(&format!("{total} tokens, {all} words"));
    } else {
        let vocabulary = words.into_vocabulary(min_count, top_n)?;
        vocabulary.save(&output)?;
        tell(&format!("{total} tokens, {} of {all} words kept", vocabulary.len()));
    }
    Ok(String::new())
}
