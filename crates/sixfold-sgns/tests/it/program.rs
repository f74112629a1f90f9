//! The program, from outside.
#![cfg(feature = "cli")]

use std::path::Path;
use std::process::{Command, Output};

fn program(dir: &Path, line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sixfold-sgns"));
    command.current_dir(dir).args(line.split_whitespace()).output().unwrap()
}

fn succeeds(dir: &Path, line: &str) -> String {
    let output = program(dir, line);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}: {said}");
    // Nobody looks at a terminal.
    assert_eq!(said, "", "{line}");
    String::from_utf8(output.stdout).unwrap()
}

fn fails(dir: &Path, code: i32, line: &str) -> String {
    let output = program(dir, line);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{line}: {said}");
    assert_eq!(said.lines().count(), 1, "{line}: {said}");
    said
}

fn text(dir: &Path) {
    let path = sixfold_testkit::fixtures("text").join("shakespeare.txt");
    std::fs::copy(path, dir.join("text")).unwrap();
}

#[test]
fn shards_of_the_program_add_up() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    text(dir);
    let options = "--normalise letters --block 64K text";
    for i in 0..3 {
        succeeds(dir, &format!("vocab --shard {i}/3 -o words-{i} {options}"));
    }
    succeeds(dir, "vocab --merge --min-count 10 -o merged.tsv words-2 words-0 words-1");
    succeeds(dir, &format!("vocab --min-count 10 -o whole.tsv {options}"));
    let read = |name: &str| std::fs::read(dir.join(name)).unwrap();
    assert!(read("merged.tsv") == read("whole.tsv"));
    assert!(read("whole.tsv").starts_with(b"the\t"));
    let count = format!("count --vocab whole.tsv --window 3 --memory 1M {options}");
    for i in 0..3 {
        succeeds(dir, &format!("{count} --shard {i}/3 -o pairs-{i}"));
    }
    succeeds(dir, "merge -o merged pairs-0 pairs-1 pairs-2");
    succeeds(dir, &format!("{count} -o whole"));
    assert!(read("merged") == read("whole"));
    succeeds(dir, "export --vocab whole.tsv -o records merged");
    assert!(read("records").len() > 16_000 && read("records").len() % 16 == 0);
    assert!(fails(dir, 1, "merge -o merged pairs-0 pairs-2").contains("are missing: 1"));
}

#[test]
fn errors_are_one_line_and_tell_usage_from_failure() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    text(dir);
    for command in ["", "vocab", "count", "merge", "export"] {
        let help = succeeds(dir, &format!("{command} --help"));
        assert!(help.contains("Usage: sixfold-sgns"), "{help}");
    }
    assert!(succeeds(dir, "--version").starts_with("sixfold-sgns 0"));
    for (line, part) in [
        ("", "expected a command"),
        ("conut", "no command `conut`"),
        ("vocab text", "--output is missing"),
        ("vocab -o v", "expected files"),
        ("vocab -o text text", "--output is `text`, which is read"),
        ("vocab -o v --shard 3/3 text", "--shard is `3/3`"),
        ("vocab -o v --memory 3X text", "expected a size like 512M"),
        ("vocab -o v --normalise none text", "expected whitespace, letters, ascii"),
        ("vocab -o v --widnow 3 text", "no option `--widnow`"),
        ("count -o c text", "--vocab is missing"),
        ("export -o e --vocab text", "expected a file of counts"),
    ] {
        let said = fails(dir, 2, line);
        assert!(said.contains(part), "{line}: {said}");
    }
    let said = fails(dir, 1, "vocab -o v absent");
    assert!(said.starts_with("sixfold-sgns: absent: "), "{said}");
    assert!(said.contains("os error 2"), "the cause is told: {said}");
    std::fs::write(dir.join("v"), "the\t5\nof\t3\n").unwrap();
    let said = fails(dir, 1, "count --vocab v --window 0 -o c text");
    assert!(said.contains("window is 0, expected 1 to 1000"), "{said}");
}

/// The embedded text `times` times, a speech a line.
fn long_text(dir: &Path, times: usize) {
    let path = sixfold_testkit::fixtures("text").join("shakespeare.txt");
    let once = std::fs::read_to_string(path).unwrap();
    let speeches = once.split("\n\n").map(|speech| speech.replace('\n', " ") + "\n");
    std::fs::write(dir.join("text"), speeches.collect::<String>().repeat(times)).unwrap();
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    long_text(dir, 2);
    std::fs::create_dir(dir.join("scratch")).unwrap();
    succeeds(dir, "vocab --min-count 1 -o v text");
    // No file may grow beyond so many blocks of 512 bytes: writing fails as it does on a full disk.
    let limited = |blocks: u32, line: &str| {
        let program = env!("CARGO_BIN_EXE_sixfold-sgns");
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec {program} {line}");
        let output = Command::new("sh").current_dir(dir).args(["-c", &script]).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert_eq!(std::fs::read(dir.join("c")).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(dir.join("scratch")).unwrap().count(), 0);
        let names = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(names.into_iter().all(|name| !name.to_string_lossy().starts_with(".tmp-")));
        String::from_utf8(output.stderr).unwrap()
    };
    std::fs::write(dir.join("c"), "old").unwrap();
    let count = "count --vocab v -o c --temporary scratch";
    let said = limited(64, &format!("{count} --memory 1M text"));
    assert!(said.contains("scratch/(a temporary file): File too large"), "{said}");
    let said = limited(64, &format!("{count} text"));
    assert!(said.starts_with("sixfold-sgns: c: File too large"), "{said}");
    let said = limited(64, "vocab --min-count 1 -o c text");
    assert!(said.starts_with("sixfold-sgns: c: File too large"), "{said}");
}

#[test]
#[cfg(target_os = "linux")]
fn an_end_at_any_time_leaves_no_temporary_files() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    std::fs::create_dir(dir.join("scratch")).unwrap();
    let line = "count --vocab v -o c --temporary scratch --memory 1M text";
    // As soon as a temporary file is open, which has no name.
    let spills = |id: u32| {
        let files = std::fs::read_dir(format!("/proc/{id}/fd")).into_iter().flatten().flatten();
        let target = |file: std::fs::DirEntry| std::fs::read_link(file.path()).ok();
        files.filter_map(target).any(|path| path.to_string_lossy().contains("scratch"))
    };
    // A busy machine may look, or send, too late: then there is more to count.
    let mut lengths = [100, 400, 1600].into_iter();
    loop {
        long_text(dir, lengths.next().expect("it always ended before it was told to"));
        succeeds(dir, "vocab --min-count 1 -o v text");
        std::fs::write(dir.join("c"), "old").unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_sixfold-sgns"))
            .current_dir(dir)
            .args(line.split_whitespace())
            .spawn()
            .unwrap();
        while !spills(child.id()) && child.try_wait().unwrap().is_none() {}
        // Not INT, which whoever runs the tests in the background may have told all its children to ignore. It fails for
        // a process that has ended meanwhile.
        let id = child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &id]).output();
        if !child.wait().unwrap().success() {
            break;
        }
    }
    assert_eq!(std::fs::read(dir.join("c")).unwrap(), b"old");
    assert_eq!(std::fs::read_dir(dir.join("scratch")).unwrap().count(), 0);
}

#[test]
#[cfg(target_os = "linux")]
fn memory_stays_near_the_cap() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    // Nine million words: a chunk of 64 MiB holds three.
    long_text(dir, 44);
    succeeds(dir, "vocab --normalise letters -o v text");
    let line = "count --normalise letters --vocab v --memory 64M -o c text";
    let mut child = Command::new(env!("CARGO_BIN_EXE_sixfold-sgns"))
        .current_dir(dir)
        .args(line.split_whitespace())
        .spawn()
        .unwrap();
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let path = format!("/proc/{}/status", child.id());
        let status = std::fs::read_to_string(path).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        peak = peak.max(kib.unwrap_or_default());
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    assert!(child.wait().unwrap().success());
    let mib = peak as f64 / 1024.0;
    // A tenth more, and 8 MiB for the program and a vocabulary of 12 thousand words.
    assert!((16.0..64.0 * 1.1 + 8.0).contains(&mib), "{mib} MiB");
}

/// From a text to neighbours, at once and from shards of counts, with an interruption.
#[test]
fn texts_become_vectors_and_neighbours() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    text(dir);
    let options = "--dim 20 --iterations 4 --checkpoint state";
    let of_text = format!("train {options} --normalise letters --min-count 30 -o at-once.bin text");
    succeeds(dir, &of_text);
    let near = succeeds(dir, "neighbours -n 3 at-once.bin king queen");
    let fields: Vec<Vec<&str>> = near.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(fields.len(), 6, "{near}");
    assert!(fields.iter().all(|line| line.len() == 3 && line[0] != line[1]), "{near}");
    assert_eq!(fields[3][0], "queen");

    succeeds(dir, "vocab --normalise letters --min-count 30 -o words.tsv text");
    succeeds(dir, "count --normalise letters --vocab words.tsv -o pairs text");
    std::fs::remove_file(dir.join("state")).unwrap();
    let counted = "train --dim 20 --checkpoint state --vocab words.tsv --counts pairs";
    succeeds(dir, &format!("{counted} --iterations 2 -o half.bin"));
    succeeds(dir, &format!("{counted} --iterations 4 -o whole.bin"));
    let read = |name: &str| std::fs::read(dir.join(name)).unwrap();
    assert!(read("whole.bin") == read("at-once.bin"));
    assert!(read("half.bin") != read("at-once.bin"));

    succeeds(dir, &format!("{counted} --method svd --factors f.safetensors -o svd.txt"));
    assert!(dir.join("f.safetensors").exists() && dir.join("svd.txt").exists());
    let said = fails(dir, 1, "neighbours at-once.bin xyzzy");
    assert!(said.contains("xyzzy"), "{said}");
    let said = fails(dir, 2, "train -o vectors.zip text");
    assert!(said.contains("vectors.zip"), "{said}");
    let said = fails(dir, 1, &format!("{counted} --smoothing 2 -o other.bin"));
    assert!(said.contains("smoothing is 2"), "{said}");
    let said = fails(dir, 2, "train --counts pairs --vocab words.tsv -o other.bin text");
    assert!(said.contains("not both"), "{said}");
}
