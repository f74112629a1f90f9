//! `tensor-train/compress`: what TT-SVD makes of a trained table.

mod config;
mod sentences;
mod words;

pub use config::{CompressConfig, GlueRef, OrderName, TableRef};

use anyhow::{Context as _, Result};
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};
use sixfold_linalg::files::MatrixFile;
use sixfold_linalg::{TruncatedSvdConfig, truncated_svd};
use sixfold_model::{Checkpoint, EncodeOptions, Tokenizer};
use sixfold_tensor_train::shape::{column_factors, row_factors};
use sixfold_tensor_train::{Order, Target, decompose};

use self::sentences::Sentences;
use crate::config::ExperimentFile;
use crate::context::Context;
use crate::data::{Documents, Input};
use crate::experiment::Experiment;
use crate::experiments::experiment_file;
use crate::present::Presentation;
use crate::record::{Better, Metric, Results};

/// The experiment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Compress;

impl Experiment for Compress {
    type Config = CompressConfig;

    fn name(&self) -> &'static str {
        "tensor-train/compress"
    }

    fn title(&self) -> &'static str {
        "TT-SVD of a trained table: error against size"
    }

    fn file(&self) -> ExperimentFile {
        experiment_file!("tensor-train/compress")
    }

    fn uses_seed(&self) -> bool {
        false
    }

    fn inputs(&self, config: &CompressConfig) -> Vec<Input> {
        config.inputs()
    }

    fn run(&self, config: &CompressConfig, cx: &mut Context) -> Result<()> {
        let table = table(config, cx)?;
        let sentences = Sentences::open(config, cx)?;
        if let Some(sentences) = &sentences {
            let found = cx.cell("dense", |_| sentences.similarity(None))?;
            cx.record(place(found.metric(), "dense", 0.0, None));
        }
        let targets = config.ranks.iter().map(|rank| Target::Rank(*rank));
        let targets: Vec<Target> =
            targets.chain(config.eps.iter().map(|eps| Target::RelativeError(*eps))).collect();
        let steps = (config.order.len() * targets.len()) as u64;
        let mut task = cx.progress().task("decompositions", steps, "tables");
        let mut sizes = Vec::new();
        for name in &config.order {
            let order = order(*name, config, table.view(), cx)?;
            for target in &targets {
                cx.check_interrupt()?;
                let cell = format!("{}-{target:?}", name.name());
                let found = cx.cell(&cell, |_| {
                    measure(table.view(), &order, target, config, sentences.as_ref())
                })?;
                task.advance(1);
                found.record(Some(*name), cx);
                sizes.push(found);
            }
        }
        // Of each size once: orders have the same number of parameters.
        sizes.sort_by_key(|found| found.parameters);
        sizes.dedup_by_key(|found| found.parameters);
        for train in sizes {
            cx.check_interrupt()?;
            let found = cx.cell(&format!("low-rank-{}", train.parameters), |_| {
                low_rank(table.view(), &train, sentences.as_ref())
            })?;
            found.record(None, cx);
        }
        Ok(())
    }

    fn present(&self, config: &CompressConfig, results: &Results) -> Presentation {
        words::present(config, results)
    }
}

/// A compressed table, as its cell keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Compressed {
    /// The largest rank.
    rank: usize,
    parameters: usize,
    compression: f64,
    relative_error: f64,
    similarity: Option<sentences::Score>,
}

impl Compressed {
    fn record(&self, order: Option<OrderName>, cx: &mut Context) {
        let embedding = if order.is_some() { "tt" } else { "low-rank" };
        let mut put = |metric| cx.record(place(metric, embedding, self.rank as f64, order));
        put(Metric::new("relative_error", self.relative_error).better(Better::Lower));
        put(Metric::new("compression", self.compression).better(Better::Higher));
        put(Metric::new("parameters", self.parameters as f64).better(Better::Lower));
        if let Some(score) = self.similarity {
            put(score.metric());
        }
    }
}

fn place(metric: Metric, embedding: &str, rank: f64, order: Option<OrderName>) -> Metric {
    let metric = metric.at("embedding", embedding).at("rank", rank);
    match order {
        Some(order) => metric.at("order", order.name()),
        None => metric,
    }
}

/// The table, dense.
fn table(config: &CompressConfig, cx: &Context) -> Result<Array2<f32>> {
    if !config.table.path.is_empty() {
        let path = cx.locator().existing("table.path", &config.table.path)?;
        let file = MatrixFile::open(&path)?;
        let matrix = match config.table.tensor.as_str() {
            "" => file.matrix()?,
            name => file.tensor(name)?,
        };
        return Ok(matrix.to_f64().mapv(|x| x as f32));
    }
    let dir = cx.locator().existing("model.dir", &config.model.dir)?;
    let device = sixfold_model::device(cx.device_name())?;
    let weight = Checkpoint::open(&dir)?.transformer(&device)?.embed.tokens.weight.val();
    let shape = weight.dims();
    let values = weight.into_data().iter::<f32>().collect();
    Array2::from_shape_vec(shape, values).context("a table of its own shape")
}

fn order(
    name: OrderName,
    config: &CompressConfig,
    table: ArrayView2<'_, f32>,
    cx: &mut Context,
) -> Result<Order> {
    match name {
        OrderName::Identity => Ok(Order::identity(table.nrows())),
        OrderName::Cluster => {
            Ok(Order::clustered(&table, &row_factors(table.nrows(), config.cores))?)
        }
        OrderName::Frequency => {
            let counts = cx.cell("counts", |cx| counts(table.nrows(), config, cx))?;
            Ok(Order::by_frequency(&counts))
        }
    }
}

/// How often each token stands in the text.
fn counts(vocab: usize, config: &CompressConfig, cx: &mut Context) -> Result<Vec<u64>> {
    let dir = cx.locator().existing("model.dir", &config.model.dir)?;
    let path = cx.locator().existing("text.path", &config.text.path)?;
    let tokenizer = Tokenizer::from_dir(&dir)?;
    let mut counts = vec![0; vocab];
    let mut left = config.text.max_tokens;
    for document in Documents::open(&path, config.text.column.as_ref())? {
        cx.check_interrupt()?;
        let ids = tokenizer.encode(&document?, &EncodeOptions::default())?.ids;
        for id in ids.iter().take(left) {
            *counts.get_mut(*id as usize).with_context(|| {
                format!("{}: token {id} is no row of the table of {vocab}", dir.display())
            })? += 1;
        }
        left = left.saturating_sub(ids.len());
        if left == 0 {
            break;
        }
    }
    Ok(counts)
}

fn measure(
    table: ArrayView2<'_, f32>,
    order: &Order,
    target: &Target,
    config: &CompressConfig,
    sentences: Option<&Sentences>,
) -> Result<Compressed> {
    let (vocab, d) = table.dim();
    let (rows, columns) = (row_factors(vocab, config.cores), column_factors(d, config.cores));
    let ordered = order.apply(table)?;
    let cores = decompose(&ordered, &rows, &columns, target)?.into_cores();
    let relative_error = sixfold_tensor_train::decompose::relative_error(&cores, &ordered)?;
    let shape = cores.shape();
    let bytes = 4 * shape.parameters() + order.bytes();
    Ok(Compressed {
        rank: shape.ranks().iter().copied().max().unwrap_or(1),
        parameters: shape.parameters(),
        compression: (4 * vocab * d) as f64 / bytes as f64,
        relative_error,
        similarity: sentences.map(|s| s.similarity(Some((&cores, order)))).transpose()?,
    })
}

/// The best table of low rank with as many parameters as a train.
fn low_rank(
    table: ArrayView2<'_, f32>,
    train: &Compressed,
    sentences: Option<&Sentences>,
) -> Result<Compressed> {
    let (vocab, d) = table.dim();
    let rank = (train.parameters / (vocab + d)).clamp(1, d);
    let norm = |x: ArrayView2<'_, f32>| x.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    let found = truncated_svd(table, rank, &TruncatedSvdConfig::default())?;
    let near = (&found.u * &found.s).dot(&found.vt);
    let error = norm((&table - &near).view()) / norm(table);
    let parameters = rank * (vocab + d);
    Ok(Compressed {
        rank,
        parameters,
        compression: (vocab * d) as f64 / parameters as f64,
        relative_error: error,
        similarity: sentences.map(|s| s.similarity_of(near.view())).transpose()?,
    })
}
