//! Learning rates and weight decay for groups of parameters.

use std::collections::BTreeMap;

use burn::module::Module;
use serde::Serialize;
use serde::ser::Serializer;

use super::Patterns;
use crate::{Result, parameter_shapes};

/// Rules that give each parameter its learning rate and weight decay.
///
/// Without any rule, the learning rate is that of the schedule everywhere, and weight decay acts
/// on what has at least two dimensions: biases, and the gains and offsets of norms, have one and
/// are spared, as in BERT's and Hugging Face's training. Further rules are ordered: the last that
/// matches a parameter decides.
///
/// ```
/// use sixfold_model::train::{GroupRule, ParamGroups};
///
/// // The head learns ten times as fast, and the token table does not decay.
/// let groups = ParamGroups::default()
///     .with(["head.**"], GroupRule { lr_factor: 10.0, weight_decay: None })?
///     .with(["**.tokens.weight"], GroupRule { lr_factor: 1.0, weight_decay: Some(0.0) })?;
/// # let _ = groups;
/// # Ok::<(), sixfold_model::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParamGroups {
    rules: Vec<(Patterns, GroupRule)>,
}

/// What a rule gives to the parameters that it matches.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct GroupRule {
    /// Factor on the learning rate of the schedule.
    pub lr_factor: f64,
    /// Weight decay; `None` for the one that acts by default.
    pub weight_decay: Option<f64>,
}

/// The outcome for one parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Group {
    /// Factor on the learning rate of the schedule.
    pub lr_factor: f64,
    /// Weight decay, multiplied by the learning rate at each step.
    pub weight_decay: f64,
}

impl ParamGroups {
    /// One more rule, which overrules those before it.
    ///
    /// # Errors
    /// [`Error::Pattern`](crate::Error::Pattern) for a pattern that cannot be read.
    pub fn with<S: AsRef<str>>(
        mut self,
        patterns: impl IntoIterator<Item = S>,
        rule: GroupRule,
    ) -> Result<Self> {
        self.rules.push((Patterns::new(patterns)?, rule));
        Ok(self)
    }

    /// The group of each float parameter of a model, by path, where `weight_decay` acts by
    /// default.
    ///
    /// # Errors
    /// [`Error::NoSuchParameter`](crate::Error::NoSuchParameter) for a pattern that matches
    /// nothing.
    pub fn resolve<M: Module>(
        &self,
        model: &M,
        weight_decay: f64,
    ) -> Result<BTreeMap<String, Group>> {
        for (patterns, _) in &self.rules {
            patterns.select(model)?;
        }
        let group = |path: &str, rank: usize| {
            let default = if rank > 1 { weight_decay } else { 0.0 };
            let matching = self.rules.iter().rev().find(|(patterns, _)| patterns.matches(path));
            match matching {
                None => Group { lr_factor: 1.0, weight_decay: default },
                Some((_, rule)) => Group {
                    lr_factor: rule.lr_factor,
                    weight_decay: rule.weight_decay.unwrap_or(default),
                },
            }
        };
        let shapes = parameter_shapes(model).into_iter();
        Ok(shapes.map(|(path, shape)| (path.clone(), group(&path, shape.len()))).collect())
    }

    /// Values that make no sense, one line each.
    #[cfg(feature = "checkpoint")]
    pub(super) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut require = |value: f64, what: String| {
            if !(value.is_finite() && value >= 0.0) {
                problems.push(format!("{what} {value} is not a finite number from 0"));
            }
        };
        for (patterns, rule) in &self.rules {
            let patterns: Vec<&str> = patterns.texts().collect();
            let patterns = patterns.join(", ");
            require(rule.lr_factor, format!("lr_factor of `{patterns}`"));
            require(rule.weight_decay.unwrap_or(0.0), format!("weight_decay of `{patterns}`"));
        }
        problems
    }
}

/// A list of pairs, patterns and rule: what a checkpoint compares.
impl Serialize for ParamGroups {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(
            self.rules.iter().map(|(patterns, rule)| (patterns.texts().collect::<Vec<_>>(), rule)),
        )
    }
}
