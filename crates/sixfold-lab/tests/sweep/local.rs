//! Cells as processes of this machine.

use std::path::Path;

use crate::common::{QUICK, directory, json, numbers, quick, ran, rows, statuses, texts};

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn two_workers_make_what_single_runs_make_and_resume_skips_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let words = quick(&["dim=8,12", "iterations=2,3", "--jobs", "2"]);
    let output = ran(dir.path(), &texts(&words));
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("cell 000-dim-8-iterations-2 started on flex\n"), "{told}");
    assert!(told.contains(" (4 of 4)\n"), "{told}");
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(
        table.contains("dim=12 iterations=3") && table.ends_with("out/index.html\n"),
        "{table}"
    );

    let rows = rows(&out);
    assert_eq!(rows.len(), 4);
    for (row, (dim, iterations)) in rows.iter().zip([(8, 2), (8, 3), (12, 2), (12, 3)]) {
        let cell = out.join(directory(row));
        for file in ["results.json", "report.html", "run.log"] {
            assert!(cell.join(file).is_file(), "{file} of {}", cell.display());
        }
        let status = json(&cell.join("status.json"));
        assert_eq!(status["config_hash"], row["config_hash"]);
        let config = read(&cell.join("config.toml"));
        assert!(config.contains(&format!("dim = {dim}\n")), "{config}");
        assert!(config.contains(&format!("iterations = {iterations}\n")), "{config}");
    }
    let left = std::fs::read_dir(out.join("cells")).unwrap().count();
    assert_eq!(left, 4, "logs lie in the run directories");
    let single = dir.path().join("single");
    let arguments = [&["run"][..], &QUICK, &["--out", "single"]].concat();
    assert_eq!(ran(dir.path(), &arguments).status.code(), Some(0));
    let second = out.join(directory(&rows[1]));
    assert_eq!(numbers(&single), numbers(&second));
    assert!(!numbers(&single).is_empty());

    let [html, markdown] = ["index.html", "index.md"].map(|name| read(&out.join(name)));
    for page in [&html, &markdown] {
        for words in [
            "4 of 4 cells complete",
            "cargo xtask experiment sweep sgns/train min_count=60 dim=8,12 iterations=2,3",
            "cells/003-dim-12-iterations-3/report.",
            // The sentence: a metric, and where it is best.
            "similarity (set=EN-MEN-TR-3k) is best with ",
        ] {
            assert!(page.contains(words), "{words}: {page}");
        }
    }
    assert!(!html.contains("<script src") && !html.contains("src="));

    // One cell goes, and is made again; the others are not touched.
    std::fs::remove_dir_all(&second).unwrap();
    std::fs::remove_file(out.join("index.html")).unwrap();
    let others =
        |file: &str| [0, 2, 3].map(|index| read(&out.join(directory(&rows[index])).join(file)));
    let before = [others("status.json"), others("run.log")];
    let refused = ran(dir.path(), &texts(&words));
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        String::from_utf8(refused.stderr).unwrap().contains("holds a sweep: go on with --resume")
    );
    let output = ran(dir.path(), &["sweep", "--resume", "--out", "out"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert_eq!(told.matches(" started on ").count(), 1, "{told}");
    assert_eq!([others("status.json"), others("run.log")], before);
    assert_eq!(numbers(&single), numbers(&second));
    // Its times are others now.
    let html = read(&out.join("index.html"));
    assert!(html.contains("4 of 4 cells complete"));

    // The same page from what is kept.
    std::fs::remove_file(out.join("index.html")).unwrap();
    assert_eq!(ran(dir.path(), &["report", "out"]).status.code(), Some(0));
    assert_eq!(read(&out.join("index.html")), html);

    let other = quick(&["dim=8,13", "iterations=2,3", "--resume"]);
    let output = ran(dir.path(), &texts(&other));
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("is a sweep of other configs"));

    // Another sweep in its place: what the first one wrote goes, what somebody else put there
    // stays.
    std::fs::write(out.join("cells/mine.txt"), "kept").unwrap();
    let replaced = quick(&["dim=8", "iterations=1", "--force"]);
    let output = ran(dir.path(), &texts(&replaced));
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(statuses(&out), [Some("complete".to_owned())]);
    assert_eq!(std::fs::read_dir(out.join("cells")).unwrap().count(), 2);
}

#[test]
fn a_cell_that_fails_does_not_stop_the_others() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("not-text.txt"), b"\xff\xfe\n").unwrap();
    let shakespeare = "{repo}/fixtures/text/shakespeare.txt";
    let paths = format!("corpus.path=absent.txt,not-text.txt,{shakespeare}");
    let words = quick(&["dim=8", "iterations=2", &paths]);
    let output = ran(dir.path(), &texts(&words));
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("exit code 3: corpus.path: "), "{told}");
    assert!(told.ends_with("error: 2 of 3 cells did not finish\n"), "{told}");
    let out = dir.path().join("out");
    let [complete, failed] = ["complete", "failed"].map(|word| Some(word.to_owned()));
    assert_eq!(statuses(&out), [None, failed, complete.clone()]);
    let page = read(&out.join("index.md"));
    assert!(page.contains("1 of 3 cells complete"), "{page}");
    let line = |cell: &str| {
        page.lines().find(|line| line.starts_with("| ") && line.contains(cell)).unwrap()
    };
    assert!(line("=absent.txt").contains("| failed | corpus.path: "), "{page}");
    assert!(line("=not-text.txt").contains("| failed | ") && page.contains("UTF-8"), "{page}");

    // What was missing comes, and the sweep goes on.
    for name in ["absent.txt", "not-text.txt"] {
        let text = sixfold_testkit::fixtures("text").join("shakespeare.txt");
        std::fs::copy(text, dir.path().join(name)).unwrap();
    }
    let output = ran(dir.path(), &["sweep", "--resume", "--out", "out"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert_eq!(told.matches(" started on ").count(), 2, "{told}");
    assert!(statuses(&out).iter().all(|status| *status == complete));

    let words = quick(&["dim=8", "corpus.path=none.txt,nothing.txt", "--force", "--jobs", "2"]);
    let output = ran(dir.path(), &texts(&words));
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(told.contains("error: all 2 cells lack an input: corpus.path: "), "{told}");
    assert!(read(&out.join("index.md")).contains("None of 2 cells is complete"));
}

#[test]
fn a_label_that_says_again_what_was_swept_does_not_part_the_numbers() {
    let dir = tempfile::tempdir().unwrap();
    let words = ["sweep", "tensor-train/compress", "order=[\"identity\"]", "ranks=[2],[4]"];
    let output = ran(dir.path(), &[&words[..], &["--out", "out"]].concat());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let page = read(&dir.path().join("out/index.md"));
    let table = page.split("## The numbers").nth(1).unwrap();
    // In results.json these stand at rank=2 and at rank=4.
    let error = "relative_error (embedding=tt order=identity)";
    assert!(table.contains(error) && !table.contains("rank=2"), "{table}");
    assert!(page.starts_with("# relative_error ("), "{page}");
}
