//! Event files of TensorBoard: the values of `metrics.jsonl` for those who look at them there.
//!
//! A file is a row of records, each a message `Event` of TensorFlow's `event.proto` between two checksums. Of the messages
//! only the few fields are written that scalars need.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::environment::seconds_of;
use crate::error::doing;
use crate::record::Labels;
use crate::rundir::RunDir;

/// A line of `metrics.jsonl`.
#[derive(Deserialize)]
struct Line {
    t: String,
    seed: u64,
    step: u64,
    name: String,
    #[serde(rename = "where")]
    place: Labels,
    value: Option<f64>,
}

/// Writes `tensorboard/seed-N/events.out.tfevents.…` for every seed in the log of a run; those of an earlier call are
/// replaced. Returns the number of values.
///
/// Tags are `name` or `name/label=value …`. A value that is not a number in JSON is one here.
///
/// # Errors
/// A line that is none, naming it, and a disk that cannot be written.
pub(crate) fn export(dir: &RunDir) -> Result<usize> {
    let path = dir.path().join("metrics.jsonl");
    let mut files: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    let mut values = 0;
    if path.is_file() {
        let file = File::open(&path).with_context(|| doing("read", &path))?;
        for (number, text) in BufReader::new(file).lines().enumerate() {
            let text = text.with_context(|| doing("read", &path))?;
            let at = || format!("{}:{}", path.display(), number + 1);
            let line: Line = serde_json::from_str(&text).with_context(at)?;
            let seconds = seconds_of(&line.t)
                .with_context(|| format!("{}: no time: {}", at(), line.t))?
                as f64;
            let file = files.entry(line.seed).or_insert_with(|| record(&version(seconds)));
            let place = line.place.to_string();
            let tag = if place.is_empty() { line.name } else { format!("{}/{place}", line.name) };
            file.extend(record(&scalar(seconds, line.step, &tag, line.value.unwrap_or(f64::NAN))));
            values += 1;
        }
    }
    let folder = dir.path().join("tensorboard");
    if folder.is_dir() {
        fs::remove_dir_all(&folder).with_context(|| doing("remove", &folder))?;
    }
    for (seed, bytes) in files {
        dir.write(&format!("tensorboard/seed-{seed}/events.out.tfevents.0.sixfold"), bytes)?;
    }
    Ok(values)
}

/// The first event of every file.
fn version(seconds: f64) -> Vec<u8> {
    let mut event = double(1, seconds);
    event.extend(bytes(3, b"brain.Event:2"));
    event
}

fn scalar(seconds: f64, step: u64, tag: &str, value: f64) -> Vec<u8> {
    let mut one = bytes(1, tag.as_bytes());
    one.extend(key(2, 5));
    one.extend((value as f32).to_le_bytes());
    let summary = bytes(1, &one);
    let mut event = double(1, seconds);
    event.extend(key(2, 0));
    event.extend(varint(step));
    event.extend(bytes(5, &summary));
    event
}

/// A message between the checksums of its length and of itself.
fn record(message: &[u8]) -> Vec<u8> {
    let length = (message.len() as u64).to_le_bytes();
    let mut all = length.to_vec();
    all.extend(masked(&length).to_le_bytes());
    all.extend(message);
    all.extend(masked(message).to_le_bytes());
    all
}

/// TensorFlow's checksum: CRC-32C, turned and shifted so that data with checksums in them have other ones.
fn masked(data: &[u8]) -> u32 {
    crc32c::crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8)
}

// What follows is the wire format of protocol buffers.

fn key(field: u64, wire: u64) -> Vec<u8> {
    varint(field << 3 | wire)
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut all = Vec::new();
    while value >= 0x80 {
        all.push(value as u8 | 0x80);
        value >>= 7;
    }
    all.push(value as u8);
    all
}

fn double(field: u64, value: f64) -> Vec<u8> {
    let mut all = key(field, 1);
    all.extend(value.to_le_bytes());
    all
}

fn bytes(field: u64, content: &[u8]) -> Vec<u8> {
    let mut all = key(field, 2);
    all.extend(varint(content.len() as u64));
    all.extend(content);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What TensorBoard 2.20's own `RecordWriter` and messages write, by `fixtures/sixfold-lab/tensorboard/check.py`.
    const EVENT: &str = "2400000000000000422b804d09000000000000f83f10ac022a160a140a0d6c6f73732f7461736b3d727465150000803eef7f0fcc";

    #[test]
    fn an_event_is_what_tensorboard_writes() {
        let event = record(&scalar(1.5, 300, "loss/task=rte", 0.25));
        let hex: String = event.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, EVENT);
    }

    #[test]
    fn every_seed_has_a_file_and_a_damaged_line_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let dir = RunDir::create(folder.path(), false).unwrap();
        let line = |seed: u64, step: u64, value: &str| {
            format!(
                "{{\"t\":\"2026-11-27T11:45:18Z\",\"seed\":{seed},\"step\":{step},\"name\":\"loss\",\
                 \"where\":{{\"k\":2}},\"value\":{value}}}\n"
            )
        };
        let log = folder.path().join("metrics.jsonl");
        fs::write(&log, line(0, 1, "0.5") + &line(1, 1, "0.25") + &line(0, 2, "null")).unwrap();
        assert_eq!(export(&dir).unwrap(), 3);
        let read = |seed: u64| {
            let name = format!("tensorboard/seed-{seed}/events.out.tfevents.0.sixfold");
            fs::read(folder.path().join(name)).unwrap()
        };
        let of =
            |events: &[Vec<u8>]| -> Vec<u8> { events.iter().flat_map(|one| record(one)).collect() };
        let t = 1_795_779_918.0;
        let [first, second] = [scalar(t, 1, "loss/k=2", 0.5), scalar(t, 2, "loss/k=2", f64::NAN)];
        assert_eq!(read(0), of(&[version(t), first, second]));
        assert_eq!(read(1), of(&[version(t), scalar(t, 1, "loss/k=2", 0.25)]));
        fs::write(&log, line(0, 1, "0.5") + "{\n").unwrap();
        let error = export(&dir).unwrap_err().to_string();
        assert!(error.contains("metrics.jsonl:2"), "{error}");
    }
}
