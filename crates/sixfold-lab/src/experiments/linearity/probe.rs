//! What a frozen model tells a linear probe about sentences, site by site.

use anyhow::{Result, ensure};
use burn::tensor::Tensor;
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use sixfold_model::{Batch, EncodeOptions, Seed, Site, Tap, Tokenizer, Transformer, mean_pool};

use crate::config::Problem;
use crate::context::Context;
use crate::data::{Input, InputKind, Labelled, SentenceTask, Split};
use crate::logistic::{Logistic, majority};

/// Positions of a batch, padding included.
const BATCH_POSITIONS: usize = 8192;

/// Classifying sentences from the mean hidden state of each site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProbeConfig {
    /// The directory of GLUE.
    pub glue: String,
    /// Tasks of two classes, of GLUE or `synthetic`; none for no probe.
    pub tasks: Vec<SentenceTask>,
    /// Sentences that a probe is fitted on, at most.
    pub max_train: usize,
    /// Tokens of a sentence, at most; the model's context where that is shorter.
    pub max_tokens: usize,
}

impl Default for ProbeConfig {
    fn default() -> Self {
        Self { glue: "{data}/glue".to_owned(), tasks: Vec::new(), max_train: 8000, max_tokens: 128 }
    }
}

impl ProbeConfig {
    /// The files that have to be there.
    pub(super) fn inputs(&self) -> impl Iterator<Item = Input> {
        self.tasks.iter().flat_map(|task| {
            [Split::Train, Split::Dev].into_iter().filter_map(|split| {
                let path = task.path(self.glue.as_ref(), split)?;
                Some(Input::new(InputKind::File, "probe.glue", path.to_string_lossy()))
            })
        })
    }

    /// The tasks, read.
    pub(super) fn read(&self, cx: &Context) -> Result<Vec<Task>> {
        self.tasks.iter().map(|task| Task::read(*task, self, cx)).collect()
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for task in self.tasks.iter().filter(|task| task.n_classes() != 2) {
            let message = format!("`{task}` has not two classes, which the probe needs");
            problems.push(Problem::new("probe.tasks", message));
        }
        if self.max_train < 10 {
            problems.push(Problem::new("probe.max_train", "is below 10"));
        }
        if self.max_tokens == 0 {
            problems.push(Problem::new("probe.max_tokens", "is 0; at least 1 is expected"));
        }
        problems
    }
}

/// The sentences of a task.
pub(super) struct Task {
    pub(super) task: SentenceTask,
    train: Vec<Labelled>,
    dev: Vec<Labelled>,
}

impl Task {
    /// Reads a task; of a large one, a random part that is the same for every model.
    fn read(task: SentenceTask, config: &ProbeConfig, cx: &Context) -> Result<Self> {
        let dir = cx.locator().expand("probe.glue", &config.glue)?;
        let mut train = task.read(&dir, Split::Train)?;
        if train.len() > config.max_train {
            let mut random = Seed::new(0).stream("probe");
            let n = train.len();
            let mut chosen = rand::seq::index::sample(&mut random, n, config.max_train).into_vec();
            chosen.sort_unstable();
            train = chosen.into_iter().map(|index| train[index].clone()).collect();
        }
        Ok(Self { task, train, dev: task.read(&dir, Split::Dev)? })
    }

    /// Share of the most frequent class among the sentences that are scored.
    pub(super) fn majority(&self) -> f64 {
        majority(&classes(&self.dev))
    }

    /// Accuracy of a probe on the mean state of each site from `first` on.
    pub(super) fn accuracies(
        &self,
        model: &Transformer,
        tokenizer: &Tokenizer,
        max_tokens: usize,
        first: usize,
        cx: &Context,
    ) -> Result<Vec<f64>> {
        let states = |sentences: &[Labelled], what: &str| {
            let what = format!("{}: {what}", self.task);
            pooled(model, tokenizer, sentences, max_tokens, first, &what, cx)
        };
        let (train, dev) = (states(&self.train, "to fit on")?, states(&self.dev, "to score")?);
        let (fit_on, score_on) = (classes(&self.train), classes(&self.dev));
        let of_site = |(train, dev): (Array2<f64>, Array2<f64>)| {
            Ok(Logistic::fit(train.view(), &fit_on)?.accuracy(dev.view(), &score_on))
        };
        train.into_iter().zip(dev).map(of_site).collect()
    }
}

fn classes(sentences: &[Labelled]) -> Vec<bool> {
    sentences.iter().map(|sentence| sentence.class() == 1).collect()
}

/// The mean hidden state of every sentence at every residual site from `first` on.
fn pooled(
    model: &Transformer,
    tokenizer: &Tokenizer,
    sentences: &[Labelled],
    max_tokens: usize,
    first: usize,
    what: &str,
    cx: &Context,
) -> Result<Vec<Array2<f64>>> {
    let joined: Vec<String> = sentences
        .iter()
        .map(|one| match &one.pair {
            Some(pair) => format!("{}\n{pair}", one.text),
            None => one.text.clone(),
        })
        .collect();
    let texts: Vec<&str> = joined.iter().map(String::as_str).collect();
    let spec = model.spec();
    let longest = spec.max_positions.map_or(max_tokens, |positions| positions.min(max_tokens));
    let options = EncodeOptions { max_tokens: Some(longest), ..EncodeOptions::default() };
    let batches = tokenizer.bucketed(&texts, &options, BATCH_POSITIONS)?;
    let told: usize = batches.iter().map(|(rows, _)| rows.len()).sum();
    ensure!(told == texts.len(), "{what}: {} sentences have no token", texts.len() - told);
    let empty = Array2::zeros((texts.len(), spec.d_model));
    let mut sites = vec![empty; model.n_layers() + 1 - first];
    let mut task = cx.progress().task(what, texts.len() as u64, "sentences");
    for (rows, batch) in &batches {
        cx.check_interrupt()?;
        let mut tap = PoolTap { batch, first, means: Vec::new() };
        model.forward_with(batch, &mut tap)?;
        for (site, means) in sites.iter_mut().zip(tap.means) {
            for (&row, values) in rows.iter().zip(means.chunks(spec.d_model)) {
                let values = values.iter().map(|value| f64::from(*value));
                site.row_mut(row).iter_mut().zip(values).for_each(|(to, value)| *to = value);
            }
        }
        task.advance(rows.len() as u64);
    }
    Ok(sites)
}

/// Keeps the mean over the tokens of every row at every residual site from `first` on.
struct PoolTap<'a> {
    batch: &'a Batch,
    first: usize,
    means: Vec<Vec<f32>>,
}

impl Tap for PoolTap<'_> {
    fn wants(&self, site: Site) -> bool {
        site.residual_index().is_some_and(|site| site >= self.first)
    }

    fn visit(&mut self, _: Site, state: Tensor<3>) -> Tensor<3> {
        let means = mean_pool(state.clone(), self.batch).into_data();
        self.means.push(means.iter::<f32>().collect());
        state
    }
}
