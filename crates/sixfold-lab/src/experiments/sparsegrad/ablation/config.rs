//! The config of `sparsegrad/ablation`.

use serde::{Deserialize, Serialize};
use sixfold_sparsegrad::config::Policy;

use super::super::glue::{EncoderRef, fraction_problem, task_inputs};
use super::super::methods::BasisName;
use super::super::recipe::TuningRecipe;
use super::super::ways::Common;
use crate::config::{Problem, Validate};
use crate::data::{Input, SentenceTask};

/// What is varied of SparseGrad, one thing at a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AblationConfig {
    /// The encoder.
    pub model: EncoderRef,
    /// The directory of GLUE.
    pub glue: String,
    /// The task, of GLUE or `synthetic`.
    pub task: SentenceTask,
    /// Entries trained, of all of a matrix; 1 is all of them.
    pub fractions: Vec<f64>,
    /// Bases, at `fraction`.
    pub bases: Vec<BasisName>,
    /// Ways to choose entries, at `fraction` in the shared basis.
    pub policies: Vec<Policy>,
    /// The fraction at which bases and policies are compared.
    pub fraction: f64,
    /// Tokens of an example, at most.
    pub max_tokens: usize,
    /// The training.
    pub recipe: TuningRecipe,
}

impl Default for AblationConfig {
    fn default() -> Self {
        use BasisName::{
            Identity, Paired, PerLayer, Random, ReferenceTransposed, Shared, WeightSvd,
        };
        Self {
            model: EncoderRef::default(),
            glue: "{data}/glue".to_owned(),
            task: SentenceTask::Synthetic,
            fractions: vec![0.008, 0.01, 0.012, 0.042, 1.0],
            bases: vec![Shared, Paired, PerLayer, WeightSvd, Random, Identity, ReferenceTransposed],
            policies: vec![
                Policy::Dynamic,
                Policy::TopK,
                Policy::Corner,
                Policy::Strip,
                Policy::Random,
            ],
            fraction: 0.012,
            max_tokens: 128,
            recipe: TuningRecipe::default(),
        }
    }
}

impl AblationConfig {
    /// The files that have to be there.
    pub(super) fn inputs(&self) -> Vec<Input> {
        self.model.input().into_iter().chain(task_inputs(&[self.task], &self.glue)).collect()
    }

    /// What the variants have in common: whole cores, so that any fraction fits and nothing else is varied.
    pub(super) fn common(&self) -> Common {
        Common {
            targets: vec!["**.mlp.*".to_owned()],
            head: vec!["head.**".to_owned()],
            train_rest: false,
            fraction: self.fraction,
            rank: Some(usize::from(u16::MAX)),
            basis: BasisName::Shared,
            calibration_batches: self.recipe.calibration_batches,
            seed: 0,
        }
    }
}

impl Validate for AblationConfig {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = self.recipe.problems();
        let mut require = |holds: bool, key: &str, message: &str| {
            if !holds {
                problems.push(Problem::new(key, message.to_owned()));
            }
        };
        let some = self.fractions.len() + self.bases.len() + self.policies.len() > 0;
        require(some, "fractions", "is empty, and so are `bases` and `policies`");
        require(self.max_tokens >= 4, "max_tokens", "is below 4");
        require(
            self.recipe.held_out > 0,
            "recipe.held_out",
            "is 0, but energy is taken on what is held out",
        );
        for policy in &self.policies {
            let other = matches!(policy, Policy::Magnitude | Policy::All);
            require(
                !other,
                "policies",
                "has `magnitude` or `all`: the one is of weights, the other is the fraction 1",
            );
        }
        problems.extend(self.fractions.iter().filter_map(|f| fraction_problem("fractions", *f)));
        problems.extend(fraction_problem("fraction", self.fraction));
        problems
    }
}
