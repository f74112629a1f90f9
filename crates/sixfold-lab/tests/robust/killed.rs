//! Signals at random moments of a run that resumes each time; `.ci/killed` sends more of them than a test of every day.

use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Uniform};

use crate::files::{check, metrics, status};
use crate::run;

const SIGNALS: [(&str, i32); 3] = [("INT", 130), ("TERM", 143), ("KILL", -1)];

#[test]
fn a_run_that_is_killed_again_and_again_ends_as_one_that_was_not() {
    let times = std::env::var("SIXFOLD_KILLS").map_or(4, |n| n.parse().expect("a number of kills"));
    let seed = std::env::var("SIXFOLD_SEED").map_or(0, |n| n.parse().expect("a seed"));
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let dir = tempfile::tempdir().unwrap();
    let straight = dir.path().join("straight");
    let begun = Instant::now();
    assert!(run(&straight, &[]).status().unwrap().success());
    let whole = begun.elapsed().as_secs_f64();

    let out = dir.path().join("killed");
    let moments = Uniform::new(0.0, whole).unwrap();
    let (mut sent, mut late, mut files) = (0, 0, 0);
    while sent < times {
        // Every run goes on where the last one stopped; once it is complete the next begins anew.
        let more: &[&str] = if out.join("status.json").is_file() { &["--resume"] } else { &[] };
        let child = run(&out, more).spawn().unwrap();
        std::thread::sleep(Duration::from_secs_f64(moments.sample(&mut random)));
        let (name, code) = SIGNALS[random.random_range(0..SIGNALS.len())];
        let pid = child.id().to_string();
        let signalled = std::process::Command::new("kill").args(["-s", name, &pid]).output();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        files += check(&out);
        match output.status.code() {
            // It was over before the signal came.
            Some(0) => {
                late += 1;
                assert_eq!(metrics(&out), metrics(&straight));
                std::fs::remove_dir_all(&out).unwrap();
                continue;
            }
            Some(found) => {
                assert_eq!(found, code, "{name}: {said}");
                // Very early there is no run yet.
                if out.join("status.json").is_file() {
                    let (status, reason) = status(&out);
                    assert_eq!(status, "interrupted", "{name}: {reason}");
                    assert!(reason.contains(name), "{reason}");
                }
            }
            None => assert_eq!(code, -1, "{name} ended it without a word: {said}"),
        }
        assert!(signalled.unwrap().status.success());
        sent += 1;
    }
    let more: &[&str] = if out.join("status.json").is_file() { &["--resume"] } else { &[] };
    let output = run(&out, more).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(metrics(&out), metrics(&straight), "seed {seed}");
    files += check(&out);
    println!(
        "{sent} signals, {late} came too late, {files} files were whole; a run takes {whole:.1} s"
    );
}
