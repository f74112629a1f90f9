//! What a run will need, before it begins.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use serde_json::Value;

use crate::data::{Input, InputKind, Locator};
use crate::environment::Environment;
use crate::format::{bytes, duration, number};
use crate::record::Results;
use crate::rundir::RunDir;

/// A part of a run that takes most of its time, as far as the config tells its size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    what: String,
    steps: Option<u64>,
    shared: bool,
}

impl Work {
    /// Trainings of so many steps; `step` says what a step reads.
    pub fn trainings(count: usize, steps: u64, step: &str) -> Self {
        let what = format!("{}, {steps} steps each, {step} a step", counted(count, "training"));
        Self { what, steps: Some(steps * count as u64), shared: false }
    }

    /// Trainings over all of the data so many times: how many steps that is, the data decides.
    pub fn epochs(count: usize, epochs: u64, step: &str) -> Self {
        let epochs = counted(epochs as usize, "epoch");
        Self {
            what: format!("{}, {epochs} each, {step} a step", counted(count, "training")),
            steps: None,
            shared: false,
        }
    }

    /// Anything else, such as searches with their budget.
    pub fn other(count: usize, thing: &str, size: &str) -> Self {
        Self { what: format!("{}, {size}", counted(count, thing)), steps: None, shared: false }
    }

    /// The same, done once for all seeds.
    #[must_use]
    pub fn shared(self) -> Self {
        Self { shared: true, ..self }
    }

    /// The line for a reader; the seeds of a run do it one after the other.
    fn line(&self, seeds: usize) -> String {
        let seeds = if self.shared { 1 } else { seeds };
        let steps =
            self.steps.map(|steps| format!(" ({} steps)", number((steps * seeds as u64) as f64)));
        let seeds = if seeds > 1 { format!(", for each of {seeds} seeds") } else { String::new() };
        format!("{}{seeds}{}", self.what, steps.unwrap_or_default())
    }
}

fn counted(count: usize, thing: &str) -> String {
    let plural = if thing.ends_with("search") { "es" } else { "s" };
    format!("{count} {thing}{}", if count == 1 { "" } else { plural })
}

/// Names and lines for the dry run: work, memory, and what the kept run of the same preset took.
pub(crate) fn lines(
    name: &str,
    preset: &str,
    seeds: usize,
    work: &[Work],
    inputs: &[Input],
    locator: &Locator,
) -> Vec<(&'static str, String)> {
    let mut lines: Vec<(&'static str, String)> =
        work.iter().map(|work| ("work", work.line(seeds))).collect();
    let models = inputs.iter().filter(|input| input.kind == InputKind::Model);
    for input in models {
        let path = locator.expand(&input.key, &input.path).ok();
        let Some(count) = path.as_deref().and_then(parameters) else { continue };
        let (weights, trained) = (bytes(4 * count), bytes(16 * count));
        let training = match work.is_empty() {
            true => String::new(),
            false => {
                format!(", {trained} with gradients and two moments while all of it is trained")
            }
        };
        let count = number(count as f64);
        lines.push((
            "memory",
            format!("{}: {count} parameters, {weights} as f32{training}", input.key),
        ));
    }
    if let Some(line) = kept(name, preset, locator) {
        lines.push(("kept run", line));
    }
    lines
}

/// Time and memory of the run of this preset that the repository keeps.
fn kept(name: &str, preset: &str, locator: &Locator) -> Option<String> {
    let path = locator.repo().join("crates/sixfold-lab/results").join(name);
    let dir = RunDir::open(&path).ok()?;
    let results: Results = dir.read_json("results.json").ok()?;
    let environment: Environment = dir.read_json("env.json").ok()?;
    (results.preset == preset).then_some(())?;
    let time = duration(environment.cpu_seconds?);
    let (seeds, most) = (counted(results.seeds.len(), "seed"), bytes(environment.peak_rss_bytes?));
    Some(format!("{seeds}: {time} of processor time, {most} of memory at most"))
}

/// Parameters of a model directory, from the heads of its safetensors files; none where it has none.
fn parameters(dir: &Path) -> Option<u64> {
    let files = fs::read_dir(dir).ok()?.flatten().map(|entry| entry.path());
    let counts: Vec<u64> = files
        .filter(|path| path.extension().is_some_and(|e| e == "safetensors"))
        .map(|path| of_file(&path))
        .collect::<Option<_>>()?;
    (!counts.is_empty()).then(|| counts.iter().sum())
}

fn of_file(path: &Path) -> Option<u64> {
    let mut file = File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    let mut head = [0; 8];
    file.read_exact(&mut head).ok()?;
    let head = u64::from_le_bytes(head);
    (head < length).then_some(())?;
    let mut text = Vec::new();
    file.take(head).read_to_end(&mut text).ok()?;
    let header: Value = serde_json::from_slice(&text).ok()?;
    let tensors = header.as_object()?.iter().filter(|(name, _)| *name != "__metadata__");
    tensors
        .map(|(_, tensor)| {
            let shape = tensor.get("shape")?.as_array()?;
            shape.iter().map(Value::as_u64).product::<Option<u64>>()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_counted_over_seeds() {
        let work = Work::trainings(14, 200, "8 × 128 tokens");
        assert_eq!(
            work.line(1),
            "14 trainings, 200 steps each, 8 × 128 tokens a step (2800 steps)"
        );
        assert_eq!(
            work.line(3),
            "14 trainings, 200 steps each, 8 × 128 tokens a step, for each of 3 seeds (8400 steps)"
        );
        assert_eq!(
            Work::trainings(1, 9, "x").shared().line(3),
            "1 training, 9 steps each, x a step (9 steps)"
        );
        assert_eq!(Work::epochs(2, 2, "x").line(1), "2 trainings, 2 epochs each, x a step");
        assert_eq!(Work::epochs(1, 1, "x").line(1), "1 training, 1 epoch each, x a step");
        assert_eq!(Work::other(2, "search", "y").line(1), "2 searches, y");
    }

    #[test]
    fn the_embedded_model_has_as_many_parameters_as_its_name_says() {
        let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/models/stories260k");
        let count = parameters(&model).unwrap();
        assert!((255_000..270_000).contains(&count), "{count}");
        assert_eq!(parameters(Path::new("/nowhere")), None);
    }
}
