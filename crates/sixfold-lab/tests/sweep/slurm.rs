//! A real Slurm of one node. Skipped with a line where there is none: `slurm/cluster fetch ROOT`,
//! with `SIXFOLD_SLURM=ROOT` or in `/var/tmp/sixfold-slurm`.

use std::path::Path;
use std::process::{Command, Stdio};

use sixfold_testkit::Slurm;

use crate::common::{directory, json, lab, numbers, quick, ran, rows, statuses, texts, until};

fn on(cluster: &Slurm, dir: &Path, arguments: &[&str]) -> Command {
    let mut command = lab(dir, arguments);
    command.envs(cluster.variables());
    command
}

#[test]
fn six_cells_of_an_array_job_finish_though_one_is_interrupted_and_requeued() {
    let Some(cluster) = Slurm::start() else { return };
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let grid = ["dim=8,12", "iterations=2,3,400"];
    let words = quick(&grid);
    let slurm = ["--launcher", "slurm", "--slurm", "time=10", "--slurm-signal", "60", "--wait"];
    let mut command = on(&cluster, dir.path(), &[&texts(&words)[..], &slurm[..]].concat());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The third cell is the first long one.
    let long = || out.join(directory(&rows(&out)[2]));
    until("a cell under way", || {
        let begun = out.join("sweep.jsonl").is_file() && long().join("metrics.jsonl").is_file();
        begun && statuses(&out)[2].as_deref() == Some("running")
    });
    let job = json(&out.join("sweep.json"))["job"].as_str().unwrap().to_owned();
    let task = format!("{job}_2");
    // Slurm calls a task that has just begun one that cannot be signalled yet, signals it all the
    // same, and lets scancel try again until the task has ended: its exit code says nothing, and
    // the task may be interrupted more than once.
    cluster.run("scancel", &["--signal=USR1", "--batch", &task]);
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    let log = |index: usize| {
        let path = out.join(format!("cells/{index:03}.slurm.log"));
        std::fs::read_to_string(path).unwrap()
    };
    assert_eq!(output.status.code(), Some(0), "{told}{}", log(2));
    assert!(log(2).contains("error: interrupted by SIGUSR1; partial results are kept"));
    let shown = cluster.ask("scontrol", &["show", "job", &task]);
    assert!(shown.contains(" Restarts=") && !shown.contains(" Restarts=0 "), "{shown}");
    let page = std::fs::read_to_string(out.join("index.md")).unwrap();
    assert!(page.contains("6 of 6 cells complete"), "{page}");
    assert!(page.contains("--launcher slurm"), "{page}");

    // The same numbers as on the local launcher, to the last bit.
    let mut words = quick(&grid);
    *words.last_mut().unwrap() = "local".to_owned();
    let output = ran(dir.path(), &texts(&words));
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let local = dir.path().join("local");
    for row in rows(&out) {
        let [slurm, local] = [&out, &local].map(|sweep| numbers(&sweep.join(directory(&row))));
        assert_eq!(slurm, local, "{}", directory(&row));
    }

    // Finished cells are skipped: the job has the one task that is to be done.
    std::fs::remove_dir_all(out.join(directory(&rows(&out)[4]))).unwrap();
    let resume = ["sweep", "--resume", "--out", "out", "--wait"];
    let output = on(&cluster, dir.path(), &resume).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains(": 1 of 6 cells in out"), "{told}");
    let script = std::fs::read_to_string(out.join("sweep.sbatch")).unwrap();
    assert!(script.contains("#SBATCH --array=4\n"), "{script}");
    assert!(statuses(&out).iter().all(|status| status.as_deref() == Some("complete")));

    // A job that is cancelled hears it twice, and keeps what it has all the same.
    let words = quick(&["dim=8", "iterations=1000000", "--force", "--launcher", "slurm"]);
    let output = on(&cluster, dir.path(), &texts(&words)).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.ends_with("cargo xtask experiment report out\n"), "{told}");
    let job = json(&out.join("sweep.json"))["job"].as_str().unwrap().to_owned();
    let first = || out.join(directory(&rows(&out)[0]));
    until("the cell under way", || first().join("metrics.jsonl").is_file());
    let again = on(&cluster, dir.path(), &["sweep", "--resume", "--out", "out"]).output().unwrap();
    assert_eq!(again.status.code(), Some(2));
    let told = String::from_utf8(again.stderr).unwrap();
    assert!(told.contains(&format!("job {job} still has tasks in the queue")), "{told}");
    cluster.run("scancel", &[&job]);
    until("its end", || cluster.is_idle());
    assert_eq!(statuses(&out), [Some("interrupted".to_owned())]);
    assert_eq!(ran(dir.path(), &["report", "out"]).status.code(), Some(0));
    let page = std::fs::read_to_string(out.join("index.md")).unwrap();
    assert!(page.contains("| interrupted | interrupted by SIGTERM"), "{page}");
}

#[test]
fn what_slurm_refuses_is_told_in_its_own_words() {
    let dir = tempfile::tempdir().unwrap();
    let words = quick(&["dim=8,12", "--launcher", "slurm"]);
    let mut without = lab(dir.path(), &texts(&words));
    let output = without.env("PATH", dir.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(told, "error: --launcher slurm: there is no sbatch on the PATH\n");
    for option in ["array=0-9", "--time=1", "Time=1", ""] {
        let option = format!("--slurm={option}");
        let arguments = [&texts(&words)[..], &[option.as_str()]].concat();
        let told = String::from_utf8(ran(dir.path(), &arguments).stderr).unwrap();
        assert!(told.starts_with("error: --slurm: `"), "{told}");
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);

    let Some(cluster) = Slurm::start() else { return };
    let arguments = [&texts(&words)[..], &["--slurm", "partition=nowhere"]].concat();
    let output = on(&cluster, dir.path(), &arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("invalid partition specified: nowhere"), "{told}");
    assert_eq!(told.lines().count(), 1);
}
