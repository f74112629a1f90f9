//! Whether the files of a run are whole.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// All files below a directory but those with temporary names.
fn all(dir: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            all(&path, found);
        } else if !name.starts_with('.') {
            found.push(path);
        }
    }
}

/// Fails for a file with a final name that is not whole; returns how many there are.
pub(crate) fn check(dir: &Path) -> usize {
    let mut files = Vec::new();
    all(dir, &mut files);
    for path in &files {
        // A run may be replacing a checkpoint while a test looks on; this one has ended.
        let bytes = std::fs::read(path).unwrap();
        let text = || String::from_utf8(bytes.clone()).unwrap();
        let ends = |end: &str| assert!(text().trim_end().ends_with(end), "{}", path.display());
        match path.extension().and_then(|e| e.to_str()).unwrap_or_default() {
            "json" => {
                serde_json::from_slice::<Value>(&bytes)
                    .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            }
            "jsonl" => {
                for line in text().lines() {
                    serde_json::from_str::<Value>(line)
                        .unwrap_or_else(|e| panic!("{}: {e}: {line}", path.display()));
                }
                assert!(bytes.is_empty() || bytes.ends_with(b"\n"), "{}", path.display());
            }
            "toml" => assert!(text().parse::<toml::Table>().is_ok(), "{}", path.display()),
            "html" => ends("</html>"),
            "svg" => ends("</svg>"),
            "safetensors" => {
                let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
                let header: Value = serde_json::from_slice(&bytes[8..8 + header])
                    .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
                let ends =
                    header.as_object().unwrap().iter().filter(|(name, _)| *name != "__metadata__");
                let last =
                    ends.map(|(_, tensor)| tensor["data_offsets"][1].as_u64().unwrap()).max();
                let begin = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap());
                assert_eq!(bytes.len() as u64, begin + last.unwrap_or(0), "{}", path.display());
            }
            _ => {}
        }
    }
    files.len()
}

/// The metrics of a run, as they are written.
pub(crate) fn metrics(out: &Path) -> String {
    let text = std::fs::read_to_string(out.join("results.json")).unwrap();
    let results: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(results["status"], "complete");
    serde_json::to_string_pretty(&results["metrics"]).unwrap()
}

/// Status and reason of a run.
pub(crate) fn status(out: &Path) -> (String, String) {
    let text = std::fs::read_to_string(out.join("status.json")).unwrap();
    let status: Value = serde_json::from_str(&text).unwrap();
    let of = |key: &str| status[key].as_str().unwrap_or_default().to_owned();
    (of("status"), of("reason"))
}
