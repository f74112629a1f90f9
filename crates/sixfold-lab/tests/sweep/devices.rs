//! Cells spread over devices. Needs both CPU backends, as the tests of the workspace have.
#![cfg(all(feature = "flex", feature = "ndarray"))]

use crate::common::{directory, json, quick, ran, rows, statuses, texts};

#[test]
fn each_worker_has_a_device_and_resume_knows_which() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let words = quick(&["dim=8", "iterations=1,2,3,4", "--device", "flex,ndarray"]);
    let output = ran(dir.path(), &texts(&words));
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{told}");
    let rows = rows(&out);
    let device = |index: usize| {
        let environment = json(&out.join(directory(&rows[index])).join("env.json"));
        environment["device"].as_str().unwrap().to_owned()
    };
    // Both workers take a cell at once.
    let mut first = [device(0), device(1)];
    first.sort();
    assert_eq!(first, ["flex", "ndarray"]);
    let all: Vec<Option<String>> = statuses(&out);
    assert!(all.iter().all(|status| status.as_deref() == Some("complete")), "{all:?}");

    // All cells are there, whichever device they ran on.
    let output = ran(dir.path(), &["sweep", "--resume", "--out", "out"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(!String::from_utf8(output.stderr).unwrap().contains("started"));

    // A cell that was begun on a device goes on there.
    let begun = (0..2).find(|&index| device(index) == "ndarray").unwrap();
    let cell = out.join(directory(&rows[begun]));
    let status = cell.join("status.json");
    let text = std::fs::read_to_string(&status).unwrap();
    std::fs::write(&status, text.replace("\"complete\"", "\"interrupted\"")).unwrap();
    let flex = ran(dir.path(), &["sweep", "--resume", "--out", "out", "--device", "flex"]);
    assert_eq!(flex.status.code(), Some(2));
    let told = String::from_utf8(flex.stderr).unwrap();
    assert!(told.contains("was begun on ndarray: name it too"), "{told}");
    let both = ran(dir.path(), &["sweep", "--resume", "--out", "out"]);
    let told = String::from_utf8(both.stderr).unwrap();
    assert_eq!(both.status.code(), Some(0), "{told}");
    assert!(told.contains(" started on ndarray\n") && !told.contains(" on flex"), "{told}");
}
