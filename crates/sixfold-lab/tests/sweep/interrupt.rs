//! Signals to a sweep reach its cells, once.

use std::process::Stdio;

use crate::common::{directory, lab, numbers, quick, ran, rows, signal, statuses, texts, until};

#[test]
fn a_signal_in_the_middle_keeps_what_there_is_and_resume_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    // Two quick cells, then two that last long enough to be interrupted.
    let grid = ["iterations=2,3,400,401", "--jobs", "2"];
    let words = quick(&[&["dim=8"], &grid[..]].concat());
    for (name, word, code) in [("-TERM", "SIGTERM", 143), ("-USR1", "SIGUSR1", 138)] {
        let mut arguments = texts(&words);
        if name == "-USR1" {
            arguments.push("--resume");
        }
        let mut command = lab(dir.path(), &arguments);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        until("the third cell", || {
            let begun = |index: usize| {
                let rows = out.join("sweep.jsonl").is_file().then(|| rows(&out));
                rows.is_some_and(|rows| {
                    out.join(directory(&rows[index])).join("metrics.jsonl").is_file()
                })
            };
            begun(2) && statuses(&out)[2].as_deref() == Some("running")
        });
        signal(child.id(), name);
        let output = child.wait_with_output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{told}");
        assert!(told.contains(&format!("interrupted by {word} after ")), "{told}");
        assert!(
            told.ends_with(&format!("error: interrupted by {word}; partial results are kept\n"))
        );
        let statuses = statuses(&out);
        assert_eq!(statuses[0].as_deref(), Some("complete"));
        assert_eq!(statuses[2].as_deref(), Some("interrupted"), "{told}");
        let page = std::fs::read_to_string(out.join("index.md")).unwrap();
        assert!(page.contains("| interrupted | interrupted by "), "{page}");
    }
    let output = ran(dir.path(), &["sweep", "--resume", "--out", "out", "-q"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), told.as_str()), (Some(0), ""));
    assert!(statuses(&out).iter().all(|status| status.as_deref() == Some("complete")));
    // Twice interrupted, and the same to the last bit.
    let straight = ["run", "sgns/train", "min_count=60", "dim=8", "iterations=400"];
    let straight = [&straight[..], &["--out", "straight"]].concat();
    assert_eq!(ran(dir.path(), &straight).status.code(), Some(0));
    let cell = out.join(directory(&rows(&out)[2]));
    assert_eq!(numbers(&cell), numbers(&dir.path().join("straight")));
}
