//! Tests of the parts of a report that need no run.

use super::*;

#[test]
fn labels_that_do_not_apply_are_empty() {
    let metrics = [
        Metric::new("loss", 0.5).at("step", 10_usize).unit("nat"),
        Metric::new("score", 0.75).at("task", "cola").ci95(Some([0.7, 0.8])),
    ];
    insta::assert_snapshot!(all_metrics(&metrics).to_markdown(), @"
    | metric | step | task | value | 95 % interval | n | unit |
    | --- | --- | --- | ---: | --- | ---: | --- |
    | loss | 10 | – | 0.5000 | – | 1 | nat |
    | score | – | cola | 0.7500 | 0.7000 to 0.8000 | 1 |  |
    ");
}

#[test]
fn an_index_links_the_reports_that_exist() {
    let entry = |experiment: &str, has_report| Entry {
        experiment: experiment.to_owned(),
        title: String::new(),
        status: if has_report { "complete" } else { "failed" }.to_owned(),
        seconds: 2.0,
        headline: "a | b <c>".to_owned(),
        has_report,
        figure: has_report.then(|| Drawn {
            name: "curve".to_owned(),
            title: "A curve".to_owned(),
            caption: String::new(),
            svg: "<svg></svg>".to_owned(),
        }),
    };
    let entries = [entry("a/b", true), entry("c/d", false)];
    let html = index_html("smoke", &entries, &Environment::default()).unwrap();
    assert!(html.contains("<a href=\"a/b/report.html\">") && !html.contains("c/d/report.html"));
    assert!(html.contains("1 of 2 experiments complete") && html.contains("a | b &#60;c&#62;"));
    assert!(
        index_markdown("smoke", &entries)
            .contains("| [a/b](a/b/report.md) | complete | 2.0 s | a \\| b <c> |")
    );
    assert_eq!(html.matches("<svg>").count(), 1);
    assert!(index_markdown("smoke", &entries).contains("![A curve](a/b/figures/curve.svg)"));
}
