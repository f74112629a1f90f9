//! A sequence classifier of `sixfold-model` as a victim.

use std::path::Path;

use burn::module::Module;
use burn::nn::{Embedding, Linear};
use burn::tensor::{Device, Tensor};
use ndarray::Array2;
use sixfold_model::{
    Batch, Checkpoint, HeadKind, PaddingSide, Projection, Seed, SequenceClassifier, TokenEmbedding,
    Tokenizer, buckets,
};

use super::memory::{Positions, read};
use crate::{Error, Result, Sequence, Victim};

/// Positions of one forward pass, padding included: enough for the products, little enough for the caches.
const POSITIONS: usize = 4096;

/// A classifier that is audited, without dropout and outside any tape.
///
/// Sequences run in batches of similar length, so that little is padding; a batch that the memory of the device does
/// not hold runs in halves.
#[derive(Clone, Debug)]
pub struct ModelVictim<E: TokenEmbedding = Embedding, P: Projection = Linear> {
    classifier: SequenceClassifier<E, P>,
    pad_id: u32,
    positions: Positions,
    table: Array2<f32>,
}

impl ModelVictim {
    /// The classifier of a Hugging Face model directory, and its tokenizer.
    ///
    /// # Errors
    /// [`Error::NoClassifier`] for a model without such a head, and what `sixfold-model` says of a directory that it
    /// cannot read.
    pub fn from_dir(dir: impl AsRef<Path>, device: &Device) -> Result<(Self, Tokenizer)> {
        let checkpoint = Checkpoint::open(&dir)?.without_dropout();
        if checkpoint.head() != Some(HeadKind::Classifier) {
            let named = checkpoint.config().get("architectures").and_then(|a| a.get(0));
            return Err(Error::NoClassifier {
                path: dir.as_ref().to_owned(),
                architecture: named.and_then(|a| a.as_str()).unwrap_or("not named").to_owned(),
            });
        }
        let tokenizer = Tokenizer::from_dir(&dir)?;
        let classifier = checkpoint.classifier(Seed::new(0), device)?;
        let pad_id = checkpoint.pad_token().unwrap_or(0);
        Ok((Self::new(classifier, pad_id)?, tokenizer))
    }
}

impl<E: TokenEmbedding, P: Projection> ModelVictim<E, P> {
    /// A classifier with the id that fills its batches up. A copy outside any tape is taken.
    ///
    /// Its dropout must be off (`Checkpoint::without_dropout`, or a description without): gradients are taken on a
    /// device with autodiff, where it would act.
    ///
    /// # Errors
    /// [`Error::NotFinite`] where the token vectors are not.
    ///
    /// # Panics
    /// If the table gives vectors of another length than it says.
    pub fn new(classifier: SequenceClassifier<E, P>, pad_id: u32) -> Result<Self> {
        let classifier = classifier.valid();
        let tokens = &classifier.body.embed.tokens;
        let (rows, width) = (tokens.vocab_size(), tokens.d_embed());
        let ids: Vec<i32> = (0..rows as i32).collect();
        let ids =
            Tensor::<1, burn::tensor::Int>::from_ints(ids.as_slice(), &classifier.body.device());
        let vectors = tokens.embed(ids.reshape([1, rows]));
        let values = read(vectors)?;
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            return Err(Error::NotFinite { what: "the token embedding", index });
        }
        let table =
            Array2::from_shape_vec((rows, width), values).expect("as many as the table has");
        Ok(Self { classifier, pad_id, positions: Positions::new(POSITIONS), table })
    }

    /// Runs at most so many positions at once, padding included; at least one sequence. 4096 by default: a smaller
    /// number takes less memory. It is halved where the device says that its memory is out.
    pub fn with_positions(mut self, positions: usize) -> Self {
        self.positions = Positions::new(positions);
        self
    }

    /// The classifier.
    pub fn classifier(&self) -> &SequenceClassifier<E, P> {
        &self.classifier
    }

    /// Token vectors on the host, `[vocab, d_embed]`.
    pub fn table(&self) -> &Array2<f32> {
        &self.table
    }

    /// Layers of the model.
    pub fn n_layers(&self) -> usize {
        self.classifier.body.n_layers()
    }

    /// Runs groups of sequences of similar length, in halves where they do not fit: `run` leaves nothing behind where
    /// it fails.
    pub(super) fn in_groups(
        &self,
        sequences: &[Sequence],
        run: impl FnMut(&[usize]) -> Result<()>,
    ) -> Result<()> {
        let lengths: Vec<usize> = sequences.iter().map(|sequence| sequence.ids.len()).collect();
        let groups = buckets(&lengths, self.positions.get());
        self.positions.in_parts(groups, |row| lengths[row], run)
    }

    /// Some of the sequences as one batch.
    pub(super) fn batch(&self, sequences: &[Sequence], rows: &[usize]) -> Result<Batch> {
        let pad = |of: fn(&Sequence) -> &Vec<u32>, fill: u32| {
            let parts: Vec<Vec<u32>> = rows.iter().map(|&i| of(&sequences[i]).clone()).collect();
            Batch::pad(&parts, fill, PaddingSide::Right)
        };
        let batch = pad(|sequence| &sequence.ids, self.pad_id);
        if rows.iter().all(|&i| sequences[i].token_types.iter().all(|&t| t == 0)) {
            return Ok(batch);
        }
        let types = pad(|sequence| &sequence.token_types, 0);
        Ok(batch.with_token_types(types.ids().to_vec())?)
    }
}

impl<E: TokenEmbedding, P: Projection> Victim for ModelVictim<E, P> {
    fn n_classes(&self) -> usize {
        self.classifier.head.spec().n_classes
    }

    fn vocab_size(&self) -> usize {
        self.table.nrows()
    }

    fn max_tokens(&self) -> Option<usize> {
        self.classifier.body.spec().positions.capacity()
    }

    fn scores(&self, sequences: &[Sequence]) -> Result<Array2<f32>> {
        if let Some(example) = sequences.iter().position(|sequence| sequence.ids.is_empty()) {
            return Err(Error::EmptyText { example });
        }
        let n_classes = self.n_classes();
        let mut scores = Array2::zeros((sequences.len(), n_classes));
        self.in_groups(sequences, |rows| {
            let found = read(self.classifier.forward(&self.batch(sequences, rows)?)?)?;
            for (&row, values) in rows.iter().zip(found.chunks(n_classes)) {
                for (score, &value) in scores.row_mut(row).iter_mut().zip(values) {
                    *score = value;
                }
            }
            Ok(())
        })?;
        match scores.iter().position(|score| !score.is_finite()) {
            Some(index) => Err(Error::NotFinite { what: "a class score", index }),
            None => Ok(scores),
        }
    }
}
