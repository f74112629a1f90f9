//! The config of `sparsegrad/glue`.

use serde::{Deserialize, Serialize};

use super::super::methods::{BasisName, Method};
use super::super::recipe::TuningRecipe;
use super::super::ways::Common;
use crate::config::{Problem, Validate};
use crate::data::{Input, InputKind, SentenceTask, Split};

/// Which methods are compared on which tasks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GlueConfig {
    /// The encoder.
    pub model: EncoderRef,
    /// The directory of GLUE.
    pub glue: String,
    /// Tasks, of GLUE or `synthetic`.
    pub tasks: Vec<SentenceTask>,
    /// The methods.
    pub methods: Vec<Method>,
    /// Entries that SparseGrad trains, of all of an adapted matrix; the others have nearest to as many.
    pub fraction: f64,
    /// Coordinates that SparseGrad keeps, among which entries are chosen; 0 for as few as `fraction` needs.
    pub rank: usize,
    /// The basis of `sparsegrad` and `sparsegrad-adapter`.
    pub basis: BasisName,
    /// Whether every method trains all but the adapted matrices, densely, as in the paper.
    pub train_rest: bool,
    /// Tokens of an example, at most.
    pub max_tokens: usize,
    /// The training.
    pub recipe: TuningRecipe,
}

/// An encoder in a directory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EncoderRef {
    /// A Hugging Face directory. Empty for a tiny encoder that the run trains itself.
    pub dir: String,
}

impl EncoderRef {
    /// What has to be there.
    pub(in super::super) fn input(&self) -> Option<Input> {
        (!self.dir.is_empty()).then(|| Input::new(InputKind::Model, "model.dir", &self.dir))
    }
}

impl Default for GlueConfig {
    fn default() -> Self {
        Self {
            model: EncoderRef::default(),
            glue: "{data}/glue".to_owned(),
            tasks: vec![SentenceTask::Synthetic],
            methods: vec![
                Method::Full,
                Method::Lora,
                Method::MeProp,
                Method::SparseGrad,
                Method::RandomBasis,
                Method::IdentityBasis,
            ],
            fraction: 0.012,
            rank: 0,
            basis: BasisName::Paired,
            train_rest: false,
            max_tokens: 128,
            recipe: TuningRecipe::default(),
        }
    }
}

/// The files of some tasks.
pub(in super::super) fn task_inputs(tasks: &[SentenceTask], glue: &str) -> Vec<Input> {
    let files = tasks.iter().flat_map(|task| {
        [Split::Train, Split::Dev].into_iter().filter_map(|split| {
            let path = task.path(glue.as_ref(), split)?;
            Some(Input::new(InputKind::File, "glue", path.to_string_lossy()))
        })
    });
    files.collect()
}

/// What is wrong with a fraction.
pub(in super::super) fn fraction_problem(key: &str, fraction: f64) -> Option<Problem> {
    let fits = fraction > 0.0 && fraction <= 1.0;
    (!fits).then(|| Problem::new(key, format!("{fraction}, expected above 0 and at most 1")))
}

/// What stands twice in a list.
pub(in super::super) fn twice<T: PartialEq + std::fmt::Display>(
    key: &str,
    values: &[T],
) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, value) in values.iter().enumerate() {
        if values[..index].contains(value) {
            problems.push(Problem::new(key, format!("`{value}` stands twice")));
        }
    }
    problems
}

impl GlueConfig {
    /// The files that have to be there.
    pub(super) fn inputs(&self) -> Vec<Input> {
        self.model.input().into_iter().chain(task_inputs(&self.tasks, &self.glue)).collect()
    }

    /// What the methods have in common.
    pub(super) fn common(&self) -> Common {
        Common {
            targets: vec!["**.mlp.*".to_owned()],
            head: vec!["head.**".to_owned()],
            train_rest: self.train_rest,
            fraction: self.fraction,
            rank: (self.rank > 0).then_some(self.rank),
            basis: self.basis,
            calibration_batches: self.recipe.calibration_batches,
            seed: 0,
        }
    }
}

impl Validate for GlueConfig {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = self.recipe.problems();
        let mut require = |holds: bool, key: &str, message: &str| {
            if !holds {
                problems.push(Problem::new(key, message.to_owned()));
            }
        };
        require(!self.tasks.is_empty(), "tasks", "is empty; `synthetic` needs no data");
        require(!self.methods.is_empty(), "methods", "is empty");
        require(self.max_tokens >= 4, "max_tokens", "is below 4");
        problems.extend(twice("tasks", &self.tasks));
        problems.extend(twice("methods", &self.methods));
        problems.extend(fraction_problem("fraction", self.fraction));
        problems
    }
}
