//! One method less another, over models, tasks and seeds.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::select::Rule;
use super::table::Case;
use super::{Chosen, Protocol, Table};
use crate::{Error, Interval, Result, bootstrap};

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// One setting of either method.
    Single,
    /// The best of the settings of the first method with one of the second, as in the paper.
    Paper,
    /// The best of equally many of either.
    Matched,
}

/// The mean difference of two methods' fooling rates, with its interval.
///
/// Only [`Table`] makes one. The mean is over all pairs of models, tasks and seeds, each counted
/// once. The interval draws the seeds again, and the examples of each task, the same for all
/// models and both methods; what was chosen stays chosen.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Gain {
    kind: Kind,
    method: String,
    against: String,
    protocol: Protocol,
    interval: Interval,
    seeds: usize,
    examples: usize,
    pairs: Vec<PairRates>,
    chosen: [Vec<Chosen>; 2],
}

/// Fooling rates of one pair of models on one task, means over seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PairRates {
    /// The model that the triggers were found on.
    pub source: String,
    /// The model that they are tried on.
    pub target: String,
    /// The task.
    pub task: String,
    /// The fooling rate of the method.
    pub rate: f64,
    /// That of the other method.
    pub against: f64,
}

impl Gain {
    /// What is compared.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The method whose gain it is.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The method it is compared with.
    pub fn against(&self) -> &str {
        &self.against
    }

    /// How runs were chosen and scored.
    pub fn protocol(&self) -> &Protocol {
        &self.protocol
    }

    /// The gain as a difference of rates, so 0.02 for two points.
    pub fn interval(&self) -> Interval {
        self.interval
    }

    /// Seeds of every pair. With one, the interval knows nothing of how seeds differ.
    pub fn seeds(&self) -> usize {
        self.seeds
    }

    /// Examples that score, of all tasks together.
    pub fn examples(&self) -> usize {
        self.examples
    }

    /// The rates that the gain is made of, by pair and task.
    pub fn pairs(&self) -> &[PairRates] {
        &self.pairs
    }

    /// The runs that spoke for the method and for the other, by pair, task and seed.
    pub fn chosen(&self) -> [&[Chosen]; 2] {
        [&self.chosen[0], &self.chosen[1]]
    }

    /// The fewest and the most settings that each method chose from.
    pub fn candidates(&self) -> [(usize, usize); 2] {
        [0, 1].map(|side| {
            let counts = || self.chosen[side].iter().map(|chosen| chosen.candidates);
            (counts().min().unwrap_or(0), counts().max().unwrap_or(0))
        })
    }
}

impl Table {
    /// One given setting of a method against one of another, `(method, setting)`.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where a case (a pair of models, a task and a seed) lacks one of the
    /// two, or a pair lacks a seed that others have; [`Error::Empty`] for no case;
    /// [`Error::Config`] where selection leaves nothing to score.
    pub fn single(
        &self,
        method: (&str, &str),
        against: (&str, &str),
        protocol: &Protocol,
    ) -> Result<Gain> {
        let (first, second) =
            ((method.0, Rule::Fixed(method.1)), (against.0, Rule::Fixed(against.1)));
        self.gain(Kind::Single, first, second, protocol)
    }

    /// The paper's comparison: the setting of `method` that fools most of the examples that
    /// select, against one given setting of another method.
    ///
    /// # Errors
    /// Those of [`single`](Self::single).
    pub fn paper(&self, method: &str, against: (&str, &str), protocol: &Protocol) -> Result<Gain> {
        let second = (against.0, Rule::Fixed(against.1));
        self.gain(Kind::Paper, (method, Rule::Best), second, protocol)
    }

    /// The control: both methods choose the best of equally many settings on the same examples.
    ///
    /// # Errors
    /// Those of [`single`](Self::single); [`Error::Mismatch`] where one has more settings.
    pub fn matched(&self, method: &str, against: &str, protocol: &Protocol) -> Result<Gain> {
        self.gain(Kind::Matched, (method, Rule::Best), (against, Rule::Best), protocol)
    }

    fn gain(
        &self,
        kind: Kind,
        (method, rule): (&str, Rule<'_>),
        (against, against_rule): (&str, Rule<'_>),
        protocol: &Protocol,
    ) -> Result<Gain> {
        let first = self.choose(method, rule, protocol)?;
        let second = self.choose(against, against_rule, protocol)?;
        let cases: Vec<&Case> = first.keys().collect();
        comparable(&first, &second, [method, against])?;
        if kind == Kind::Matched {
            for (a, b) in first.values().zip(second.values()) {
                if a.candidates != b.candidates {
                    let Chosen { source, target, task, seed, .. } = a;
                    return Err(Error::Mismatch {
                        what: "the number of settings to choose from",
                        expected: format!("{} as of {method}", a.candidates),
                        found: format!(
                            "{} of {against}: {source} → {target} on {task}, seed {seed}",
                            b.candidates
                        ),
                    });
                }
            }
        }
        let seeds: Vec<u64> = sorted(cases.iter().map(|case| case.seed));
        let tasks: Vec<&str> = sorted(cases.iter().map(|case| &case.task[..]));
        // Differences of all examples, by seed.
        let mut by_seed: Vec<Vec<(usize, Vec<f64>)>> = vec![Vec::new(); seeds.len()];
        let mut groups = vec![seeds.len()];
        groups.resize(1 + tasks.len(), 0);
        for ((case, a), b) in first.iter().zip(second.values()) {
            let place = |i: Result<usize, usize>| i.unwrap_or_else(|i| i);
            let task = place(tasks.binary_search(&&case.task[..]));
            let difference = |(&a, &b): (&bool, &bool)| f64::from(a) - f64::from(b);
            let differences: Vec<f64> = a.fooled.iter().zip(&b.fooled).map(difference).collect();
            groups[1 + task] = differences.len();
            by_seed[place(seeds.binary_search(&case.seed))].push((task, differences));
        }
        let interval = bootstrap(&groups, &protocol.bootstrap, |drawn| {
            let (mut sum, mut count) = (0.0, 0);
            for (task, differences) in drawn[0].iter().flat_map(|&seed| &by_seed[seed]) {
                let examples = &drawn[1 + task];
                let total = examples.iter().map(|&i| differences[i]).sum::<f64>();
                sum += total / examples.len() as f64;
                count += 1;
            }
            sum / f64::from(count)
        })?;
        Ok(Gain {
            kind,
            method: method.to_owned(),
            against: against.to_owned(),
            protocol: *protocol,
            interval,
            seeds: seeds.len(),
            examples: groups[1..].iter().sum(),
            pairs: rates(&first, &second),
            chosen: [first, second].map(|chosen| chosen.into_values().collect()),
        })
    }
}

/// Both methods have the same cases, and every pair and task has every seed.
fn comparable(
    first: &BTreeMap<Case, Chosen>,
    second: &BTreeMap<Case, Chosen>,
    methods: [&str; 2],
) -> Result<()> {
    if first.is_empty() && second.is_empty() {
        return Err(Error::Empty { what: "trials of these methods on these pairs of models" });
    }
    for (mine, other, method) in [(first, second, methods[1]), (second, first, methods[0])] {
        if let Some(case) = mine.keys().find(|case| !other.contains_key(*case)) {
            return Err(Error::Mismatch {
                what: "the trials of a method",
                expected: format!("{method} wherever the other is"),
                found: format!("none for {case}"),
            });
        }
    }
    let seeds = sorted(first.keys().map(|case| case.seed));
    for case in first.keys() {
        let missing = |seed: &&u64| !first.contains_key(&Case { seed: **seed, ..case.clone() });
        if let Some(seed) = seeds.iter().find(missing) {
            return Err(Error::Mismatch {
                what: "the seeds of a pair",
                expected: format!("{seed} among them, as of others"),
                found: format!("none of it beside {case}"),
            });
        }
    }
    Ok(())
}

/// Means over seeds.
fn rates(first: &BTreeMap<Case, Chosen>, second: &BTreeMap<Case, Chosen>) -> Vec<PairRates> {
    let mut sums: BTreeMap<[&str; 3], [f64; 3]> = BTreeMap::new();
    for ((case, a), b) in first.iter().zip(second.values()) {
        let sum = sums.entry([&case.source, &case.target, &case.task]).or_default();
        for (sum, x) in sum.iter_mut().zip([a.rate, b.rate, 1.0]) {
            *sum += x;
        }
    }
    let rates = |([source, target, task], [a, b, n]): ([&str; 3], [f64; 3])| PairRates {
        source: source.to_owned(),
        target: target.to_owned(),
        task: task.to_owned(),
        rate: a / n,
        against: b / n,
    };
    sums.into_iter().map(rates).collect()
}

fn sorted<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    values.collect::<BTreeSet<T>>().into_iter().collect()
}
