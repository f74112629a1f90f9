//! Prints the parity table: family × configuration × backend, worst error against
//! `transformers`.
//!
//! `cargo xtask parity` runs it on flex, ndarray and wgpu.

#![expect(clippy::print_stdout, reason = "printing is what this example does")]

#[path = "../tests/it/harness.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod harness;

use harness::{Errors, cases, name, run};

fn main() {
    println!("| configuration | backend | hidden states | logits | loss | gradients |");
    println!("|---|---|---|---|---|---|");
    let bases: Vec<String> =
        sixfold_model::families().map(|family| format!("{family}-base")).collect();
    let mut all_within = true;
    for case in cases() {
        for backend in sixfold_model::available_devices() {
            let gpu = !["flex", "ndarray"].contains(&backend);
            // Software Vulkan compiles every new shape: one configuration a family.
            if gpu && !bases.contains(&name(&case))
                || backend == "wgpu" && !sixfold_testkit::has_vulkan()
            {
                continue;
            }
            let device = sixfold_model::device(backend).expect("it is listed");
            let errors = run(&case, &device);
            all_within &= errors.within_tolerance();
            let Errors { hidden, logits, loss, gradient } = errors;
            let case = name(&case);
            println!(
                "| {case} | {backend} | {hidden:.1e} | {logits:.1e} | {loss:.1e} | {gradient:.1e} |"
            );
        }
    }
    assert!(all_within, "some errors exceed 1e-4 (values) or 1e-3 (gradients)");
}
