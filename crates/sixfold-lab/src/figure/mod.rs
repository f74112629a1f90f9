//! Charts as SVG that follows the light or dark scheme of the page around it.

mod bars;
mod frame;
mod heat;
mod legend;
mod lines;
mod svg;
mod ticks;

use svg::Svg;

/// Colours, as CSS variables, and the classes of the charts; part of every page that holds one.
pub const STYLE: &str = include_str!("../../templates/figure.css");

/// A chart with its words.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Name of the SVG file without its ending.
    pub name: String,
    /// What it shows.
    pub title: String,
    /// How to read it.
    pub caption: String,
    /// The part of the report that it stands in; figures of one part follow each other.
    pub part: String,
    /// The drawing.
    pub chart: Chart,
}

/// The kinds of charts.
#[derive(Clone, Debug, PartialEq)]
pub enum Chart {
    /// Lines over a number, with bands where there are intervals.
    Lines {
        /// Name of the horizontal axis.
        x: String,
        /// Name of the vertical axis.
        y: String,
        /// How the horizontal axis runs.
        axis: Axis,
        /// The lines.
        series: Vec<Series>,
    },
    /// Groups of bars.
    Bars {
        /// Name of the vertical axis.
        y: String,
        /// Names of the groups.
        groups: Vec<String>,
        /// One bar in each group per entry.
        series: Vec<BarSeries>,
    },
    /// A matrix of cells.
    Heat {
        /// What a cell's colour shows.
        value: String,
        /// Names of the columns.
        columns: Vec<String>,
        /// Names of the rows.
        rows: Vec<String>,
        /// Rows of values; not-a-number leaves a cell empty.
        cells: Vec<Vec<f64>>,
        /// Whether zero is the middle: values below it have a colour of their own.
        signed: bool,
        /// The magnitude of the deepest colour, so that several maps share a scale; the largest
        /// value where there is none.
        deepest: Option<f64>,
    },
}

/// How a horizontal axis runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Axis {
    /// In equal steps.
    #[default]
    Linear,
    /// In equal steps, marked at whole numbers only.
    Whole,
    /// In equal factors. Where there is a zero, it stands as far from the smallest other value as
    /// that one from its double.
    Log,
}

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its name in the legend.
    pub label: String,
    /// Number of its colour.
    pub colour: usize,
    /// Number of its dash pattern; 0 is solid.
    pub dash: usize,
    /// Its points from left to right.
    pub points: Vec<Point>,
}

/// One point of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Horizontal position.
    pub x: f64,
    /// Value.
    pub y: f64,
    /// The interval around the value.
    pub band: Option<[f64; 2]>,
}

/// The bars of one name.
#[derive(Clone, Debug, PartialEq)]
pub struct BarSeries {
    /// Its name in the legend.
    pub label: String,
    /// A value and its interval per group.
    pub values: Vec<Option<(f64, Option<[f64; 2]>)>>,
}

impl Figure {
    /// The SVG for a page that holds [`STYLE`].
    pub fn inline_svg(&self) -> String {
        self.draw("")
    }

    /// The SVG as a file of its own.
    pub fn standalone_svg(&self) -> String {
        self.draw(STYLE)
    }

    fn draw(&self, style: &str) -> String {
        let mut svg = Svg::new();
        match &self.chart {
            Chart::Lines { x, y, axis, series } => lines::draw(&mut svg, x, y, *axis, series),
            Chart::Bars { y, groups, series } => bars::draw(&mut svg, y, groups, series),
            Chart::Heat { value, columns, rows, cells, signed, deepest } => {
                heat::draw(&mut svg, value, [columns, rows], cells, *signed, *deepest);
            }
        }
        svg.finish(&self.title, &self.caption, style)
    }
}

#[cfg(test)]
mod tests;
