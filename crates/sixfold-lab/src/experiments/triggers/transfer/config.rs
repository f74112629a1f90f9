//! The config of `triggers/transfer`.

use serde::{Deserialize, Serialize};

use super::super::keys::{self, FilterKeys, Rules, SearchKeys};
use super::super::methods::Method;
use super::super::splits;
use super::super::victims::{Recipe, Source, TrainingConfig};
use crate::config::{Problem, Validate};
use crate::data::{Input, SentenceTask};

/// Between which classifiers and tasks triggers are carried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TransferConfig {
    /// Classifiers of one task, each a recipe by its name or a model directory.
    pub victims: Vec<String>,
    /// Their task.
    pub task: SentenceTask,
    /// Tasks between which triggers of one architecture are carried; fewer than two for none.
    pub tasks: Vec<SentenceTask>,
    /// That architecture.
    pub architecture: Recipe,
    /// The directory of GLUE.
    pub glue: String,
    /// Examples that report, at most; 0 for all of the dev file.
    pub max_dev: usize,
    /// Methods: luat and uat, and controls. Each method other than luat has as many searches as luat has layers and q.
    pub methods: Vec<Method>,
    /// Unlabelled examples with which a setting is chosen: of the target between models, which then do not report; of
    /// the similar task between tasks.
    pub select: usize,
    /// Tokens of a trigger.
    pub length: usize,
    /// Norms of the layerwise method.
    pub q: Vec<f64>,
    /// Its layers, from 0; the upper half where none is named.
    pub layers: Vec<usize>,
    /// Example-forwards of a search.
    pub budget: f64,
    /// Which tokens a trigger may have.
    pub filter: FilterKeys,
    /// How triggers are searched for.
    pub search: SearchKeys,
    /// How victims are trained.
    pub training: TrainingConfig,
}

impl Default for TransferConfig {
    fn default() -> Self {
        Self {
            victims: ["bert", "roberta", "albert"].map(str::to_owned).to_vec(),
            task: SentenceTask::Synthetic,
            tasks: Vec::new(),
            architecture: Recipe::Bert,
            glue: "{data}/glue".to_owned(),
            max_dev: 0,
            methods: vec![Method::Luat, Method::Uat, Method::Random],
            select: 256,
            length: 3,
            q: vec![2.0, 5.0],
            layers: Vec::new(),
            budget: 24_000.0,
            filter: FilterKeys::default(),
            search: SearchKeys::default(),
            training: TrainingConfig::default(),
        }
    }
}

impl TransferConfig {
    /// The files that have to be there.
    pub(super) fn inputs(&self) -> Vec<Input> {
        let victims = self.victims.iter().map(|name| Source::named(name));
        let mut inputs: Vec<Input> =
            victims.flat_map(|source| source.inputs("victims", &self.training)).collect();
        inputs.extend(splits::inputs(self.task, &self.glue));
        if self.tasks.len() > 1 {
            inputs.extend(Source::Recipe(self.architecture).inputs("architecture", &self.training));
            inputs.extend(self.tasks.iter().flat_map(|task| splits::inputs(*task, &self.glue)));
        }
        inputs
    }

    pub(super) fn rules(&self) -> Rules<'_> {
        let Self { length, budget, search, filter, .. } = self;
        Rules { length: *length, budget: *budget, search, filter }
    }
}

impl Validate for TransferConfig {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = splits::problems("task", self.task);
        problems.extend(self.tasks.iter().flat_map(|task| splits::problems("tasks", *task)));
        let (methods, q, layers) = (&self.methods, &self.q, &self.layers);
        problems.extend(keys::problems(methods, q, layers, self.rules()));
        problems.extend(self.training.problems());
        let mut require = |holds: bool, key: &str, message: String| {
            if !holds {
                problems.push(Problem::new(key, message));
            }
        };
        let measured = self.victims.len() > 1 || self.tasks.len() > 1;
        require(measured, "victims", "has fewer than two, and so has `tasks`".to_owned());
        let names: Vec<String> =
            self.victims.iter().map(|name| Source::named(name).name()).collect();
        for (index, name) in names.iter().enumerate() {
            require(!names[..index].contains(name), "victims", format!("`{name}` stands twice"));
        }
        for (index, task) in self.tasks.iter().enumerate() {
            let twice = self.tasks[..index].contains(task);
            require(!twice, "tasks", format!("`{task}` stands twice"));
        }
        for method in [Method::Luat, Method::Uat] {
            let there = self.methods.contains(&method);
            require(there, "methods", format!("lacks `{method}`: the gain is luat's over uat"));
        }
        require(self.select > 0, "select", "is 0".to_owned());
        problems
    }
}
