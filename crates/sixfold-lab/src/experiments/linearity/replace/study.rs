//! The model under the knife: what is read, what is measured, how it is changed.

use anyhow::Result;
use burn::module::Module;
use sixfold_linearity::{AffineMap, PairTap, Surgery, layerwise_mse, spans};
use sixfold_model::stats::{LayerMoments, TokenFilter};
use sixfold_model::train::{ParamGroups, Patterns, Trainer, freeze, unfreeze};
use sixfold_model::{CausalLm, Checkpoint, Seed, Tokenizer, Transformer};

use super::super::probe::Task;
use super::config::{DistillConfig, Method, ReplaceConfig};
use crate::context::Context;
use crate::data::Documents;
use crate::experiments::profile::{Reading, Streamed, TextConfig, context, pass};

/// A model with the texts and tasks that it is measured on.
pub(super) struct Study {
    pub(super) checkpoint: Checkpoint,
    pub(super) model: Model,
    tokenizer: Tokenizer,
    pub(super) fit: Reading,
    pub(super) eval: Reading,
    pub(super) tasks: Vec<Task>,
    max_tokens: usize,
}

/// A language model where the family is one, else a transformer without a head.
#[derive(Clone, Debug)]
pub(super) enum Model {
    Lm(Box<CausalLm>),
    Body(Box<Transformer>),
}

impl Model {
    fn load(checkpoint: &Checkpoint, device: &burn::tensor::Device) -> Result<Self> {
        Ok(match checkpoint.spec().causal {
            true => Self::Lm(Box::new(checkpoint.causal_lm(device)?)),
            false => Self::Body(Box::new(checkpoint.transformer(device)?)),
        })
    }

    pub(super) fn body(&self) -> &Transformer {
        match self {
            Self::Lm(model) => &model.body,
            Self::Body(body) => body,
        }
    }

    pub(super) fn with_body(self, change: impl FnOnce(Transformer) -> Transformer) -> Self {
        match self {
            Self::Lm(model) => {
                let CausalLm { body, head } = *model;
                Self::Lm(Box::new(CausalLm { body: change(body), head }))
            }
            Self::Body(body) => Self::Body(Box::new(change(*body))),
        }
    }

    /// Float parameters.
    pub(super) fn n_parameters(&self) -> usize {
        match self {
            Self::Lm(model) => model.num_params(),
            Self::Body(body) => body.num_params(),
        }
    }
}

/// What is measured on a model.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Measured {
    /// The layers that went, in their order.
    pub(super) layers: Vec<usize>,
    /// Mean loss of a token of the evaluation text; none without a language model.
    pub(super) loss: Option<f64>,
    /// Tasks and the accuracy of a probe on the last hidden state.
    pub(super) accuracies: Vec<(String, f64)>,
    /// Float parameters.
    pub(super) parameters: usize,
}

impl Study {
    pub(super) fn open(config: &ReplaceConfig, cx: &Context) -> Result<Self> {
        let dir = cx.locator().existing("model.dir", &config.model.dir)?;
        let checkpoint = Checkpoint::open(&dir)?;
        let model = Model::load(&checkpoint, &sixfold_model::device(cx.device_name())?)?;
        let tokenizer = Tokenizer::from_dir(&dir)?;
        let read = |key: &str, text: &TextConfig| {
            let path = cx.locator().existing(key, &text.path)?;
            Documents::open(&path, text.column.as_ref())?.collect::<Result<Vec<String>>>()
        };
        let mut documents = read("text.path", &config.text)?;
        let held_out = match config.eval.path.is_empty() {
            true => documents.split_off(documents.len() - documents.len().div_ceil(10)),
            false => read("eval.path", &config.eval)?,
        };
        let (window, pad) = (context(checkpoint.spec()), checkpoint.pad_token().unwrap_or(0));
        let reading = |documents: Vec<String>, key: &str, max_tokens| -> Result<Reading> {
            let documents = documents.into_iter().map(Ok);
            let reading = Reading::of(documents, &tokenizer, window, pad, max_tokens)?;
            anyhow::ensure!(reading.n_tokens > 1, "{key}: no text is left to read");
            Ok(reading)
        };
        Ok(Self {
            fit: reading(documents, "text.path", config.text.max_tokens)?,
            eval: reading(held_out, "eval.path", config.eval.max_tokens)?,
            tasks: config.probe.read(cx)?,
            max_tokens: config.probe.max_tokens,
            checkpoint,
            model,
            tokenizer,
        })
    }

    /// The moments of all sites and transitions of a model on the text to fit on.
    pub(super) fn moments(&self, model: &Transformer, cx: &mut Context) -> Result<LayerMoments> {
        let filters = [TokenFilter::All];
        let mut streamed = Streamed::of(model, &self.fit, &filters, "text to fit on", cx)?;
        streamed.all(TokenFilter::All)
    }

    /// What takes the place of `layers`, by a method that fits on the model as it was; `maps` are
    /// those of all its layers.
    pub(super) fn plan(
        &self,
        method: Method,
        layers: &[usize],
        maps: &[AffineMap],
        cx: &Context,
    ) -> Result<Surgery> {
        let mut parts = Vec::new();
        for span in spans(layers) {
            match method {
                Method::Prune => parts.push((span, None)),
                Method::AffineSpan if span.len() > 1 => {
                    let map = self.span_map(span.start, span.end, cx)?;
                    parts.push((span, Some(map)));
                }
                Method::Affine | Method::AffineSpan | Method::AffineDistill => {
                    parts.extend(span.map(|layer| (layer..layer + 1, Some(maps[layer].clone()))));
                }
            }
        }
        Ok(Surgery::new(self.model.body().n_layers(), parts)?)
    }

    fn span_map(&self, from: usize, to: usize, cx: &Context) -> Result<AffineMap> {
        let mut tap = PairTap::new(from, to);
        let what = format!("map of layers {from} to {}", to - 1);
        pass(self.model.body(), &self.fit, &mut tap, &what, cx, |tap, batch, _| tap.begin(batch))?;
        let moments = tap.finish()?;
        let moments = moments.ok_or_else(|| anyhow::anyhow!("{what}: no token"))?;
        Ok(moments.transition().affine_map()?)
    }

    /// Trains the maps of a plan to give what the layers gave; nothing else changes.
    pub(super) fn distilled(
        &self,
        plan: &Surgery,
        config: &DistillConfig,
        cx: &Context,
    ) -> Result<Model> {
        let device = sixfold_model::device(cx.device_name())?.autodiff();
        let everything = Patterns::new(["**"])?;
        let load = || -> Result<Transformer> { Ok(self.checkpoint.transformer(&device)?) };
        let teacher = freeze(load()?, &everything)?;
        let student = freeze(plan.apply(load()?, &device), &everything)?;
        let maps = student.spec().affine.iter().map(|block| format!("blocks.{block}.**"));
        let maps: Vec<String> = maps.collect();
        let student = unfreeze(student, &Patterns::new(maps.iter().map(String::as_str))?)?;
        let pairs: Vec<[usize; 2]> =
            plan.site_pairs().into_iter().filter(|pair| *pair != [0, 0]).collect();
        let batches = &self.fit.batches;
        let trainer = config.trainer(cx.seed());
        let mut trainer = Trainer::new(student, batches.len(), &trainer, &ParamGroups::default())?;
        let mut loss = |student: &Transformer, chosen: &[usize]| {
            let batch = &batches[chosen[0]].0;
            layerwise_mse(student, &teacher, batch, &pairs).map_err(|error| match error {
                sixfold_linearity::Error::Model(error) => error,
                other => unreachable!("only the models can fail here: {other}"),
            })
        };
        let outcome = trainer.run(&mut loss, &mut cx.observer("steps"))?;
        if outcome == sixfold_model::train::Outcome::Interrupted {
            cx.check_interrupt()?;
        }
        let body = trainer.into_model().valid();
        Ok(self.model.clone().with_body(|_| body))
    }

    /// Loss, and accuracy of the tasks.
    pub(super) fn measure(
        &self,
        model: &Model,
        layers: &[usize],
        cx: &Context,
    ) -> Result<Measured> {
        let loss = match model {
            Model::Lm(model) => Some(self.eval.mean_loss(model)?),
            Model::Body(_) => None,
        };
        let mut accuracies = Vec::new();
        for task in &self.tasks {
            let (body, last) = (model.body(), model.body().n_layers());
            let found = task.accuracies(body, &self.tokenizer, self.max_tokens, last, cx)?;
            accuracies.extend(found.iter().map(|last| (task.task.name().to_owned(), *last)));
        }
        Ok(Measured { layers: layers.to_vec(), loss, accuracies, parameters: model.n_parameters() })
    }

    /// Any order of the layers, by the seed.
    pub(super) fn random_order(&self, seed: u64) -> Vec<usize> {
        use rand::seq::SliceRandom;
        let mut layers: Vec<usize> = (0..self.model.body().n_layers()).collect();
        layers.shuffle(&mut Seed::new(seed).stream("order"));
        layers
    }
}
