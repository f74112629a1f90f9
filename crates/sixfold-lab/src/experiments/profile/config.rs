//! The config of the profiles.

use std::fmt;

use serde::de::{MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sixfold_model::stats::TokenFilter as Filter;

use crate::config::{Problem, Validate};
use crate::data::{Column, Input, InputKind};

/// Which models, which text, which tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProfileConfig {
    /// Model directories.
    pub models: Vec<ModelRef>,
    /// The text that the models read.
    pub text: TextConfig,
    /// Which tokens count.
    pub filters: Vec<Filter>,
    /// Tokens on which the score is also computed as the paper's own code does, at most; 0 for
    /// none. All of them are held in memory.
    pub official_tokens: usize,
    /// Whether the same architectures with random weights are measured as well.
    pub untrained: bool,
}

impl Default for ProfileConfig {
    fn default() -> Self {
        Self {
            models: Vec::new(),
            text: TextConfig::default(),
            filters: vec![Filter::All],
            official_tokens: 4096,
            untrained: false,
        }
    }
}

/// A text and how much of it is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TextConfig {
    /// UTF-8 text, one document a paragraph; `.gz`, `.tsv` and `.tsv.gz` are read as well.
    pub path: String,
    /// The column of a `.tsv`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<Column>,
    /// Tokens after which reading stops, per model.
    pub max_tokens: usize,
}

impl Default for TextConfig {
    fn default() -> Self {
        Self { path: String::new(), column: None, max_tokens: 16_384 }
    }
}

impl TextConfig {
    /// The file, which has to be there; `key` is the table of the config that this is.
    pub(in crate::experiments) fn input(&self, key: &str) -> Input {
        Input {
            column: self.column.clone(),
            ..Input::new(InputKind::Text, format!("{key}.path"), &self.path)
        }
    }

    /// What is wrong with it.
    pub(in crate::experiments) fn problems(&self, key: &str) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.path.is_empty() {
            let message = "is empty; a text file is expected";
            problems.push(Problem::new(format!("{key}.path"), message));
        }
        if self.max_tokens < 16 {
            let message = format!("{} is too few; at least 16 are expected", self.max_tokens);
            problems.push(Problem::new(format!("{key}.max_tokens"), message));
        }
        problems
    }
}

/// What is wrong with a list of filters.
pub(in crate::experiments) fn filter_problems(filters: &[Filter]) -> Vec<Problem> {
    let mut problems = Vec::new();
    if filters.is_empty() {
        problems.push(Problem::new("filters", "is empty; `all` is the plainest"));
    }
    for (index, filter) in filters.iter().enumerate() {
        if filters[..index].contains(filter) {
            problems.push(Problem::new("filters", format!("`{}` stands twice", filter.name())));
        }
    }
    problems
}

/// A model directory: `"dir"`, or `{ dir = "dir", name = "name" }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelRef {
    /// The directory, with its placeholder.
    pub dir: String,
    given_name: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    dir: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

impl ModelRef {
    /// A model directory without a name of its own.
    pub fn new(dir: &str) -> Self {
        Self { dir: dir.to_owned(), given_name: None }
    }

    /// The given name, or the last part of the directory that is not `hf`.
    pub fn name(&self) -> String {
        let from_dir = || {
            let mut parts = self.dir.split(['/', '\\']).rev();
            parts.find(|part| !matches!(*part, "" | "." | "hf")).unwrap_or("model").to_owned()
        };
        self.given_name.clone().unwrap_or_else(from_dir)
    }
}

impl Serialize for ModelRef {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match &self.given_name {
            None => self.dir.serialize(to),
            Some(name) => Named { dir: self.dir.clone(), name: Some(name.clone()) }.serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for ModelRef {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // By hand, because the error of an untagged enum names neither key nor type.
        struct TextOrTable;
        impl<'de> Visitor<'de> for TextOrTable {
            type Value = ModelRef;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a directory, or a table with `dir` and `name`")
            }
            fn visit_str<E: serde::de::Error>(self, dir: &str) -> Result<ModelRef, E> {
                Ok(ModelRef::new(dir))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ModelRef, A::Error> {
                let Named { dir, name } = Named::deserialize(MapAccessDeserializer::new(map))?;
                Ok(ModelRef { dir, given_name: name })
            }
        }
        from.deserialize_any(TextOrTable)
    }
}

impl ProfileConfig {
    /// The files that have to be there.
    pub fn inputs(&self) -> Vec<Input> {
        let models = self.models.iter().enumerate();
        let models = models.map(|(index, model)| {
            Input::new(InputKind::Model, format!("models[{index}]"), &model.dir)
        });
        models.chain([self.text.input("text")]).collect()
    }
}

impl Validate for ProfileConfig {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.models.is_empty() {
            problems.push(Problem::new("models", "is empty; at least one directory is expected"));
        }
        let names: Vec<String> = self.models.iter().map(ModelRef::name).collect();
        for (index, name) in names.iter().enumerate() {
            if names[..index].contains(name) {
                let message =
                    format!("two models are called `{name}`; name one: {{ dir = …, name = … }}");
                problems.push(Problem::new("models", message));
            }
        }
        problems.extend(self.text.problems("text"));
        problems.extend(filter_problems(&self.filters));
        problems
    }
}
