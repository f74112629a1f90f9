//! `linearity/replace`: what it costs to take the most linear layers out, or to put affine maps
//! in their place.

mod config;
mod study;
mod words;

pub use config::{Method, ModelConfig, Order, ReplaceConfig};

use anyhow::{Result, ensure};
use sixfold_linearity::most_linear_first;

use super::super::experiment_file;
use super::super::profile::transition;
use crate::config::ExperimentFile;
use crate::context::Context;
use crate::data::Input;
use crate::estimate::Work;
use crate::experiment::Experiment;
use crate::present::Presentation;
use crate::record::{Better, Metric, Results};
use study::{Measured, Model, Study};

/// The experiment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Replace;

impl Experiment for Replace {
    type Config = ReplaceConfig;

    fn name(&self) -> &'static str {
        "linearity/replace"
    }

    fn title(&self) -> &'static str {
        "layers taken out, or replaced by affine maps"
    }

    fn file(&self) -> ExperimentFile {
        experiment_file!("linearity/replace")
    }

    fn inputs(&self, config: &ReplaceConfig) -> Vec<Input> {
        config.inputs()
    }

    fn work(&self, config: &ReplaceConfig) -> Vec<Work> {
        let distilled = config.methods.contains(&Method::AffineDistill);
        let trainings = config.orders.len() * config.layers.len();
        let size = format!("{} steps each", config.distill.steps);
        distilled.then(|| Work::other(trainings, "distillation", &size)).into_iter().collect()
    }

    fn run(&self, config: &ReplaceConfig, cx: &mut Context) -> Result<()> {
        run(config, cx)
    }

    fn present(&self, config: &ReplaceConfig, results: &Results) -> Presentation {
        words::present(config, results)
    }
}

fn run(config: &ReplaceConfig, cx: &mut Context) -> Result<()> {
    let study = Study::open(config, cx)?;
    let n_layers = study.model.body().n_layers();
    for &n in &config.layers {
        ensure!(n <= n_layers, "layers: {n} of a model of {n_layers}");
    }
    cx.note(format!(
        "{}: scores and maps from {} tokens of {} documents; loss on {} tokens of {} others.",
        config.model.name(),
        study.fit.n_tokens,
        study.fit.n_documents,
        study.eval.n_tokens,
        study.eval.n_documents
    ));
    let moments = study.moments(study.model.body(), cx)?;
    let (mut scores, mut maps) = (Vec::with_capacity(n_layers), Vec::with_capacity(n_layers));
    for layer in 0..n_layers {
        let transition = transition(&moments, layer);
        let score = transition.linearity()?.score;
        cx.record(Metric::new("linearity", score).at("layer", layer));
        scores.push(score);
        maps.push(transition.affine_map()?);
    }
    drop(moments);
    for task in &study.tasks {
        let metric = Metric::new("majority", task.majority()).at("task", task.task.name());
        cx.record(metric.better(Better::Higher));
    }
    let whole = cx.cell("whole", |cx| study.measure(&study.model, &[], cx))?;
    record(&whole, "none", "none", 0, cx);

    for (number, &order) in config.orders.iter().enumerate() {
        let sequence = match order {
            Order::MostLinear | Order::Greedy => most_linear_first(&scores),
            Order::LeastLinear => most_linear_first(&scores).into_iter().rev().collect(),
            Order::Random => study.random_order(cx.seed()),
        };
        if order != Order::Greedy {
            cx.note(format!("Order {}: blocks {}.", order.name(), listed(&sequence)));
        }
        for &method in &config.methods {
            if order == Order::Greedy {
                if matches!(method, Method::Prune | Method::Affine) {
                    greedy(method, config, &study, cx)?;
                }
                continue;
            }
            if method == Method::AffineDistill && number > 0 {
                continue;
            }
            for &n in &config.layers {
                let key = format!("{} {} {n}", method.name(), order.name());
                let layers = &sequence[..n];
                let measured = cx.cell(&key, |cx| {
                    let plan = study.plan(method, layers, &maps, cx)?;
                    let model = match method {
                        Method::AffineDistill => study.distilled(&plan, &config.distill, cx)?,
                        _ => {
                            let device = sixfold_model::device(cx.device_name())?;
                            study.model.clone().with_body(|body| plan.apply(body, &device))
                        }
                    };
                    keep(config, &study, &model, &key, cx)?;
                    study.measure(&model, layers, cx)
                })?;
                record(&measured, method.name(), order.name(), n, cx);
            }
        }
    }
    Ok(())
}

/// Takes the most linear layer of what is left, again and again, as one resumable cell.
fn greedy(method: Method, config: &ReplaceConfig, study: &Study, cx: &mut Context) -> Result<()> {
    let order = Order::Greedy.name();
    let steps = cx.cell(&format!("{} {order}", method.name()), |cx| {
        let device = sixfold_model::device(cx.device_name())?;
        let mut model = study.model.clone();
        // The number that each layer of the changed model had; none for a map.
        let mut numbers: Vec<Option<usize>> = (0..model.body().n_layers()).map(Some).collect();
        let (mut gone, mut steps) = (Vec::new(), Vec::new());
        for n in 1..=config.layers.iter().copied().max().unwrap_or(0) {
            let moments = study.moments(model.body(), cx)?;
            let mut best: Option<(usize, f64)> = None;
            for layer in (0..numbers.len()).filter(|&layer| numbers[layer].is_some()) {
                let score = transition(&moments, layer).linearity()?.score;
                if best.is_none_or(|(_, highest)| score > highest) {
                    best = Some((layer, score));
                }
            }
            let Some((layer, _)) = best else { break };
            gone.extend(numbers[layer]);
            let span = layer..layer + 1;
            model = match method {
                Method::Prune => {
                    numbers.remove(layer);
                    model.with_body(|body| body.without_layers(span))
                }
                _ => {
                    numbers[layer] = None;
                    let map = transition(&moments, layer).affine_map()?.layer(&device);
                    model.with_body(|body| body.with_affine(span, map))
                }
            };
            if config.layers.contains(&n) {
                keep(config, study, &model, &format!("{} {order} {n}", method.name()), cx)?;
                steps.push(study.measure(&model, &gone, cx)?);
            }
        }
        Ok(steps)
    })?;
    for measured in &steps {
        record(measured, method.name(), order, measured.layers.len(), cx);
    }
    if let Some(last) = steps.last() {
        cx.note(format!("Order {order}, {}: blocks {}.", method.name(), listed(&last.layers)));
    }
    Ok(())
}

/// Writes the changed model as a checkpoint, where that is asked for.
fn keep(
    config: &ReplaceConfig,
    study: &Study,
    model: &Model,
    key: &str,
    cx: &Context,
) -> Result<()> {
    if config.save {
        let dir = cx.path(&format!("models/{}-seed{}", key.replace(' ', "-"), cx.seed()));
        match model {
            Model::Lm(model) => study.checkpoint.save(model.as_ref(), dir)?,
            Model::Body(body) => study.checkpoint.save(body.as_ref(), dir)?,
        }
    }
    Ok(())
}

fn record(measured: &Measured, method: &str, order: &str, n: usize, cx: &mut Context) {
    let place = |metric: Metric| metric.at("method", method).at("n_layers", n).at("order", order);
    if let Some(loss) = measured.loss {
        cx.record(place(Metric::new("loss", loss)).unit("nats").better(Better::Lower));
        cx.record(place(Metric::new("perplexity", loss.exp())).better(Better::Lower));
    }
    for (task, accuracy) in &measured.accuracies {
        let metric = place(Metric::new("accuracy", *accuracy)).at("task", task.as_str());
        cx.record(metric.better(Better::Higher));
    }
    cx.record(place(Metric::new("parameters", measured.parameters as f64)));
}

fn listed(layers: &[usize]) -> String {
    layers.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
}
