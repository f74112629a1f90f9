//! Every family against `transformers`, on every CPU backend that is compiled in.

use crate::harness::{cases, name, run};

fn check(device: &str) {
    let device = sixfold_model::device(device).expect("compiled in");
    let mut failures = Vec::new();
    for case in cases() {
        let errors = run(&case, &device);
        if !errors.within_tolerance() {
            failures.push(format!("{}: {errors:?}", name(&case)));
        }
    }
    assert!(failures.is_empty(), "beyond tolerance:\n{}", failures.join("\n"));
}

#[cfg(feature = "flex")]
#[test]
fn all_families_on_flex() {
    check("flex");
}

#[cfg(feature = "ndarray")]
#[test]
fn all_families_on_ndarray() {
    check("ndarray");
}
