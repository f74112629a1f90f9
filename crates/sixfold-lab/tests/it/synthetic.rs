//! Experiments with made-up numbers: two models, five and twelve blocks.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use sixfold_lab::experiments::geometry::profile::{GeometryConfig, Measured};
use sixfold_lab::experiments::geometry::{Control, Score};
use sixfold_lab::experiments::profile::{Filter, LayerMetric, LayerRow, ModelRef, ProfileConfig};
use sixfold_lab::experiments::{geometry, linearity, sgns, sparsegrad, tensor_train, triggers};
use sixfold_lab::{Context, Registry};

/// Runs the library's command line as the binary would.
pub(crate) fn lab(arguments: &[&str]) -> ExitCode {
    sixfold_lab::main(&registry(), ["sixfold-lab"].iter().chain(arguments))
}

/// The shipped experiments with made-up numbers; beside them, where the variable asks for it, those
/// that are quick enough to be run as they are.
pub(crate) fn registry() -> Registry {
    let linearity = match std::env::var_os("SIXFOLD_TEST_REAL") {
        Some(_) => linearity::Profile::default(),
        None => linearity::Profile::measured_by(measure_linearity),
    };
    let registry =
        Registry::new().with(linearity).with(geometry::Profile::measured_by(measure_geometry));
    match std::env::var_os("SIXFOLD_TEST_REAL") {
        Some(_) => registry
            .with(geometry::Manifolds)
            .with(geometry::Training)
            .with(linearity::Finetune)
            .with(linearity::Microscope)
            .with(linearity::Pretrain)
            .with(linearity::Replace)
            .with(sgns::Neighbours)
            .with(sgns::Objective)
            .with(sgns::Similarity)
            .with(sgns::Train)
            .with(sparsegrad::Ablation)
            .with(sparsegrad::Cost)
            .with(sparsegrad::Glue)
            .with(sparsegrad::Qa)
            .with(tensor_train::Compress)
            .with(tensor_train::Ctr)
            .with(tensor_train::LanguageModel)
            .with(tensor_train::Sentiment)
            .with(tensor_train::Translation)
            .with(triggers::Audit)
            .with(triggers::Defend)
            .with(triggers::Transfer),
        None => registry,
    }
}

/// A smooth curve over depth, shifted by the filter, with an interval.
fn curve(depth: f64, filter: usize, from: f64, bend: f64) -> (f64, Option<[f64; 2]>) {
    let value = from + bend * (depth * std::f64::consts::PI).sin() - 0.02 * filter as f64;
    let half = 0.004 + 0.01 * depth * (1.0 - depth);
    (value, Some([value - half, value + half]))
}

fn rows(
    model: &ModelRef,
    config: &ProfileConfig,
    cx: &mut Context,
    shapes: &[(&str, f64, f64)],
) -> Result<Vec<LayerRow>> {
    let layers = if model.name().contains("minilm") { 6 } else { 5 };
    let bias = if model.name().contains("minilm") { 0.03 } else { 0.0 };
    let mut task = cx.progress().task(&model.name(), layers as u64, "layers");
    let mut rows = Vec::new();
    for layer in 0..layers {
        cx.check_interrupt()?;
        if std::env::var_os("SIXFOLD_TEST_SLOW").is_some() {
            std::thread::sleep(Duration::from_millis(40));
        }
        let depth = layer as f64 / (layers - 1) as f64;
        for (index, filter) in config.filters.iter().enumerate() {
            let metrics = shapes.iter().map(|(name, from, bend)| {
                let (value, ci95) = curve(depth, index, from - bias, *bend);
                let ci95 = ci95.filter(|_| !matches!(*name, "rank" | "mean_norm"));
                LayerMetric::new(name, value, ci95)
            });
            let filter: Filter = *filter;
            rows.push(LayerRow { layer, filter, untrained: false, metrics: metrics.collect() });
        }
        task.advance(1);
    }
    Ok(rows)
}

fn measure_linearity(
    model: &ModelRef,
    config: &ProfileConfig,
    cx: &mut Context,
) -> Result<Vec<LayerRow>> {
    if std::env::var_os("SIXFOLD_TEST_FAIL").is_some() {
        anyhow::bail!("made to fail");
    }
    let shapes = [
        ("linearity", 0.94, 0.045),
        ("linearity_without_residual", 0.86, -0.35),
        ("linearity_adjusted", 0.93, 0.045),
        ("norm_ratio", 0.42, -0.3),
    ];
    rows(model, config, cx, &shapes)
}

/// Every control is the model's curve, moved.
fn measure_geometry(
    model: &ModelRef,
    control: Control,
    config: &GeometryConfig,
    cx: &mut Context,
) -> Result<Measured> {
    let causal = !model.name().contains("minilm");
    let blocks = if causal { 5 } else { 6 };
    let shapes = [
        ("anisotropy", 0.18, 0.55),
        ("mean_cosine", 0.09, 0.4),
        ("iso_score", 0.31, -0.22),
        ("effective_rank", 48.0, -21.0),
        ("mean_norm", 3.1, 8.0),
    ];
    let mut measured = Measured { causal, blocks, width: 64, ..Measured::default() };
    let shift = match control {
        Control::Untrained => -0.1,
        Control::Shuffled => 0.05,
        _ => 0.0,
    };
    let mut task = cx.progress().task(&model.name(), blocks as u64, "sites");
    for (index, filter) in config.filters.iter().enumerate() {
        measured.tokens.push((*filter, 8192 - 100 * index));
        for layer in 0..=blocks {
            cx.check_interrupt()?;
            let depth = layer as f64 / blocks as f64;
            for (name, from, bend) in shapes {
                let (value, ci95) = curve(depth, index, from + shift, bend);
                let score = Score::new(name, layer, *filter, value).of(control);
                measured.scores.push(score.ci95(ci95));
            }
            let mut dimension = |control: Control, by: f64| {
                let (value, ci95) = curve(depth, index, 9.0 + by, 4.0);
                let score = Score::new("intrinsic_dimension", layer, *filter, value).of(control);
                measured.scores.push(score.by("two-nn", None).ci95(ci95));
            };
            dimension(control, 10.0 * shift);
            if control == Control::None && config.controls.contains(&Control::Gaussian) {
                dimension(Control::Gaussian, 12.0);
            }
            for scale in [2, 4, 8] {
                let (value, ci95) = curve(depth, index, 9.0 - f64::from(scale).ln(), 4.0);
                let score = Score::new("intrinsic_dimension", layer, *filter, value).of(control);
                let scale = Some(usize::try_from(scale)?);
                measured.scores.push(score.by("gride", scale).ci95(ci95));
            }
        }
        task.advance(1);
    }
    Ok(measured)
}
