//! The config of `geometry/training`.

use serde::{Deserialize, Serialize};
use sixfold_model::TransformerSpec;
use sixfold_model::train::{Schedule, TrainerConfig};

use super::super::Estimator;
use super::super::profile::probe_problems;
use super::checkpoints::{Checkpoints, dir_problems, step_of};
use crate::config::{Problem, Validate};
use crate::data::{Input, InputKind};
use crate::experiments::profile::{Filter, ModelRef, ProfileConfig, TextConfig};

/// Which states of a training, which text, which tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainingConfig {
    /// Directories of checkpoints, or `"train"` for a training within the run.
    pub checkpoints: Checkpoints,
    /// That training.
    pub recipe: Recipe,
    /// The text: of a training, the last tenth of its documents is held out and measured; of
    /// checkpoints, all of it is measured.
    pub text: TextConfig,
    /// Which tokens count; sentences are about the first.
    pub filters: Vec<Filter>,
    /// Tokens among which neighbours are looked for, at most, under each filter.
    pub sample: usize,
    /// Estimators of the dimension. The first is used under every filter, all under the first.
    pub estimators: Vec<Estimator>,
}

impl Default for TrainingConfig {
    fn default() -> Self {
        Self {
            checkpoints: Checkpoints::Train,
            recipe: Recipe::default(),
            text: TextConfig::default(),
            filters: vec![Filter::All],
            sample: 4096,
            estimators: Estimator::TRAINING.to_vec(),
        }
    }
}

/// A small decoder and how it is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recipe {
    /// A directory with the `tokenizer.json` that cuts the text into tokens.
    pub tokenizer: String,
    /// Width of the residual stream.
    pub d_model: usize,
    /// Blocks.
    pub n_layers: usize,
    /// Heads of attention.
    pub n_heads: usize,
    /// Tokens of an example.
    pub context: usize,
    /// Examples of a step.
    pub batch_size: usize,
    /// Steps of the training.
    pub steps: u64,
    /// Steps in which the learning rate rises.
    pub warmup_steps: u64,
    /// The highest learning rate; it falls along half a cosine.
    pub peak_lr: f64,
    /// Tokens of the text that are read, held-out ones included; 0 for all.
    pub max_tokens: usize,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            tokenizer: "{repo}/fixtures/models/stories260k".to_owned(),
            d_model: 64,
            n_layers: 5,
            n_heads: 4,
            context: 128,
            batch_size: 16,
            steps: 1024,
            warmup_steps: 32,
            peak_lr: 3e-3,
            max_tokens: 0,
        }
    }
}

impl Recipe {
    /// The settings of the training.
    pub(super) fn trainer(&self, seed: u64) -> TrainerConfig {
        TrainerConfig {
            batch_size: self.batch_size,
            max_steps: Some(self.steps),
            peak_lr: self.peak_lr,
            schedule: Schedule::Cosine,
            warmup_steps: Some(self.warmup_steps),
            seed,
            ..TrainerConfig::default()
        }
    }

    /// The decoder over a vocabulary.
    pub(super) fn spec(&self, vocab_size: usize) -> TransformerSpec {
        TransformerSpec::decoder(vocab_size, self.d_model, self.n_layers, self.n_heads)
    }

    /// The steps at which the model is measured: 0, then doubling, then the last.
    pub(super) fn measured_steps(&self) -> Vec<u64> {
        let doubling = std::iter::successors(Some(1), |step| Some(step * 2));
        let before = doubling.take_while(|step| *step < self.steps);
        std::iter::once(0).chain(before).chain([self.steps]).collect()
    }

    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut require = |holds: bool, key: &str, message: &str| {
            if !holds {
                problems.push(Problem::new(format!("recipe.{key}"), message.to_owned()));
            }
        };
        require(self.n_layers > 0, "n_layers", "is 0; at least one block is expected");
        require(self.steps > 0, "steps", "is 0; at least one step is expected");
        require(self.context >= 8, "context", "is too short; at least 8 tokens are expected");
        let heads = self.n_heads > 0 && self.d_model.is_multiple_of(2 * self.n_heads.max(1));
        require(
            heads && self.d_model > 0,
            "d_model",
            "is not a multiple of 2 · n_heads, which rotary positions need",
        );
        require(!self.tokenizer.is_empty(), "tokenizer", "is empty; a directory is expected");
        if let Err(sixfold_model::Error::Hyperparameters { problems: found }) =
            self.trainer(0).validate()
        {
            problems.extend(found.into_iter().map(|problem| Problem::new("recipe", problem)));
        }
        problems
    }
}

impl TrainingConfig {
    /// The checkpoints by step; empty for a training.
    pub(super) fn by_step(&self) -> Vec<(u64, &ModelRef)> {
        let Checkpoints::Dirs(dirs) = &self.checkpoints else { return Vec::new() };
        let mut steps: Vec<(u64, &ModelRef)> =
            dirs.iter().filter_map(|dir| Some((step_of(&dir.name())?, dir))).collect();
        steps.sort_by_key(|(step, _)| *step);
        steps
    }

    /// The files that have to be there.
    pub(super) fn inputs(&self) -> Vec<Input> {
        let text = Input {
            column: self.text.column.clone(),
            ..Input::new(InputKind::Text, "text.path", &self.text.path)
        };
        let mut inputs = match &self.checkpoints {
            Checkpoints::Train => {
                let path = format!("{}/tokenizer.json", self.recipe.tokenizer);
                vec![Input::new(InputKind::File, "recipe.tokenizer", path)]
            }
            Checkpoints::Dirs(dirs) => dirs
                .iter()
                .enumerate()
                .map(|(index, dir)| {
                    Input::new(InputKind::Model, format!("checkpoints[{index}]"), &dir.dir)
                })
                .collect(),
        };
        inputs.push(text);
        inputs
    }
}

impl Validate for TrainingConfig {
    fn problems(&self) -> Vec<Problem> {
        // Text and filters obey the rules of the profiles, whose models these are not.
        let shared = ProfileConfig {
            models: vec![ModelRef::new("any")],
            text: self.text.clone(),
            filters: self.filters.clone(),
        };
        let mut problems = shared.problems();
        match &self.checkpoints {
            Checkpoints::Train => problems.extend(self.recipe.problems()),
            Checkpoints::Dirs(dirs) => problems.extend(dir_problems(dirs)),
        }
        problems.extend(probe_problems(self.sample, &self.estimators));
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<TrainingConfig, toml::de::Error> {
        toml::from_str(text)
    }

    fn problems(text: &str) -> Vec<String> {
        let config = read(&format!("text.path = \"a\"\n{text}")).unwrap();
        config.problems().iter().map(|problem| format!("{problem:?}")).collect()
    }

    #[test]
    fn checkpoints_are_a_word_or_a_list_in_the_order_of_their_steps() {
        assert_eq!(read("checkpoints = \"train\"").unwrap().checkpoints, Checkpoints::Train);
        let list = read(
            "checkpoints = [\"a/step16\", \"a/step2/hf\", { dir = \"b\", name = \"step-1k\" }]",
        )
        .unwrap();
        let steps: Vec<u64> = list.by_step().iter().map(|(step, _)| *step).collect();
        assert_eq!(steps, [2, 16, 1000]);
        let again: TrainingConfig = toml::from_str(&toml::to_string(&list).unwrap()).unwrap();
        assert_eq!(again, list);
        let error = read("checkpoints = \"rtain\"").unwrap_err().to_string();
        assert!(error.contains("\"train\", or a list of directories"), "{error}");
    }

    #[test]
    fn problems_name_their_key() {
        assert!(problems("").is_empty());
        for (text, expected) in [
            ("checkpoints = []", "checkpoints"),
            ("checkpoints = [\"pythia\"]", "names no step"),
            ("checkpoints = [\"a/step1\", \"b/global_step1\"]", "both of step 1"),
            ("recipe.d_model = 30", "recipe.d_model"),
            ("recipe.steps = 0", "recipe.steps"),
            ("recipe.peak_lr = -1.0", "peak_lr"),
            ("sample = 3", "sample"),
            ("estimators = []", "estimators"),
        ] {
            let found = problems(text);
            assert!(found.iter().any(|problem| problem.contains(expected)), "{text}: {found:?}");
        }
    }

    #[test]
    fn measured_steps_double_between_the_ends() {
        let steps = |steps| Recipe { steps, ..Recipe::default() }.measured_steps();
        assert_eq!(steps(10), [0, 1, 2, 4, 8, 10]);
        assert_eq!(steps(8), [0, 1, 2, 4, 8]);
        assert_eq!(steps(1), [0, 1]);
    }
}
