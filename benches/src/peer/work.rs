//! What can be measured.

use super::Result;

/// One execution of something prepared.
pub type Run = Box<dyn FnMut() -> Result<()>>;

/// Prepares a variant.
pub type Prepare = Box<dyn Fn(&str) -> Result<Run>>;

/// Something that can be measured, under the name that the other side gives it too.
pub struct Work {
    /// Its name.
    pub name: String,
    /// Ways to do it; the first is the usual one.
    pub variants: &'static [&'static str],
    /// Executions in one repetition, where one is short.
    pub runs: usize,
    /// How much one execution does.
    pub amount: f64,
    /// Of what.
    pub unit: Unit,
    /// Prepares a variant, untimed.
    pub prepare: Prepare,
}

/// What work is counted in.
#[derive(Clone, Copy)]
pub enum Unit {
    /// Bytes of a file.
    Byte,
    /// Operations with floats.
    Flop,
    /// Parameters of a model.
    Parameter,
    /// Tokens of a text.
    Token,
}

impl Work {
    /// A work of one variant, executed once a repetition.
    pub fn new(
        name: impl Into<String>,
        amount: f64,
        unit: Unit,
        prepare: impl Fn(&str) -> Result<Run> + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            variants: &["sixfold"],
            runs: 1,
            amount,
            unit,
            prepare: Box::new(prepare),
        }
    }
}

impl Unit {
    /// As the other side writes it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Byte => "byte",
            Self::Flop => "FLOP",
            Self::Parameter => "parameter",
            Self::Token => "token",
        }
    }
}
