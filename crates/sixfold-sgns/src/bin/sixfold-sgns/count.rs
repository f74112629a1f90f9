//! `sixfold-sgns count`.

use std::path::PathBuf;

use lexopt::Parser;
use sixfold_sgns::Vocabulary;
use sixfold_sgns::corpus::Shard;
use sixfold_sgns::counting::{
    CountConfig, Keep, Sides, Subsample, SubsampleMode, Unknown, count_shard,
};

use crate::options::{
    Outcome, TEXT_HELP, Taken, Text, choice, distinct, needed, next, size, tell, unexpected, value,
};

const HELP: &str = "\
Count which words of a vocabulary stand near which, within lines.

Usage: sixfold-sgns count [OPTIONS] --vocab VOCABULARY -o COUNTS FILES...

Options:
  -o, --output FILE      Where to write
      --vocab FILE       The words, as `vocab` writes them
      --window L         Words on each side [5]
      --fixed            All places of a window count 1; else (L - distance + 1)/L
      --subsample T      Threshold of sub-sampling, 0 for none [1e-3]
      --keep RULE        word2vec (default): sqrt(t/f) + t/f; paper: sqrt(t/f)
      --draw MODE        expected (default): counts are weighted; clean: words are drawn and
                         leave gaps; dirty: words are drawn and gaps close
      --seed N           Seed of the draws [1]
      --unknown RULE     remove (default): gaps of words not in the vocabulary close;
                         keep-position: they stay
      --sides WHICH      both (default), left, right
      --memory SIZE      Memory beside the vocabulary [2G]
      --temporary DIR    Where temporary files go

";

pub(crate) fn run(parser: &mut Parser) -> Outcome {
    let mut text = Text::default();
    let mut config = CountConfig::default();
    let (mut output, mut vocabulary) = (None::<PathBuf>, None::<PathBuf>);
    let (mut threshold, mut keep, mut draw, mut seed) = (1e-3, Keep::Word2vec, "expected", 1);
    while let Some(argument) = next(parser)? {
        let Taken::Option(name) = &argument else {
            text.take(&argument, parser)?;
            continue;
        };
        match name.as_str() {
            "help" => return Ok(format!("{HELP}{TEXT_HELP}")),
            "output" => output = Some(value(parser, name)?),
            "vocab" => vocabulary = Some(value(parser, name)?),
            "window" => config.window = value(parser, name)?,
            "fixed" => config.dynamic = false,
            "subsample" => threshold = value(parser, name)?,
            "keep" => {
                let choices = [("word2vec", Keep::Word2vec), ("paper", Keep::Paper)];
                keep = choice(parser, name, &choices)?;
            }
            "draw" => {
                let choices = ["expected", "clean", "dirty"].map(|name| (name, name));
                draw = choice(parser, name, &choices)?;
            }
            "seed" => seed = value(parser, name)?,
            "unknown" => {
                let choices =
                    [("remove", Unknown::Remove), ("keep-position", Unknown::KeepPosition)];
                config.unknown = choice(parser, name, &choices)?;
            }
            "sides" => {
                let choices =
                    [("both", Sides::Both), ("left", Sides::Left), ("right", Sides::Right)];
                config.sides = choice(parser, name, &choices)?;
            }
            "memory" => config.memory = size(parser, name)?,
            "temporary" => config.temporary = Some(value(parser, name)?),
            _ if text.take(&argument, parser)? => {}
            _ => return Err(unexpected(&argument)),
        }
    }
    let mode = match draw {
        "clean" => SubsampleMode::Clean { seed },
        "dirty" => SubsampleMode::Dirty { seed },
        _ => SubsampleMode::Expected,
    };
    // Only 0 itself turns it off; what makes no sense is refused below.
    config.subsample = (threshold != 0.0).then_some(Subsample { threshold, keep, mode });
    let (output, vocabulary) = (needed(output, "output")?, needed(vocabulary, "vocab")?);
    distinct(&output, &text.corpus.paths)?;
    distinct(&output, std::slice::from_ref(&vocabulary))?;
    config.validate()?;
    let vocabulary = Vocabulary::load(&vocabulary)?;
    let shard = text.shard.unwrap_or(Shard::WHOLE);
    count_shard(&text.corpus, shard, &vocabulary, &config, &output)?;
    tell(&format!("counted pairs of {} words", vocabulary.len()));
    Ok(String::new())
}
