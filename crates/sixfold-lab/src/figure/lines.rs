//! Line charts with bands.

use super::frame::Frame;
use super::legend::{self, Entry};
use super::svg::Svg;
use super::ticks::Scale;
use super::{Axis, Point, Series};
use crate::format::number;

pub(super) fn draw(svg: &mut Svg, x: &str, y: &str, axis: Axis, series: &[Series]) {
    let points = || series.iter().flat_map(|line| &line.points);
    let vertical = Scale::around(
        points().flat_map(|point| [point.y].into_iter().chain(point.band.into_iter().flatten())),
        5,
        false,
    );
    let places = points().map(|point| point.x);
    let horizontal = match axis {
        Axis::Log => Scale::log(places),
        _ => Scale::tight(places, 8, axis == Axis::Whole),
    };
    let frame = Frame::new(&vertical, 220.0);
    frame.vertical(svg, &vertical, y);
    frame.horizontal(svg, &horizontal, x);
    let place = |at: f64, value: f64| {
        // Points keep clear of the frame's left edge by nothing: the axis has no line there.
        (frame.x(horizontal.share(at)), frame.y(vertical.share(value)))
    };

    // Bands first, so that no line is covered.
    for line in series {
        for part in pieces(&line.points) {
            let low = part.iter().filter_map(|p| Some(place(p.x, p.band?[0])));
            let high = part.iter().rev().filter_map(|p| Some(place(p.x, p.band?[1])));
            let outline: Vec<(f64, f64)> = low.chain(high).collect();
            if outline.len() > 2 {
                svg.area(line.colour, &outline);
            }
        }
    }
    for line in series {
        for part in pieces(&line.points) {
            let path: Vec<(f64, f64)> = part.iter().map(|p| place(p.x, p.y)).collect();
            svg.path(line.colour, line.dash, &path);
        }
        for point in line.points.iter().filter(|point| point.y.is_finite()) {
            svg.dot(line.colour, place(point.x, point.y), &tip(&line.label, x, point));
        }
    }
    let entries: Vec<Entry<'_>> = series
        .iter()
        .map(|line| Entry { label: &line.label, colour: line.colour, dash: Some(line.dash) })
        .collect();
    legend::draw(svg, &entries);
}

/// The runs of points that have a value.
fn pieces(points: &[Point]) -> impl Iterator<Item = &[Point]> {
    points.split(|point| !point.y.is_finite()).filter(|part| !part.is_empty())
}

fn tip(label: &str, x: &str, point: &Point) -> String {
    let band = point.band.map_or(String::new(), |[low, high]| {
        format!(" (95 %: {} to {})", number(low), number(high))
    });
    format!("{label}, {x} {}: {}{band}", number(point.x), number(point.y))
}
