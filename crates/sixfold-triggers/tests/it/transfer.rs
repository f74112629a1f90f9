//! What is chosen, what is scored, and what may be called a gain.

#![expect(clippy::float_cmp, reason = "rates of whole numbers are exact")]

use proptest::prelude::*;
use sixfold_triggers::{
    BootstrapConfig, Error, Evidence, Headline, Pairs, Protocol, Proxy, Split, Table, Trial,
};

fn trial(method: &str, setting: &str, seed: u64, fooled: Vec<bool>) -> Trial {
    Trial {
        source: "bert".into(),
        target: "albert".into(),
        task: "sst-2".into(),
        method: method.into(),
        setting: setting.into(),
        seed,
        fooled,
        proxy: None,
    }
}

fn target(examples: usize) -> Protocol {
    let bootstrap = BootstrapConfig { resamples: 300, ..Default::default() };
    Protocol { evidence: Evidence::Target { examples, seed: 3 }, bootstrap, ..Default::default() }
}

fn flags(n: usize) -> impl Strategy<Value = Vec<bool>> {
    prop::collection::vec(any::<bool>(), n)
}

fn rate(fooled: &[bool], of: &[usize]) -> f64 {
    of.iter().filter(|&&i| fooled[i]).count() as f64 / of.len() as f64
}

proptest! {
    /// Every example is on one side, and the sides are as large as asked.
    #[test]
    fn a_split_parts_all_examples(n in 2_usize..200, share in 0.0_f64..1.0, seed in any::<u64>()) {
        let k = ((n as f64 * share) as usize).clamp(1, n - 1);
        let split = Split::draw(n, k, seed).unwrap();
        prop_assert_eq!(split.selecting().len(), k);
        let mut all = [split.selecting(), split.scored()].concat();
        all.sort_unstable();
        prop_assert_eq!(all, (0..n).collect::<Vec<_>>());
        prop_assert_eq!(Split::draw(n, k, seed).unwrap(), split);
    }

    /// The best of the selecting examples is chosen, and its rate is that of the others.
    #[test]
    fn the_chosen_run_is_the_best_of_the_selecting_examples(
        runs in prop::collection::vec(flags(40), 6),
    ) {
        let method = |i: usize| if i < 3 { "luat" } else { "uat" };
        let trials = runs
            .iter()
            .enumerate()
            .map(|(i, fooled)| trial(method(i), &format!("run {}", i % 3), 0, fooled.clone()))
            .collect();
        let table = Table::new(trials).unwrap();
        let split = Split::draw(40, 16, 3).unwrap();
        let best = |of: std::ops::Range<usize>| {
            let by = |i: &usize| rate(&runs[*i], split.selecting());
            let top = of.clone().map(|i| by(&i)).fold(0.0, f64::max);
            of.into_iter().find(|i| by(i) == top).unwrap()
        };
        let (luat, uat) = (best(0..3), best(3..6));
        let scored = |i: usize| rate(&runs[i], split.scored());
        let matched = table.matched("luat", "uat", &target(16)).unwrap();
        let close = |a: f64, b: f64| (a - b).abs() < 1e-12;
        prop_assert!(close(matched.interval().value, scored(luat) - scored(uat)));
        prop_assert_eq!(&matched.chosen()[0][0].setting, &format!("run {}", luat));
        prop_assert_eq!(&matched.chosen()[1][0].setting, &format!("run {}", uat - 3));
        prop_assert!(close(matched.chosen()[1][0].rate, scored(uat)));
        let paper = table.paper("luat", ("uat", "run 1"), &target(16)).unwrap();
        prop_assert!(close(paper.interval().value, scored(luat) - scored(4)));
        let single = table.single(("luat", "run 2"), ("uat", "run 0"), &target(16)).unwrap();
        prop_assert!(close(single.interval().value, scored(2) - scored(3)));
        prop_assert_eq!((single.examples(), single.seeds()), (24, 1));
    }

    /// What happens on scored examples never changes what is chosen.
    #[test]
    fn scored_examples_do_not_select(
        runs in prop::collection::vec(flags(30), 4),
        others in prop::collection::vec(flags(30), 4),
    ) {
        let split = Split::draw(30, 10, 3).unwrap();
        let choose = |runs: &[Vec<bool>]| {
            let mut trials: Vec<Trial> = runs
                .iter()
                .enumerate()
                .map(|(i, fooled)| trial("luat", &i.to_string(), 0, fooled.clone()))
                .collect();
            trials.push(trial("uat", "0", 0, vec![false; 30]));
            let gain = Table::new(trials).unwrap().paper("luat", ("uat", "0"), &target(10));
            gain.unwrap().chosen()[0][0].setting.clone()
        };
        let mut mixed = runs.clone();
        for (mixed, other) in mixed.iter_mut().zip(&others) {
            split.scored().iter().for_each(|&i| mixed[i] = other[i]);
        }
        prop_assert_eq!(choose(&runs), choose(&mixed));
    }
}

/// Chance alone: every run fools each example with the same probability. The paper's gain is
/// then that of selection on the selecting examples only, and nothing on the scored.
#[test]
fn selection_among_equals_gains_nothing_on_scored_examples() {
    let coin = |seed: u64, i: u64| {
        let x = (seed * 1_000_003 + i).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (x ^ (x >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 63 == 1
    };
    let mut trials = Vec::new();
    for (method, base) in [("luat", 0), ("uat", 500)] {
        for (setting, seed) in (0..12).flat_map(|setting| (0..3).map(move |seed| (setting, seed))) {
            let fooled = (0..1000).map(|i| coin(base + setting * 3 + seed, i)).collect();
            trials.push(trial(method, &setting.to_string(), seed, fooled));
        }
    }
    let table = Table::new(trials).unwrap();
    let paper = table.paper("luat", ("uat", "0"), &target(200)).unwrap();
    let [luat, _] = paper.chosen();
    let picked = luat.iter().map(|c| c.selecting_rate.unwrap()).sum::<f64>() / 3.0;
    assert!(picked > 0.53, "{picked}");
    let found = paper.interval();
    assert!(found.low < 0.0 && found.high > 0.0, "{found:?}");
    assert!(found.value.abs() < 0.03, "{found:?}");
    assert_eq!(paper.candidates(), [(12, 12), (1, 1)]);
}

#[test]
fn means_go_over_pairs_tasks_and_seeds() {
    let mut trials = Vec::new();
    for (s, source) in ["bert", "albert"].into_iter().enumerate() {
        for (t, task) in ["sst-2", "mrpc"].into_iter().enumerate() {
            for seed in 0..2_u64 {
                for method in ["luat", "uat"] {
                    let n = 20 + 10 * t;
                    let first = if method == "luat" { 2 + s + t + seed as usize } else { 1 };
                    let fooled = (0..n).map(|i| i % 10 < first).collect();
                    let target = if source == "bert" { "albert" } else { "bert" };
                    trials.push(Trial {
                        source: source.into(),
                        target: target.into(),
                        task: task.into(),
                        proxy: Some(Proxy { task: "rte".into(), fooled: vec![true] }),
                        ..trial(method, "0", seed, fooled)
                    });
                }
            }
        }
    }
    // A white-box pair does not count among transfers.
    let mut own = trials[0].clone();
    own.target = own.source.clone();
    trials.push(own);
    let table = Table::new(trials).unwrap();
    let protocol = Protocol { evidence: Evidence::SimilarTask, ..target(1) };
    let gain = table.matched("luat", "uat", &protocol).unwrap();
    // Rates are (2 + s + t + seed)/10 − 1/10, each of s, t and seed a half on average.
    assert!((gain.interval().value - 0.25).abs() < 1e-12);
    assert_eq!((gain.seeds(), gain.examples(), gain.pairs().len()), (2, 50, 4));
    let pair = &gain.pairs()[3];
    assert_eq!((&pair.source[..], &pair.task[..]), ("bert", "sst-2"));
    assert!((pair.rate - 0.25).abs() < 1e-12 && (pair.against - 0.1).abs() < 1e-12);
    // Seeds differ by a tenth, so the interval is at least so wide.
    assert!(gain.interval().high - gain.interval().low > 0.1);
    let all = Protocol { pairs: Pairs::All, ..protocol };
    assert!(table.matched("luat", "uat", &all).unwrap_err().to_string().contains("bert → bert"));
    let json = serde_json::to_value(&gain).unwrap();
    assert_eq!(json["kind"], "matched");
    assert_eq!(json["pairs"][3]["rate"], pair.rate);
}

#[test]
fn a_similar_task_selects_and_all_examples_score() {
    let with = |method: &str, setting: &str, proxy: usize, fooled: usize| Trial {
        proxy: Some(Proxy { task: "rte".into(), fooled: (0..10).map(|i| i < proxy).collect() }),
        ..trial(method, setting, 0, (0..10).map(|i| i < fooled).collect())
    };
    let table =
        Table::new(vec![with("luat", "a", 3, 9), with("luat", "b", 5, 4), with("uat", "a", 2, 1)])
            .unwrap();
    let protocol = Protocol { evidence: Evidence::SimilarTask, ..target(1) };
    let gain = table.paper("luat", ("uat", "a"), &protocol).unwrap();
    assert_eq!(gain.chosen()[0][0].setting, "b");
    assert!((gain.interval().value - 0.3).abs() < 1e-12);
    assert_eq!(gain.examples(), 10);
    let bare = Table::new(vec![
        trial("luat", "a", 0, vec![true; 10]),
        trial("uat", "a", 0, vec![true; 10]),
    ])
    .unwrap();
    let wrong = bare.paper("luat", ("uat", "a"), &protocol).unwrap_err().to_string();
    assert!(wrong.contains("none for luat a"), "{wrong}");
}

#[test]
fn no_headline_without_its_control() {
    let mut trials = Vec::new();
    for (method, settings) in [("luat", 2), ("uat", 2), ("random", 2)] {
        for setting in 0..settings {
            let fooled = (0..20).map(|i| i % (2 + setting) == 0).collect();
            trials.push(trial(method, &setting.to_string(), 0, fooled));
        }
    }
    let table = Table::new(trials.clone()).unwrap();
    let protocol = target(5);
    let paper = || table.paper("luat", ("uat", "0"), &protocol).unwrap();
    let matched = || table.matched("luat", "uat", &protocol).unwrap();
    let single = table.single(("luat", "0"), ("uat", "0"), &protocol).unwrap();
    let headline = Headline::new(paper(), matched()).unwrap();
    let said = headline.to_string();
    assert!(said.contains("luat chosen among 2 against one uat"), "{said}");
    assert!(said.contains("both chosen among 2: +0.0 points"), "{said}");
    let refused = |paper, matched| Headline::new(paper, matched).unwrap_err().to_string();
    assert_eq!(refused(paper(), paper()), "the kind of a gain is paper, expected matched");
    assert_eq!(refused(matched(), matched()), "the kind of a gain is matched, expected paper");
    assert_eq!(refused(paper(), single), "the kind of a gain is single, expected matched");
    let other = table.matched("luat", "random", &protocol).unwrap();
    assert!(refused(paper(), other).contains("luat against random"));
    let other = table.matched("luat", "uat", &target(6)).unwrap();
    assert!(refused(paper(), other).contains("the matched protocol"));
    // One of the settings of both taken away.
    let fewer: Vec<Trial> = trials.iter().filter(|t| t.setting == "0").cloned().collect();
    let other = Table::new(fewer).unwrap().matched("luat", "uat", &protocol).unwrap();
    assert!(refused(paper(), other).contains("the matched cases"));
}

#[test]
fn what_does_not_fit_is_named() {
    let fooled = vec![true; 10];
    let error = |trials: Vec<Trial>| Table::new(trials).unwrap_err().to_string();
    assert!(matches!(Table::new(vec![]).unwrap_err(), Error::Empty { .. }));
    let one = trial("luat", "a", 0, fooled.clone());
    assert!(error(vec![one.clone(), one.clone()]).contains("two of luat a: bert → albert"));
    let short = trial("luat", "b", 0, vec![true; 9]);
    assert!(error(vec![one.clone(), short]).contains("10, as in others of sst-2"));
    let own = Proxy { task: "sst-2".into(), fooled: vec![true] };
    assert!(error(vec![Trial { proxy: Some(own), ..one.clone() }]).contains("another task"));
    assert!(error(vec![trial("luat", "a", 0, vec![])]).contains("no outcomes"));

    let table = Table::new(vec![
        one.clone(),
        trial("luat", "b", 0, fooled.clone()),
        trial("uat", "a", 0, fooled.clone()),
    ])
    .unwrap();
    let uneven = table.matched("luat", "uat", &target(5)).unwrap_err().to_string();
    assert!(uneven.contains("1 of uat: bert → albert on sst-2, seed 0"), "{uneven}");
    let absent = table.matched("luat", "random", &target(5)).unwrap_err().to_string();
    assert!(absent.contains("random wherever the other is"), "{absent}");
    let unknown = table.single(("luat", "z"), ("uat", "a"), &target(5)).unwrap_err().to_string();
    assert!(unknown.contains("z among them"), "{unknown}");
    let greedy = table.matched("luat", "uat", &target(10)).unwrap_err().to_string();
    assert!(greedy.contains("10 of 10 examples select"), "{greedy}");
    let none = Protocol { pairs: Pairs::WhiteBox, ..target(5) };
    assert!(matches!(table.matched("luat", "uat", &none).unwrap_err(), Error::Empty { .. }));
    let ragged = Table::new(vec![
        one.clone(),
        trial("uat", "a", 0, fooled.clone()),
        Trial { target: "gpt".into(), seed: 1, ..one },
        Trial { target: "gpt".into(), ..trial("uat", "a", 1, fooled) },
    ])
    .unwrap();
    let seeds = ragged.matched("luat", "uat", &target(5)).unwrap_err().to_string();
    assert!(seeds.contains("the seeds of a pair"), "{seeds}");
}
