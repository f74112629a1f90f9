//! The config of `linearity/finetune`.

use serde::{Deserialize, Serialize};
use sixfold_model::train::{AdamWConfig, TrainerConfig};

use super::super::replace::ModelConfig;
use crate::config::{Problem, Validate};
use crate::data::{Input, InputKind, SentenceTask, Split};
use crate::experiments::profile::{Filter, filter_problems};

/// Which model is fine-tuned on which tasks, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FinetuneConfig {
    /// The model.
    pub model: ModelConfig,
    /// The directory of GLUE.
    pub glue: String,
    /// Tasks, of GLUE or `synthetic`.
    pub tasks: Vec<SentenceTask>,
    /// The training, the same for every task.
    pub recipe: FinetuneRecipe,
    /// Which tokens count; sentences are about the first.
    pub filters: Vec<Filter>,
    /// Whether the same training is also done with the classes dealt out anew: what remains of a
    /// change when there is nothing to learn.
    pub shuffled_control: bool,
}

/// How a classifier is fine-tuned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FinetuneRecipe {
    /// Examples that are learned from, at most.
    pub max_train: usize,
    /// Tokens of an example, at most; the model's context where that is shorter.
    pub max_tokens: usize,
    /// Examples of a step.
    pub batch_size: usize,
    /// Passes over the examples.
    pub epochs: u64,
    /// The highest learning rate; it rises over a tenth of the steps and falls in a line.
    pub peak_lr: f64,
}

impl Default for FinetuneConfig {
    fn default() -> Self {
        Self {
            model: ModelConfig::default(),
            glue: "{data}/glue".to_owned(),
            tasks: vec![SentenceTask::Synthetic],
            recipe: FinetuneRecipe::default(),
            filters: vec![Filter::All],
            shuffled_control: true,
        }
    }
}

impl Default for FinetuneRecipe {
    fn default() -> Self {
        Self { max_train: 2000, max_tokens: 128, batch_size: 16, epochs: 2, peak_lr: 5e-5 }
    }
}

impl FinetuneConfig {
    pub(super) fn trainer(&self, seed: u64) -> TrainerConfig {
        TrainerConfig {
            batch_size: self.recipe.batch_size,
            epochs: self.recipe.epochs,
            peak_lr: self.recipe.peak_lr,
            optimizer: AdamWConfig { weight_decay: 0.01, ..AdamWConfig::default() },
            seed,
            ..TrainerConfig::default()
        }
    }

    /// The files that have to be there.
    pub(super) fn inputs(&self) -> Vec<Input> {
        let files = self.tasks.iter().flat_map(|task| {
            [Split::Train, Split::Dev].into_iter().filter_map(|split| {
                let path = task.path(self.glue.as_ref(), split)?;
                Some(Input::new(InputKind::File, "glue", path.to_string_lossy()))
            })
        });
        std::iter::once(self.model.input()).chain(files).collect()
    }
}

impl Validate for FinetuneConfig {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = self.model.problems();
        problems.extend(filter_problems(&self.filters));
        let mut require = |holds: bool, key: &str, message: String| {
            if !holds {
                problems.push(Problem::new(key, message));
            }
        };
        require(!self.tasks.is_empty(), "tasks", "is empty; `synthetic` needs no data".to_owned());
        for (index, task) in self.tasks.iter().enumerate() {
            let classes = format!("`{task}` has no classes, which a classifier needs");
            require(task.n_classes() > 1, "tasks", classes);
            let twice = self.tasks[..index].contains(task);
            require(!twice, "tasks", format!("`{task}` stands twice"));
        }
        let Self { recipe, .. } = self;
        require(recipe.max_train >= 2, "recipe.max_train", "is below 2".to_owned());
        require(recipe.max_tokens >= 4, "recipe.max_tokens", "is below 4".to_owned());
        require(recipe.epochs > 0, "recipe.epochs", "is 0".to_owned());
        if let Err(sixfold_model::Error::Hyperparameters { problems: found }) =
            self.trainer(0).validate()
        {
            problems.extend(found.into_iter().map(|problem| Problem::new("recipe", problem)));
        }
        problems
    }
}
