//! One fine-tuning: sentences in tokens, the training, and what is measured before and after.

use anyhow::Result;
use burn::module::Module;
use rand::seq::SliceRandom;
use sixfold_model::train::{Outcome, ParamGroups, Trainer};
use sixfold_model::{
    Batch, Checkpoint, EncodeOptions, Encoding, Seed, SequenceClassifier, Tokenizer, buckets,
};

use super::config::FinetuneConfig;
use crate::context::Context;
use crate::data::{Labelled, SentenceTask, Split};
use crate::experiments::encode::encode;
use crate::experiments::profile::{LayerRow, Reading, Streamed, measure};

/// Positions of a batch that is only read, padding included.
const BATCH_POSITIONS: usize = 4096;

/// The sentences of a task in tokens.
pub(super) struct Material {
    task: SentenceTask,
    tokenizer: Tokenizer,
    train: Vec<(Encoding, usize)>,
    dev: Vec<(Encoding, usize)>,
}

/// What one fine-tuning gives.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Tuned {
    pub(super) before: Vec<LayerRow>,
    pub(super) after: Vec<LayerRow>,
    pub(super) accuracy: f64,
    pub(super) steps: u64,
}

impl Material {
    /// Reads a task; of a large one, the part that the seed draws. `longest` is the model's context.
    pub(super) fn read(
        task: SentenceTask,
        config: &FinetuneConfig,
        tokenizer: &Tokenizer,
        longest: usize,
        cx: &Context,
    ) -> Result<Self> {
        let dir = cx.locator().expand("glue", &config.glue)?;
        let mut train = task.read(&dir, Split::Train)?;
        train.shuffle(&mut Seed::new(cx.seed()).stream("data"));
        train.truncate(config.recipe.max_train);
        let dev = task.read(&dir, Split::Dev)?;
        let max_tokens = config.recipe.max_tokens.min(longest);
        let encode = |examples: &[Labelled]| -> Result<Vec<(Encoding, usize)>> {
            let encodings = encode(tokenizer, examples, max_tokens)?.into_iter();
            Ok(encodings.zip(examples.iter().map(Labelled::class)).collect())
        };
        Ok(Self { task, tokenizer: tokenizer.clone(), train: encode(&train)?, dev: encode(&dev)? })
    }

    /// Share of the most frequent class among the sentences that are scored.
    pub(super) fn majority(&self) -> f64 {
        let of = |class| self.dev.iter().filter(|(_, own)| *own == class).count();
        let largest = (0..self.task.n_classes()).map(of).max().unwrap_or(0);
        largest as f64 / self.dev.len().max(1) as f64
    }

    /// The tokens that are measured: those of the sentences that are scored.
    pub(super) fn reading(&self) -> Reading {
        let lengths: Vec<usize> = self.dev.iter().map(|(encoding, _)| encoding.ids.len()).collect();
        let batches = buckets(&lengths, BATCH_POSITIONS).into_iter().map(|rows| {
            let batch = self.pad(&self.dev, &rows);
            (batch, rows)
        });
        Reading::of_batches(batches.collect())
    }

    fn pad(&self, examples: &[(Encoding, usize)], rows: &[usize]) -> Batch {
        let encodings: Vec<Encoding> = rows.iter().map(|&row| examples[row].0.clone()).collect();
        self.tokenizer.pad(&encodings, &EncodeOptions::default())
    }

    /// Fine-tunes a classifier; `shuffled` deals the classes out anew.
    pub(super) fn tune(
        &self,
        config: &FinetuneConfig,
        checkpoint: &Checkpoint,
        shuffled: bool,
        cx: &mut Context,
    ) -> Result<Tuned> {
        let device = sixfold_model::device(cx.device_name())?.autodiff();
        let seed = Seed::new(cx.seed());
        let checkpoint = checkpoint.clone().with_classes(self.task.n_classes());
        let model = checkpoint.classifier(seed, &device)?;
        let reading = self.reading();
        let before = rows(&model.clone().valid(), &reading, config, cx)?;

        let mut classes: Vec<i32> = self.train.iter().map(|(_, class)| *class as i32).collect();
        if shuffled {
            classes.shuffle(&mut seed.stream("control"));
        }
        let settings = config.trainer(cx.seed());
        let mut trainer = Trainer::new(model, classes.len(), &settings, &ParamGroups::default())?;
        let mut loss = |model: &SequenceClassifier, chosen: &[usize]| {
            let labels: Vec<i32> = chosen.iter().map(|&example| classes[example]).collect();
            model.loss(&self.pad(&self.train, chosen), &labels)
        };
        if trainer.run(&mut loss, &mut cx.observer("steps"))? == Outcome::Interrupted {
            cx.check_interrupt()?;
        }
        let steps = trainer.state().step;
        let model = trainer.into_model().valid();
        let after = rows(&model, &reading, config, cx)?;
        Ok(Tuned { before, after, accuracy: self.accuracy(&model, &reading)?, steps })
    }

    fn accuracy(&self, model: &SequenceClassifier, reading: &Reading) -> Result<f64> {
        let mut right = 0;
        for (batch, rows) in &reading.batches {
            let predicted = model.forward(batch)?.argmax(1).into_data();
            let predicted = predicted.iter::<i64>();
            right += predicted.zip(rows).filter(|(c, row)| *c == self.dev[**row].1 as i64).count();
        }
        Ok(right as f64 / self.dev.len() as f64)
    }
}

/// Linearity of every block on the tokens of a reading.
fn rows(
    model: &SequenceClassifier,
    reading: &Reading,
    config: &FinetuneConfig,
    cx: &mut Context,
) -> Result<Vec<LayerRow>> {
    let filters = &config.filters;
    let mut streamed = Streamed::of(&model.body, reading, filters, "classifier", cx)?;
    measure::blocks(&mut streamed, filters, "classifier", cx)
}
