//! Instructions in tokens, and the decoder that answers them.

use std::collections::HashMap;
use std::ops::Range;

use anyhow::{Result, ensure};
use burn::nn::Embedding;
use burn::tensor::{Device, Tensor};
use rand::seq::SliceRandom;
use sixfold_model::{
    Batch, CausalLm, Checkpoint, EncodeOptions, GenerateConfig, PaddingSide, Sampling, Seed,
    Tokenizer, buckets,
};
use sixfold_sparsegrad::Adapted;

use super::super::study::Subject;
use super::QaConfig;
use crate::context::Context;
use crate::data::{Instruction, Split, instructions, synthetic};

/// A label of no token.
const NONE: i32 = sixfold_model::IGNORE;

/// Positions of a batch that is only read, padding included.
const BATCH_POSITIONS: usize = 4096;

/// A model of adapted projections.
type AdaptedLm = CausalLm<Embedding, Adapted>;

/// An instruction in tokens: those of the prompt, then those of the answer and the end.
#[derive(Clone, Debug)]
struct Example {
    ids: Vec<u32>,
    prompt: usize,
    answer: String,
}

/// What is learned from, and what is answered.
pub(super) struct Questions {
    checkpoint: Checkpoint,
    tokenizer: Tokenizer,
    train: Vec<Example>,
    test: Vec<Example>,
    answers: usize,
    max_new_tokens: usize,
    end: u32,
    /// Instructions that were too long.
    pub(super) left_out: usize,
}

/// The text before an answer.
fn prompt(one: &Instruction) -> String {
    match one.input.as_str() {
        "" => format!("Question: {}\nAnswer:", one.instruction),
        input => format!("{input}\nQuestion: {}\nAnswer:", one.instruction),
    }
}

impl Questions {
    /// Reads instructions; of a file, the end of an order that is always the same is scored.
    pub(super) fn read(config: &QaConfig, cx: &Context) -> Result<Self> {
        let dir = cx.locator().existing("model.dir", &config.model.dir)?;
        let checkpoint = Checkpoint::open(&dir)?;
        let tokenizer = Tokenizer::from_dir(&dir)?;
        let [train, test] = match config.data.path.as_str() {
            "" => [Split::Train, Split::Dev].map(|split| synthetic::questions(split, 0)),
            path => {
                let mut all = instructions(&cx.locator().existing("data.path", path)?)?;
                all.shuffle(&mut Seed::new(0).stream("data"));
                let n = (config.data.test_share * all.len() as f64).ceil() as usize;
                let test = all.split_off(all.len() - n.clamp(1, all.len()));
                [all, test]
            }
        };
        let longest = checkpoint.spec().max_positions.unwrap_or(usize::MAX);
        let most = config.max_tokens.min(longest);
        let end = checkpoint.eos_token().unwrap_or(0);
        let mut left_out = 0;
        let mut encode = |all: &[Instruction]| -> Result<Vec<Example>> {
            let mut examples = Vec::new();
            for one in all {
                let mut ids = tokenizer.encode(&prompt(one), &EncodeOptions::default())?.ids;
                let prompt = ids.len();
                let plain = EncodeOptions { special_tokens: false, ..EncodeOptions::default() };
                ids.extend(tokenizer.encode(&one.answer, &plain)?.ids);
                ids.push(end);
                match ids.len() <= most && prompt > 0 {
                    true => examples.push(Example { ids, prompt, answer: one.answer.clone() }),
                    false => left_out += 1,
                }
            }
            Ok(examples)
        };
        let (train, test) = (encode(&train)?, encode(&test)?);
        ensure!(
            train.len() >= 2 && !test.is_empty(),
            "{} instructions to learn from and {} to score fit into max_tokens = {most}",
            train.len(),
            test.len()
        );
        let QaConfig { answers, max_new_tokens, .. } = *config;
        Ok(Self { checkpoint, tokenizer, train, test, answers, max_new_tokens, end, left_out })
    }

    /// Instructions that are learned from, and that are scored.
    pub(super) fn n(&self) -> [usize; 2] {
        [self.train.len(), self.test.len()]
    }

    /// The mean loss of the answers' tokens, and how many there are.
    fn loss_of(
        &self,
        model: &AdaptedLm,
        examples: &[&Example],
    ) -> sixfold_model::Result<(Tensor<1>, usize)> {
        let ids: Vec<Vec<u32>> = examples.iter().map(|one| one.ids.clone()).collect();
        let batch = Batch::pad(&ids, self.end, PaddingSide::Right);
        let mut labels = vec![NONE; batch.ids().len()];
        let mut n = 0;
        for (row, one) in examples.iter().enumerate() {
            for at in one.prompt..one.ids.len() {
                labels[row * batch.len() + at - 1] = one.ids[at] as i32;
                n += 1;
            }
        }
        Ok((model.loss_of(&batch, &labels)?, n))
    }

    /// The mean loss of a token of the answers.
    fn mean_loss(&self, model: &AdaptedLm, examples: &[Example]) -> Result<f64> {
        let lengths: Vec<usize> = examples.iter().map(|one| one.ids.len()).collect();
        let (mut sum, mut tokens) = (0.0, 0);
        for rows in buckets(&lengths, BATCH_POSITIONS) {
            let chosen: Vec<&Example> = rows.iter().map(|&row| &examples[row]).collect();
            let (loss, n) = self.loss_of(model, &chosen)?;
            sum += loss.into_data().iter::<f64>().sum::<f64>() * n as f64;
            tokens += n;
        }
        Ok(sum / tokens.max(1) as f64)
    }

    /// The mean F1 of words of greedy answers.
    fn token_f1(&self, model: &AdaptedLm) -> Result<f64> {
        let asked = &self.test[..self.test.len().min(self.answers)];
        let lengths: Vec<usize> = asked.iter().map(|one| one.prompt).collect();
        let config = GenerateConfig {
            max_new_tokens: self.max_new_tokens,
            sampling: Sampling::Greedy,
            stop: vec![self.end],
        };
        let mut sum = 0.0;
        for rows in buckets(&lengths, BATCH_POSITIONS) {
            let prompts: Vec<Vec<u32>> =
                rows.iter().map(|&row| asked[row].ids[..asked[row].prompt].to_vec()).collect();
            let batch = Batch::pad(&prompts, self.end, PaddingSide::Left);
            for (row, mut answer) in rows.iter().zip(model.generate(&batch, &config)?) {
                answer.retain(|token| *token != self.end);
                sum += words_f1(&self.tokenizer.decode(&answer)?, &asked[*row].answer);
            }
        }
        Ok(sum / asked.len() as f64)
    }
}

/// F1 of the words of two texts, as multisets, without case and punctuation; 1 for two texts without words.
pub(super) fn words_f1(found: &str, wanted: &str) -> f64 {
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| !c.is_alphanumeric());
        words.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
    };
    let (found, wanted) = (words(found), words(wanted));
    if found.is_empty() && wanted.is_empty() {
        return 1.0;
    }
    let mut left: HashMap<&str, usize> = HashMap::new();
    for word in &wanted {
        *left.entry(word).or_default() += 1;
    }
    let mut common = 0;
    for word in &found {
        if let Some(n) = left.get_mut(word.as_str()).filter(|n| **n > 0) {
            *n -= 1;
            common += 1;
        }
    }
    2.0 * f64::from(common) / (found.len() + wanted.len()) as f64
}

impl Subject for Questions {
    type Model = CausalLm;

    fn model(&self, _: Seed, device: &Device) -> Result<CausalLm> {
        Ok(self.checkpoint.causal_lm(device)?)
    }

    fn n_train(&self) -> usize {
        self.train.len()
    }

    fn tokens(&self) -> f64 {
        let all: usize = self.train.iter().map(|one| one.ids.len()).sum();
        all as f64 / self.train.len().max(1) as f64
    }

    fn loss(&self, model: &AdaptedLm, chosen: &[usize]) -> sixfold_model::Result<Tensor<1>> {
        let examples: Vec<&Example> = chosen.iter().map(|&row| &self.train[row]).collect();
        Ok(self.loss_of(model, &examples)?.0)
    }

    fn held_out_loss(&self, model: &AdaptedLm, rows: Range<usize>) -> Result<f64> {
        self.mean_loss(model, &self.train[rows])
    }

    fn scores(&self, model: &AdaptedLm) -> Result<Vec<(String, f64)>> {
        let loss = self.mean_loss(model, &self.test)?;
        let f1 = self.token_f1(model)?;
        let scores = [("loss", loss), ("perplexity", loss.exp()), ("token_f1", 100.0 * f1)];
        Ok(scores.map(|(name, value)| (name.to_owned(), value)).to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::words_f1;

    #[test]
    fn words_count_once_each() {
        assert!((words_f1("The dog, the dog!", "the dog") - 2.0 * 2.0 / 6.0).abs() < 1e-12);
        assert!((words_f1("a cat", "A cat.") - 1.0).abs() < 1e-12);
        assert!(words_f1("", "x").abs() < 1e-12 && (words_f1("!", "") - 1.0).abs() < 1e-12);
    }
}
