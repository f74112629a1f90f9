//! The scores of every layer, from its streamed moments.

use anyhow::Result;
use sixfold_linearity::{LinearityIntervals, Transition};
use sixfold_model::stats::LayerMoments;

use super::stream::{Filtered, Streamed};
use super::{Filter, LayerMetric, LayerRow, ModelRef, ProfileConfig};
use crate::context::Context;

/// Linearity of every block of `model`, for every filter of `config`.
///
/// # Errors
/// A model or text that cannot be read, a signal.
pub fn linearity(
    model: &ModelRef,
    config: &ProfileConfig,
    cx: &mut Context,
) -> Result<Vec<LayerRow>> {
    let mut streamed = Streamed::new(model, config, cx)?;
    blocks(&mut streamed, &config.filters, &model.name(), cx)
}

/// Linearity of every block, from the streamed moments of a model.
pub(in crate::experiments) fn blocks(
    streamed: &mut Streamed,
    filters: &[Filter],
    name: &str,
    cx: &mut Context,
) -> Result<Vec<LayerRow>> {
    let mut rows = Vec::new();
    for &filter in filters {
        let filtered = streamed.filtered(filter)?;
        for layer in 0..filtered.all.transitions.len() {
            cx.check_interrupt()?;
            rows.push(LayerRow { layer, filter, metrics: block(&filtered, layer)? });
        }
        note_sample(name, filter, &filtered, cx);
    }
    Ok(rows)
}

/// The moments of the transition from site `layer` to the next.
pub(in crate::experiments) fn transition(moments: &LayerMoments, layer: usize) -> Transition<'_> {
    Transition {
        x: &moments.sites[layer],
        y: &moments.sites[layer + 1],
        xy: &moments.transitions[layer],
    }
}

fn block(filtered: &Filtered, layer: usize) -> Result<Vec<LayerMetric>> {
    let all = transition(&filtered.all, layer);
    let left_out: Vec<Transition<'_>> =
        filtered.left_out.iter().map(|moments| transition(moments, layer)).collect();
    let intervals = LinearityIntervals::new(&all, &left_out)?;
    let scores = &intervals.found;
    let mut metrics = vec![metric("linearity", scores.score, intervals.score)];
    if let Some([even, odd]) = &filtered.halves {
        let (even, odd) = (transition(even, layer), transition(odd, layer));
        let heldout = (even.affine_map()?.score(&odd)? + odd.affine_map()?.score(&even)?) / 2.0;
        metrics.push(metric("linearity_heldout", heldout, None));
    }
    for (name, value, interval) in [
        ("linearity_adjusted", scores.adjusted, None),
        ("linearity_without_residual", scores.without_residual, intervals.without_residual),
        ("norm_ratio", scores.norm_ratio, intervals.norm_ratio),
        ("residual_error", Some(scores.residual_error), None),
        ("procrustes_orthogonal", all.procrustes_orthogonal()?, None),
        ("cka", Some(all.cka()?), None),
        ("rank", Some(scores.rank as f64), None),
    ] {
        // What is not defined for a layer has no record.
        if let Some(value) = value {
            metrics.push(metric(name, value, interval));
        }
    }
    Ok(metrics)
}

fn metric(name: &str, value: f64, ci95: Option<[f64; 2]>) -> LayerMetric {
    LayerMetric { name: name.to_owned(), value, ci95 }
}

/// Says what noise alone would score with so many tokens.
fn note_sample(name: &str, filter: Filter, filtered: &Filtered, cx: &mut Context) {
    let Some(x) = filtered.all.sites.first() else { return };
    let (n, d) = (x.count(), x.dim());
    let floor = d as f64 / (n as f64 - 1.0).max(1.0);
    cx.note(format!(
        "{name}, {filter}: {n} tokens in {d} dimensions; a fit of noise would score {floor:.4}"
    ));
    if n <= d as u64 + 1 {
        cx.note(format!(
            "{name}, {filter}: {n} tokens in {d} dimensions fit anything; use more text"
        ));
    }
}
