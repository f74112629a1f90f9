//! What tells two runs apart: their configs, their numbers and what surrounded them.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::environment::Environment;
use crate::record::{Labels, Metric, Results, together};
use crate::table::{Cell, Table};

/// Two values of one key; none where a run does not have it.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ValuePair {
    key: String,
    first: Option<String>,
    second: Option<String>,
}

/// One number of each run; none where a run does not have it.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct NumberPair {
    name: String,
    #[serde(rename = "where")]
    place: Labels,
    first: Option<f64>,
    second: Option<f64>,
    /// The second less the first.
    difference: Option<f64>,
    /// Whether they are apart by more than both 95 % intervals together; none where neither has one.
    beyond_intervals: Option<bool>,
}

/// All that differs between two runs, or all there is.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Difference {
    config: Vec<ValuePair>,
    environment: Vec<ValuePair>,
    metrics: Vec<NumberPair>,
    /// Numbers that both have and that are equal.
    equal: usize,
}

/// One side of a difference.
pub(crate) struct Side<'a> {
    pub(crate) config: BTreeMap<String, String>,
    pub(crate) results: &'a Results,
    pub(crate) environment: &'a Environment,
}

/// The difference of two runs; with `all`, what is equal too.
pub(crate) fn difference(first: &Side<'_>, second: &Side<'_>, all: bool) -> Difference {
    let pairs = numbers(first.results, second.results);
    let is_equal = |pair: &NumberPair| match (pair.first, pair.second) {
        (Some(a), Some(b)) => a.to_bits() == b.to_bits(),
        _ => false,
    };
    let equal = pairs.iter().filter(|pair| is_equal(pair)).count();
    let metrics = pairs.into_iter().filter(|pair| all || !is_equal(pair)).collect();
    let values = |first: BTreeMap<String, String>, second: BTreeMap<String, String>| {
        let mut pairs = values(first, second);
        pairs.retain(|pair| all || pair.first != pair.second);
        pairs
    };
    Difference {
        config: values(head(first), head(second)),
        environment: values(surroundings(first.environment), surroundings(second.environment)),
        metrics,
        equal,
    }
}

/// The config with what was asked for besides it.
fn head(side: &Side<'_>) -> BTreeMap<String, String> {
    let Results { experiment, preset, status, seeds, .. } = side.results;
    let seeds: Vec<String> = seeds.iter().map(u64::to_string).collect();
    let asked = [
        ("(experiment)", experiment.clone()),
        ("(preset)", preset.clone()),
        ("(status)", status.clone()),
        ("(seeds)", seeds.join(", ")),
        ("(device)", side.environment.device.clone()),
    ];
    let asked = asked.into_iter().map(|(key, value)| (key.to_owned(), value));
    asked.chain(side.config.clone()).collect()
}

/// Code and machine; times are no difference of their own.
fn surroundings(environment: &Environment) -> BTreeMap<String, String> {
    let commit = environment.git_commit.as_ref().map(|commit| match environment.git_dirty {
        Some(true) => format!("{commit} with uncommitted changes"),
        _ => commit.clone(),
    });
    let Environment { version, burn, rustc, build, os, cpu, cargo_lock_sha256, .. } = environment;
    let inputs =
        environment.inputs.iter().map(|one| (format!("input {}", one.key), one.sha256.clone()));
    let variables = environment.variables.iter().map(|(name, value)| (name.clone(), value.clone()));
    let known = [
        ("version", Some(version.clone())),
        ("commit", commit),
        ("Cargo.lock", cargo_lock_sha256.clone()),
        ("burn", Some(burn.clone())),
        ("compiler", Some(rustc.clone())),
        ("build", Some(build.clone())),
        ("features", Some(environment.features.join(", "))),
        ("system", Some(os.clone())),
        ("processor", cpu.clone()),
        ("GPUs", Some(environment.gpus.join("; "))),
        ("threads", Some(environment.cores.to_string())),
    ];
    let known = known.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    known.chain(inputs).chain(variables).collect()
}

fn values(
    mut first: BTreeMap<String, String>,
    mut second: BTreeMap<String, String>,
) -> Vec<ValuePair> {
    let mut keys: Vec<String> = first.keys().chain(second.keys()).cloned().collect();
    keys.sort();
    keys.dedup();
    keys.into_iter()
        .map(|key| ValuePair { first: first.remove(&key), second: second.remove(&key), key })
        .collect()
}

/// Every number of either, in the order of the first.
fn numbers(first: &Results, second: &Results) -> Vec<NumberPair> {
    let same = |a: &Metric, b: &Metric| a.name == b.name && a.place == b.place;
    let of = |metric: &Metric, a: Option<&Metric>, b: Option<&Metric>| {
        let difference = a.zip(b).map(|(a, b)| b.value - a.value);
        let half = |one: Option<&Metric>| one.and_then(Metric::half_interval);
        let room = together(half(a), half(b));
        NumberPair {
            name: metric.name.clone(),
            place: metric.place.clone(),
            first: a.map(|a| a.value),
            second: b.map(|b| b.value),
            difference,
            beyond_intervals: difference.zip(room).map(|(d, room)| d.abs() > room),
        }
    };
    let mut pairs: Vec<NumberPair> = first
        .summary()
        .map(|metric| of(metric, Some(metric), second.summary().find(|one| same(one, metric))))
        .collect();
    let new = second.summary().filter(|metric| !first.summary().any(|one| same(one, metric)));
    pairs.extend(new.map(|metric| of(metric, None, Some(metric))));
    pairs
}

impl Difference {
    /// For a terminal.
    pub(crate) fn to_terminal(&self) -> String {
        let mut text = String::new();
        for (title, pairs) in [("config", &self.config), ("environment", &self.environment)] {
            if pairs.is_empty() {
                text += &format!("{title}: the same\n\n");
                continue;
            }
            let mut table = Table::new(title, "", [title, "first", "second"]);
            for ValuePair { key, first, second } in pairs {
                let cells = [Some(key), first.as_ref(), second.as_ref()];
                table.push(cells.map(|cell| Cell::from(cell.map(String::as_str))));
            }
            text += &format!("{}\n\n", table.to_terminal());
        }
        let equal = match self.equal {
            1 => "1 number is equal bit for bit".to_owned(),
            n => format!("{n} numbers are equal bit for bit"),
        };
        if self.metrics.is_empty() {
            return text + &equal + ", and none differs\n";
        }
        let heads = ["metric", "where", "first", "second", "difference", "beyond both intervals"];
        let mut table = Table::new("metrics", "", heads);
        for pair in &self.metrics {
            let beyond = pair.beyond_intervals.map(|beyond| if beyond { "yes" } else { "no" });
            table.push([
                Cell::from(pair.name.as_str()),
                Cell::from(pair.place.to_string()),
                Cell::from(pair.first),
                Cell::from(pair.second),
                Cell::from(pair.difference),
                Cell::from(beyond),
            ]);
        }
        text + &format!("{}\n\n{equal}\n", table.to_terminal())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(metrics: Vec<Metric>) -> Results {
        Results {
            schema: 1,
            experiment: "a/b".to_owned(),
            preset: "smoke".to_owned(),
            status: "complete".to_owned(),
            config_hash: String::new(),
            seeds: vec![0],
            metrics,
            notes: Vec::new(),
        }
    }

    #[test]
    fn what_is_equal_is_counted_and_what_is_not_is_shown() {
        let at = |k: usize, value: f64, ci95| Metric::new("m", value).at("k", k).ci95(ci95);
        let first = results(vec![at(0, 1.0, None), at(1, 1.0, Some([0.9, 1.1])), at(2, 5.0, None)]);
        let second =
            results(vec![at(3, 7.0, None), at(1, 1.2, Some([1.1, 1.3])), at(0, 1.0, None)]);
        let environment = Environment { device: "flex".to_owned(), ..Environment::default() };
        let side = |results, value: &str| Side {
            config: BTreeMap::from([
                ("text".to_owned(), "\"x\"".to_owned()),
                ("lr".to_owned(), value.to_owned()),
            ]),
            results,
            environment: &environment,
        };
        let (a, b) = (side(&first, "0.1"), side(&second, "0.2"));
        let found = difference(&a, &b, false);
        assert_eq!(found.equal, 1);
        assert_eq!(found.config.len(), 1);
        assert_eq!(found.config[0].key, "lr");
        assert!(found.environment.is_empty());
        // .2 apart with ±.1 on both sides: √.02 is .14.
        let shown: Vec<_> = found
            .metrics
            .iter()
            .map(|pair| (pair.place.to_string(), pair.first, pair.second, pair.beyond_intervals))
            .collect();
        assert_eq!(
            shown,
            [
                ("k=1".to_owned(), Some(1.0), Some(1.2), Some(true)),
                ("k=2".to_owned(), Some(5.0), None, None),
                ("k=3".to_owned(), None, Some(7.0), None),
            ]
        );
        let text = found.to_terminal();
        assert!(text.contains("lr") && text.contains("environment: the same"), "{text}");
        assert!(text.contains("1 number is equal"), "{text}");
        assert_eq!(difference(&a, &b, true).metrics.len(), 4);
        assert!(difference(&a, &a, false).metrics.is_empty());
    }
}
