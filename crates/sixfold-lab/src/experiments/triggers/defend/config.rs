//! The config of `triggers/defend`.

use serde::{Deserialize, Serialize};

use super::super::keys::{self, FilterKeys, Rules, SearchKeys};
use super::super::methods::Method;
use super::super::splits;
use super::super::victims::{TrainingConfig, VictimConfig};
use crate::config::{Problem, Validate};
use crate::data::{Input, SentenceTask};

/// Which classifier is defended, against which triggers, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DefendConfig {
    /// The classifier.
    pub victim: VictimConfig,
    /// The task: one of GLUE, or `synthetic`.
    pub task: SentenceTask,
    /// The directory of GLUE.
    pub glue: String,
    /// Examples that report, at most; 0 for all of the dev file.
    pub max_dev: usize,
    /// Methods whose triggers are defended against, one search each; luat has one for each layer and q.
    pub methods: Vec<Method>,
    /// Tokens of a trigger.
    pub length: usize,
    /// Norms of the layerwise method.
    pub q: Vec<f64>,
    /// Its layers, from 0; the last one where none is named.
    pub layers: Vec<usize>,
    /// Example-forwards of a search.
    pub budget: f64,
    /// Texts that the language model of the detectors learns from.
    pub language_model: LanguageTexts,
    /// Whether the victim is trained again with triggers in its examples, and searched anew. Takes a recipe.
    pub retrain: bool,
    /// Examples with a trigger that are added for each there is.
    pub augment_share: f64,
    /// Which tokens a trigger may have.
    pub filter: FilterKeys,
    /// How triggers are searched for.
    pub search: SearchKeys,
    /// How a victim is trained.
    pub training: TrainingConfig,
}

/// Texts of the user, without their classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LanguageTexts {
    /// Four fifths of the slice of the search; the last fifth says how surprising a clean text is.
    #[default]
    Search,
    /// The texts that the victim learned from; the slice of the search says how surprising a clean text is.
    Train,
}

impl Default for DefendConfig {
    fn default() -> Self {
        Self {
            victim: VictimConfig::default(),
            task: SentenceTask::Synthetic,
            glue: "{data}/glue".to_owned(),
            max_dev: 0,
            methods: vec![Method::Luat, Method::Uat, Method::Random],
            length: 3,
            q: vec![2.0],
            layers: Vec::new(),
            budget: 24_000.0,
            language_model: LanguageTexts::Search,
            retrain: true,
            augment_share: 0.5,
            filter: FilterKeys::default(),
            search: SearchKeys::default(),
            training: TrainingConfig::default(),
        }
    }
}

impl DefendConfig {
    /// The files that have to be there.
    pub(super) fn inputs(&self) -> Vec<Input> {
        let mut inputs = self.victim.source().inputs("victim.dir", &self.training);
        inputs.extend(splits::inputs(self.task, &self.glue));
        inputs
    }

    pub(super) fn rules(&self) -> Rules<'_> {
        let Self { length, budget, search, filter, .. } = self;
        Rules { length: *length, budget: *budget, search, filter }
    }
}

impl Validate for DefendConfig {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = splits::problems("task", self.task);
        let (methods, q, layers) = (&self.methods, &self.q, &self.layers);
        problems.extend(keys::problems(methods, q, layers, self.rules()));
        problems.extend(self.training.problems());
        let mut require = |holds: bool, key: &str, message: String| {
            if !holds {
                problems.push(Problem::new(key, message));
            }
        };
        let share = self.augment_share;
        require(
            share > 0.0 && share <= 1.0,
            "augment_share",
            format!("{share}, expected above 0 and at most 1"),
        );
        require(self.search.examples >= 10, "search.examples", "is below 10".to_owned());
        let dir = &self.victim.dir;
        require(
            !self.retrain || dir.is_empty(),
            "retrain",
            "takes a recipe: set retrain=false for a directory".to_owned(),
        );
        problems
    }
}
