//! The figures of one trigger on one set of examples.

use serde::{Deserialize, Serialize};

use super::Outcomes;

/// What a trigger does to a classifier.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Summary {
    /// Examples.
    pub examples: usize,
    /// Share of examples whose answer changed: mean 1[ŷ(x with trigger) ≠ ŷ(x)].
    pub fooling_rate: f64,
    /// The same among the examples of each clean answer.
    pub by_class: Vec<ClassRate>,
    /// Accuracy, where there were gold labels.
    pub accuracy: Option<Accuracy>,
    /// The most frequent answer under the trigger.
    pub collapse: Collapse,
    /// Mean probability of the clean answer that the trigger took away.
    pub probability_shift: Option<f64>,
    /// The saturation cap: what a trigger that sends every example to one class fools,
    /// max over classes of 1 − share of the class among the clean answers. It is 0.5 on two
    /// balanced classes. A trigger that does more than collapse can lie above it.
    pub cap: f64,
    /// Fooling rate over cap; near 1, methods can no longer be told apart by the rate. 0 where
    /// the cap is 0, which takes a model with a single class.
    pub of_cap: f64,
}

/// The fooling rate of one clean answer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ClassRate {
    /// The class.
    pub class: usize,
    /// Examples that the model puts there without a trigger.
    pub examples: usize,
    /// Share of them whose answer changed; `None` without examples.
    pub fooling_rate: Option<f64>,
}

/// Share of answers that are the gold label.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Accuracy {
    /// Without the trigger.
    pub clean: f64,
    /// With it.
    pub attacked: f64,
}

/// Where the answers go under a trigger.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Collapse {
    /// The most frequent answer; of equally frequent ones the lowest class.
    pub class: usize,
    /// Its share of all answers.
    pub share: f64,
}

impl Outcomes {
    /// All figures at once.
    pub fn summary(&self) -> Summary {
        let n = self.len() as f64;
        let fooled = self.fooled();
        let fooling_rate = share(&fooled);
        let counts = |classes: &[usize]| {
            let mut counts = vec![0_usize; self.n_classes];
            classes.iter().for_each(|&class| counts[class] += 1);
            counts
        };
        let (before, after) = (counts(&self.clean), counts(&self.attacked));
        let mut changed = vec![0_usize; self.n_classes];
        for (&class, _) in self.clean.iter().zip(&fooled).filter(|(_, fooled)| **fooled) {
            changed[class] += 1;
        }
        let by_class = (0..self.n_classes).map(|class| ClassRate {
            class,
            examples: before[class],
            fooling_rate: (before[class] > 0).then(|| changed[class] as f64 / before[class] as f64),
        });
        let right = |gold: &[usize], answers: &[usize]| {
            let hits = gold.iter().zip(answers).filter(|(a, b)| a == b).count();
            hits as f64 / n
        };
        let most = after.iter().copied().max().unwrap_or(0);
        let class = after.iter().position(|&count| count == most).unwrap_or(0);
        let rarest = before.iter().copied().min().unwrap_or(0);
        let cap = 1.0 - rarest as f64 / n;
        Summary {
            examples: self.len(),
            fooling_rate,
            by_class: by_class.collect(),
            accuracy: self.gold.as_deref().map(|gold| Accuracy {
                clean: right(gold, &self.clean),
                attacked: right(gold, &self.attacked),
            }),
            collapse: Collapse { class, share: most as f64 / n },
            probability_shift: self.shifts.as_deref().map(|x| x.iter().sum::<f64>() / n),
            cap,
            of_cap: if cap > 0.0 { fooling_rate / cap } else { 0.0 },
        }
    }
}

/// Share of flags that are set.
fn share(flags: &[bool]) -> f64 {
    flags.iter().filter(|flag| **flag).count() as f64 / flags.len() as f64
}
