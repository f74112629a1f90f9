//! The paper's claims, judged by the numbers of a profile.

use super::super::super::curves::{At, Curves};
use super::super::claims::{self, Finding, said};
use crate::format::short;
use crate::table::{Cell, Table};

/// A model of the run.
#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) name: String,
    pub(super) causal: bool,
    pub(super) blocks: usize,
}

/// The models in the order of the records.
pub(super) fn models(curves: &Curves<'_>) -> Vec<Model> {
    let names = curves.distinct("anisotropy", "model");
    let about = |name: &str, what: &str| curves.one(what, &[("model", name)]);
    names
        .into_iter()
        .map(|name| Model {
            causal: about(&name, "causal").is_some_and(|causal| causal > 0.0),
            blocks: about(&name, "blocks").map_or(0, |blocks| blocks as usize),
            name,
        })
        .collect()
}

/// The anisotropy of a model over its sites.
fn anisotropy(curves: &Curves<'_>, model: &str, filter: &str, control: &str) -> Vec<At> {
    curves.over(
        "anisotropy",
        "layer",
        &[("model", model), ("filter", filter), ("control", control)],
    )
}

/// Everything that can be said of the claims, under the first filter; the sink filter beside it.
pub(super) fn findings(curves: &Curves<'_>, models: &[Model], filters: &[String]) -> Vec<Finding> {
    let Some(filter) = filters.first() else { return Vec::new() };
    let plain = |model: &Model| anisotropy(curves, &model.name, filter, "none");
    let (decoders, encoders): (Vec<&Model>, Vec<&Model>) =
        models.iter().partition(|model| model.causal);
    let mut findings: Vec<Finding> = decoders
        .iter()
        .map(|model| claims::bell(&model.name, &plain(model), model.blocks))
        .collect();
    let sinks = ["no_sinks", "no_outliers", "no_first"];
    let sink = sinks.into_iter().find(|sink| filters[1..].iter().any(|other| other == sink));
    if let Some(sink) = sink {
        for model in &decoders {
            let curve = anisotropy(curves, &model.name, sink, "none");
            let mut finding = claims::bell(&model.name, &curve, model.blocks);
            finding.claim += &format!(", filter {sink}");
            findings.push(finding);
        }
    }
    for encoder in &encoders {
        for decoder in &decoders {
            let (flat, steep) = (plain(encoder), plain(decoder));
            findings.push(claims::flatter((&encoder.name, &flat), (&decoder.name, &steep)));
        }
    }
    if let Some(sink) = sink {
        for model in models {
            let filtered = anisotropy(curves, &model.name, sink, "none");
            findings.push(claims::without_sinks(&model.name, &plain(model), &filtered, sink));
        }
    }
    for model in &decoders {
        let untrained = anisotropy(curves, &model.name, filter, "untrained");
        if !untrained.is_empty() {
            findings.push(claims::learnt(&model.name, &plain(model), &untrained));
        }
    }
    findings
}

/// The dimension of a model over its sites.
pub(super) fn dimension(
    curves: &Curves<'_>,
    model: &str,
    filter: &str,
    control: &str,
    estimator: &str,
) -> Vec<At> {
    curves.over(
        "intrinsic_dimension",
        "layer",
        &[
            ("model", model),
            ("filter", filter),
            ("control", control),
            ("estimator", estimator),
            ("scale", ""),
        ],
    )
}

/// How the dimension of a model runs over its sites.
pub(super) fn of_dimension(
    curves: &Curves<'_>,
    model: &str,
    filter: &str,
    estimator: &str,
) -> Option<String> {
    let curve = dimension(curves, model, filter, "none", estimator);
    let (low, high) = (claims::lowest(&curve)?, claims::highest(&curve)?);
    Some(format!(
        "The intrinsic dimension of {model} runs from {} at site {} to {} at site {}.",
        said(low),
        short(low.x),
        said(high),
        short(high.x)
    ))
}

/// Sentences on the dimension of the models beside that of their controls.
pub(super) fn controls(
    curves: &Curves<'_>,
    models: &[Model],
    filter: &str,
    estimator: &str,
) -> Table {
    let title = "The dimension beside its controls";
    let mut table = Table::new("controls", title, ["model", "control", "what the numbers say"]);
    for model in models.iter().map(|model| model.name.as_str()) {
        let of = |control: &str| dimension(curves, model, filter, control, estimator);
        let plain = of("none");
        for (control, whose) in [
            ("untrained", "the same model with random weights has"),
            ("shuffled", "the same model on shuffled text has"),
            // Neighbours underestimate dimensions as high as these.
            ("gaussian", "a Gaussian cloud with the same covariance has at least"),
        ] {
            let other = of(control);
            let pairs = claims::pairs(&plain, &other);
            if pairs.is_empty() {
                continue;
            }
            let above = pairs.iter().filter(|(a, b)| a.clearly_above(b)).count();
            let below = pairs.iter().filter(|(a, b)| b.clearly_above(a)).count();
            let logs: f64 = pairs.iter().map(|(a, b)| (b.value / a.value).ln()).sum();
            let sentence = format!(
                "{} {} times the dimension of {model} on average: clearly more at {below} of {} \
                 sites, clearly less at {above}.",
                capital(whose),
                short((logs / pairs.len() as f64).exp()),
                pairs.len()
            );
            table.push([model, control, &sentence].map(Cell::from));
        }
    }
    table
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
