//! What can be measured.

use crate::Result;

/// One execution of something prepared.
pub(crate) type Run = Box<dyn FnMut() -> Result<()>>;

/// Prepares a variant.
type Prepare = Box<dyn Fn(&str) -> Result<Run>>;

/// Something that can be measured, under the name that PyTorch's side gives it too.
pub(crate) struct Work {
    pub(crate) name: String,
    /// Ways to do it; the first is the usual one.
    pub(crate) variants: &'static [&'static str],
    /// Executions in one repetition, where one is short.
    pub(crate) runs: usize,
    /// How much one execution does.
    pub(crate) amount: f64,
    pub(crate) unit: Unit,
    pub(crate) prepare: Prepare,
}

/// What work is counted in.
#[derive(Clone, Copy)]
pub(crate) enum Unit {
    Byte,
    Flop,
    Parameter,
    Token,
}

impl Work {
    /// A work of one variant, executed once a repetition.
    pub(crate) fn new(
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
    /// As PyTorch's side writes it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Byte => "byte",
            Self::Flop => "FLOP",
            Self::Parameter => "parameter",
            Self::Token => "token",
        }
    }
}
