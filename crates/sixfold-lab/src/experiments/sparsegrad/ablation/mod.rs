//! `sparsegrad/ablation`: the fraction that is trained, the bases, and how entries are chosen (the paper's Tables 11 and 12,
//! with a true 100 %).

mod config;
mod energy;
mod variants;
mod words;

pub use config::AblationConfig;

use anyhow::Result;
use sixfold_model::Seed;

use self::variants::{Variant, policy_name, variants};
use super::glue::{metrics, note_edge};
use super::material::{Sentences, model_name};
use super::study::{Study, Subject};
use super::ways::Way;
use crate::config::ExperimentFile;
use crate::context::Context;
use crate::data::Input;
use crate::estimate::Work;
use crate::experiment::Experiment;
use crate::experiments::experiment_file;
use crate::present::Presentation;
use crate::record::{Better, Labels, Metric, Results};

/// The experiment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ablation;

impl Experiment for Ablation {
    type Config = AblationConfig;

    fn name(&self) -> &'static str {
        "sparsegrad/ablation"
    }

    fn title(&self) -> &'static str {
        "fractions, bases and policies of SparseGrad"
    }

    fn file(&self) -> ExperimentFile {
        experiment_file!("sparsegrad/ablation")
    }

    fn inputs(&self, config: &AblationConfig) -> Vec<Input> {
        config.inputs()
    }

    fn work(&self, config: &AblationConfig) -> Vec<Work> {
        config.recipe.work(variants(config).len(), config.max_tokens)
    }

    fn run(&self, config: &AblationConfig, cx: &mut Context) -> Result<()> {
        run(config, cx)
    }

    fn present(&self, config: &AblationConfig, results: &Results) -> Presentation {
        words::present(config, results)
    }
}

/// For every variant: trials of learning rates, a training, and the energy of its entries; each a resumable cell.
fn run(config: &AblationConfig, cx: &mut Context) -> Result<()> {
    let model = model_name(&config.model.dir);
    let (dir, glue) = (&config.model.dir, &config.glue);
    let subject = Sentences::read(config.task, dir, glue, config.max_tokens, cx)?;
    let (recipe, common) = (&config.recipe, config.common());
    let mut trials = Study::new(&subject, recipe, &common, recipe.tune_seed)?;
    let mut study = Study::new(&subject, recipe, &common, cx.seed())?;
    for variant in variants(config) {
        let name = variant.name();
        let mut place = Labels::default();
        place.set("fraction", variant.fraction);
        place.set("basis", variant.basis.name());
        place.set("policy", policy_name(variant.policy));
        let way = Way::Sparse(variant.sparse(&trials.common));
        let chosen = trials.learning_rate(&way, &name, &place, cx)?;
        let way = Way::Sparse(variant.sparse(&study.common));
        let outcome = study.outcome(&way, chosen.lr, &name, &place, cx)?;
        let energy = energy_of(variant, &mut study, cx)?;
        let energy = Metric::new("energy", energy).better(Better::Higher);
        for metric in metrics(&outcome, &chosen).into_iter().chain([energy]) {
            let metric = metric.at("model", model.as_str()).at("task", config.task.name());
            cx.record(variant.label(metric));
        }
        note_edge(&chosen, &name, cx);
        // Whole bases are large: those of a variant are of no use to the next.
        trials.calibrations = Default::default();
        study.calibrations = Default::default();
    }
    cx.forget_checkpoints()
}

/// The share of squared gradients that the entries of a variant hold before the training, on held-out batches.
fn energy_of(variant: Variant, study: &mut Study<'_, Sentences>, cx: &mut Context) -> Result<f64> {
    cx.cell(&format!("energy {}", variant.name()), |cx| {
        let device = sixfold_model::device(cx.device_name())?.autodiff();
        let seed = Seed::new(study.common.seed);
        let sparse = variant.sparse(&study.common);
        let way = Way::Sparse(sparse.clone());
        let held_out: Vec<usize> = study.split().1.collect();
        study.calibrate(&way, &device, cx)?;
        let subject = study.subject;
        let model = subject.model(seed, &device)?;
        let known = |_: &_, _: usize| unreachable!("the calibration is known");
        let found = study.calibrations.of(&model, &sparse, known)?;
        let size = study.recipe.batch_size.min(held_out.len());
        let batches: Vec<Vec<usize>> = (0..energy::BATCHES)
            .map(|batch| (0..size).map(|i| held_out[(batch * size + i) % held_out.len()]).collect())
            .collect();
        energy::held_out(model, &sparse, found, &device, seed, |model, batch| {
            subject.loss(model, &batches[batch])
        })
    })
}
