//! What a measurement must say about itself: when, where and of which code.

use std::fs;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::places::root;

/// The machine and the commit at the time of the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The day in UTC, `2026-11-27`.
    pub(crate) date: String,
    /// The processor's model name.
    pub(crate) cpu: String,
    pub(crate) cores: usize,
    /// Short, or empty outside a checkout.
    pub(crate) commit: String,
    /// Whether a tracked file differed from the commit. Kept figures are not code and do not count.
    pub(crate) dirty: bool,
}

impl Origin {
    pub(crate) fn now() -> Self {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |t| t.as_secs());
        let changes =
            ["status", "--porcelain", "--untracked-files=no", "--", ".", ":!benches/record"];
        Self {
            date: date(seconds / 86_400),
            cpu: cpu(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            commit: output("git", &["rev-parse", "--short", "HEAD"]).unwrap_or_default(),
            dirty: output("git", &changes).is_some_and(|changes| !changes.is_empty()),
        }
    }
}

/// The model's name; with Linux's numbers of it, for hosts shorten names until two generations are one.
fn cpu() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    described(&info)
        .or_else(|| output("sysctl", &["-n", "machdep.cpu.brand_string"]))
        .unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

fn described(info: &str) -> Option<String> {
    let field = |name: &str| {
        let fields = info.lines().filter_map(|line| line.split_once(':'));
        fields.map(|(key, value)| (key.trim(), value.trim())).find(|(key, _)| *key == name)
    };
    let (_, name) = field("model name")?;
    let Some(((_, family), (_, model))) = field("cpu family").zip(field("model")) else {
        return Some(name.to_owned());
    };
    Some(format!("{name} (family {family}, model {model})"))
}

/// The trimmed output of a program that ended well.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).current_dir(root()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

/// The date of a day since 1970, by 400-year cycles that begin on 1 March.
fn date(days: u64) -> String {
    let days = days + 719_468; // since 1 March of the year 0
    let (cycle, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153; // from March
    let of_month = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{of_month:02}", cycle * 400 + year + next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_their_dates() {
        for (days, expected) in [
            (0, "1970-01-01"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (19_782, "2024-02-29"),
            (20_453, "2025-12-31"),
            (20_784, "2026-11-27"),
            (47_540, "2100-02-28"),
            (47_541, "2100-03-01"),
        ] {
            assert_eq!(date(days), expected);
        }
    }

    #[test]
    fn processors_of_one_name_are_told_apart() {
        let info = "processor\t: 0\ncpu family\t: 26\nmodel\t\t: 2\nmodel name\t: AMD EPYC\n";
        assert_eq!(described(info).unwrap(), "AMD EPYC (family 26, model 2)");
        assert_eq!(described("model name : Some ARM\n").unwrap(), "Some ARM");
        assert_eq!(described("processor : 0\n"), None);
    }

    #[test]
    fn a_machine_has_a_name_and_cores() {
        let origin = Origin::now();
        assert!(!origin.cpu.is_empty() && origin.cores > 0, "{origin:?}");
    }
}
