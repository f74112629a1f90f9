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

/// Whether a Vulkan driver is installed, be it Mesa's software one; says so where it is not.
#[expect(clippy::print_stderr, reason = "a skipped test must say so")]
pub fn has_vulkan() -> bool {
    let folders = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d"];
    let driver =
        |folder: &str| std::fs::read_dir(folder).is_ok_and(|mut files| files.next().is_some());
    let found = std::env::var_os("VK_DRIVER_FILES").is_some()
        || cfg!(any(target_os = "macos", target_os = "windows"))
        || folders.into_iter().any(driver);
    if !found {
        eprintln!(
            "skipped: no Vulkan driver (on Debian: apt-get install mesa-vulkan-drivers libvulkan1)"
        );
    }
    found
}
