//! `examples/count-shards.sh`: the same counts from both launchers, however often it is stopped.
#![cfg(feature = "cli")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use sixfold_testkit::Slurm;

const SHARDS: usize = 4;
/// Small blocks, for a shard is made of whole ones.
const OPTIONS: &str = "--normalise letters --block 64K";

/// The script on the plays of Shakespeare, into `folder`.
fn script(launcher: &str, folder: &Path) -> Command {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/count-shards.sh");
    let mut command = Command::new("sh");
    command.arg(script).args([launcher, &SHARDS.to_string()]).arg(folder).arg(text());
    command.env("SIXFOLD_SGNS", env!("CARGO_BIN_EXE_sixfold-sgns"));
    command.envs([("OPTIONS", OPTIONS), ("MIN_COUNT", "5"), ("MEMORY", "500M")]);
    command
}

fn text() -> std::path::PathBuf {
    sixfold_testkit::fixtures("text").join("shakespeare.txt")
}

/// The counts of the whole text at once.
fn whole(dir: &Path, vocabulary: &Path) -> Vec<u8> {
    let path = dir.join("whole");
    let mut command = Command::new(env!("CARGO_BIN_EXE_sixfold-sgns"));
    command.arg("count").args(OPTIONS.split(' ')).arg("--vocab").arg(vocabulary);
    assert!(command.arg("-o").arg(&path).arg(text()).status().unwrap().success());
    fs::read(path).unwrap()
}

/// Takes away what an interruption would have kept from being made, and spoils nothing else.
fn interrupted(folder: &Path) {
    for name in ["pairs-00001", "counts"] {
        fs::remove_file(folder.join(name)).unwrap();
    }
}

#[test]
fn parts_by_processes_add_up_and_those_that_are_there_are_skipped() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("with space");
    let run = || {
        let output = script("local", &folder).env("JOBS", "2").output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    run();
    let whole = whole(dir.path(), &folder.join("vocabulary.tsv"));
    assert!(fs::read(folder.join("counts")).unwrap() == whole);
    let time = |name: &str| fs::metadata(folder.join(name)).unwrap().modified().unwrap();
    let before = ["words-00000", "vocabulary.tsv", "pairs-00000", "pairs-00002"].map(time);
    interrupted(&folder);
    run();
    assert!(fs::read(folder.join("counts")).unwrap() == whole);
    assert_eq!(["words-00000", "vocabulary.tsv", "pairs-00000", "pairs-00002"].map(time), before);
    let wrong = script("ray", &folder).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
    // A part that fails ends the whole.
    let failed = script("local", &dir.path().join("failed")).env("MEMORY", "1K").output().unwrap();
    assert!(!failed.status.success());
    assert!(!dir.path().join("failed/counts").exists());
}

#[test]
fn parts_by_tasks_of_slurm_add_up() {
    let Some(cluster) = Slurm::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("counts");
    let run = || {
        let mut command = script("slurm", &folder);
        let output = command.env("SLURM", "time=5 cpus-per-task=1").envs(cluster.variables());
        let output = output.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let begin = Instant::now();
        while !cluster.is_idle() {
            assert!(begin.elapsed() < Duration::from_secs(240), "the jobs do not end");
            std::thread::sleep(Duration::from_millis(200));
        }
    };
    run();
    let whole = whole(dir.path(), &folder.join("vocabulary.tsv"));
    assert!(fs::read(folder.join("counts")).unwrap() == whole);
    interrupted(&folder);
    run();
    assert!(fs::read(folder.join("counts")).unwrap() == whole);
}
