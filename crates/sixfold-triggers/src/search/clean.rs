//! What the victim answers without a trigger.

use ndarray::{ArrayView1, ArrayView2};

use crate::{Error, Example, Forwards, Result, Sequence, Victim};

/// The class of each example without a trigger (the pseudo-labels: nobody's gold labels), and its log-probability.
#[doc(alias = "pseudo_labels")]
#[derive(Clone, Debug, PartialEq)]
pub struct Clean {
    /// The class, one an example.
    pub classes: Vec<usize>,
    /// Its log-probability in nats.
    pub log_probabilities: Vec<f64>,
    /// What it cost to find out.
    pub cost: Forwards,
}

impl Clean {
    /// Asks the victim, `positions` tokens at most in one call.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for a score; what the victim refuses.
    pub fn of<V: Victim + ?Sized>(
        victim: &V,
        examples: &[Example],
        positions: usize,
    ) -> Result<Self> {
        let sequences = examples.iter().map(|example| example.clean().clone());
        let mut classes = Vec::with_capacity(examples.len());
        let mut log_probabilities = Vec::with_capacity(examples.len());
        ask(victim, sequences, positions, |scores| {
            let class = argmax(scores);
            classes.push(class);
            log_probabilities.push(log_probability(scores, class));
        })?;
        Ok(Self { classes, log_probabilities, cost: Forwards(examples.len() as f64) })
    }

    /// Classes that are known already, at no cost. Drops are then measured from certainty.
    pub fn from_classes(classes: Vec<usize>) -> Self {
        let log_probabilities = vec![0.0; classes.len()];
        Self { classes, log_probabilities, cost: Forwards(0.0) }
    }
}

/// The class of the highest score, the first of equal ones.
pub(crate) fn argmax(scores: ArrayView1<'_, f32>) -> usize {
    let mut best = 0;
    for (class, score) in scores.iter().enumerate() {
        if *score > scores[best] {
            best = class;
        }
    }
    best
}

/// log softmax of one class.
pub(crate) fn log_probability(scores: ArrayView1<'_, f32>, class: usize) -> f64 {
    let most = scores.fold(f64::NEG_INFINITY, |most, score| most.max(f64::from(*score)));
    let sum: f64 = scores.iter().map(|score| (f64::from(*score) - most).exp()).sum();
    f64::from(scores[class]) - most - sum.ln()
}

/// Gives the scores of every sequence to `take`, in their order, from calls of at most `positions` tokens.
pub(crate) fn ask<V: Victim + ?Sized>(
    victim: &V,
    sequences: impl Iterator<Item = Sequence>,
    positions: usize,
    mut take: impl FnMut(ArrayView1<'_, f32>),
) -> Result<()> {
    let mut waiting: Vec<Sequence> = Vec::new();
    let mut tokens = 0;
    let mut before = 0;
    let mut call = |waiting: &mut Vec<Sequence>| -> Result<()> {
        if waiting.is_empty() {
            return Ok(());
        }
        let scores = victim.scores(waiting)?;
        check(scores.view(), waiting.len(), victim.n_classes(), before)?;
        scores.rows().into_iter().for_each(&mut take);
        before += waiting.len();
        waiting.clear();
        Ok(())
    };
    for sequence in sequences {
        if tokens + sequence.ids.len() > positions {
            call(&mut waiting)?;
            tokens = 0;
        }
        tokens += sequence.ids.len();
        waiting.push(sequence);
    }
    call(&mut waiting)
}

fn check(scores: ArrayView2<'_, f32>, n: usize, classes: usize, before: usize) -> Result<()> {
    if scores.dim() != (n, classes) {
        return Err(Error::Mismatch {
            what: "the shape of the victim's scores",
            expected: format!("[{n}, {classes}]"),
            found: format!("{:?}", scores.shape()),
        });
    }
    match scores.iter().position(|score| !score.is_finite()) {
        Some(index) => {
            Err(Error::NotFinite { what: "the victim's score", index: before * classes + index })
        }
        None => Ok(()),
    }
}
