//! What a compressed table costs a model that reads sentences.

use anyhow::Result;
use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};
use sixfold_model::{
    Checkpoint, EncodeOptions, Encoding, Projection, TokenEmbedding, Tokenizer, Transformer,
    mean_pool,
};
use sixfold_sgns::evaluation::{bootstrap_interval, spearman};
use sixfold_tensor_train::{Cores, Order, TtEmbedding};

use super::CompressConfig;
use crate::context::Context;
use crate::data::{GlueTask, Split};
use crate::record::{Better, Metric};

/// Sentences of a batch.
const BATCH: usize = 64;

/// Draws of an interval.
const DRAWS: usize = 1_000;

/// A correlation with its 95 % interval over pairs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Score {
    value: f64,
    low: f64,
    high: f64,
}

impl Score {
    pub(super) fn metric(self) -> Metric {
        let metric = Metric::new("similarity", self.value).ci95(Some([self.low, self.high]));
        metric.better(Better::Higher)
    }
}

/// A model, and pairs of sentences that people scored.
pub(super) struct Sentences {
    model: Transformer,
    tokenizer: Tokenizer,
    /// The first and the second of each pair, in turns, by length.
    encodings: Vec<(usize, Encoding)>,
    scores: Vec<f64>,
    device: Device,
}

impl Sentences {
    /// The model and the pairs of the config, if it has any.
    pub(super) fn open(config: &CompressConfig, cx: &Context) -> Result<Option<Self>> {
        if config.glue.dir.is_empty() {
            return Ok(None);
        }
        let dir = cx.locator().existing("model.dir", &config.model.dir)?;
        let glue = cx.locator().existing("glue.dir", &config.glue.dir)?;
        let pairs = GlueTask::Stsb.read(&glue, Split::Dev)?;
        let device = sixfold_model::device(cx.device_name())?;
        let model = Checkpoint::open(&dir)?.transformer(&device)?;
        let tokenizer = Tokenizer::from_dir(&dir)?;
        let options = EncodeOptions { max_tokens: Some(128), ..EncodeOptions::default() };
        let second = |pair: &Option<String>| pair.clone().unwrap_or_default();
        let texts: Vec<String> =
            pairs.iter().flat_map(|pair| [pair.text.clone(), second(&pair.pair)]).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let mut encodings: Vec<_> =
            tokenizer.encode_all(&texts, &options)?.into_iter().enumerate().collect();
        // Sentences of one length beside each other need little padding.
        encodings.sort_by_key(|(place, encoding)| (encoding.ids.len(), *place));
        let scores = pairs.iter().map(|pair| f64::from(pair.label)).collect();
        Ok(Some(Self { model, tokenizer, encodings, scores, device }))
    }

    /// The correlation with the model's own table, or with cores in its place.
    pub(super) fn similarity(&self, table: Option<(&Cores, &Order)>) -> Result<Score> {
        let Some((cores, order)) = table else { return self.score(&self.model) };
        let table = TtEmbedding::from_cores(cores, &self.device).with_order(order.clone())?;
        self.score(&self.model.clone().map_embedding(|_| table))
    }

    /// The correlation with another dense table.
    pub(super) fn similarity_of(&self, table: ArrayView2<'_, f32>) -> Result<Score> {
        let data = TensorData::new(
            table.iter().copied().collect::<Vec<_>>(),
            <[usize; 2]>::from(table.dim()),
        );
        let weight = Param::from_tensor(Tensor::from_data(data, &self.device));
        let model = self.model.clone().map_embedding(|mut tokens| {
            tokens.weight = weight;
            tokens
        });
        self.score(&model)
    }

    fn score<E: TokenEmbedding, P: Projection>(&self, model: &Transformer<E, P>) -> Result<Score> {
        let mut states = vec![Vec::new(); self.encodings.len()];
        for part in self.encodings.chunks(BATCH) {
            let encodings: Vec<Encoding> = part.iter().map(|(_, e)| e.clone()).collect();
            let batch = self.tokenizer.pad(&encodings, &EncodeOptions::default());
            let pooled = mean_pool(model.forward(&batch)?, &batch);
            let d = pooled.dims()[1];
            let values: Vec<f32> = pooled.into_data().iter::<f32>().collect();
            for ((place, _), state) in part.iter().zip(values.chunks_exact(d)) {
                states[*place] = state.to_vec();
            }
        }
        let cosines: Vec<f64> =
            states.chunks_exact(2).map(|two| cosine(&two[0], &two[1])).collect();
        self.with_interval(&cosines)
    }

    /// Spearman's correlation, and its interval over pairs.
    fn with_interval(&self, cosines: &[f64]) -> Result<Score> {
        let (low, high) = bootstrap_interval(cosines.len(), DRAWS, 0, |drawn| {
            let of = |values: &[f64]| drawn.iter().map(|&at| values[at]).collect::<Vec<_>>();
            spearman(&of(cosines), &of(&self.scores))
        })?;
        Ok(Score { value: spearman(cosines, &self.scores), low, high })
    }
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    };
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt().max(f64::MIN_POSITIVE)
}
