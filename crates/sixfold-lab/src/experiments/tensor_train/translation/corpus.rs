//! Sentences in subwords.

use anyhow::{Result, ensure};
use sixfold_model::{Batch, EncodeOptions, PaddingSide, Tokenizer, buckets};

use super::{PairFiles, TranslationConfig};
use crate::context::Context;
use crate::data::{Pair, Split, read_pairs, synthetic};

/// The token that fills up, and with which every target begins.
pub(super) const PAD: u32 = 0;
/// The token that ends a sentence.
pub(super) const END: u32 = 1;

/// The sentences of a run.
pub(super) struct Corpus {
    pub(super) tokenizer: Tokenizer,
    /// What is learned from, in subwords.
    pub(super) train: Vec<Tokens>,
    /// Which of them make up each batch.
    pub(super) batches: Vec<Vec<usize>>,
    /// What is measured on.
    pub(super) test: Vec<Pair>,
    /// The same in subwords.
    pub(super) test_tokens: Vec<Tokens>,
    /// Pairs that are too long to learn from.
    pub(super) left_out: usize,
}

/// A pair in subwords; both end with [`END`].
pub(super) struct Tokens {
    pub(super) source: Vec<u32>,
    pub(super) target: Vec<u32>,
}

impl Tokens {
    fn longer(&self) -> usize {
        self.source.len().max(self.target.len())
    }
}

impl Corpus {
    /// Reads the pairs, learns the vocabulary from those of the training, and cuts all of them.
    pub(super) fn read(config: &TranslationConfig, cx: &Context) -> Result<Self> {
        let [train, test] = match config.generated() {
            true => [Split::Train, Split::Dev].map(|split| synthetic::pairs(split, 0)),
            false => [read("train", &config.train, cx)?, read("test", &config.test, cx)?],
        };
        let texts: Vec<&str> =
            train.iter().flat_map(|pair| [pair.source.as_str(), &pair.target]).collect();
        let tokenizer = Tokenizer::train_bpe(&texts, config.vocab, &["<pad>", "<end>"])?;
        let mut tokens = cut(&tokenizer, &train)?;
        tokens.retain(|pair| pair.longer() <= config.max_tokens);
        let left_out = train.len() - tokens.len();
        ensure!(
            !tokens.is_empty(),
            "max_tokens: none of {} pairs is within {} tokens",
            train.len(),
            config.max_tokens
        );
        let lengths: Vec<usize> = tokens.iter().map(Tokens::longer).collect();
        let batches = buckets(&lengths, config.recipe.batch_tokens);
        let test_tokens = cut(&tokenizer, &test)?;
        Ok(Self { tokenizer, train: tokens, batches, test, test_tokens, left_out })
    }

    /// Pairs as two batches.
    pub(super) fn pad(pairs: &[Tokens], rows: &[usize]) -> [Batch; 2] {
        let of = |side: fn(&Tokens) -> &Vec<u32>| {
            let ids: Vec<Vec<u32>> = rows.iter().map(|&row| side(&pairs[row]).clone()).collect();
            Batch::pad(&ids, PAD, PaddingSide::Right)
        };
        [of(|pair| &pair.source), of(|pair| &pair.target)]
    }

    /// Test pairs of similar length together.
    pub(super) fn test_batches(&self) -> Vec<Vec<usize>> {
        let lengths: Vec<usize> = self.test_tokens.iter().map(Tokens::longer).collect();
        buckets(&lengths, TEST_POSITIONS)
    }

    /// Plain text of what a model wrote, on one line.
    pub(super) fn text(&self, tokens: &[u32]) -> Result<String> {
        let kept: Vec<u32> =
            tokens.iter().copied().filter(|id| !matches!(*id, PAD | END)).collect();
        let text = self.tokenizer.decode(&kept)?;
        Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

/// Positions of a batch that is only read.
const TEST_POSITIONS: usize = 2_048;

fn read(key: &str, files: &PairFiles, cx: &Context) -> Result<Vec<Pair>> {
    let path = |side: &str, path: &str| cx.locator().existing(&format!("{key}.{side}"), path);
    read_pairs(&path("source", &files.source)?, &path("target", &files.target)?)
}

fn cut(tokenizer: &Tokenizer, pairs: &[Pair]) -> Result<Vec<Tokens>> {
    let side = |texts: Vec<&str>| -> Result<Vec<Vec<u32>>> {
        let encodings = tokenizer.encode_all(&texts, &EncodeOptions::default())?;
        Ok(encodings
            .into_iter()
            .map(|mut encoding| {
                encoding.ids.push(END);
                encoding.ids
            })
            .collect())
    };
    let sources = side(pairs.iter().map(|pair| pair.source.as_str()).collect())?;
    let targets = side(pairs.iter().map(|pair| pair.target.as_str()).collect())?;
    let both = sources.into_iter().zip(targets);
    Ok(both.map(|(source, target)| Tokens { source, target }).collect())
}
