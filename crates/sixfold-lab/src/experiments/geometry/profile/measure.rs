//! Reads the text with a model or one of its controls, and measures every site.

use anyhow::Result;
use sixfold_model::{Checkpoint, Seed};

use super::super::probe::{Probe, probe};
use super::super::score::{Control, Score};
use super::{GeometryConfig, Measured};
use crate::context::Context;
use crate::experiments::profile::{ModelRef, Reading};

/// Everything that is asked of one model under one control.
///
/// # Errors
/// A model or text that cannot be read, values that are not finite, a signal.
pub(super) fn measure(
    model: &ModelRef,
    control: Control,
    config: &GeometryConfig,
    cx: &mut Context,
) -> Result<Measured> {
    let dir = cx.locator().existing("models", &model.dir)?;
    let text = cx.locator().existing("text.path", &config.text.path)?;
    let device = sixfold_model::device(cx.device_name())?;
    let seed = Seed::new(cx.seed());
    let checkpoint = Checkpoint::open(&dir)?;
    let transformer = match control {
        Control::Untrained => checkpoint.init_transformer(seed.derive("untrained"), &device),
        _ => checkpoint.transformer(&device)?,
    };
    let reading = Reading::new(&dir, &checkpoint, &text, &config.text)?;
    let reading = match control {
        Control::Shuffled => reading.shuffled(seed),
        _ => reading,
    };
    let options = Probe {
        filters: &config.filters,
        sample: config.sample,
        estimators: &config.estimators,
        gaussian: control == Control::None && config.controls.contains(&Control::Gaussian),
        seed,
    };
    let what = match control {
        Control::None => model.name(),
        _ => format!("{}, {}", model.name(), control.name()),
    };
    let found = probe(&transformer, &reading, &options, &what, cx)?;
    let of = |score: Score| match score.control {
        Control::None => score.of(control),
        _ => score,
    };
    let spec = checkpoint.spec();
    Ok(Measured {
        causal: spec.causal,
        blocks: spec.n_layers(),
        width: spec.d_model,
        tokens: found.tokens,
        scores: found.scores.into_iter().map(of).collect(),
        notes: found.notes,
    })
}
