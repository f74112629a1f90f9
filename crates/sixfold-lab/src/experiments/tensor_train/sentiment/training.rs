//! One training: reviews in numbers, the steps, and what is measured after them.

use anyhow::{Result, ensure};
use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use sixfold_model::{Batch, PaddingSide, Seed, buckets, cross_entropy};

use super::super::tables::{Choice, Recipe};
use super::super::training;
use super::SentimentConfig;
use super::model::Classifier;
use crate::context::Context;
use crate::data::{Review, SentenceTask, Split, WordNumbers, reviews, words};

/// Positions of a batch that is only read, padding included.
const BATCH_POSITIONS: usize = 16_384;

/// Texts as numbers, and their classes.
#[derive(Default)]
struct Examples {
    texts: Vec<Vec<u32>>,
    classes: Vec<i32>,
}

/// What is learned from, and what reports.
pub(super) struct Material {
    train: Examples,
    held_out: Examples,
    /// Numbers for words.
    pub(super) vocab: usize,
    /// Share of the held-out words that have no number of their own.
    pub(super) unknown: f64,
}

/// What one training gives.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Trained {
    pub(super) accuracy: f64,
    /// With the cores of a train in 8 bits.
    pub(super) accuracy_int8: Option<f64>,
    /// The same among the reviews that were learned from.
    pub(super) train_accuracy: f64,
    pub(super) parameters: usize,
    pub(super) model_parameters: usize,
    pub(super) compression: f64,
    /// Wall-clock time of a step; none where the steps were taken by an earlier run.
    pub(super) step_ms: Option<f64>,
}

impl Material {
    /// Reads the reviews and holds some out: those that the seed draws, or a split of generated
    /// sentences. The words are those of what is learned from.
    pub(super) fn read(config: &SentimentConfig, cx: &Context) -> Result<Self> {
        let [train, held_out] = match config.reviews.path.as_str() {
            "" => [Split::Train, Split::Dev].map(generated),
            path => {
                let path = cx.locator().existing("reviews.path", path)?;
                let mut all = reviews(&path)?;
                all.shuffle(&mut Seed::new(cx.seed()).stream("data"));
                let n = config.reviews.held_out;
                let left = all.len().saturating_sub(n);
                ensure!(
                    left >= config.recipe.batch_size,
                    "{}: {} reviews; {n} held out (reviews.held_out) leave too few to learn from",
                    path.display(),
                    all.len()
                );
                let held_out = all.split_off(left);
                match config.reviews.selection {
                    0 => [all, held_out],
                    // Settings are chosen without a look at what reports.
                    n => {
                        let chosen_on = all.split_off(all.len().saturating_sub(n));
                        ensure!(
                            all.len() >= config.recipe.batch_size,
                            "{}: {n} reviews to choose by (reviews.selection) leave too few to learn from",
                            path.display()
                        );
                        [all, chosen_on]
                    }
                }
            }
        };
        let of_words = |all: &[Review]| -> Vec<Vec<String>> {
            all.iter().map(|review| words(&review.text)).collect()
        };
        let (train_words, held_out_words) = (of_words(&train), of_words(&held_out));
        let numbers = WordNumbers::most_frequent(&train_words, 1, config.max_words)?;
        let of = |reviews: &[Review], words: &[Vec<String>]| Examples {
            texts: words.iter().map(|words| last(&numbers.of(words), config.max_tokens)).collect(),
            classes: reviews.iter().map(|review| review.class as i32).collect(),
        };
        let held_out = of(&held_out, &held_out_words);
        let all = held_out.texts.iter().flatten();
        let unknown = all.clone().filter(|id| **id == WordNumbers::UNKNOWN).count();
        Ok(Self {
            unknown: unknown as f64 / all.count().max(1) as f64,
            train: of(&train, &train_words),
            held_out,
            vocab: numbers.n(),
        })
    }

    /// Reviews that are learned from, and those that report.
    pub(super) fn sizes(&self) -> [usize; 2] {
        [&self.train, &self.held_out].map(|examples| examples.texts.len())
    }

    /// What the tables have in common.
    pub(super) fn recipe(&self, config: &SentimentConfig) -> Recipe {
        Recipe {
            vocab: self.vocab,
            d_embed: config.d_embed,
            cores: config.cores,
            rank: config.rank,
            std: config.recipe.std,
        }
    }

    /// Share of the larger class among what reports.
    pub(super) fn majority(&self) -> f64 {
        let good = self.held_out.classes.iter().filter(|class| **class == 1).count();
        let n = self.held_out.classes.len();
        good.max(n - good) as f64 / n.max(1) as f64
    }

    /// Trains a classifier over one table.
    ///
    /// # Errors
    /// A signal: the state is kept, and a later run goes on from it.
    pub(super) fn train(
        &self,
        config: &SentimentConfig,
        choice: Choice,
        cx: &mut Context,
    ) -> Result<Trained> {
        let device = sixfold_model::device(cx.device_name())?.autodiff();
        let seed = Seed::new(cx.seed());
        let tables = self.recipe(config).tables(choice, false, seed.derive("table"), &device)?;
        let (parameters, compression) = (tables.parameters(), tables.compression());
        let model = Classifier::new(tables, config.d_hidden, config.dropout, seed, &device);
        let model_parameters = model.num_params();

        let loss = |model: &Classifier, chosen: &[usize]| {
            let texts: Vec<Vec<u32>> =
                chosen.iter().map(|&i| self.train.texts[i].clone()).collect();
            let classes: Vec<i32> = chosen.iter().map(|&i| self.train.classes[i]).collect();
            let batch = Batch::pad(&texts, WordNumbers::PAD, PaddingSide::Right);
            let n = classes.len();
            let classes = Tensor::from_data(TensorData::new(classes, [n]), &device);
            Ok(cross_entropy(model.forward(&batch, &device), classes).mean())
        };
        let (settings, n) = (config.recipe.trainer(cx.seed()), self.train.texts.len());
        let groups = config.recipe.groups(choice, "tables.**")?;
        let training::Trained { model, step_ms } =
            training::train(model, n, &settings, &groups, choice, cx, loss)?;
        let device = device.without_autodiff();
        let accuracy = self.held_out.accuracy(&model, &device);
        let train_accuracy = self.train.accuracy(&model, &device);
        let accuracy_int8 = match model.tables.in_eight_bits(&device)? {
            Some(tables) => {
                let model = model.with_tables(tables);
                Some(self.held_out.accuracy(&model, &device))
            }
            None => None,
        };
        Ok(Trained {
            accuracy,
            accuracy_int8,
            train_accuracy,
            parameters,
            model_parameters,
            compression,
            step_ms,
        })
    }
}

/// The generated sentences of a split.
fn generated(split: Split) -> Vec<Review> {
    let all = SentenceTask::Synthetic.read("".as_ref(), split).expect("sentences need no file");
    let review = |one: crate::data::Labelled| Review { class: one.class(), text: one.text };
    all.into_iter().map(review).collect()
}

/// The last of some numbers, and one that stands for any word where there are none.
fn last(numbers: &[u32], n: usize) -> Vec<u32> {
    match numbers {
        [] => vec![WordNumbers::UNKNOWN],
        _ => numbers[numbers.len().saturating_sub(n)..].to_vec(),
    }
}

impl Examples {
    fn accuracy(&self, model: &Classifier, device: &Device) -> f64 {
        let lengths: Vec<usize> = self.texts.iter().map(Vec::len).collect();
        let mut right = 0;
        for rows in buckets(&lengths, BATCH_POSITIONS) {
            let texts: Vec<Vec<u32>> = rows.iter().map(|&row| self.texts[row].clone()).collect();
            let batch = Batch::pad(&texts, WordNumbers::PAD, PaddingSide::Right);
            let found = model.forward(&batch, device).argmax(1).into_data();
            let found = found.iter::<i64>().zip(&rows);
            right += found.filter(|(class, row)| *class == i64::from(self.classes[**row])).count();
        }
        right as f64 / self.texts.len().max(1) as f64
    }
}
