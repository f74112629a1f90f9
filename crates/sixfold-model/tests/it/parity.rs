//! Every family against `transformers`, on every backend that is compiled in.

use std::path::PathBuf;

use crate::harness::{cases, name, run};

fn check(device: &str, cases: &[PathBuf]) {
    let device = sixfold_model::device(device).expect("compiled in");
    let mut failures = Vec::new();
    for case in cases {
        let errors = run(case, &device);
        if !errors.within_tolerance() {
            failures.push(format!("{}: {errors:?}", name(case)));
        }
    }
    assert!(failures.is_empty(), "beyond tolerance:\n{}", failures.join("\n"));
}

#[cfg(feature = "flex")]
#[test]
fn all_families_on_flex() {
    check("flex", &cases());
}

#[cfg(feature = "ndarray")]
#[test]
fn all_families_on_ndarray() {
    check("ndarray", &cases());
}

/// One configuration of every family: software Vulkan compiles each new shape, which takes long.
#[cfg(feature = "wgpu")]
#[test]
fn every_family_on_wgpu() {
    if !sixfold_testkit::has_vulkan() {
        return;
    }
    let families: Vec<String> = sixfold_model::families().map(|f| format!("{f}-base")).collect();
    let cases: Vec<PathBuf> = cases().into_iter().filter(|c| families.contains(&name(c))).collect();
    assert_eq!(cases.len(), families.len());
    check("wgpu", &cases);
}
