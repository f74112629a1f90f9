//! The command that makes a run again.

use std::fmt::Write;

use super::{Plan, Request};

/// `cargo xtask experiment run …` with everything that is not a default.
pub fn reproduction(plan: &Plan, request: &Request) -> String {
    let mut command = format!(
        "cargo xtask experiment run {} --preset {}",
        plan.resolved.experiment,
        plan.resolved.preset.name()
    );
    for text in plan.resolved.overrides() {
        let _ = write!(command, " {}", quoted(&text));
    }
    let _ = write!(command, " --device {}", quoted(&request.device));
    let seeds: Vec<String> = request.seeds.iter().map(u64::to_string).collect();
    let _ = write!(command, " --seeds {}", seeds.join(","));
    if let Some(data) = &request.data {
        let _ = write!(command, " --data {}", quoted(&data.display().to_string()));
    }
    if request.online {
        command.push_str(" --online");
    }
    command
}

/// The argument as a shell takes it back.
pub(crate) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@+".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}
