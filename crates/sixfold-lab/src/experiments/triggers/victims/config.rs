//! Which classifiers there are, and how those are trained that a run makes itself.

use std::fmt;

use serde::{Deserialize, Serialize};
use sixfold_model::train::{AdamWConfig, TrainerConfig};

use crate::config::Problem;
use crate::data::{Input, InputKind};
use crate::estimate::Work;
use crate::experiments::profile::ModelRef;

/// A classifier that a run trains itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recipe {
    /// A pretrained encoder, fine-tuned: `training.pretrained`, MiniLM by default.
    Minilm,
    /// A small BERT: word-piece, norms after, token types.
    Bert,
    /// A small RoBERTa: byte-level pairs, no token types.
    Roberta,
    /// A small ALBERT: one block for all layers, a narrow token table.
    Albert,
}

/// Where a classifier comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Source {
    /// A model directory of the user.
    Dir(String),
    /// A training of this run.
    Recipe(Recipe),
}

/// The classifier of an experiment on one of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VictimConfig {
    /// A Hugging Face directory of a sequence classifier with its `tokenizer.json`. Where it is empty, `recipe` is
    /// trained.
    pub dir: String,
    /// What is trained where no directory is given.
    pub recipe: Recipe,
}

/// How a run trains its classifiers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainingConfig {
    /// Examples that are learned from, at most; 0 for all.
    pub max_train: usize,
    /// Passes over them.
    pub epochs: u64,
    /// Examples of a step. A batch holds examples of similar length.
    pub batch_size: usize,
    /// The highest learning rate of small models; it rises over a tenth of the steps and falls in a line.
    pub peak_lr: f64,
    /// The same of the pretrained one.
    pub pretrained_lr: f64,
    /// Tokens of an example that is learned from, at most.
    pub max_tokens: usize,
    /// Of the weights, the order of examples, and the split of the data.
    pub seed: u64,
    /// Width of small models.
    pub width: usize,
    /// Their layers.
    pub layers: usize,
    /// Their heads.
    pub heads: usize,
    /// The encoder that is fine-tuned as `minilm`.
    pub pretrained: String,
    /// The `tokenizer.json` whose word-pieces small models use, cut to those of the texts learned from. Where it is
    /// empty, the words of these texts.
    pub wordpiece: String,
    /// The folder of `vocab.json` and `merges.txt` whose byte-level pairs small models use, cut likewise. Where it is
    /// empty, the words of these texts.
    pub bpe: String,
    /// Which of the two the small ALBERT uses.
    pub albert: Pieces,
}

/// Which tokens a small model reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pieces {
    /// Word-pieces, in lower case.
    #[default]
    WordPiece,
    /// Byte-level pairs.
    ByteLevel,
}

impl Recipe {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Minilm, Self::Bert, Self::Roberta, Self::Albert];

    /// The name in configs and results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minilm => "minilm",
            Self::Bert => "bert",
            Self::Roberta => "roberta",
            Self::Albert => "albert",
        }
    }
}

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Source {
    /// A recipe by its name, else a directory.
    pub(in super::super) fn named(name: &str) -> Self {
        match Recipe::ALL.into_iter().find(|recipe| recipe.name() == name) {
            Some(recipe) => Self::Recipe(recipe),
            None => Self::Dir(name.to_owned()),
        }
    }

    /// The name in results.
    pub(in super::super) fn name(&self) -> String {
        match self {
            Self::Dir(dir) => ModelRef::new(dir).name(),
            Self::Recipe(recipe) => recipe.name().to_owned(),
        }
    }

    /// The files that it needs.
    pub(in super::super) fn inputs(&self, key: &str, training: &TrainingConfig) -> Vec<Input> {
        let files = |pieces: Pieces| match pieces {
            Pieces::WordPiece => vec![("training.wordpiece", training.wordpiece.clone())],
            Pieces::ByteLevel => ["vocab.json", "merges.txt"]
                .map(|file| ("training.bpe", join(&training.bpe, file)))
                .to_vec(),
        };
        let file = |(key, path): (&str, String)| {
            (!path.is_empty()).then(|| Input::new(InputKind::File, key, path))
        };
        match self {
            Self::Dir(dir) => vec![Input::new(InputKind::Model, key, dir)],
            Self::Recipe(Recipe::Minilm) => {
                vec![Input::new(InputKind::Model, "training.pretrained", &training.pretrained)]
            }
            Self::Recipe(recipe) => {
                files(training.pieces(*recipe)).into_iter().filter_map(file).collect()
            }
        }
    }
}

/// A file of a folder; nothing of no folder.
fn join(folder: &str, file: &str) -> String {
    if folder.is_empty() { String::new() } else { format!("{folder}/{file}") }
}

impl Default for VictimConfig {
    fn default() -> Self {
        Self { dir: String::new(), recipe: Recipe::Bert }
    }
}

impl VictimConfig {
    pub(in super::super) fn source(&self) -> Source {
        match self.dir.as_str() {
            "" => Source::Recipe(self.recipe),
            dir => Source::Dir(dir.to_owned()),
        }
    }
}

impl Default for TrainingConfig {
    fn default() -> Self {
        Self {
            max_train: 0,
            epochs: 3,
            batch_size: 32,
            peak_lr: 1e-3,
            pretrained_lr: 1e-4,
            max_tokens: 128,
            seed: 0,
            width: 128,
            layers: 4,
            heads: 4,
            pretrained: "{data}/models/all-minilm-l6-v2".to_owned(),
            wordpiece: "{data}/models/all-minilm-l6-v2/tokenizer.json".to_owned(),
            bpe: "{data}/tokenizers/gpt2".to_owned(),
            albert: Pieces::WordPiece,
        }
    }
}

impl TrainingConfig {
    /// Trainings of this kind, for the dry run; those in the cache are not made again.
    pub(in super::super) fn work(&self, victims: usize) -> Work {
        let step = format!("{} × {} tokens at most", self.batch_size, self.max_tokens);
        Work::epochs(victims, self.epochs, &step)
    }

    /// Which tokens a recipe reads.
    pub(super) fn pieces(&self, recipe: Recipe) -> Pieces {
        match recipe {
            Recipe::Minilm | Recipe::Bert => Pieces::WordPiece,
            Recipe::Roberta => Pieces::ByteLevel,
            Recipe::Albert => self.albert,
        }
    }

    /// The settings of a training whose passes are rolled out in the order of its examples.
    pub(super) fn trainer(&self, recipe: Recipe) -> TrainerConfig {
        TrainerConfig {
            batch_size: self.batch_size,
            epochs: 1,
            shuffle: false,
            peak_lr: match recipe {
                Recipe::Minilm => self.pretrained_lr,
                _ => self.peak_lr,
            },
            optimizer: AdamWConfig { weight_decay: 0.01, ..AdamWConfig::default() },
            seed: self.seed,
            ..TrainerConfig::default()
        }
    }

    pub(in super::super) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut require = |holds: bool, key: &str, message: &str| {
            if !holds {
                problems.push(Problem::new(format!("training.{key}"), message));
            }
        };
        require(self.epochs > 0, "epochs", "is 0");
        require(self.max_tokens >= 8, "max_tokens", "is below 8");
        require(self.layers > 0, "layers", "is 0");
        require(
            self.heads > 0 && self.width.is_multiple_of(self.heads.max(1)) && self.width > 0,
            "width",
            "is no multiple of training.heads",
        );
        for (key, recipe) in [("peak_lr", Recipe::Bert), ("pretrained_lr", Recipe::Minilm)] {
            if let Err(sixfold_model::Error::Hyperparameters { problems: found }) =
                self.trainer(recipe).validate()
            {
                let found = found.into_iter();
                problems.extend(found.map(|one| Problem::new(format!("training.{key}"), one)));
            }
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_recipe_or_a_directory() {
        assert_eq!(Source::named("albert"), Source::Recipe(Recipe::Albert));
        let own = Source::named("models/mine/hf");
        assert_eq!((own.name().as_str(), &own), ("mine", &Source::Dir("models/mine/hf".into())));
        let training = TrainingConfig { wordpiece: String::new(), ..TrainingConfig::default() };
        assert!(Source::named("bert").inputs("victim", &training).is_empty());
        assert_eq!(Source::named("roberta").inputs("victim", &training).len(), 2);
    }
}
