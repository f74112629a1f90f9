//! An encoder that a run trains itself, in a second: what is fine-tuned where no checkpoint is given.

use anyhow::Result;
use burn::tensor::Device;
use rand::RngExt;
use sixfold_model::train::{Outcome, ParamGroups, Trainer, TrainerConfig};
use sixfold_model::{
    Batch, ClassifierSpec, Encoding, IGNORE, LmHeadSpec, MaskedLm, PaddingSide, Pooling, Seed,
    SequenceClassifier, Transformer, TransformerSpec,
};

use crate::context::Context;

/// Width, blocks, heads.
const SIZE: [usize; 3] = [64, 2, 4];
const STEPS: u64 = 120;
const BATCH_SIZE: usize = 32;

/// A small encoder that has learned to fill in masked tokens.
#[derive(Clone, Debug)]
pub(super) struct Tiny {
    spec: TransformerSpec,
    body: Transformer,
}

impl Tiny {
    /// Trains it on sentences: in each, one token of seven is masked.
    ///
    /// All seeds of a run share it, as they share a checkpoint.
    ///
    /// # Errors
    /// A signal.
    pub(super) fn train(
        sentences: &[Encoding],
        vocab: usize,
        device: &Device,
        cx: &Context,
    ) -> Result<Self> {
        let seed = Seed::new(0).derive("tiny");
        // The token after the last one of the tokenizer stands for what is masked.
        let mask = vocab as u32;
        let spec = TransformerSpec::encoder(vocab + 1, SIZE[0], SIZE[1], SIZE[2]);
        let model = MaskedLm::new(&spec, &LmHeadSpec::TIED, seed, device);
        let config = TrainerConfig {
            batch_size: BATCH_SIZE,
            max_steps: Some(STEPS),
            peak_lr: 3e-3,
            seed: seed.value(),
            ..TrainerConfig::default()
        };
        let mut random = seed.stream("masks");
        let mut loss = |model: &MaskedLm, chosen: &[usize]| {
            let mut texts: Vec<Vec<u32>> =
                chosen.iter().map(|&i| sentences[i].ids.clone()).collect();
            let whole = Batch::pad(&texts, 0, PaddingSide::Right);
            let mut labels = vec![IGNORE; whole.ids().len()];
            for (row, text) in texts.iter_mut().enumerate() {
                let first = random.random_range(0..text.len().min(7));
                for at in (first..text.len()).step_by(7) {
                    labels[row * whole.len() + at] = text[at] as i32;
                    text[at] = mask;
                }
            }
            model.loss_of(&Batch::pad(&texts, 0, PaddingSide::Right), &labels)
        };
        let mut trainer = Trainer::new(model, sentences.len(), &config, &ParamGroups::default())?;
        if trainer.run(&mut loss, &mut cx.observer("steps"))? == Outcome::Interrupted {
            cx.check_interrupt()?;
        }
        Ok(Self { spec, body: trainer.into_model().body })
    }

    /// A classifier with a new head; one output for a number.
    pub(super) fn classifier(
        &self,
        outputs: usize,
        seed: Seed,
        device: &Device,
    ) -> SequenceClassifier {
        let head = ClassifierSpec {
            n_classes: outputs,
            pooling: Pooling::Mean,
            dense: None,
            bias: true,
            dropout: 0.0,
        };
        let mut model = SequenceClassifier::new(&self.spec, &head, seed, device);
        model.body = self.body.clone();
        model
    }
}
