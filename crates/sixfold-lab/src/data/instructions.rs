//! Reading instructions and their answers.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde_json::Value;

use super::Documents;
use crate::error::missing;

/// An instruction and an answer to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// What is asked.
    pub instruction: String,
    /// What it is asked about; empty for nothing.
    pub input: String,
    /// The answer.
    pub answer: String,
}

/// A record of Alpaca.
#[derive(Deserialize)]
struct Record {
    instruction: String,
    #[serde(default)]
    input: String,
    output: String,
}

/// Instructions with their answers: a `.json` list in the form of Alpaca (`instruction`, `input`, `output`), or
/// `.jsonl` message trees of OpenAssistant, of which the first prompt and the best answer to it are taken.
///
/// # Errors
/// A file that is neither, naming it and the place; one without a pair.
pub fn instructions(path: &Path) -> Result<Vec<Instruction>> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let name = name.trim_end_matches(".gz");
    let lines = Documents::lines(path)?;
    let found = if name.ends_with(".json") {
        alpaca(lines).with_context(|| path.display().to_string())?
    } else if name.ends_with(".jsonl") {
        trees(lines, path)?
    } else {
        let shown = path.display();
        return Err(missing(format!("{shown}: expected a .json list or .jsonl message trees")));
    };
    match found.is_empty() {
        true => Err(missing(format!("{}: no instruction with an answer", path.display()))),
        false => Ok(found),
    }
}

fn alpaca(from: impl std::io::Read) -> Result<Vec<Instruction>> {
    let records: Vec<Record> = serde_json::from_reader(from)?;
    let pairs = records.into_iter().map(|one| Instruction {
        instruction: one.instruction.trim().to_owned(),
        input: one.input.trim().to_owned(),
        answer: one.output.trim().to_owned(),
    });
    Ok(pairs.filter(|one| !one.instruction.is_empty() && !one.answer.is_empty()).collect())
}

fn trees(lines: impl std::io::BufRead, path: &Path) -> Result<Vec<Instruction>> {
    let mut found = Vec::new();
    for (number, line) in lines.lines().enumerate() {
        let at = || format!("{}:{}", path.display(), number + 1);
        let line = line.with_context(at)?;
        if line.trim().is_empty() {
            continue;
        }
        let tree: Value = serde_json::from_str(&line).with_context(at)?;
        let prompt = &tree["prompt"];
        let text = |message: &Value| message["text"].as_str().unwrap_or_default().trim().to_owned();
        let Some(replies) = prompt["replies"].as_array() else {
            return Err(missing(format!("{}: no key `prompt.replies`", at())));
        };
        // Ranks begin at 0, the best; an answer without one comes last.
        let best = replies.iter().min_by_key(|reply| reply["rank"].as_u64().unwrap_or(u64::MAX));
        let Some(answer) = best.map(text) else { continue };
        let instruction = text(prompt);
        if !instruction.is_empty() && !answer.is_empty() {
            found.push(Instruction { instruction, input: String::new(), answer });
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str) -> Result<Vec<Instruction>> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        instructions(&path)
    }

    fn pair(instruction: &str, input: &str, answer: &str) -> Instruction {
        let [instruction, input, answer] = [instruction, input, answer].map(str::to_owned);
        Instruction { instruction, input, answer }
    }

    #[test]
    fn lists_and_trees_are_read() {
        let list = r#"[{"instruction":"Add.","input":"1 2","output":"3"},
                       {"instruction":"Say hi.","output":" hi\n"},{"instruction":"x","output":""}]"#;
        let expected = [pair("Add.", "1 2", "3"), pair("Say hi.", "", "hi")];
        assert_eq!(read("a.json", list).unwrap(), expected);
        let tree = r#"{"prompt":{"text":"Why?","replies":[{"text":"no","rank":1,"replies":[]},
                       {"text":"so","rank":0},{"text":"unranked"}]}}"#
            .replace('\n', " ");
        let empty = r#"{"prompt":{"text":"Who?","replies":[]}}"#;
        assert_eq!(
            read("a.jsonl", &format!("{tree}\n{empty}\n")).unwrap(),
            [pair("Why?", "", "so")]
        );
    }

    #[test]
    fn what_is_wrong_names_the_place() {
        for (name, text, expected) in [
            ("a.json", "{}", "a.json"),
            ("a.json", "[]", "no instruction"),
            ("a.jsonl", "{\"prompt\":{\"text\":\"x\"}}", "a.jsonl:1: no key `prompt.replies`"),
            ("a.jsonl", "{", "a.jsonl:1"),
            ("a.txt", "x", "expected a .json list"),
        ] {
            let error = format!("{:#}", read(name, text).unwrap_err());
            assert!(error.contains(expected), "{error}");
        }
    }
}
