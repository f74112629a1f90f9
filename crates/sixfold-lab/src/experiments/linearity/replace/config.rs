//! The config of `linearity/replace`.

use serde::{Deserialize, Serialize};
use sixfold_model::train::{Schedule, TrainerConfig};

use super::super::probe::ProbeConfig;
use crate::config::{Problem, Validate};
use crate::data::{Input, InputKind};
use crate::experiments::profile::{ModelRef, TextConfig};

/// What becomes of the layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// They are taken out.
    Prune,
    /// The affine map that fits best takes the place of each.
    Affine,
    /// One map takes the place of neighbouring layers.
    AffineSpan,
    /// As `Affine`, and the maps are trained to give what the model's layers give.
    AffineDistill,
}

impl Method {
    /// The name in configs and results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Prune => "prune",
            Self::Affine => "affine",
            Self::AffineSpan => "affine-span",
            Self::AffineDistill => "affine-distill",
        }
    }
}

/// Which layers go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// The most linear ones of the model as it was: the paper's order.
    MostLinear,
    /// The most linear one of what is left, measured anew after each.
    Greedy,
    /// The least linear ones: a control.
    LeastLinear,
    /// Any, by the seed: a control.
    Random,
}

impl Order {
    /// The name in configs and results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MostLinear => "most-linear",
            Self::Greedy => "greedy",
            Self::LeastLinear => "least-linear",
            Self::Random => "random",
        }
    }
}

/// Which model, which texts, which layers go in which order, and what takes their place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReplaceConfig {
    /// The model.
    pub model: ModelConfig,
    /// The text on which scores are taken and maps are fitted and trained.
    pub text: TextConfig,
    /// The text on which the loss is taken; without a path, the last tenth of the documents of
    /// `text`, which is then fitted on the others.
    pub eval: TextConfig,
    /// How many layers go.
    pub layers: Vec<usize>,
    /// What becomes of them.
    pub methods: Vec<Method>,
    /// In which order they go. All methods but distillation take all orders.
    pub orders: Vec<Order>,
    /// The training of the maps.
    pub distill: DistillConfig,
    /// Task accuracy: a linear probe on the last hidden state of the changed model.
    pub probe: ProbeConfig,
    /// Whether every changed model is kept as a checkpoint, in `models/` of the run.
    pub save: bool,
}

/// The model directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelConfig {
    /// A Hugging Face directory.
    pub dir: String,
}

/// How maps are trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DistillConfig {
    /// Steps, each on a batch of up to 4,096 tokens.
    pub steps: u64,
    /// The highest learning rate; it falls along half a cosine.
    pub peak_lr: f64,
}

impl ModelConfig {
    /// The name of the model in the results.
    pub(in crate::experiments) fn name(&self) -> String {
        ModelRef::new(&self.dir).name()
    }

    /// The directory, which has to be there.
    pub(in crate::experiments) fn input(&self) -> Input {
        Input::new(InputKind::Model, "model.dir", &self.dir)
    }

    /// What is wrong with it.
    pub(in crate::experiments) fn problems(&self) -> Vec<Problem> {
        let empty = self.dir.is_empty();
        empty
            .then(|| Problem::new("model.dir", "is empty; a directory is expected"))
            .into_iter()
            .collect()
    }
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self { dir: "{repo}/fixtures/models/stories260k".to_owned() }
    }
}

impl Default for DistillConfig {
    fn default() -> Self {
        Self { steps: 200, peak_lr: 1e-3 }
    }
}

impl Default for ReplaceConfig {
    fn default() -> Self {
        Self {
            model: ModelConfig::default(),
            text: TextConfig::default(),
            eval: TextConfig::default(),
            layers: vec![1, 2],
            methods: vec![Method::Prune, Method::Affine, Method::AffineDistill],
            orders: vec![Order::MostLinear],
            distill: DistillConfig::default(),
            probe: ProbeConfig::default(),
            save: false,
        }
    }
}

impl DistillConfig {
    pub(super) fn trainer(&self, seed: u64) -> TrainerConfig {
        TrainerConfig {
            batch_size: 1,
            max_steps: Some(self.steps),
            peak_lr: self.peak_lr,
            schedule: Schedule::Cosine,
            seed,
            ..TrainerConfig::default()
        }
    }
}

impl ReplaceConfig {
    /// The files that have to be there.
    pub(super) fn inputs(&self) -> Vec<Input> {
        let eval = (!self.eval.path.is_empty()).then(|| self.eval.input("eval"));
        [self.model.input(), self.text.input("text")]
            .into_iter()
            .chain(eval)
            .chain(self.probe.inputs())
            .collect()
    }
}

impl Validate for ReplaceConfig {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = self.model.problems();
        problems.extend(self.text.problems("text"));
        // Without a path it is a part of the other text.
        let eval = self.eval.problems("eval").into_iter();
        problems.extend(eval.filter(|problem| problem.key != "eval.path"));
        problems.extend(self.probe.problems());
        let mut require = |holds: bool, key: &str, message: &str| {
            if !holds {
                problems.push(Problem::new(key, message.to_owned()));
            }
        };
        let whole = !self.layers.is_empty() && self.layers.iter().all(|&n| n > 0);
        require(whole, "layers", "wants numbers of layers from 1 on");
        require(!self.methods.is_empty(), "methods", "is empty; `affine` is the plainest");
        require(!self.orders.is_empty(), "orders", "is empty; `most-linear` is the paper's");
        if let Err(sixfold_model::Error::Hyperparameters { problems: found }) =
            self.distill.trainer(0).validate()
        {
            problems.extend(found.into_iter().map(|problem| Problem::new("distill", problem)));
        }
        problems
    }
}
