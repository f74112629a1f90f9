//! A task on sentences as what a classifier is tuned on.

use std::ops::Range;

use anyhow::{Result, ensure};
use burn::tensor::{Device, Tensor, TensorData};
use rand::seq::SliceRandom;
use sixfold_model::{
    Batch, Checkpoint, EncodeOptions, Encoding, Seed, SequenceClassifier, Tokenizer, buckets,
};
use sixfold_sparsegrad::Adapted;

use super::score;
use super::study::Subject;
use super::tiny::Tiny;
use crate::context::Context;
use crate::data::{GlueTask, SentenceTask, Split};
use crate::experiments::encode::encode;
use crate::experiments::profile::ModelRef;

/// Positions of a batch that is only read, padding included.
const BATCH_POSITIONS: usize = 4096;

/// Tokens of the encoder that a run trains itself: bytes, and whole words of generated sentences.
const VOCAB: usize = 600;

/// Where classifiers come from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Checkpoint(Box<Checkpoint>),
    Tiny(Box<Tiny>),
}

/// The name of a model in results: the last part of its directory.
pub(super) fn model_name(dir: &str) -> String {
    if dir.is_empty() { "tiny".to_owned() } else { ModelRef::new(dir).name() }
}

/// The sentences of a task in tokens, and the model that reads them.
pub(super) struct Sentences {
    task: SentenceTask,
    source: Source,
    tokenizer: Tokenizer,
    train: Examples,
    dev: Examples,
}

#[derive(Default)]
struct Examples {
    encodings: Vec<Encoding>,
    labels: Vec<f32>,
}

/// A model of adapted projections.
pub(super) type AdaptedClassifier = SequenceClassifier<burn::nn::Embedding, Adapted>;

impl Sentences {
    /// Reads a task; without a directory the model is one that is trained here.
    pub(super) fn read(
        task: SentenceTask,
        dir: &str,
        glue: &str,
        max_tokens: usize,
        cx: &Context,
    ) -> Result<Self> {
        let glue = cx.locator().expand("glue", glue)?;
        let mut train = task.read(&glue, Split::Train)?;
        // The order of the file is no part of the task, and its end is held out.
        train.shuffle(&mut Seed::new(0).stream("data"));
        let dev = task.read(&glue, Split::Dev)?;
        let (tokenizer, checkpoint) = match dir {
            "" => {
                let texts: Vec<&str> = train.iter().map(|one| one.text.as_str()).collect();
                (Tokenizer::train_bpe(&texts, VOCAB, &["<pad>"])?, None)
            }
            _ => {
                let place = cx.locator().existing("model.dir", dir)?;
                (Tokenizer::from_dir(&place)?, Some(Checkpoint::open(&place)?))
            }
        };
        let token_types = checkpoint.as_ref().map_or(0, |one| one.spec().token_types);
        let longest = checkpoint.as_ref().and_then(|one| one.spec().max_positions);
        let max_tokens = max_tokens.min(longest.unwrap_or(usize::MAX));
        let examples = |labelled: &[crate::data::Labelled]| -> Result<Examples> {
            let labels = labelled.iter().map(|one| one.label).collect();
            let mut encodings = encode(&tokenizer, labelled, max_tokens)?;
            if token_types < 2 {
                // A model that does not tell the two texts of a pair apart.
                encodings.iter_mut().for_each(|one| one.token_types.fill(0));
            }
            Ok(Examples { encodings, labels })
        };
        let (train, dev) = (examples(&train)?, examples(&dev)?);
        let source = match checkpoint {
            Some(checkpoint) => Source::Checkpoint(Box::new(checkpoint)),
            None => {
                let device = sixfold_model::device(cx.device_name())?.autodiff();
                let vocab = tokenizer.vocab_size();
                Source::Tiny(Box::new(Tiny::train(&train.encodings, vocab, &device, cx)?))
            }
        };
        Ok(Self { task, source, tokenizer, train, dev })
    }

    /// Share of the most frequent class among what is scored, in percent; none of a similarity.
    pub(super) fn majority(&self) -> Option<f64> {
        let n = self.task.n_classes();
        let of = |class: usize| {
            self.dev.labels.iter().filter(|label| label.round() as usize == class).count()
        };
        let most = (0..n).map(of).max()?;
        Some(100.0 * most as f64 / self.dev.labels.len().max(1) as f64)
    }

    fn outputs(&self) -> usize {
        self.task.n_classes().max(1)
    }

    fn pad(&self, encodings: Vec<Encoding>) -> Batch {
        self.tokenizer.pad(&encodings, &EncodeOptions::default())
    }

    fn mean_loss(
        &self,
        model: &AdaptedClassifier,
        encodings: Vec<Encoding>,
        labels: &[f32],
    ) -> sixfold_model::Result<Tensor<1>> {
        let batch = self.pad(encodings);
        if self.task.n_classes() > 1 {
            let classes: Vec<i32> = labels.iter().map(|label| label.round() as i32).collect();
            return model.loss(&batch, &classes);
        }
        let found: Tensor<1> = model.forward(&batch)?.reshape([labels.len()]);
        let data = TensorData::new(labels.to_vec(), [labels.len()]);
        let wanted = Tensor::from_data(data, &found.device());
        let error = found - wanted;
        Ok((error.clone() * error).mean())
    }

    /// The scores of every class, example by example.
    fn outputs_of(&self, model: &AdaptedClassifier, of: &Examples) -> Result<Vec<Vec<f64>>> {
        let lengths: Vec<usize> = of.encodings.iter().map(|one| one.ids.len()).collect();
        let mut outputs = vec![Vec::new(); lengths.len()];
        for rows in buckets(&lengths, BATCH_POSITIONS) {
            let batch = self.pad(rows.iter().map(|&row| of.encodings[row].clone()).collect());
            let found = model.forward(&batch)?.into_data();
            let found: Vec<f64> = found.iter::<f64>().collect();
            for (row, values) in rows.iter().zip(found.chunks(self.outputs())) {
                outputs[*row] = values.to_vec();
            }
        }
        ensure!(outputs.iter().all(|values| !values.is_empty()), "an example was not scored");
        Ok(outputs)
    }
}

impl Subject for Sentences {
    type Model = SequenceClassifier;

    fn model(&self, seed: Seed, device: &Device) -> Result<SequenceClassifier> {
        Ok(match &self.source {
            Source::Checkpoint(checkpoint) => {
                let checkpoint = checkpoint.as_ref().clone().with_classes(self.outputs());
                checkpoint.classifier(seed, device)?
            }
            Source::Tiny(tiny) => tiny.classifier(self.outputs(), seed, device),
        })
    }

    fn n_train(&self) -> usize {
        self.train.labels.len()
    }

    fn tokens(&self) -> f64 {
        let all: usize = self.train.encodings.iter().map(|one| one.ids.len()).sum();
        all as f64 / self.n_train().max(1) as f64
    }

    fn loss(
        &self,
        model: &AdaptedClassifier,
        chosen: &[usize],
    ) -> sixfold_model::Result<Tensor<1>> {
        let labels: Vec<f32> = chosen.iter().map(|&row| self.train.labels[row]).collect();
        let encodings = chosen.iter().map(|&row| self.train.encodings[row].clone()).collect();
        self.mean_loss(model, encodings, &labels)
    }

    fn held_out_loss(&self, model: &AdaptedClassifier, rows: Range<usize>) -> Result<f64> {
        let mut sum = 0.0;
        let rows: Vec<usize> = rows.collect();
        for chunk in rows.chunks(32) {
            let loss = self.loss(model, chunk)?.into_data();
            sum += loss.iter::<f64>().sum::<f64>() * chunk.len() as f64;
        }
        Ok(sum / rows.len().max(1) as f64)
    }

    fn scores(&self, model: &AdaptedClassifier) -> Result<Vec<(String, f64)>> {
        let outputs = self.outputs_of(model, &self.dev)?;
        let mut scores = Vec::new();
        let mut put = |name: &str, value: f64| scores.push((name.to_owned(), 100.0 * value));
        if self.task.n_classes() < 2 {
            let found: Vec<f64> = outputs.iter().map(|values| values[0]).collect();
            let wanted: Vec<f64> = self.dev.labels.iter().map(|one| f64::from(*one)).collect();
            put("score", score::pearson(&found, &wanted));
            return Ok(scores);
        }
        let best = |values: &Vec<f64>| {
            let best = values.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
            best.map_or(0, |(class, _)| class)
        };
        let found: Vec<usize> = outputs.iter().map(best).collect();
        let classes: Vec<usize> =
            self.dev.labels.iter().map(|label| label.round() as usize).collect();
        match self.task {
            SentenceTask::Glue(GlueTask::Cola) => put("score", score::matthews(&found, &classes)),
            _ => put("score", score::accuracy(&found, &classes)),
        }
        if matches!(self.task, SentenceTask::Glue(GlueTask::Mrpc | GlueTask::Qqp)) {
            put("f1", score::f1(&found, &classes));
        }
        Ok(scores)
    }
}
