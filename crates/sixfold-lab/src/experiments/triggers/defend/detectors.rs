//! Detectors of attacked texts, each a number a text.

use anyhow::Result;
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use sixfold_model::{Batch, PaddingSide, buckets, mean_pool};
use sixfold_triggers::detect::{deletion_disagreement, onion_scores};
use sixfold_triggers::{
    BootstrapConfig, EraseVote, Example, LanguageModel, LeadingConfig, LeadingWindow, Mahalanobis,
    NgramLm, Roc, Shrinkage, prefix_ratio,
};

use super::super::ground::{Ground, examples};
use super::super::splits::Parts;
use super::config::{DefendConfig, LanguageTexts};

/// Positions of a batch that is only read, padding included.
const BATCH_POSITIONS: usize = 4096;

/// The share of clean texts that may be flagged.
pub(super) const FPR: f64 = 0.05;

/// How well a detector tells attacked texts from clean ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Detected {
    pub(super) detector: String,
    /// Area under the curve, with 95 %.
    pub(super) auroc: [f64; 3],
    /// True positives where 5 % of the clean texts are flagged, with 95 %.
    pub(super) tpr: [f64; 3],
}

/// What the detectors learned from clean texts.
pub(super) struct Detectors<'a> {
    ground: &'a Ground,
    model: NgramLm,
    leading: LeadingWindow,
    mahalanobis: Mahalanobis,
    vote: &'a EraseVote,
    length: usize,
}

impl<'a> Detectors<'a> {
    /// Learns from the user's texts, without their classes.
    ///
    /// # Errors
    /// Too few texts.
    pub(super) fn new(
        ground: &'a Ground,
        parts: &Parts,
        config: &DefendConfig,
        vote: &'a EraseVote,
    ) -> Result<Self> {
        let slice: Vec<Vec<u32>> = ground.search.iter().map(first_text).collect();
        let (learned, known) = match config.language_model {
            LanguageTexts::Search => {
                let (learned, known) = slice.split_at(slice.len() * 4 / 5);
                (learned.to_vec(), known.to_vec())
            }
            LanguageTexts::Train => {
                let rows = parts.lessons(config.training.max_train);
                let train = examples(&ground.ready, rows, config.length)?;
                (train.iter().map(first_text).collect(), slice)
            }
        };
        let vocab = ground.ready.vocabulary.len();
        let model = NgramLm::train(learned.iter().map(Vec::as_slice), vocab)?;
        let surprisals = known
            .iter()
            .map(|ids| Ok(model.surprisals(ids)?))
            .collect::<Result<Vec<Vec<f64>>>>()?;
        let window = LeadingConfig { window: config.length, ..LeadingConfig::default() };
        let hidden = hidden(ground, &ground.search)?;
        Ok(Self {
            ground,
            model,
            leading: LeadingWindow::fit(&surprisals, window)?,
            mahalanobis: Mahalanobis::fit(hidden.view(), Shrinkage::LedoitWolf)?,
            vote,
            length: config.length,
        })
    }

    /// The numbers of every detector for some texts.
    fn scores(&self, texts: &[Example]) -> Result<Vec<(&'static str, Vec<f64>)>> {
        let ids: Vec<Vec<u32>> = texts.iter().map(first_text).collect();
        let candidates = self.ground.filtered.remaining();
        let each = |score: &dyn Fn(&[u32]) -> Result<f64>| -> Result<Vec<f64>> {
            ids.iter().map(|ids| score(ids)).collect()
        };
        let model = &self.model;
        let leading = each(&|ids| Ok(self.leading.score(&model.surprisals(ids)?)?))?;
        let prefix = each(&|ids| Ok(prefix_ratio(model, ids, self.length, candidates)?))?;
        let whole = each(&|ids| {
            let surprisals = model.surprisals(ids)?;
            Ok(surprisals.iter().sum::<f64>() / surprisals.len() as f64)
        })?;
        let onion = each(&|ids| {
            Ok(onion_scores(model, ids)?.into_iter().fold(f64::NEG_INFINITY, f64::max))
        })?;
        let hidden = self.mahalanobis.scores(hidden(self.ground, texts)?.view())?;
        let votes = self.vote.votes(&self.ground.ready.victim, texts)?;
        let deletion = votes.rows().into_iter().map(|row| deletion_disagreement(&row.to_vec()));
        Ok(vec![
            ("leading-window", leading),
            ("prefix-ratio", prefix),
            ("perplexity", whole),
            ("onion", onion),
            ("mahalanobis", hidden.to_vec()),
            ("deletion", deletion.collect()),
        ])
    }

    /// The numbers of the texts that report, without a trigger.
    ///
    /// # Errors
    /// What the victim refuses.
    pub(super) fn clean(&self) -> Result<Vec<(&'static str, Vec<f64>)>> {
        self.scores(&self.ground.dev)
    }

    /// How well each tells texts with a trigger from those without.
    ///
    /// # Errors
    /// What the victim refuses.
    pub(super) fn detect(
        &self,
        clean: &[(&'static str, Vec<f64>)],
        attacked: &[Example],
    ) -> Result<Vec<Detected>> {
        let bootstrap = BootstrapConfig { resamples: 500, ..BootstrapConfig::default() };
        let attacked = self.scores(attacked)?;
        clean
            .iter()
            .zip(attacked)
            .map(|((name, clean), (_, attacked))| {
                let roc = Roc::new(clean.clone(), attacked)?;
                let auroc = roc.auroc_interval(&bootstrap)?;
                let tpr = roc.tpr_interval(FPR, &bootstrap)?;
                Ok(Detected {
                    detector: (*name).to_owned(),
                    auroc: [auroc.value, auroc.low, auroc.high],
                    tpr: [tpr.value, tpr.low, tpr.high],
                })
            })
            .collect()
    }
}

/// The tokens of the text that takes the trigger.
fn first_text(example: &Example) -> Vec<u32> {
    let range = example.fields().first().cloned().unwrap_or(0..0);
    example.clean().ids[range].to_vec()
}

/// The last hidden states of each text, their mean over tokens: `[n, d]`.
fn hidden(ground: &Ground, texts: &[Example]) -> Result<Array2<f32>> {
    let body = &ground.ready.victim.classifier().body;
    let lengths: Vec<usize> = texts.iter().map(|text| text.clean().ids.len()).collect();
    let mut all = Array2::zeros((texts.len(), body.spec().d_output()));
    for rows in buckets(&lengths, BATCH_POSITIONS) {
        let pad = |of: fn(&Example) -> &Vec<u32>, fill: u32| {
            let parts: Vec<Vec<u32>> = rows.iter().map(|&row| of(&texts[row]).clone()).collect();
            Batch::pad(&parts, fill, PaddingSide::Right)
        };
        let mut batch = pad(|text| &text.clean().ids, ground.ready.pad_id);
        if ground.ready.has_types {
            let types = pad(|text| &text.clean().token_types, 0);
            batch = batch.with_token_types(types.ids().to_vec())?;
        }
        let pooled = mean_pool(body.forward(&batch)?, &batch).into_data();
        let pooled: Vec<f32> = pooled.iter::<f32>().collect();
        for (row, values) in rows.iter().zip(pooled.chunks(all.ncols())) {
            all.row_mut(*row).iter_mut().zip(values).for_each(|(slot, value)| *slot = *value);
        }
    }
    Ok(all)
}
