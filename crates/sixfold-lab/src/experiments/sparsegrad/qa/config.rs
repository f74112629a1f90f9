//! The config of `sparsegrad/qa`.

use serde::{Deserialize, Serialize};

use super::super::glue::{fraction_problem, twice};
use super::super::methods::{BasisName, Method};
use super::super::recipe::TuningRecipe;
use super::super::ways::Common;
use crate::config::{Problem, Validate};
use crate::data::{Input, InputKind};
use crate::experiments::linearity::ModelConfig;

/// Which methods tune which decoder on which instructions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QaConfig {
    /// The decoder.
    pub model: ModelConfig,
    /// The instructions.
    pub data: InstructionsRef,
    /// The methods.
    pub methods: Vec<Method>,
    /// Numbers of the only blocks that are adapted; all where absent.
    pub layers: Vec<usize>,
    /// Entries that SparseGrad trains, of all of an adapted matrix; the others have nearest to as many.
    pub fraction: f64,
    /// Coordinates that SparseGrad keeps, among which entries are chosen; 0 for as few as `fraction` needs.
    pub rank: usize,
    /// Tokens of an instruction with its answer; longer ones are left out.
    pub max_tokens: usize,
    /// Held-out instructions that are answered, at most.
    pub answers: usize,
    /// Tokens of an answer, at most.
    pub max_new_tokens: usize,
    /// The training.
    pub recipe: TuningRecipe,
}

/// Instructions in a file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InstructionsRef {
    /// A `.json` list in the form of Alpaca or `.jsonl` trees of OpenAssistant. Empty for questions that are generated.
    pub path: String,
    /// Of a file, the part that is not learned from and scored.
    pub test_share: f64,
}

impl Default for QaConfig {
    fn default() -> Self {
        Self {
            model: ModelConfig::default(),
            data: InstructionsRef { path: String::new(), test_share: 0.2 },
            methods: vec![
                Method::Full,
                Method::Lora,
                Method::MePropPaper,
                Method::SparseGrad,
                Method::RandomBasis,
                Method::IdentityBasis,
            ],
            layers: Vec::new(),
            fraction: 0.043,
            rank: 0,
            max_tokens: 256,
            answers: 64,
            max_new_tokens: 48,
            recipe: TuningRecipe::default(),
        }
    }
}

impl QaConfig {
    /// The files that have to be there.
    pub(super) fn inputs(&self) -> Vec<Input> {
        let path = &self.data.path;
        let file = (!path.is_empty()).then(|| Input::new(InputKind::File, "data.path", path));
        std::iter::once(self.model.input()).chain(file).collect()
    }

    /// What the methods have in common.
    pub(super) fn common(&self) -> Common {
        let targets = match &self.layers[..] {
            [] => vec!["**.mlp.*".to_owned()],
            layers => layers.iter().map(|layer| format!("**.blocks.{layer}.mlp.*")).collect(),
        };
        Common {
            targets,
            // Scores come from the table of tokens: there is no head to train.
            head: Vec::new(),
            train_rest: false,
            fraction: self.fraction,
            rank: (self.rank > 0).then_some(self.rank),
            basis: BasisName::Paired,
            calibration_batches: self.recipe.calibration_batches,
            seed: 0,
        }
    }
}

impl Validate for QaConfig {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = self.model.problems();
        problems.extend(self.recipe.problems());
        let mut require = |holds: bool, key: &str, message: &str| {
            if !holds {
                problems.push(Problem::new(key, message.to_owned()));
            }
        };
        require(!self.methods.is_empty(), "methods", "is empty");
        require(self.max_tokens >= 16, "max_tokens", "is below 16");
        require(self.answers > 0, "answers", "is 0");
        require(self.max_new_tokens > 0, "max_new_tokens", "is 0");
        let share = self.data.test_share;
        require(share > 0.0 && share < 1.0, "data.test_share", "is not between 0 and 1");
        problems.extend(twice("methods", &self.methods));
        problems.extend(twice("layers", &self.layers));
        problems.extend(fraction_problem("fraction", self.fraction));
        problems
    }
}
