//! Loads models and text, streams the states of every layer, and measures them.

use anyhow::{Result, bail};

use super::{LayerRow, ModelRef, ProfileConfig};
use crate::context::Context;

/// Linearity of every block of `model`, for every filter of `config`.
///
/// # Errors
/// A model or text that cannot be read, a signal.
pub fn linearity(
    model: &ModelRef,
    _config: &ProfileConfig,
    _cx: &mut Context,
) -> Result<Vec<LayerRow>> {
    bail!("{}: this build cannot measure linearity", model.name())
}

/// Geometry of every site of `model`, for every filter of `config`.
///
/// # Errors
/// A model or text that cannot be read, a signal.
pub fn geometry(
    model: &ModelRef,
    _config: &ProfileConfig,
    _cx: &mut Context,
) -> Result<Vec<LayerRow>> {
    bail!("{}: this build cannot measure geometry", model.name())
}
