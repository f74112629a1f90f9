//! Tests of the layers: which one wins, and what an error names.

use serde::Deserialize;

use super::*;
use crate::error::{exit_code, one_line};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Sample {
    rate: f64,
    steps: usize,
    name: String,
    nested: Nested,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Nested {
    layers: Vec<usize>,
    path: String,
}

impl Default for Sample {
    fn default() -> Self {
        Self { rate: 0.1, steps: 10, name: "plain".into(), nested: Nested::default() }
    }
}

impl Validate for Sample {
    fn problems(&self) -> Vec<Problem> {
        let zero = self.steps == 0;
        zero.then(|| Problem::new("steps", "must not be 0")).into_iter().collect()
    }
}

const START: &str = "[about]\nquestion = \"?\"\n[config]\nsteps = 20\nname = \"file\"\n";

fn sample(text: &str, preset: Preset, overrides: &[&str]) -> Result<Resolved> {
    let text: &'static str = format!("{START}{text}").leak();
    let file = ExperimentFile { path: "experiments/a/b.toml", text };
    let overrides: Vec<Override> =
        overrides.iter().map(|text| Override::parse(text).unwrap()).collect();
    resolve::<Sample>("a/b", file, preset, &overrides)
}

const PRESETS: &str = "[smoke]\nsteps = 2\n[small]\nnested.layers = [1, 2]\n[paper]\n";

#[test]
fn the_command_line_wins_over_preset_file_and_default() {
    let resolved = sample(PRESETS, Preset::Smoke, &["name=mine", "nested.path=7"]).unwrap();
    let entries: Vec<String> = resolved
        .entries()
        .map(|(key, value, origin)| format!("{key} = {value} ({origin})"))
        .collect();
    let expected = [
        "name = \"mine\" (command line)",
        "nested.layers = [] (default)",
        "nested.path = \"7\" (command line)",
        "rate = 0.1 (default)",
        "steps = 2 (preset smoke, line 7)",
    ];
    assert_eq!(entries, expected);
    let small = sample(PRESETS, Preset::Small, &[]).unwrap();
    assert_eq!(small.table["nested"]["layers"].as_array().unwrap().len(), 2);
    assert_eq!(small.table["steps"].as_integer(), Some(20));
}

#[test]
fn errors_name_file_line_and_key() {
    let line = |text: &str, overrides: &[&str]| {
        let error = sample(text, Preset::Smoke, overrides).unwrap_err();
        assert_eq!(exit_code(&error), 2);
        one_line(&error)
    };
    let texts = [
        line("[smoke]\n\nstep = 2\n", &[]),
        line("[smoke]\nnested.layer = [1]\n", &[]),
        line("[smoke.nested]\nlayers = 3\n", &[]),
        line("[smoke]\nsteps = -1\n", &[]),
        line("[smoke]\nsteps = 0\n", &[]),
        line("[smoke]\nsteps = \n", &[]),
        line("[smok]\nsteps = 1\n", &[]),
        line("[small]\n", &[]),
        line(PRESETS, &["nested=3"]),
        line(PRESETS, &["rate.low=1"]),
        line(PRESETS, &["steps=0"]),
    ];
    insta::assert_snapshot!(texts.join("\n"), @"
    experiments/a/b.toml:8: unknown key `step`; did you mean `steps`?
    experiments/a/b.toml:7: unknown key `nested.layer`; did you mean `nested.layers`?
    experiments/a/b.toml:7: nested.layers: expected a list, as in [1, 2], found integer `3`
    experiments/a/b.toml:7: steps: expected a whole number from 0, found integer `-1`
    experiments/a/b.toml:7: steps: must not be 0
    experiments/a/b.toml:7: string values must be quoted, expected literal string
    experiments/a/b.toml:6: unknown table `smok`; did you mean `smoke`?
    experiments/a/b.toml:1: the preset `smoke` is missing
    command line: nested: expected a table, found integer `3`
    command line: rate: expected a number, found a table
    command line: steps: must not be 0
    ");
}
