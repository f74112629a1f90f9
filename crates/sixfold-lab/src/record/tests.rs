//! Tests of the aggregation over seeds and of the layout of `results.json`.

use super::*;

fn run(value: f64) -> Vec<Metric> {
    vec![Metric::new("score", value).at("task", "a").ci95(Some([0.0, 9.0]))]
}

#[test]
fn one_seed_stays_as_it_is() {
    let all = aggregate(false, &[(3, run(2.0))]);
    assert_eq!(all, run(2.0));
}

#[test]
fn several_seeds_give_mean_and_t_interval() {
    let all = aggregate(true, &[(0, run(1.0)), (1, run(2.0)), (2, run(3.0))]);
    assert_eq!(all.len(), 4);
    let mean = &all[0];
    assert!(mean.place.get("seed").is_none());
    assert_eq!((mean.value, mean.std, mean.n), (2.0, Some(1.0), 3));
    // t(0.975, 2) = 4.302653, divided by the square root of three.
    let half = 4.302_652_729_911_275 / 3f64.sqrt();
    let [low, high] = mean.ci95.unwrap();
    assert!((low - (2.0 - half)).abs() < 1e-6 && (high - (2.0 + half)).abs() < 1e-6);
    assert_eq!(all[3].place.get("seed"), Some(&Label::Int(2)));
    assert_eq!((all[3].std, all[3].n, all[3].ci95), (None, 1, Some([0.0, 9.0])));
}

#[test]
fn an_unfinished_second_seed_gives_no_interval() {
    let all = aggregate(true, &[(0, run(1.0))]);
    assert_eq!((all[0].n, all[0].std, all[0].ci95), (1, None, None));
}

#[test]
fn json_has_the_fields_of_the_contract_in_order() {
    let metric = Metric::new("linearity", 0.98)
        .at("model", "stories260k")
        .at("layer", 3_usize)
        .at("filter", "all")
        .ci95(Some([0.97, 0.99]));
    insta::assert_json_snapshot!(metric, @r#"
    {
      "name": "linearity",
      "where": {
        "model": "stories260k",
        "layer": 3,
        "filter": "all"
      },
      "value": 0.98,
      "std": null,
      "n": 1,
      "ci95": [
        0.97,
        0.99
      ],
      "unit": "",
      "better": "none"
    }
    "#);
    let text = serde_json::to_string(&Metric::new("x", f64::NAN)).unwrap();
    assert!(text.contains("\"value\":null"), "{text}");
    assert!(serde_json::from_str::<Metric>(&text).unwrap().value.is_nan());
}
