//! The config of `linearity/pretrain`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sixfold_linearity::Regulariser;

use super::super::probe::ProbeConfig;
use crate::config::{Problem, Validate};
use crate::data::Input;
use crate::experiments::decoder::Recipe;
use crate::experiments::profile::{Filter, TextConfig, filter_problems};

/// Which decoder is trained on which text, with which penalties, and what is measured on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PretrainConfig {
    /// The decoder and its training, the same for every λ.
    pub recipe: Recipe,
    /// Weights of the penalty; 0 is the control. Each is a training of its own.
    pub lambda: Vec<f64>,
    /// The penalty on consecutive hidden states, summed over the blocks and averaged over tokens.
    #[serde(serialize_with = "write", deserialize_with = "read")]
    pub regulariser: Regulariser,
    /// The text. The last tenth of its documents is held out; `max_tokens` of it are measured.
    pub text: TextConfig,
    /// Which tokens count; sentences are about the first.
    pub filters: Vec<Filter>,
    /// Held-out examples of `recipe.context` tokens on which the loss is taken.
    pub loss_examples: usize,
    /// The linear probe.
    pub probe: ProbeConfig,
}

impl Default for PretrainConfig {
    fn default() -> Self {
        Self {
            recipe: Recipe::default(),
            lambda: vec![0.0, 0.5],
            regulariser: Regulariser::Cosine,
            text: TextConfig::default(),
            filters: vec![Filter::All],
            loss_examples: 512,
            probe: ProbeConfig::default(),
        }
    }
}

fn write<S: Serializer>(regulariser: &Regulariser, to: S) -> Result<S::Ok, S::Error> {
    regulariser.name().serialize(to)
}

fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Regulariser, D::Error> {
    String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
}

impl PretrainConfig {
    /// The files that have to be there.
    pub(super) fn inputs(&self) -> Vec<Input> {
        [self.recipe.input(), self.text.input("text")]
            .into_iter()
            .chain(self.probe.inputs())
            .collect()
    }
}

impl Validate for PretrainConfig {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = self.text.problems("text");
        problems.extend(filter_problems(&self.filters));
        problems.extend(self.recipe.problems());
        let mut require = |holds: bool, key: &str, message: String| {
            if !holds {
                problems.push(Problem::new(key, message));
            }
        };
        require(!self.lambda.is_empty(), "lambda", "is empty; 0 is the control".to_owned());
        for (index, lambda) in self.lambda.iter().enumerate() {
            let message = format!("{lambda} is no weight; 0 or a positive number is expected");
            require(lambda.is_finite() && *lambda >= 0.0, "lambda", message);
            let again = self.lambda[..index].contains(lambda);
            require(!again, "lambda", format!("{lambda} stands twice"));
        }
        require(self.recipe.n_layers > 1, "recipe.n_layers", "is below 2".to_owned());
        require(self.loss_examples > 0, "loss_examples", "is 0".to_owned());
        problems.extend(self.probe.problems());
        problems
    }
}
