//! A small decoder that is trained in the run and stops where it is to be measured.

use std::ops::ControlFlow;

use anyhow::{Context as _, Result, ensure};
use burn::module::Module;
use sixfold_model::train::{ParamGroups, Trainer};
use sixfold_model::{
    Batch, CausalLm, EncodeOptions, LmHeadSpec, Observer, PaddingSide, Seed, Step, Tokenizer,
};

use super::config::{Recipe, TrainingConfig};
use crate::context::{Context, ProgressObserver};
use crate::data::Documents;
use crate::record::Labels;

/// Examples of each part on which a loss is taken.
const LOSS_EXAMPLES: usize = 64;

/// The text of a training: examples to learn from, and what is held out.
pub(super) struct Material {
    pub(super) tokenizer: Tokenizer,
    /// Documents that are held out, as text.
    pub(super) held_out: Vec<String>,
    train: Vec<Vec<u32>>,
    test: Vec<Vec<u32>>,
}

impl Material {
    /// Reads the text. The last tenth of its documents is held out: neighbours in a text are
    /// often parts of one story, so that a random tenth would be known in part.
    pub(super) fn read(config: &TrainingConfig, cx: &Context) -> Result<Self> {
        let Recipe { context, batch_size, max_tokens, .. } = config.recipe;
        let dir = cx.locator().existing("recipe.tokenizer", &config.recipe.tokenizer)?;
        let tokenizer = Tokenizer::from_dir(&dir)?;
        let path = cx.locator().existing("text.path", &config.text.path)?;
        let mut documents: Vec<(String, Vec<u32>)> = Vec::new();
        let mut n_tokens = 0;
        for document in Documents::open(&path, config.text.column.as_ref())? {
            if max_tokens > 0 && n_tokens >= max_tokens {
                break;
            }
            let document = document?;
            let ids = tokenizer.encode(&document, &EncodeOptions::default())?.ids;
            n_tokens += ids.len();
            documents.push((document, ids));
        }
        let held_out = documents.split_off(documents.len() - documents.len().div_ceil(10));
        let examples = |documents: &[(String, Vec<u32>)]| -> Vec<Vec<u32>> {
            let stream: Vec<u32> = documents.iter().flat_map(|(_, ids)| ids).copied().collect();
            // The rest of the stream is shorter than the others, and is left out.
            stream.chunks_exact(context).map(<[u32]>::to_vec).collect()
        };
        let (train, test) = (examples(&documents), examples(&held_out));
        ensure!(
            train.len() >= batch_size && !test.is_empty(),
            "{}: {n_tokens} tokens make {} examples of {context} to learn from and {} to test; at \
             least {batch_size} and 1 are needed",
            path.display(),
            train.len(),
            test.len()
        );
        let held_out = held_out.into_iter().map(|(text, _)| text).collect();
        Ok(Self { tokenizer, held_out, train, test })
    }

    /// Tokens to learn from.
    pub(super) fn n_train(&self) -> usize {
        self.train.iter().map(Vec::len).sum()
    }

    /// Mean loss on examples that were learned from, and on held-out ones.
    pub(super) fn losses(&self, model: &CausalLm, batch_size: usize) -> Result<[f64; 2]> {
        let mean = |examples: &[Vec<u32>]| -> Result<f64> {
            // Spread over the text, so that no one story decides.
            let every = examples.len().div_ceil(LOSS_EXAMPLES).max(1);
            let chosen: Vec<Vec<u32>> = examples.iter().step_by(every).cloned().collect();
            let mut sum = 0.0;
            for batch in chosen.chunks(batch_size) {
                let loss = model.loss(&Batch::pad(batch, 0, PaddingSide::Right))?;
                sum += f64::from(loss.into_scalar::<f32>()) * batch.len() as f64;
            }
            Ok(sum / chosen.len() as f64)
        };
        Ok([mean(&self.train)?, mean(&self.test)?])
    }
}

/// The training, standing at some step.
pub(super) struct Training<'a> {
    trainer: Trainer<CausalLm>,
    material: &'a Material,
}

impl<'a> Training<'a> {
    /// Goes on where an earlier run stopped, if that was not after step `upto`; else from the
    /// beginning.
    pub(super) fn begin(
        recipe: &Recipe,
        material: &'a Material,
        upto: u64,
        cx: &Context,
    ) -> Result<Self> {
        let device = sixfold_model::device(cx.device_name())?.autodiff();
        let spec = recipe.spec(material.tokenizer.vocab_size());
        let config = recipe.trainer(cx.seed());
        let dir = cx.checkpoints();
        let fresh = || -> Result<Trainer<CausalLm>> {
            let model = CausalLm::new(&spec, &LmHeadSpec::TIED, Seed::new(cx.seed()), &device);
            let n = material.train.len();
            let trainer = Trainer::new(model, n, &config, &ParamGroups::default())?;
            Ok(trainer.with_checkpoints(&dir, 0))
        };
        let mut trainer = fresh()?;
        trainer.resume().with_context(|| format!("cannot go on from {}", dir.display()))?;
        if trainer.state().step > upto {
            trainer = fresh()?;
        }
        Ok(Self { trainer, material })
    }

    /// Trains until `step` steps are taken.
    ///
    /// # Errors
    /// A signal: the state is kept, and a later run goes on from it.
    pub(super) fn advance(&mut self, step: u64, cx: &Context) -> Result<()> {
        if self.trainer.state().step >= step {
            return Ok(());
        }
        let examples = &self.material.train;
        let mut loss = |model: &CausalLm, chosen: &[usize]| {
            let ids: Vec<Vec<u32>> = chosen.iter().map(|&i| examples[i].clone()).collect();
            model.loss(&Batch::pad(&ids, 0, PaddingSide::Right))
        };
        let mut until = Until { step, inner: cx.observer("steps"), cx, failure: None };
        let outcome = self.trainer.run(&mut loss, &mut until);
        if let Some(failure) = until.failure {
            return Err(failure);
        }
        let _ = outcome?;
        if self.trainer.state().step < step {
            cx.check_interrupt()?;
        }
        Ok(())
    }

    /// The model as it stands, without what a backward pass needs.
    pub(super) fn model(&self) -> CausalLm {
        self.trainer.model().clone().valid()
    }
}

/// Stops at a step, and at a signal; logs the loss of every step.
struct Until<'a> {
    step: u64,
    inner: ProgressObserver,
    cx: &'a Context,
    failure: Option<anyhow::Error>,
}

impl Observer for Until<'_> {
    fn on_start(&mut self, what: &str, total: Option<usize>) {
        self.inner.on_start(what, total);
    }

    fn on_step(&mut self, step: &Step<'_>) -> ControlFlow<()> {
        let done = step.index as u64 + 1;
        for (name, value) in step.values.iter().filter(|(name, _)| matches!(*name, "loss" | "lr")) {
            let logged = self.cx.log(done, &format!("train_{name}"), &Labels::default(), *value);
            if let Err(failure) = logged {
                self.failure = Some(failure);
                return ControlFlow::Break(());
            }
        }
        if done >= self.step { ControlFlow::Break(()) } else { self.inner.on_step(step) }
    }

    fn on_end(&mut self, what: &str) {
        self.inner.on_end(what);
    }
}
