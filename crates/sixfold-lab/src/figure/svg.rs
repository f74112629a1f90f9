//! A small SVG writer.

use std::fmt::Write;

/// Width of every chart in its own units; the height follows from the content.
pub(super) const WIDTH: f64 = 480.0;

/// Colours for programs that do not know CSS variables; `figure.css` holds the same.
const COLOURS: [&str; 8] =
    ["#2563a8", "#c2570c", "#1a7f5a", "#9a3b8c", "#a87b00", "#0e7c86", "#b3263a", "#5b6472"];
const DASHES: [&str; 5] = ["", "6 4", "2 3", "9 3 2 3", "12 5"];
pub(super) const INK: &str = "#1c2430";
pub(super) const MUTED: &str = "#5b6472";
pub(super) const GRID: &str = "#dfe3e8";
const PAPER: &str = "#ffffff";

/// A drawing that grows downwards.
pub(super) struct Svg {
    body: String,
    pub(super) height: f64,
}

/// Where a text is held.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

impl Anchor {
    fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Middle => "middle",
            Self::End => "end",
        }
    }
}

/// `text` with the characters that mean something in XML written out.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A coordinate with two digits at most.
pub(super) fn c(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Class and attribute of a colour.
pub(super) fn colour(number: usize) -> (String, &'static str) {
    let number = number % COLOURS.len();
    (format!("s{number}"), COLOURS[number])
}

fn dash(number: usize) -> String {
    match DASHES[number % DASHES.len()] {
        "" => String::new(),
        dash => format!(" stroke-dasharray=\"{dash}\""),
    }
}

impl Svg {
    pub(super) fn new() -> Self {
        Self { body: String::new(), height: 0.0 }
    }

    fn add(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = self.body.write_fmt(element);
        self.body.push('\n');
    }

    pub(super) fn text(&mut self, x: f64, y: f64, anchor: Anchor, class: &str, text: &str) {
        let fill = match class {
            "muted" | "tick" => MUTED,
            "inside" | "inside tight" => PAPER,
            _ => INK,
        };
        self.add(format_args!(
            "<text class=\"{class}\" x=\"{}\" y=\"{}\" text-anchor=\"{}\" fill=\"{fill}\">{}</text>",
            c(x),
            c(y),
            anchor.name(),
            escape(text)
        ));
    }

    /// Text that runs upwards, centred on the point.
    pub(super) fn upward(&mut self, x: f64, y: f64, text: &str) {
        self.add(format_args!(
            "<text class=\"axis\" transform=\"translate({} {}) rotate(-90)\" \
             text-anchor=\"middle\" fill=\"{INK}\">{}</text>",
            c(x),
            c(y),
            escape(text)
        ));
    }

    /// Text that rises towards the point and ends there.
    pub(super) fn slanted(&mut self, x: f64, y: f64, text: &str) {
        self.add(format_args!(
            "<text class=\"tick\" transform=\"translate({} {}) rotate(-40)\" \
             text-anchor=\"end\" fill=\"{MUTED}\">{}</text>",
            c(x),
            c(y),
            escape(text)
        ));
    }

    pub(super) fn rule(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let stroke = if class == "grid" { GRID } else { MUTED };
        self.add(format_args!(
            "<line class=\"{class}\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" stroke=\"{stroke}\"/>",
            c(from.0),
            c(from.1),
            c(to.0),
            c(to.1)
        ));
    }

    pub(super) fn path(&mut self, number: usize, dashes: usize, points: &[(f64, f64)]) {
        let (class, stroke) = colour(number);
        self.add(format_args!(
            "<polyline class=\"line {class}\" points=\"{}\" fill=\"none\" stroke=\"{stroke}\" \
             stroke-width=\"2\" stroke-linejoin=\"round\"{}/>",
            join(points),
            dash(dashes)
        ));
    }

    pub(super) fn area(&mut self, number: usize, points: &[(f64, f64)]) {
        let (class, fill) = colour(number);
        self.add(format_args!(
            "<polygon class=\"band {class}\" points=\"{}\" fill=\"{fill}\" fill-opacity=\"0.15\"/>",
            join(points)
        ));
    }

    pub(super) fn dot(&mut self, number: usize, at: (f64, f64), tip: &str) {
        let (class, fill) = colour(number);
        self.add(format_args!(
            "<circle class=\"dot {class}\" cx=\"{}\" cy=\"{}\" r=\"2.6\" fill=\"{fill}\">\
             <title>{}</title></circle>",
            c(at.0),
            c(at.1),
            escape(tip)
        ));
    }

    pub(super) fn bar(&mut self, class: &str, fill: &str, at: [f64; 4], tip: &str) {
        let [x, y, width, height] = at.map(c);
        self.add(format_args!(
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" \
             fill=\"{fill}\"><title>{}</title></rect>",
            escape(tip)
        ));
    }

    /// A cell of a heat map; `share` in 0..=1 runs from the page's colour to the full one.
    pub(super) fn cell(&mut self, at: [f64; 4], number: usize, share: f64, tip: &str) {
        let [x, y, width, height] = at.map(c);
        let (class, fill) = colour(number);
        self.add(format_args!(
            "<rect class=\"cell {class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" \
             fill=\"{fill}\" fill-opacity=\"{}\"><title>{}</title></rect>",
            c(0.06 + 0.94 * share),
            escape(tip)
        ));
    }

    pub(super) fn finish(self, title: &str, description: &str, style: &str) -> String {
        let style = match style {
            "" => String::new(),
            style => format!(
                "<style>\n{style}</style>\n<rect class=\"paper\" width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
            ),
        };
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"figure\" viewBox=\"0 0 {} {}\" \
             role=\"img\" \
             font-family=\"system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif\" \
             font-size=\"12\">\n<title>{}</title>\n<desc>{}</desc>\n\
             {style}{}</svg>\n",
            c(WIDTH),
            c(self.height),
            escape(title),
            escape(description),
            self.body
        )
    }
}

fn join(points: &[(f64, f64)]) -> String {
    let points: Vec<String> = points.iter().map(|(x, y)| format!("{},{}", c(*x), c(*y))).collect();
    points.join(" ")
}
