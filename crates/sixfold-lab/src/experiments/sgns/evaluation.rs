//! Word similarity and analogies: reading the lists, scoring vectors, comparing two of them.

use std::fs;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};
use sixfold_sgns::WordVectors;
use sixfold_sgns::evaluation::{
    Analogies, AnalogyConfig, Difference, PairsConfig, WordPairs, evaluate_analogies,
    evaluate_pairs, paired_accuracy, paired_difference,
};

use crate::config::Problem;
use crate::context::Context;
use crate::data::{Input, InputKind};
use crate::error::{config, doing};
use crate::record::{Better, Metric};

/// The file of Google's analogies, and what its records are called.
const ANALOGIES: &str = "questions-words.txt";
pub(super) const GOOGLE: &str = "google";

/// Pairs below which a correlation says nothing.
const FEWEST: usize = 10;

/// Which lists score the vectors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EvalConfig {
    /// A directory of lists of word pairs (`.txt`), with `questions-words.txt` where there are
    /// analogies; empty for no scores.
    pub dir: String,
    /// Draws of the bootstrap.
    pub draws: usize,
}

impl Default for EvalConfig {
    fn default() -> Self {
        Self { dir: "{repo}/fixtures/words".to_owned(), draws: 1000 }
    }
}

impl EvalConfig {
    pub(super) fn input(&self) -> Option<Input> {
        let given = !self.dir.is_empty();
        given.then(|| Input::new(InputKind::Directory, "eval.dir", &self.dir))
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        match self.draws {
            0 => vec![Problem::new("eval.draws", "is 0; 1000 are usual")],
            _ => Vec::new(),
        }
    }
}

/// The lists.
pub(super) struct Sets {
    pairs: Vec<(String, WordPairs)>,
    analogies: Option<Analogies>,
    draws: usize,
}

/// How vectors did on the lists: what two of them are compared by.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Scored {
    pairs: Vec<ScoredPairs>,
    analogies: Vec<ScoredAnalogies>,
    /// Sets of which too few pairs are known, with that number.
    left_out: Vec<(String, usize)>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct ScoredPairs {
    set: String,
    value: f64,
    interval: [f64; 2],
    /// Cosine and gold score of the pairs that are known.
    cosines: Vec<f64>,
    gold: Vec<f64>,
    /// Pairs of the list.
    total: usize,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct ScoredAnalogies {
    set: String,
    value: f64,
    interval: [f64; 2],
    answers: Vec<bool>,
    total: usize,
}

impl Sets {
    /// The lists of the directory, or those named in `only`; none without a directory.
    pub(super) fn open(
        config: &EvalConfig,
        only: Option<&[String]>,
        cx: &Context,
    ) -> Result<Option<Self>> {
        if config.dir.is_empty() {
            return Ok(None);
        }
        let dir = cx.locator().existing("eval.dir", &config.dir)?;
        let mut names: Vec<String> = fs::read_dir(&dir)
            .with_context(|| doing("read", &dir))?
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| name.ends_with(".txt"))
            .collect();
        names.sort();
        let has_analogies = names.iter().any(|name| name == ANALOGIES);
        names.retain(|name| name != ANALOGIES);
        let stems: Vec<&str> = names.iter().map(|name| name.trim_end_matches(".txt")).collect();
        let wanted = |set: &str| only.is_none_or(|only| only.iter().any(|name| name == set));
        for name in only.unwrap_or_default() {
            let there = if name == GOOGLE { has_analogies } else { stems.contains(&name.as_str()) };
            if !there && name != GOOGLE {
                let (dir, known) = (dir.display(), stems.join(", "));
                return Err(self::config(format!(
                    "sets: no `{name}` in {dir}; there are: {known}"
                )));
            }
        }
        let pairs = stems
            .iter()
            .filter(|set| wanted(set))
            .map(|set| Ok(((*set).to_owned(), WordPairs::open(dir.join(format!("{set}.txt")))?)))
            .collect::<Result<Vec<_>>>()?;
        let analogies = match has_analogies && wanted(GOOGLE) {
            true => Some(Analogies::open(dir.join(ANALOGIES))?),
            false => None,
        };
        if pairs.is_empty() && analogies.is_none() {
            bail!("eval.dir: {} holds no list of word pairs (.txt)", dir.display());
        }
        Ok(Some(Self { pairs, analogies, draws: config.draws }))
    }

    /// Scores vectors.
    pub(super) fn score(&self, vectors: &WordVectors) -> Result<Scored> {
        let mut scored = Scored::default();
        let config = PairsConfig { draws: self.draws, ..PairsConfig::default() };
        for (set, list) in &self.pairs {
            let known = |word: &str| vectors.vocabulary().id(word).is_some();
            let n = list.pairs().iter().filter(|pair| known(&pair.a) && known(&pair.b)).count();
            if n < FEWEST {
                scored.left_out.push((set.clone(), n));
                continue;
            }
            let found = evaluate_pairs(vectors, list, &config)?;
            let both = list.pairs().iter().zip(&found.cosines);
            let (cosines, gold) =
                both.filter_map(|(pair, cosine)| Some(((*cosine)?, pair.score))).unzip();
            scored.pairs.push(ScoredPairs {
                set: set.clone(),
                value: found.spearman,
                interval: found.interval.into(),
                cosines,
                gold,
                total: found.pairs,
            });
        }
        if let Some(list) = &self.analogies {
            let found = evaluate_analogies(vectors, list, &AnalogyConfig::default())?;
            let syntactic = list
                .sections()
                .iter()
                .flat_map(|section| section.questions.iter().map(|_| section.is_syntactic()));
            let answers: Vec<(bool, Option<bool>)> = syntactic.zip(found.answers).collect();
            for (part, only) in [("", None), ("-syntactic", Some(true)), ("-semantic", Some(false))]
            {
                let of_part: Vec<Option<bool>> = answers
                    .iter()
                    .filter(|(syntactic, _)| only.is_none_or(|only| only == *syntactic))
                    .map(|(_, answer)| *answer)
                    .collect();
                let set = format!("{GOOGLE}{part}");
                let answers: Vec<bool> = of_part.iter().flatten().copied().collect();
                if answers.len() < FEWEST {
                    scored.left_out.push((set, answers.len()));
                    continue;
                }
                // Against a method that never answers right.
                let none = vec![false; answers.len()];
                let Difference { value, low, high } =
                    paired_accuracy(&answers, &none, self.draws, 0)?;
                let (interval, total) = ([low, high], of_part.len());
                scored.analogies.push(ScoredAnalogies { set, value, interval, answers, total });
            }
        }
        Ok(scored)
    }

    /// How much better the first is, set by set, by the paired bootstrap: the name of the metric, the
    /// set, the difference.
    pub(super) fn compare(
        &self,
        first: &Scored,
        second: &Scored,
    ) -> Result<Vec<(&'static str, String, Difference)>> {
        let mut differences = Vec::new();
        for (a, b) in first.pairs.iter().zip(&second.pairs) {
            let found = paired_difference(&a.cosines, &b.cosines, &a.gold, self.draws, 0)?;
            differences.push(("similarity_gain", a.set.clone(), found));
        }
        for (a, b) in first.analogies.iter().zip(&second.analogies) {
            let found = paired_accuracy(&a.answers, &b.answers, self.draws, 0)?;
            differences.push(("analogy_gain", a.set.clone(), found));
        }
        Ok(differences)
    }
}

impl Scored {
    /// The records, without labels but `set`.
    pub(super) fn metrics(&self) -> Vec<Metric> {
        let mut metrics = Vec::new();
        let mut push = |name: &str, set: &str, value, interval, found: usize, total: usize| {
            let score = Metric::new(name, value).at("set", set).ci95(Some(interval));
            metrics.push(score.better(Better::Higher));
            metrics.push(Metric::new("pairs", found as f64).at("set", set));
            metrics.push(Metric::new("coverage", found as f64 / total as f64).at("set", set));
        };
        for one in &self.pairs {
            push("similarity", &one.set, one.value, one.interval, one.cosines.len(), one.total);
        }
        for one in &self.analogies {
            push("analogy", &one.set, one.value, one.interval, one.answers.len(), one.total);
        }
        metrics
    }

    /// Sentences on sets that have no score.
    pub(super) fn notes(&self) -> impl Iterator<Item = String> {
        self.left_out.iter().map(|(set, n)| {
            format!("{set} has no score: {n} of its questions have words of the vocabulary alone.")
        })
    }
}

/// A name for a reader.
pub(super) fn set_name(set: &str) -> &str {
    match set {
        "EN-WS-353-ALL" => "WordSim-353",
        "EN-WS-353-SIM" => "WordSim-353 similarity",
        "EN-WS-353-REL" => "WordSim-353 relatedness",
        "EN-SIMLEX-999" => "SimLex-999",
        "EN-MEN-TR-3k" => "MEN",
        "google" => "Google analogies",
        "google-syntactic" => "Google, syntactic",
        "google-semantic" => "Google, semantic",
        other => other,
    }
}
