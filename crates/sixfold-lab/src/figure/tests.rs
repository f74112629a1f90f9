//! Tests of the charts: well-formed, within their frame, readable ticks.

use super::ticks::Scale;
use super::*;

fn lines(values: &[f64]) -> Figure {
    let points = values
        .iter()
        .enumerate()
        .map(|(x, y)| Point { x: x as f64, y: *y, band: Some([y - 0.01, y + 0.01]) })
        .collect();
    Figure {
        name: "score".into(),
        title: "Score <by> layer".into(),
        caption: "Bands: 95 %.".into(),
        part: String::new(),
        chart: Chart::Lines {
            x: "layer".into(),
            y: "score".into(),
            axis: Axis::Whole,
            series: vec![Series { label: "a & b".into(), colour: 0, dash: 1, points }],
        },
    }
}

#[test]
fn a_chart_has_a_title_a_description_and_no_size_of_its_own() {
    let svg = lines(&[0.9, 0.95, f64::NAN, 0.99]).inline_svg();
    assert!(svg.contains("<title>Score &lt;by&gt; layer</title>"));
    assert!(svg.contains("<desc>Bands: 95 %.</desc>"));
    assert!(svg.contains("viewBox=\"0 0 480 ") && !svg.contains("<svg width"));
    assert!(svg.contains("a &amp; b") && !svg.contains("NaN"));
    assert_eq!(svg.matches("<circle").count(), 3);
    assert!(!svg.contains("<style>") && lines(&[1.0]).standalone_svg().contains("<style>"));
}

#[test]
fn every_kind_is_drawn_inside_its_box() {
    let bars = Chart::Bars {
        y: "score".into(),
        groups: vec!["one".into(), "two".into()],
        series: vec![
            BarSeries { label: "a".into(), values: vec![Some((-1.0, Some([-1.2, -0.8]))), None] },
            BarSeries { label: "b".into(), values: vec![Some((2.0, None)), Some((1.0, None))] },
        ],
    };
    let heat = Chart::Heat {
        value: "loss".into(),
        columns: (0..40).map(|n| format!("t{n}")).collect(),
        rows: vec!["layer 0".into(), "layer 1".into()],
        cells: vec![vec![0.5; 40], vec![f64::NAN; 40]],
        signed: false,
        deepest: None,
    };
    let bias = Chart::Heat {
        value: "bias".into(),
        columns: (0..8).map(|n| format!("estimator-{n}")).collect(),
        rows: vec!["sphere".into()],
        cells: vec![(0..8).map(|n| f64::from(n) - 4.0).collect()],
        signed: true,
        deepest: None,
    };
    for chart in [bars, heat, bias, lines(&[0.5; 4]).chart] {
        let svg = Figure { chart, ..lines(&[]) }.inline_svg();
        let height: f64 = svg
            .split_once("viewBox=\"0 0 480 ")
            .and_then(|(_, rest)| rest.split_once('"'))
            .map(|(height, _)| height.parse().unwrap())
            .unwrap();
        for (attribute, limit) in [("x", 480.0), ("cx", 480.0), ("y", height), ("cy", height)] {
            for (_, rest) in svg
                .match_indices(&format!(" {attribute}=\""))
                .map(|(at, found)| (at, &svg[at + found.len()..]))
            {
                let value: f64 = rest.split_once('"').unwrap().0.parse().unwrap();
                assert!((0.0..=limit).contains(&value), "{attribute}={value} of {limit}");
            }
        }
    }
}

#[test]
fn ticks_are_round_numbers_around_the_values() {
    let scale = Scale::around([0.9712, 0.9987], 5, false);
    let labels: Vec<String> = scale.ticks.iter().map(|tick| scale.label(*tick)).collect();
    assert_eq!(labels, ["0.97", "0.98", "0.99", "1.00"]);
    let layers = Scale::tight((0..5).map(f64::from), 8, true);
    assert_eq!(layers.ticks, [0.0, 1.0, 2.0, 3.0, 4.0]);
    let flat = Scale::around([7.0, 7.0], 5, false);
    assert!(flat.low < 7.0 && flat.high > 7.0);
    assert_eq!(Scale::around([], 5, false).ticks.len(), 6);
    assert_eq!(Scale::around([-1.0, 1.0], 4, false).label(-0.0), "0.0");
}

#[test]
fn a_scale_of_factors_holds_zero_and_marks_decades() {
    let steps = Scale::log([0.0, 1.0, 2.0, 64.0, 1000.0]);
    assert_eq!(steps.ticks, [0.0, 1.0, 10.0, 100.0, 1000.0]);
    assert!(steps.share(0.0).abs() < 1e-12 && (steps.share(1000.0) - 1.0).abs() < 1e-12);
    let gap = |a: f64, b: f64| steps.share(b) - steps.share(a);
    assert!((gap(0.0, 1.0) - gap(1.0, 3.0)).abs() < 1e-12, "by factors of 1 + step");
    let ranks = Scale::log([2.0, 4.0, 8.0, 16.0]);
    assert!(ranks.ticks.len() >= 3 && ranks.ticks.iter().all(|t| (2.0..=16.0).contains(t)));
    assert!((ranks.share(8.0) - 2.0 / 3.0).abs() < 1e-12);
    assert!((Scale::log([5.0]).share(5.0) - 0.5).abs() < 1e-12, "one value stands in the middle");
}

#[test]
fn cells_with_room_show_their_value_with_its_sign() {
    let chart = Chart::Heat {
        value: "bias".into(),
        columns: vec!["a".into(), "b".into(), "a-long-name-that-needs-room".into()],
        rows: vec!["sphere".into()],
        cells: vec![vec![-12.4, 3.21, f64::NAN]],
        signed: true,
        deepest: None,
    };
    let svg = Figure { chart, ..lines(&[]) }.inline_svg();
    assert!(svg.contains(">−12<") && svg.contains(">+3.2<"), "{svg}");
    assert!(svg.contains("class=\"cell s1\"") && svg.contains("class=\"cell s0\""));
}
