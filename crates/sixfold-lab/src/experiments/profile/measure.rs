//! The scores of every layer, from its streamed moments.

use anyhow::Result;
use sixfold_linearity::{LinearityIntervals, Transition, compat};
use sixfold_model::stats::{LayerMoments, SampleTap};
use sixfold_model::{Checkpoint, Seed, Transformer};

use super::reading::Reading;
use super::stream::{Filtered, Streamed, pass};
use super::{Filter, LayerMetric, LayerRow, ModelRef, ProfileConfig};
use crate::context::Context;

/// Linearity of every block of `model`, for every filter of `config`, with its controls.
///
/// # Errors
/// A model or text that cannot be read, a signal.
pub fn linearity(
    model: &ModelRef,
    config: &ProfileConfig,
    cx: &mut Context,
) -> Result<Vec<LayerRow>> {
    let dir = cx.locator().existing("models", &model.dir)?;
    let text = cx.locator().existing("text.path", &config.text.path)?;
    let device = sixfold_model::device(cx.device_name())?;
    let checkpoint = Checkpoint::open(&dir)?;
    let reading = Reading::new(&dir, &checkpoint, &text, &config.text)?;
    let (body, name) = (checkpoint.transformer(&device)?, model.name());
    let mut streamed = Streamed::of(&body, &reading, &config.filters, &name, cx)?;
    let mut rows = blocks(&mut streamed, &config.filters, &name, cx)?;
    if config.official_tokens > 0 {
        for (layer, metrics) in
            official(&body, &reading, config.official_tokens, &name, cx)?.into_iter().enumerate()
        {
            rows.push(LayerRow { layer, filter: Filter::All, untrained: false, metrics });
        }
    }
    if config.untrained {
        let body = checkpoint.init_transformer(Seed::new(0).derive("untrained"), &device);
        let name = format!("{name}, untrained");
        let mut streamed = Streamed::of(&body, &reading, &config.filters, &name, cx)?;
        let control = blocks(&mut streamed, &config.filters, &name, cx)?;
        rows.extend(control.into_iter().map(|row| LayerRow { untrained: true, ..row }));
    }
    Ok(rows)
}

/// The scores as the paper's own code computes them: by an SVD of the states of all tokens, or of
/// a sample of them.
fn official(
    body: &Transformer,
    reading: &Reading,
    tokens: usize,
    name: &str,
    cx: &mut Context,
) -> Result<Vec<Vec<LayerMetric>>> {
    let classes = reading.classes(body.spec().causal, &[]);
    let mut tap = SampleTap::new(tokens, &[Filter::All], 0);
    let what = format!("{name}: states");
    pass(body, reading, &mut tap, &what, cx, |tap, batch, index| {
        tap.begin(batch, &classes[index], &reading.first[index]);
    })?;
    let mut task =
        cx.progress().task(&format!("{name}: official"), body.n_layers() as u64, "blocks");
    let mut found = Vec::new();
    for layer in 0..body.n_layers() {
        cx.check_interrupt()?;
        let [x, y] = [layer, layer + 1].map(|site| tap.rows(Filter::All, site));
        let score = compat::procrustes_similarity(x.view(), y.view())?;
        let mut metrics = vec![metric("linearity_official", score, None)];
        // A layer that adds nothing has no such score.
        if let Ok(without) = compat::without_residual(x.view(), y.view()) {
            metrics.push(metric("linearity_official_without_residual", without, None));
        }
        found.push(metrics);
        task.advance(1);
    }
    let n = reading.n_tokens.min(tokens);
    cx.note(format!("{name}: the official score is of {n} tokens."));
    Ok(found)
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
            let metrics = block(&filtered, layer)?;
            rows.push(LayerRow { layer, filter, untrained: false, metrics });
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
        ("linearity_without_residual_adjusted", scores.without_residual_adjusted, None),
        ("floor", Some(scores.floor), None),
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
