//! What is wrong shows before the first run, and leaves nothing behind.

use crate::common::{quick, ran, texts};

/// The one line on stderr, behind the exit code; nothing may have been written.
fn refused(arguments: &[&str]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let output = ran(dir.path(), arguments);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.lines().count(), 1, "one line: {text}");
    assert!(output.stdout.is_empty());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "{text}");
    format!("{} {text}", output.status.code().unwrap())
}

#[test]
fn a_wrong_key_or_value_ends_before_anything_is_written() {
    let sweep = |more: &[&str]| refused(&[&["sweep", "sgns/train"], more].concat());
    for (arguments, words) in [
        (&["dm=8,16"][..], "unknown key `dm`; did you mean `dim`?"),
        // The last of six cells is the wrong one.
        (&["dim=8,16", "metric=frequency,euclidean,euclidian"], "did you mean `euclidean`?"),
        (&["dim=8,many"], "dim: expected a whole number from 0"),
        (&["dim=8,8"], "dim: the value `8` stands twice"),
        (&["dim=8,,9"], "dim: a value is empty"),
        (&["dim=[8,9"], "a quote or a bracket is not closed"),
        (&["dim=8", "dim=9"], "dim stands twice; write dim=a,b"),
        (&["dim=8,9", "--device", "flex,cdua"], "unknown device `cdua`"),
        (&["dim=8,9", "--device", "flex,ndarray", "--jobs", "1"], "1 cannot serve 2 devices"),
    ] {
        let told = sweep(arguments);
        assert!(told.starts_with("2 error: ") && told.contains(words), "{arguments:?}: {told}");
    }
    let many: Vec<String> = (0..150).map(|n| n.to_string()).collect();
    let many = many.join(",");
    let told = sweep(&[&format!("dim={many}"), &format!("iterations={many}")]);
    assert!(told.contains("more than 10000 cells"), "{told}");
    let told = refused(&["sweep", "--out", "somewhere"]);
    assert!(told.starts_with("2 error: command line: name an experiment"), "{told}");
    let told = refused(&["sweep", "--resume", "--out", "nowhere"]);
    assert!(told.starts_with("3 error: nowhere is no sweep"), "{told}");
}

#[test]
fn a_dry_run_lists_cells_and_what_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let words = quick(&["dim=8,16", "negatives=1,5", "--dry-run"]);
    let output = ran(dir.path(), &texts(&words));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    for cell in ["000-dim-8-negatives-1", "001-dim-8-negatives-5", "003-dim-16-negatives-5"] {
        assert!(text.contains(&format!("cells/{cell}")), "{text}");
    }
    assert!(text.contains("# 4 of 4 cells to run, in out\n"), "{text}");
    let words = quick(&["corpus.path=a.txt,b.txt", "--dry-run"]);
    let output = ran(dir.path(), &texts(&words));
    assert_eq!(output.status.code(), Some(3));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("# MISSING: corpus.path: ") && text.contains("b.txt"), "{text}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn help_has_an_example() {
    let dir = tempfile::tempdir().unwrap();
    let text = String::from_utf8(ran(dir.path(), &["sweep", "--help"]).stdout).unwrap();
    insta::assert_snapshot!("help_sweep", text);
}
