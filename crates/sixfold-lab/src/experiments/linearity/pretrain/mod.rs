//! `linearity/pretrain`: what a penalty on the steps of the residual stream does to a small
//! decoder: its loss, what a linear probe reads from it, and how linear its blocks are.

mod config;
mod words;

pub use config::PretrainConfig;

use anyhow::Result;
use burn::tensor::Tensor;
use sixfold_linearity::RegulariserTap;
use sixfold_model::{Batch, CausalLm, next_token_labels};

use super::super::decoder::{Material, Training};
use super::super::experiment_file;
use super::super::profile::{Reading, Streamed, measure};
use crate::config::ExperimentFile;
use crate::context::Context;
use crate::data::Input;
use crate::estimate::Work;
use crate::experiment::Experiment;
use crate::present::Presentation;
use crate::record::{Better, Labels, Metric, Results};

/// The experiment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pretrain;

impl Experiment for Pretrain {
    type Config = PretrainConfig;

    fn name(&self) -> &'static str {
        "linearity/pretrain"
    }

    fn title(&self) -> &'static str {
        "a penalty on the steps of the residual stream, in pre-training"
    }

    fn file(&self) -> ExperimentFile {
        experiment_file!("linearity/pretrain")
    }

    fn inputs(&self, config: &PretrainConfig) -> Vec<Input> {
        config.inputs()
    }

    fn work(&self, config: &PretrainConfig) -> Vec<Work> {
        vec![config.recipe.work(config.lambda.len())]
    }

    fn run(&self, config: &PretrainConfig, cx: &mut Context) -> Result<()> {
        run(config, cx)
    }

    fn present(&self, config: &PretrainConfig, results: &Results) -> Presentation {
        words::present(config, results)
    }
}

/// Trains a decoder for every λ, each as a resumable cell, from the same parameters on the same
/// batches in the same order.
fn run(config: &PretrainConfig, cx: &mut Context) -> Result<()> {
    let recipe = &config.recipe;
    let material = Material::read(recipe, &config.text, cx)?;
    let held_out = material.held_out.iter().cloned().map(Ok);
    let reading =
        Reading::of(held_out, &material.tokenizer, recipe.context, 0, config.text.max_tokens)?;
    let n_tokens = recipe.steps * (recipe.batch_size * recipe.context) as u64;
    cx.note(format!(
        "Every training sees {n_tokens} tokens ({} different ones); the loss is taken on {} and \
         linearity on {} held-out tokens.",
        material.n_train(),
        config.loss_examples * recipe.context,
        reading.n_tokens
    ));
    let tasks = config.probe.read(cx)?;
    for task in &tasks {
        let metric = Metric::new("majority", task.majority()).at("task", task.task.name());
        cx.record(metric.better(Better::Higher));
    }
    for &lambda in &config.lambda {
        let metrics = cx.cell(&format!("lambda {lambda}"), |cx| {
            let model = train(config, lambda, &material, cx)?;
            let mut metrics = of_model(config, &model, &material, &reading, cx)?;
            for task in &tasks {
                let limit = config.probe.max_tokens;
                let found = task.accuracies(&model.body, &material.tokenizer, limit, 0, cx)?;
                metrics.extend(found.into_iter().enumerate().map(|(site, accuracy)| {
                    let metric = Metric::new("accuracy", accuracy).at("task", task.task.name());
                    metric.at("layer", site).better(Better::Higher)
                }));
            }
            Ok(metrics)
        })?;
        for metric in metrics {
            cx.record(metric.at("lambda", lambda));
        }
    }
    cx.forget_checkpoints()
}

/// The trained decoder of one λ.
fn train(
    config: &PretrainConfig,
    lambda: f64,
    material: &Material,
    cx: &Context,
) -> Result<CausalLm> {
    let dir = cx.checkpoints().join(format!("lambda-{lambda}"));
    let steps = config.recipe.steps;
    let mut training = Training::begin(&config.recipe, material, steps, &dir, cx)?;
    let mut place = Labels::default();
    place.set("lambda", lambda);
    training.advance_on(steps, &place, cx, |model, batch| {
        if lambda == 0.0 {
            return model.loss(batch);
        }
        let (loss, penalty) = with_penalty(config, model, batch)?;
        Ok(loss + penalty * lambda)
    })?;
    Ok(training.model())
}

/// The loss, and the penalty summed over the blocks.
fn with_penalty(
    config: &PretrainConfig,
    model: &CausalLm,
    batch: &Batch,
) -> sixfold_model::Result<(Tensor<1>, Tensor<1>)> {
    let mut tap = RegulariserTap::new(config.regulariser, batch);
    let hidden = model.body.forward_with(batch, &mut tap)?;
    let loss = model.loss_of_hidden(hidden, &next_token_labels(batch))?;
    let blocks = model.body.n_layers() as f64;
    let penalty = tap.penalty().map(|mean| mean * blocks);
    Ok((loss, penalty.expect("there are two sites, for there is a block")))
}

/// Loss, penalty, and linearity block by block.
fn of_model(
    config: &PretrainConfig,
    model: &CausalLm,
    material: &Material,
    reading: &Reading,
    cx: &mut Context,
) -> Result<Vec<Metric>> {
    let batch_size = config.recipe.batch_size;
    let losses = material.losses(model, batch_size, config.loss_examples)?;
    let mut metrics: Vec<Metric> = ["train", "heldout"]
        .into_iter()
        .zip(losses)
        .map(|(split, loss)| {
            Metric::new("loss", loss).at("split", split).unit("nats").better(Better::Lower)
        })
        .collect();
    let (mut penalty, mut n) = (0.0, 0);
    for (batch, _) in reading.batches.iter().take(4).filter(|(batch, _)| batch.len() > 1) {
        let (_, of_batch) = with_penalty(config, model, batch)?;
        penalty += f64::from(of_batch.into_scalar::<f32>()) * batch.n_tokens() as f64;
        n += batch.n_tokens();
    }
    metrics.push(Metric::new("penalty", penalty / n.max(1) as f64));
    let mut streamed = Streamed::of(&model.body, reading, &config.filters, "decoder", cx)?;
    for row in measure::blocks(&mut streamed, &config.filters, "decoder", cx)? {
        for one in row.metrics {
            let metric = Metric::new(one.name, one.value).ci95(one.ci95);
            metrics.push(metric.at("layer", row.layer).at("filter", row.filter.name()));
        }
    }
    Ok(metrics)
}
