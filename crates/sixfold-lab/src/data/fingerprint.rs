//! What an input held when a run read it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Input, Locator};
use crate::error::doing;

/// An input as a run found it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The key that names it.
    pub key: String,
    /// The path as the config gives it.
    pub path: String,
    /// Bytes of the file, or of all files below the directory.
    pub bytes: u64,
    /// SHA-256 of the file, or of the names and hashes of all files below the directory.
    pub sha256: String,
}

/// The fingerprints of the inputs; each file is read once.
///
/// # Errors
/// A file that is gone or cannot be read, naming it.
pub(crate) fn fingerprints(inputs: &[Input], locator: &Locator) -> Result<Vec<Fingerprint>> {
    let of = |input: &Input| -> Result<Fingerprint> {
        let path = locator.expand(&input.key, &input.path)?;
        let (bytes, sha256) = if path.is_dir() { of_directory(&path)? } else { of_file(&path)? };
        Ok(Fingerprint { key: input.key.clone(), path: input.path.clone(), bytes, sha256 })
    };
    inputs.iter().map(of).collect()
}

fn of_file(path: &Path) -> Result<(u64, String)> {
    let read = || -> io::Result<(u64, Sha256)> {
        let (mut file, mut hasher) = (File::open(path)?, Sha256::new());
        let (mut buffer, mut bytes) = (vec![0; 1 << 16], 0);
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok((bytes, hasher)),
                n => {
                    hasher.update(&buffer[..n]);
                    bytes += n as u64;
                }
            }
        }
    };
    let (bytes, hasher) = read().with_context(|| doing("read", path))?;
    Ok((bytes, hex(hasher)))
}

/// Names are relative to the directory, so that a copy of it elsewhere is the same.
fn of_directory(root: &Path) -> Result<(u64, String)> {
    let mut files = Vec::new();
    collect(root, &mut files)?;
    files.sort();
    let mut hasher = Sha256::new();
    let mut sum = 0;
    for path in &files {
        let (bytes, hash) = of_file(path)?;
        sum += bytes;
        let name = path.strip_prefix(root).unwrap_or(path).to_string_lossy();
        hasher.update(format!("{name}\n{hash}\n"));
    }
    Ok((sum, hex(hasher)))
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(directory).with_context(|| doing("read", directory))?;
    for entry in entries {
        let path = entry.with_context(|| doing("read", directory))?.path();
        match path.is_dir() {
            true => collect(&path, files)?,
            false => files.push(path),
        }
    }
    Ok(())
}

fn hex(hasher: Sha256) -> String {
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::super::InputKind;
    use super::*;

    #[test]
    fn a_copy_is_the_same_and_a_changed_byte_is_not() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a", "b"] {
            let inner = folder.path().join(name).join("inner");
            fs::create_dir_all(&inner).unwrap();
            fs::write(inner.join("one.txt"), "abc").unwrap();
            fs::write(inner.join("../two.txt"), "de").unwrap();
        }
        let locator = Locator::new(None);
        let input = |name: &str| {
            let path = folder.path().join(name).display().to_string();
            Input::new(InputKind::Directory, name, path)
        };
        let of = |inputs: &[Input]| fingerprints(inputs, &locator);
        let found = of(&[input("a"), input("b"), input("a/two.txt")]).unwrap();
        assert_eq!((found[0].bytes, &found[0].sha256), (5, &found[1].sha256));
        // sha256("de"), as `sha256sum` prints it.
        assert!(found[2].sha256.starts_with("959a45d4"), "{}", found[2].sha256);
        fs::write(folder.path().join("b/inner/one.txt"), "abd").unwrap();
        assert_ne!(of(&[input("b")]).unwrap()[0].sha256, found[0].sha256);
        let error = of(&[input("gone")]).unwrap_err().to_string();
        assert!(error.contains("gone"), "{error}");
    }
}
