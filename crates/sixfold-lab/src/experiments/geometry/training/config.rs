//! The config of `geometry/training`.

use serde::{Deserialize, Serialize};

use super::super::Estimator;
use super::super::profile::probe_problems;
use super::checkpoints::{Checkpoints, dir_problems, step_of};
use crate::config::{Problem, Validate};
use crate::data::{Input, InputKind};
use crate::experiments::decoder::Recipe;
use crate::experiments::profile::{Filter, ModelRef, TextConfig, filter_problems};

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
        let mut inputs = match &self.checkpoints {
            Checkpoints::Train => vec![self.recipe.input()],
            Checkpoints::Dirs(dirs) => dirs
                .iter()
                .enumerate()
                .map(|(index, dir)| {
                    Input::new(InputKind::Model, format!("checkpoints[{index}]"), &dir.dir)
                })
                .collect(),
        };
        inputs.push(self.text.input("text"));
        inputs
    }
}

impl Validate for TrainingConfig {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = self.text.problems("text");
        problems.extend(filter_problems(&self.filters));
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
}
