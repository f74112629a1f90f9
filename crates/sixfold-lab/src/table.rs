//! Tables, and the four ways to write one: CSV, Markdown, HTML and terminal.

use anyhow::{Result, anyhow};

use crate::format::number;

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Words.
    Text(String),
    /// A number, shown with four digits and kept whole in CSV.
    Number(f64),
    /// Nothing to show.
    Empty,
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<f64> for Cell {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<usize> for Cell {
    fn from(value: usize) -> Self {
        Self::Number(value as f64)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Empty, Into::into)
    }
}

impl Cell {
    /// The cell for a reader.
    pub fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(value) => number(*value),
            Self::Empty => "–".to_owned(),
        }
    }

    /// Whether it stands at the right.
    pub fn is_number(&self) -> bool {
        matches!(self, Self::Number(_))
    }

    /// Whether it holds a sentence, which may be broken into lines.
    pub fn is_long(&self) -> bool {
        matches!(self, Self::Text(text) if text.chars().count() > 40)
    }

    fn exact(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(value) => value.to_string(),
            Self::Empty => String::new(),
        }
    }
}

/// A table of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Name of the CSV file without its ending.
    pub name: String,
    /// What the table shows.
    pub title: String,
    /// Heads of the columns; a unit stands in round brackets.
    pub columns: Vec<String>,
    /// Rows as long as the head.
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// An empty table.
    pub fn new<C: Into<String>>(
        name: &str,
        title: impl Into<String>,
        columns: impl IntoIterator<Item = C>,
    ) -> Self {
        let columns = columns.into_iter().map(Into::into).collect();
        Self { name: name.to_owned(), title: title.into(), columns, rows: Vec::new() }
    }

    /// Adds a row; it is cut or filled up to the length of the head.
    pub fn push(&mut self, row: impl IntoIterator<Item = Cell>) {
        let mut row: Vec<Cell> = row.into_iter().collect();
        row.resize(self.columns.len(), Cell::Empty);
        self.rows.push(row);
    }

    /// The heads of the columns, each with whether the column holds numbers.
    pub fn heads(&self) -> Vec<(&str, bool)> {
        let heads = self.columns.iter().enumerate();
        heads.map(|(index, head)| (head.as_str(), self.is_numeric(index))).collect()
    }

    /// Whether it stands before the figures: a table of sentences does.
    pub fn leads(&self) -> bool {
        let mut cells = self.rows.iter().flatten();
        cells.any(Cell::is_long) && self.rows.iter().flatten().all(|cell| !cell.is_number())
    }

    /// Whether the column holds numbers.
    pub fn is_numeric(&self, column: usize) -> bool {
        let mut cells = self.rows.iter().map(|row| &row[column]).filter(|c| **c != Cell::Empty);
        cells.next().is_some_and(Cell::is_number) && cells.all(Cell::is_number)
    }

    /// The table as CSV, with all digits.
    ///
    /// # Errors
    /// None that a table in memory can cause.
    pub fn to_csv(&self) -> Result<Vec<u8>> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&self.columns)?;
        for row in &self.rows {
            writer.write_record(row.iter().map(Cell::exact))?;
        }
        writer.into_inner().map_err(|error| anyhow!("cannot write CSV: {error}"))
    }

    /// A table read back from CSV.
    ///
    /// # Errors
    /// Text that is not CSV.
    pub fn from_csv(name: &str, title: &str, bytes: &[u8]) -> Result<Self> {
        let mut reader = csv::Reader::from_reader(bytes);
        let mut table = Self::new(name, title, reader.headers()?.iter().map(str::to_owned));
        for record in reader.records() {
            table.push(record?.iter().map(|text| match (text.is_empty(), text.parse::<f64>()) {
                (true, _) => Cell::Empty,
                (false, Ok(value)) => Cell::Number(value),
                (false, Err(_)) => Cell::from(text),
            }));
        }
        Ok(table)
    }

    /// The table as GitHub's Markdown.
    pub fn to_markdown(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let escape = |text: &str| text.replace('|', "\\|").replace('\n', " ");
        let mut text = line(self.columns.iter().map(|head| escape(head)).collect());
        text += &line(
            (0..self.columns.len())
                .map(|column| if self.is_numeric(column) { "---:" } else { "---" }.to_owned())
                .collect(),
        );
        for row in &self.rows {
            text += &line(row.iter().map(|cell| escape(&cell.shown())).collect());
        }
        text
    }

    /// The table for a terminal.
    pub fn to_terminal(&self) -> String {
        use comfy_table::{CellAlignment, ContentArrangement, presets};
        let mut table = comfy_table::Table::new();
        table.load_style(presets::UTF8_HORIZONTAL_ONLY);
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(&self.columns);
        for row in &self.rows {
            table.add_row(row.iter().map(Cell::shown));
        }
        for index in 0..self.columns.len() {
            if let Some(column) = table.column_mut(index).filter(|_| self.is_numeric(index)) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table.to_string()
    }
}
