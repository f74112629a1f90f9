//! A whole comparison with a driver that measures nothing.

use std::fs;
use std::process::Command;

use super::environment::Environments;
use super::report::{Report, table};
use super::*;
use crate::places::{Scratch, read};

/// A driver that writes the ratios of two works, and the arguments that it got.
const DRIVER: &str = r#"
import json, sys
if "--describe" in sys.argv:
    print(json.dumps(dict(requirements="none.txt", builds=[], ours="toy_peer", data=False)))
    sys.exit()
if "--fail" in sys.argv:
    sys.exit(7)
option = lambda name: sys.argv[sys.argv.index(name) + 1]
row = dict(work="sums", measure="CPU s", ours=0.5, peer="other", theirs=2.0, ratio=0.25, gate=0.5, reached=True)
slow = dict(row, work="products", ours=3.0, ratio=1.5)
told = dict(schema=1, commit="abc", dirty=True, machine="a machine", others=0.02, ratios=[row, slow, dict(row, gate=None)])
open(option("--json"), "w").write(json.dumps(told))
open(option("--out"), "w").write(f"{sys.prefix} {option('--ours')}")
"#;

fn has_python() -> bool {
    let found = Command::new("python3").arg("--version").output().is_ok();
    if !found {
        say("skipped: there is no python3");
    }
    found
}

fn toy(scratch: &Scratch) -> Peers {
    let dir = scratch.path();
    fs::create_dir(dir.join("scripts")).unwrap();
    fs::write(dir.join("scripts/run_a_toy.py"), DRIVER).unwrap();
    fs::write(dir.join("scripts/sides.py"), "raise SystemExit('no driver')").unwrap();
    fs::write(dir.join("scripts/none.txt"), "# nothing\n").unwrap();
    Peers {
        scripts: dir.join("scripts"),
        environments: Environments::new(dir.join("environments")),
        ours: dir.join("release"),
        out: dir.join("out"),
        data: None,
        arguments: Vec::new(),
    }
}

#[test]
fn a_driver_runs_in_its_environment_and_its_ratios_are_read() {
    if !has_python() {
        return;
    }
    let scratch = Scratch::new("peers").unwrap();
    let mut peers = toy(&scratch);
    assert_eq!(peers.all(&[]).unwrap(), 0);
    let environment = scratch.path().join("environments/none");
    let told = read(&peers.out.join("a-toy.md")).unwrap();
    let (prefix, ours) = told.split_once(' ').unwrap();
    assert_eq!(fs::canonicalize(prefix).unwrap(), fs::canonicalize(&environment).unwrap());
    assert_eq!(Path::new(ours), peers.ours.join("toy_peer"));
    let text = table(&[Report::read("a-toy", &peers.out.join("a-toy.json")).unwrap()]);
    assert!(text.contains("1 of 2 gates reached; missed: a-toy products."), "{text}");
    assert!(text.contains("commit abc with changes, a machine; others had at most 2 %"), "{text}");

    // A driver that fails leaves no result of an earlier run behind, and its exit code is told.
    peers.arguments = vec!["--fail".into()];
    assert_eq!(peers.all(&["a-toy".to_owned()]).unwrap(), 1);
    assert!(!peers.out.join("a-toy.json").exists());
    assert_eq!(peers.all(&["sides".to_owned()]).unwrap(), 2);
}

#[test]
fn an_environment_is_made_again_when_its_requirements_change() {
    if !has_python() {
        return;
    }
    let scratch = Scratch::new("peers").unwrap();
    let peers = toy(&scratch);
    let requirements = peers.scripts.join("none.txt");
    let python = peers.environments.python(&requirements).unwrap();
    let mark = scratch.path().join("environments/none/mark");
    fs::write(&mark, "").unwrap();
    assert_eq!(peers.environments.python(&requirements).unwrap(), python);
    assert!(mark.exists(), "nothing changed");
    fs::write(&requirements, "# nothing else\n").unwrap();
    peers.environments.python(&requirements).unwrap();
    assert!(!mark.exists(), "made again");

    // One that somebody made serves as it is; a folder of other things is left alone.
    let ready = Environments::new(scratch.path().join("environments/none"));
    assert_eq!(ready.python(&requirements).unwrap(), python);
    let other = scratch.path().join("other/none");
    fs::create_dir_all(&other).unwrap();
    let error = Environments::new(scratch.path().join("other")).python(&requirements).unwrap_err();
    assert!(error.to_string().contains("no virtual environment"), "{error}");
    assert!(other.exists());
}

#[test]
fn every_driver_of_the_repository_describes_itself() {
    if !has_python() {
        return;
    }
    let dir = root().join("benches/peers");
    let known = script::all(&dir).unwrap();
    let names: Vec<&str> = known.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["geometry", "linearity", "model", "sgns", "tensor-train", "triggers"]);
    let manifest = read(&root().join("benches/Cargo.toml")).unwrap();
    for (name, path) in &known {
        let script = Script::open(name, path, "python3".as_ref()).unwrap();
        let pinned = read(&dir.join(&script.requirements)).unwrap();
        assert!(pinned.lines().all(|line| line.contains("==")), "{}", script.requirements);
        for build in &script.builds {
            for (option, value) in build.iter().zip(&build[1..]).filter(|(o, _)| *o == "--bin") {
                assert!(manifest.contains(&format!("name = \"{value}\"")), "{option} {value}");
            }
        }
        let help = Command::new("python3").arg("-B").arg(path).arg("--help").output().unwrap();
        let help = String::from_utf8(help.stdout).unwrap();
        assert!(help.contains("--json") && help.contains("--out"), "{name}: {help}");
        assert_eq!(help.contains("--data"), script.data, "{name}");
    }
}
