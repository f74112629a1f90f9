//! Passes what only the build knows to `env.json`: compiler, burn's version, the lock file.

use std::path::Path;
use std::process::Command;

fn main() {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let version = Command::new(rustc).arg("--version").output().ok();
    let version = version.map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned());
    println!("cargo::rustc-env=SIXFOLD_RUSTC={}", version.unwrap_or_default());

    let manifest = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let lock = Path::new(&manifest).join("../../Cargo.lock");
    println!("cargo::rerun-if-changed={}", lock.display());
    let burn = std::fs::read_to_string(&lock).unwrap_or_default();
    let burn = burn
        .split_once("name = \"burn\"\nversion = \"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map_or("", |(version, _)| version)
        .to_owned();
    println!("cargo::rustc-env=SIXFOLD_BURN={burn}");

    for name in ["PROFILE", "TARGET"] {
        let value = std::env::var(name).unwrap_or_default();
        println!("cargo::rustc-env=SIXFOLD_{name}={value}");
    }
}
