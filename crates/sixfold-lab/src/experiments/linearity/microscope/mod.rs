//! `linearity/microscope`: how non-linear each block is on each token, and what each site would
//! predict, over a text.

mod config;
mod words;

pub use config::MicroscopeConfig;

use anyhow::{Context as _, Result, ensure};
use burn::tensor::Tensor;
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use sixfold_linearity::logit_lens;
use sixfold_model::stats::TokenFilter;
use sixfold_model::{
    Batch, Checkpoint, EncodeOptions, PaddingSide, Site, Tap, Tokenizer, Transformer,
};

use super::super::experiment_file;
use super::super::profile::{Reading, Streamed, context, transition};
use crate::config::ExperimentFile;
use crate::context::Context;
use crate::data::{Documents, Input};
use crate::experiment::Experiment;
use crate::present::Presentation;
use crate::record::{Better, Metric, Results};

/// The experiment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Microscope;

impl Experiment for Microscope {
    type Config = MicroscopeConfig;

    fn name(&self) -> &'static str {
        "linearity/microscope"
    }

    fn title(&self) -> &'static str {
        "non-linearity and predictions of each layer, token by token"
    }

    fn file(&self) -> ExperimentFile {
        experiment_file!("linearity/microscope")
    }

    fn uses_seed(&self) -> bool {
        false
    }

    fn inputs(&self, config: &MicroscopeConfig) -> Vec<Input> {
        config.inputs()
    }

    fn run(&self, config: &MicroscopeConfig, cx: &mut Context) -> Result<()> {
        let seen = cx.cell("tokens", |cx| look(config, cx))?;
        record(&seen, cx);
        Ok(())
    }

    fn present(&self, _config: &MicroscopeConfig, results: &Results) -> Presentation {
        words::present(results)
    }
}

/// What was seen of the text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Seen {
    /// The tokens as text.
    tokens: Vec<String>,
    /// ‖xA + b − y‖² of each token over its mean ‖y − μ‖², by block.
    nonlinearity: Vec<Vec<f64>>,
    /// The lens at each site, for all tokens but the last; empty without a language model.
    lens: Vec<Lens>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Lens {
    loss: Vec<f64>,
    entropy: Vec<f64>,
    divergence: Vec<f64>,
    predicted: Vec<String>,
}

fn look(config: &MicroscopeConfig, cx: &mut Context) -> Result<Seen> {
    let dir = cx.locator().existing("model.dir", &config.model.dir)?;
    let path = cx.locator().existing("text.path", &config.text.path)?;
    let device = sixfold_model::device(cx.device_name())?;
    let checkpoint = Checkpoint::open(&dir)?;
    let lm = checkpoint.spec().causal.then(|| checkpoint.causal_lm(&device)).transpose()?;
    let body = match &lm {
        Some(lm) => lm.body.clone(),
        None => checkpoint.transformer(&device)?,
    };
    let tokenizer = Tokenizer::from_dir(&dir)?;
    let mut documents: Vec<String> =
        Documents::open(&path, config.text.column.as_ref())?.collect::<Result<_>>()?;
    let last = documents.pop().with_context(|| format!("{}: no document", path.display()))?;
    ensure!(!documents.is_empty(), "{}: one document cannot be fitted and shown", path.display());
    let shown = if config.show.text.is_empty() { last } else { config.show.text.clone() };

    let window = context(checkpoint.spec());
    let options = EncodeOptions {
        max_tokens: Some(config.show.tokens.min(window)),
        ..EncodeOptions::default()
    };
    let ids = tokenizer.encode(&shown, &options)?.ids;
    ensure!(ids.len() > 1, "show.text: at least two tokens are needed, found {}", ids.len());
    let batch = Batch::pad(std::slice::from_ref(&ids), 0, PaddingSide::Right);

    let pad = checkpoint.pad_token().unwrap_or(0);
    let to_fit = documents.into_iter().map(Ok);
    let reading = Reading::of(to_fit, &tokenizer, window, pad, config.text.max_tokens)?;
    let nonlinearity = nonlinearity(&body, &reading, &batch, cx)?;
    let name = |id: u32| tokenizer.token(id).unwrap_or_else(|| format!("<{id}>"));
    let lens = match &lm {
        Some(lm) => logit_lens(lm, &batch)?
            .into_iter()
            .map(|layer| Lens {
                loss: layer.loss.into_iter().map(f64::from).collect(),
                entropy: layer.entropy.into_iter().map(f64::from).collect(),
                divergence: layer.divergence.into_iter().map(f64::from).collect(),
                predicted: layer.top.into_iter().map(name).collect(),
            })
            .collect(),
        None => Vec::new(),
    };
    Ok(Seen { tokens: ids.into_iter().map(name).collect(), nonlinearity, lens })
}

/// What the affine map of each block misses of each token, in units of the spread of its output.
fn nonlinearity(
    body: &Transformer,
    reading: &Reading,
    batch: &Batch,
    cx: &mut Context,
) -> Result<Vec<Vec<f64>>> {
    let filters = [TokenFilter::All];
    let moments = Streamed::of(body, reading, &filters, "maps", cx)?.all(TokenFilter::All)?;
    let mut states = States(Vec::new());
    body.forward_with(batch, &mut states)?;
    let blocks = states.0.windows(2).enumerate().map(|(layer, pair)| {
        let fitted = transition(&moments, layer);
        let spread = fitted.y.total_variance() / fitted.y.count() as f64;
        let errors = fitted.affine_map()?.errors(pair[0].view(), pair[1].view())?;
        Ok((errors / spread).to_vec())
    });
    blocks.collect()
}

/// Keeps the states of the residual sites of one text.
struct States(Vec<Array2<f32>>);

impl Tap for States {
    fn wants(&self, site: Site) -> bool {
        site.residual_index().is_some()
    }

    fn visit(&mut self, _: Site, state: Tensor<3>) -> Tensor<3> {
        let [rows, len, d] = state.dims();
        let values: Vec<f32> = state.to_data().iter::<f32>().collect();
        let values = Array2::from_shape_vec((rows * len, d), values);
        self.0.push(values.expect("as many values as the shape says"));
        state
    }
}

/// Every token, and the means over them.
fn record(seen: &Seen, cx: &mut Context) {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    for (layer, values) in seen.nonlinearity.iter().enumerate() {
        cx.record(Metric::new("nonlinearity", mean(values)).at("layer", layer));
        for (position, (value, token)) in values.iter().zip(&seen.tokens).enumerate() {
            let metric = Metric::new("nonlinearity", *value).at("layer", layer);
            cx.record(metric.at("position", position).at("token", token.as_str()));
        }
    }
    for (layer, lens) in seen.lens.iter().enumerate() {
        for (name, values) in [
            ("lens_loss", &lens.loss),
            ("lens_entropy", &lens.entropy),
            ("lens_divergence", &lens.divergence),
        ] {
            let better = if name == "lens_loss" { Better::Lower } else { Better::None };
            let metric = |value| Metric::new(name, value).at("layer", layer).unit("nats");
            cx.record(metric(mean(values)).better(better));
            for (position, value) in values.iter().enumerate() {
                let mut one = metric(*value).better(better).at("position", position);
                one = one.at("token", seen.tokens[position].as_str());
                if name == "lens_loss" {
                    one = one.at("predicted", lens.predicted[position].as_str());
                }
                cx.record(one);
            }
        }
    }
}
