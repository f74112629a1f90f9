//! What a process answers to the drivers of `benches/peers`: it does one timed repetition for each
//! line that it reads. `benches/peers/protocol.py` explains the lines.

mod process;
mod work;

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;
use std::time::Instant;

use serde_json::{Map, Value, json};

pub use process::cpu_seconds;
pub use work::{Prepare, Run, Unit, Work};

/// Any error ends the process, with its message.
pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What is prepared already, by name and variant.
type Prepared = BTreeMap<(String, String), Run>;

/// Answers each line of the standard input until it ends; `about` is asked anew each time.
///
/// # Errors
/// What a work returns, and lines that the protocol does not have.
pub fn serve(works: &[Work], about: impl Fn() -> Value) -> Result<()> {
    let mut prepared = Prepared::new();
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lines() {
        let line = line?;
        let answer = match line.as_str() {
            "about" => Ok(about()),
            line => answer(line, works, &mut prepared),
        };
        writeln!(out, "{}", answer.map_err(|error| format!("`{line}`: {error}"))?)?;
        out.flush()?;
    }
    Ok(())
}

fn answer(line: &str, works: &[Work], prepared: &mut Prepared) -> Result<Value> {
    let (command, argument) = line.split_once(' ').unwrap_or((line, ""));
    match command {
        "list" => Ok(list(works)),
        "measure" => measure(&mut Task::new(argument, works, prepared)?),
        "memory" => memory(&mut Task::new(argument, works, prepared)?),
        _ => Err("unknown command".into()),
    }
}

fn list(works: &[Work]) -> Value {
    let entry = |work: &Work| {
        let value =
            json!({ "variants": work.variants, "work": work.amount, "unit": work.unit.word() });
        (work.name.clone(), value)
    };
    Value::Object(works.iter().map(entry).collect::<Map<_, _>>())
}

/// Something prepared that a line asked for.
struct Task<'a> {
    name: &'a str,
    variant: &'a str,
    runs: usize,
    run: &'a mut Run,
}

impl<'a> Task<'a> {
    /// Finds `NAME[:VARIANT]`, and prepares it if it was not asked for before.
    fn new(argument: &'a str, works: &'a [Work], prepared: &'a mut Prepared) -> Result<Self> {
        let (name, variant) = argument.split_once(':').unwrap_or((argument, ""));
        let work = works.iter().find(|work| work.name == name).ok_or("unknown name")?;
        let variant = match work.variants.iter().find(|known| **known == variant) {
            Some(known) => known,
            None if variant.is_empty() => work.variants[0],
            None => return Err("unknown variant".into()),
        };
        let key = (name.to_owned(), variant.to_owned());
        if !prepared.contains_key(&key) {
            prepared.insert(key.clone(), (work.prepare)(variant)?);
        }
        let run = prepared.get_mut(&key).ok_or("just inserted")?;
        Ok(Self { name, variant, runs: work.runs, run })
    }
}

/// One repetition: seconds of one execution.
fn measure(task: &mut Task<'_>) -> Result<Value> {
    let (cpu, wall) = (process::cpu_seconds()?, Instant::now());
    for _ in 0..task.runs {
        (task.run)()?;
    }
    let wall = wall.elapsed().as_secs_f64() / task.runs as f64;
    let cpu = (process::cpu_seconds()? - cpu) / task.runs as f64;
    Ok(json!({ "name": task.name, "variant": task.variant, "wall": wall, "cpu": cpu }))
}

/// Bytes resident before, and at most while it runs twice.
fn memory(task: &mut Task<'_>) -> Result<Value> {
    process::forget_peak()?;
    let before = process::bytes("VmRSS")?;
    (task.run)()?;
    (task.run)()?;
    let peak = process::bytes("VmHWM")?;
    Ok(json!({ "name": task.name, "variant": task.variant, "before": before, "peak": peak }))
}
