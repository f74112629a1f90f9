//! The experiments on word vectors: configs, runs of seconds, interruptions, real data where it is.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::binary::error;
use crate::started::{Run, assert_same, interrupt, run};

#[test]
fn config_errors_name_key_and_choices() {
    for (arguments, expected) in [
        (["sgns/train", "method=sdv"], "method: unknown value `sdv`; did you mean `svd`?"),
        (
            ["sgns/train", "metric=euclid"],
            "metric: unknown value `euclid`; did you mean `euclidean`?",
        ),
        (["sgns/train", "unknown=keep"], "unknown: unknown value `keep`"),
        (["sgns/train", "corpus.normalise=letter"], "did you mean `letters`?"),
        (["sgns/train", "corpus.colum=1"], "did you mean `corpus.column`?"),
        (["sgns/train", "windw=2"], "did you mean `window`?"),
        (["sgns/train", "window=0"], "window: 0 is not 1 to 1000"),
        (["sgns/train", "subsample=-1.0"], "subsample: -1 is not a finite number above 0"),
        (["sgns/train", "negatives=0"], "negatives: 0 is not a number above 0"),
        (["sgns/train", "smoothing=2.0"], "smoothing: 2 is not 0 to 1"),
        (["sgns/train", "dim=0"], "dim: 0 is no dimension"),
        (["sgns/train", "step=0.0"], "step: "),
        (["sgns/train", "lambda=-1.0"], "lambda: "),
        (["sgns/train", "momentum=1.0"], "momentum: "),
        (["sgns/train", "post.drop_leading=50"], "post.drop_leading: 50 leaves none of 50"),
        (["sgns/train", "post.dop_leading=1"], "did you mean `post.drop_leading`?"),
        (["sgns/train", "checkpoint_every=0"], "checkpoint_every: is 0"),
        (["sgns/train", "eval.draws=0"], "eval.draws: is 0"),
        (["sgns/similarity", "dims=[]"], "dims: is empty"),
        (["sgns/similarity", "dims=[20,20]"], "dims: 20 stands twice"),
        (["sgns/similarity", "methods=[]"], "methods: is empty; svd, sgd or riemannian"),
        (["sgns/similarity", "methods=[\"gensim\"]"], "methods[0]: unknown value `gensim`"),
        (["sgns/similarity", "sgd.epochs=0"], "sgd: epochs is 0"),
        (["sgns/objective", "vocabularies=[]"], "vocabularies: is empty"),
        (["sgns/objective", "vocabularies=[{top=5}]"], "`vocabularies[0].top_n`"),
        (["sgns/objective", "euclidean.steps=[0.0]"], "euclidean.steps: 0 is not above 0"),
        (["sgns/objective", "metric=frequency"], "unknown key `metric`"),
        (["sgns/neighbours", "words=[]"], "words: is empty"),
        (["sgns/neighbours", "k=0"], "k: is 0"),
    ] {
        let text = error(&["run", arguments[0], arguments[1]]);
        assert!(text.starts_with("2 error: ") && text.contains(expected), "{arguments:?}: {text}");
    }
    let text = error(&["run", "sgns/train", "corpus.path=texts.tsv.gz"]);
    assert!(text.starts_with("2 error: ") && text.contains("corpus.column: is missing"), "{text}");
    for name in ["sgns/train", "sgns/objective", "sgns/similarity", "sgns/neighbours"] {
        let text = error(&["run", name, "corpus.path=nowhere.txt"]);
        assert!(text.starts_with("3 error: corpus.path: nowhere.txt does not exist"), "{text}");
        let text = error(&["run", name, "--preset", "small"]);
        assert!(text.starts_with("3 error: ") && text.contains("train_AB.tsv.gz"), "{text}");
    }
    let here = concat!("corpus.path=", env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let text = error(&["run", "sgns/train", here, "eval.dir=nowhere"]);
    assert!(text.starts_with("3 error: eval.dir: nowhere does not exist"), "{text}");
}

/// The words of a training of a second.
const SMALL: [&str; 3] = ["min_count=40", "dim=16", "eval.draws=50"];

fn bytes(path: PathBuf) -> Vec<u8> {
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn a_training_climbs_writes_its_vectors_and_goes_on_to_the_bit() {
    let dir = tempfile::tempdir().unwrap();
    let more = [&SMALL[..], &["iterations=60", "checkpoint_every=1"]].concat();
    let straight = run("sgns/train", &dir.path().join("straight"), &more);
    let at =
        |name: &str, iteration: usize| straight.value(name, &[("iteration", iteration.into())]);
    for iteration in 1..=60 {
        assert!(at("objective", iteration) >= at("objective", iteration - 1), "{iteration}");
    }
    assert!(at("gap_ratio", 60) > 0.5 && at("gap_ratio", 60) < 1.0, "{}", at("gap_ratio", 60));
    assert!(at("objective", 60) < straight.value("bound", &[]));
    for stage in ["count", "start", "optimise", "evaluate"] {
        let of = straight.named("cpu_seconds", &[("stage", stage.into())]);
        assert!(of.len() == 1 && of[0]["unit"].as_str().unwrap().starts_with("s ("), "{stage}");
    }
    let men = [("set", "EN-MEN-TR-3k".into())];
    assert!(straight.value("pairs", &men) >= 10.0 && straight.value("coverage", &men) < 0.5);
    let written = bytes(straight.out.join("vectors.bin"));
    let words = straight.value("words", &[]);
    assert!(written.starts_with(format!("{words} 16\n").as_bytes()));
    for name in ["vectors.txt", "vectors.safetensors"] {
        assert!(!bytes(straight.out.join(name)).is_empty());
    }
    assert!(!straight.out.join("checkpoints").exists(), "nothing is left to go on with");

    let out = dir.path().join("interrupted");
    let state = out.join("checkpoints/seed-0/riemannian/state.safetensors");
    interrupt("sgns/train", &out, &more, || state.is_file());
    assert!(state.is_file(), "its state is kept");
    assert!(!out.join("vectors.bin").exists());
    let resumed = run("sgns/train", &out, &[&more[..], &["--resume"]].concat());
    assert_eq!(bytes(resumed.out.join("vectors.bin")), written);
    // Times and speeds are of the moment.
    let timeless = |mut run: Run| {
        let metrics = run.results["metrics"].as_array_mut().unwrap();
        metrics.retain(|metric| {
            !matches!(metric["name"].as_str(), Some("cpu_seconds" | "tokens_per_second"))
        });
        run
    };
    assert_same(&timeless(resumed), &timeless(straight));
}

#[test]
fn every_method_trains() {
    let dir = tempfile::tempdir().unwrap();
    let gap = |method: &str, more: &[&str]| {
        let method_key = format!("method={method}");
        let more = [&SMALL[..], &[method_key.as_str(), "eval.dir="], more].concat();
        let run = run("sgns/train", &dir.path().join(method), &more);
        assert!(run.named("similarity", &[]).is_empty(), "nothing scores them");
        let found = run.named("gap_ratio", &[]);
        found.last().unwrap()["value"].as_f64().unwrap()
    };
    let (svd, sgd) = (gap("svd", &[]), gap("sgd", &["post.add_contexts=true"]));
    let conjugate = ["direction=conjugate-gradient", "iterations=8"];
    let riemannian = gap("riemannian", &conjugate);
    assert!(riemannian > svd && riemannian > sgd, "{riemannian}, {svd}, {sgd}");
}

/// Cells of a few words.
const OBJECTIVE: [&str; 5] = [
    "vocabularies=[{min_count=5,top_n=300,unknown=\"keep-position\"},{min_count=40}]",
    "dims=[12]",
    "iterations=12",
    "euclidean.iterations=8",
    "euclidean.steps=[2.0,1e9]",
];

#[test]
fn the_objective_is_said_plainly() {
    let dir = tempfile::tempdir().unwrap();
    let run = run("sgns/objective", &dir.path().join("run"), &OBJECTIVE);
    let all = run.named("bound", &[]);
    assert_eq!(all.len(), 2, "two objectives");
    assert_eq!(all[0]["where"]["words"], 300);
    for bound in all {
        let words = bound["where"]["words"].clone();
        let bound = bound["value"].as_f64().unwrap();
        let of = |method: &str, iteration: Value| {
            let place = [
                ("words", words.clone()),
                ("method", method.into()),
                ("iteration", iteration),
                ("dim", 12.into()),
            ];
            run.value("objective", &place)
        };
        let svd = of("svd", Value::Null);
        let begin = of("riemannian", 0.into());
        assert!((begin - svd).abs() < 1e-4 * svd.abs(), "it begins at the SVD: {begin}, {svd}");
        for method in ["svd", "sgd", "sgd-word2vec"] {
            assert!(of(method, Value::Null) < bound, "{method}");
        }
        let (ours, papers) = (of("riemannian", 12.into()), of("riemannian-paper", 8.into()));
        assert!(svd < papers && papers < ours && ours < bound, "{svd} {papers} {ours}");
    }
    // A step of 10⁹ is of no use: it diverges, or falls, and is not taken.
    let steps: Vec<f64> =
        run.named("lambda", &[]).iter().filter_map(|metric| metric["value"].as_f64()).collect();
    assert!(steps.iter().all(|step| *step < 1.0), "{steps:?}");
    assert!(run.report.contains("SVD in objective"), "{}", run.report);
    let plain = ["is not reproduced with these data", "is reproduced with these data", "in part"];
    assert!(plain.iter().any(|words| run.report.contains(words)), "{}", run.report);
    assert!(
        run.report.contains("| The objective rises in every iteration under Armijo's rule | holds")
    );
    assert!(run.out.join("figures/objective_300_12.svg").is_file());
}

#[test]
fn similarity_compares_by_pairs_and_goes_on_after_an_interruption() {
    let dir = tempfile::tempdir().unwrap();
    let questions = "he him she her\ni me he him\nthou thee i me\n";
    let eval = dir.path().join("eval");
    std::fs::create_dir(&eval).unwrap();
    let lists = Path::new(crate::started::REPO).join("fixtures/words");
    std::fs::copy(lists.join("EN-MEN-TR-3k.txt"), eval.join("EN-MEN-TR-3k.txt")).unwrap();
    let questions = format!(": gram1\n{0}{0}{0}{0}: facts\n{0}", questions);
    std::fs::write(eval.join("questions-words.txt"), questions).unwrap();
    let eval = format!("eval.dir={}", eval.display());
    let more = [
        eval.as_str(),
        "eval.draws=50",
        "min_count=40",
        "sets=[\"EN-MEN-TR-3k\",\"google\"]",
        "dims=[8,16]",
        "iterations=4",
        "sgd.epochs=3",
    ];
    let straight = run("sgns/similarity", &dir.path().join("straight"), &more);
    for (name, set) in
        [("similarity", "EN-MEN-TR-3k"), ("analogy", "google"), ("analogy", "google-syntactic")]
    {
        for dim in [8, 16] {
            let at = |name: &str, label: &str, value: &str| {
                let place = [(label, value.into()), ("dim", dim.into()), ("set", set.into())];
                straight.value(name, &place)
            };
            for method in ["svd", "sgd", "riemannian"] {
                let (score, pairs) = (at(name, "method", method), at("pairs", "method", method));
                assert!((-1.0..=1.0).contains(&score) && pairs >= 10.0, "{method} {score} {pairs}");
            }
            for other in ["svd", "sgd"] {
                let difference = at(name, "method", "riemannian") - at(name, "method", other);
                let gain = at(&format!("{name}_gain"), "over", other);
                assert!((gain - difference).abs() < 1e-12, "{gain} and {difference}");
            }
        }
    }
    assert!(straight.named("analogy", &[("set", "google-semantic".into())]).is_empty());
    assert!(straight.report.contains("google-semantic has no score: 3 of its questions"));

    let out = dir.path().join("interrupted");
    let cells = || std::fs::read_dir(out.join("cells")).map_or(0, Iterator::count);
    interrupt("sgns/similarity", &out, &more, || cells() >= 2);
    assert!(cells() < 7, "something is left to do");
    let resumed = run("sgns/similarity", &out, &[&more[..], &["--resume"]].concat());
    let timeless = |mut run: Run| {
        let metrics = run.results["metrics"].as_array_mut().unwrap();
        metrics.retain(|metric| metric["name"] != "cpu_seconds");
        run
    };
    assert_same(&timeless(resumed), &timeless(straight));

    let missing = [&more[..3], &["sets=[\"EN-MEN\"]"]].concat();
    let out = dir.path().join("missing").display().to_string();
    let arguments = [&["run", "sgns/similarity", "--out", &out], &missing[..]].concat();
    let output = crate::interrupt::start(&arguments, &crate::started::VARIABLES);
    let output = output.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("sets: no `EN-MEN`") && told.contains("EN-MEN-TR-3k"), "{told}");
}

#[test]
fn neighbours_stand_beside_the_papers() {
    let dir = tempfile::tempdir().unwrap();
    let words = "words=[\"five\",\"king\",\"usa\"]";
    let more = ["min_count=15", "dim=16", "iterations=6", "k=4", words];
    let run = run("sgns/neighbours", &dir.path().join("run"), &more);
    for method in ["svd", "sgd", "riemannian"] {
        for word in ["five", "king"] {
            let near = run.named("cosine", &[("method", method.into()), ("word", word.into())]);
            let cosines: Vec<f64> = near.iter().map(|m| m["value"].as_f64().unwrap()).collect();
            assert!(cosines.len() == 4 && cosines.is_sorted_by(|a, b| a >= b), "{cosines:?}");
            assert!(near.iter().all(|metric| metric["where"]["neighbour"] != word));
        }
    }
    assert!(run.report.contains("The vocabulary does not have `usa`."), "{}", run.report);
    let table = std::fs::read_to_string(run.out.join("tables/neighbours.csv")).unwrap();
    assert!(table.starts_with("word,method,rank,neighbour,cosine\n"), "{table}");
    assert!(table.contains("five,RO (paper),1,four,0.999"), "{table}");
    assert_eq!(table.lines().count(), 1 + 2 * 3 * 4 + 2 * 6);
}

#[test]
fn real_text_gives_vectors_that_solve_analogies() {
    let Some(data) = sixfold_testkit::data_dir() else { return };
    if !data.join("wiki_en/train_AB.tsv.gz").is_file() {
        println!("skipped: {} has no wiki_en/train_AB.tsv.gz", data.display());
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let data = data.display().to_string();
    // Fewer words and shorter vectors than the preset has: this is about the way through all of it.
    let more = ["--preset", "small", "--data", &data, "min_count=400", "dim=40", "iterations=8"];
    let run = run("sgns/train", &dir.path().join("run"), &more);
    let score = |name: &str, set: &str| run.value(name, &[("set", set.into())]);
    assert!(score("similarity", "EN-MEN-TR-3k") > 0.4);
    assert!(score("analogy", "google") > 0.1 && score("pairs", "google") > 100.0);
    assert!(score("analogy", "google-syntactic") > 0.05);
}
