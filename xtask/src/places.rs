//! Where things lie, and files that are written whole or not at all.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use anyhow::{Context as _, Result};

/// The repository's root.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// The target directory as an absolute path; `CARGO_TARGET_DIR` is honoured.
pub(crate) fn target() -> PathBuf {
    let named = env::var_os("CARGO_TARGET_DIR").filter(|dir| !dir.is_empty());
    let target = named.map_or_else(|| root().join("target"), PathBuf::from);
    std::path::absolute(&target).unwrap_or(target)
}

/// The text of a file, or the error with its path.
pub(crate) fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Writes `bytes` under a temporary name beside `path`, then renames.
pub(crate) fn atomic_write(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || -> io::Result<()> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temporary = path.with_file_name(format!(".{name}.{}", std::process::id()));
        let done = fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
        if done.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        done
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// A folder that goes away with this value.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// A new folder among the system's temporary ones, whose name says what for.
    pub(crate) fn new(what: &str) -> Result<Self> {
        for attempt in 0..1000 {
            let name = format!("sixfold-{what}-{}-{attempt}", std::process::id());
            let dir = env::temp_dir().join(name);
            match fs::create_dir(&dir) {
                Ok(()) => return Ok(Self(dir)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error).context(format!("cannot make {}", dir.display())),
            }
        }
        anyhow::bail!("no free name for a folder in {}", env::temp_dir().display())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_nothing_else_stays() {
        let scratch = Scratch::new("places").unwrap();
        let path = scratch.path().join("new/record.csv");
        atomic_write(&path, b"one").unwrap();
        atomic_write(&path, b"two").unwrap();
        assert_eq!(read(&path).unwrap(), "two");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        // A file cannot be a folder: the error names the path, and the file is as it was.
        let error = atomic_write(&path.join("below"), b"three").unwrap_err();
        assert!(error.to_string().contains("below"), "{error}");
        assert_eq!(read(&path).unwrap(), "two");
    }

    #[test]
    fn a_scratch_folder_goes_away() {
        let (one, two) = (Scratch::new("places").unwrap(), Scratch::new("places").unwrap());
        assert_ne!(one.path(), two.path());
        let path = one.path().to_owned();
        drop(one);
        assert!(!path.exists() && two.path().exists());
    }
}
