//! Where fixtures and evaluation data lie.

use std::path::{Path, PathBuf};

/// The root of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map(Path::to_owned).unwrap_or_default()
}

/// The fixtures of a crate.
pub fn fixtures(name: &str) -> PathBuf {
    repository().join("fixtures").join(name)
}

/// The evaluation data: `SIXFOLD_DATA`, else `../shared/data` beside the repository. `None`
/// where it is absent, after a line that says so: such tests skip.
#[expect(clippy::print_stderr, reason = "a skipped test must say so")]
pub fn data_dir() -> Option<PathBuf> {
    let dir = match std::env::var_os("SIXFOLD_DATA") {
        Some(dir) => PathBuf::from(dir),
        None => repository().join("../shared/data"),
    };
    if dir.is_dir() {
        return Some(dir);
    }
    eprintln!("skipped: no evaluation data at {} (set SIXFOLD_DATA)", dir.display());
    None
}
