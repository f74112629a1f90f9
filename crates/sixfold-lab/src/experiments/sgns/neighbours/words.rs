//! Tables and words of the neighbours, from their records and the paper's.

use super::NeighboursConfig;
use crate::experiments::curves::Curves;
use crate::format::{number, short};
use crate::present::Presentation;
use crate::published::{PaperNeighbours, neighbours};
use crate::record::{Metric, Results};
use crate::table::{Cell, Table};

/// All there is to say.
pub(super) fn present(config: &NeighboursConfig, results: &Results) -> Presentation {
    let curves = Curves::new(results);
    let view = View {
        config,
        results,
        words: curves.distinct("cosine", "word"),
        methods: curves.distinct("cosine", "method"),
    };
    let mut tables: Vec<Table> = view.words.iter().map(|word| view.side_by_side(word)).collect();
    tables.push(view.all());
    Presentation {
        headline: view.headline(),
        answer: view.answer(),
        confidence: vec![format!(
            "A look, not a measurement: a few words, of which the paper chose its own. Its rows are of \
             enwik9, where a filter spells digits out and so makes numerals frequent; ours are of {}.",
            config.corpus.name()
        )],
        figures: Vec::new(),
        tables,
    }
}

struct View<'a> {
    config: &'a NeighboursConfig,
    results: &'a Results,
    words: Vec<String>,
    methods: Vec<String>,
}

impl View<'_> {
    /// The neighbours of a word, nearest first; of several seeds the first that has a rank.
    fn near(&self, method: &str, word: &str) -> Vec<&Metric> {
        let mut found: Vec<&Metric> = Vec::new();
        for metric in self.results.named("cosine") {
            let is = |label: &str, value: &str| metric.place.text(label) == value;
            let rank = metric.place.text("rank");
            if is("method", method)
                && is("word", word)
                && found.iter().all(|known| known.place.text("rank") != rank)
            {
                found.push(metric);
            }
        }
        let rank = |metric: &&Metric| metric.place.number("rank").unwrap_or(f64::NAN);
        found.sort_by(|a, b| rank(a).total_cmp(&rank(b)));
        found
    }

    /// The mean share of neighbours that two methods have in common.
    fn shared(&self, a: &str, b: &str) -> Option<f64> {
        let names = |method: &str, word: &str| -> Vec<String> {
            let near = self.near(method, word);
            near.iter().map(|metric| metric.place.text("neighbour")).collect()
        };
        let of = |word: &String| {
            let (a, b) = (names(a, word), names(b, word));
            a.iter().filter(|name| b.contains(name)).count() as f64 / a.len().max(1) as f64
        };
        let shares: Vec<f64> = self.words.iter().map(of).collect();
        (!shares.is_empty()).then(|| shares.iter().sum::<f64>() / shares.len() as f64)
    }

    fn headline(&self) -> String {
        let Some(word) = self.words.first() else { return "Nothing was measured".to_owned() };
        let nearest: Vec<String> = self
            .methods
            .iter()
            .filter_map(|method| {
                let near = self.near(method, word);
                Some(format!("{} by {method}", near.first()?.place.text("neighbour")))
            })
            .collect();
        format!("Nearest to “{word}”: {}", nearest.join(", "))
    }

    fn answer(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (index, a) in self.methods.iter().enumerate() {
            for b in &self.methods[index + 1..] {
                if let Some(share) = self.shared(a, b) {
                    lines.push(format!(
                        "Of the {} nearest words, {a} and {b} share {} %.",
                        self.config.k,
                        short((100.0 * share).round())
                    ));
                }
            }
        }
        lines
    }

    /// One column for each method, the paper's behind ours.
    fn side_by_side(&self, word: &str) -> Table {
        let shown = |name: &str, cosine: f64| format!("{name} {}", number(cosine));
        let ours = self.methods.iter().map(|method| {
            let near = self.near(method, word);
            let cells = near.iter().map(|m| shown(&m.place.text("neighbour"), m.value));
            (method.clone(), cells.collect::<Vec<_>>())
        });
        let papers = neighbours().unwrap_or_default();
        let papers = papers.iter().filter(|one| one.word == word).map(|one| {
            let cells = one.neighbours.iter().zip(&one.cosines).map(|(n, c)| shown(n, *c));
            (format!("{} (paper)", one.method), cells.collect::<Vec<_>>())
        });
        let columns: Vec<(String, Vec<String>)> = ours.chain(papers).collect();
        let heads = std::iter::once("rank".to_owned()).chain(columns.iter().map(|c| c.0.clone()));
        let mut table = Table::new(
            &format!("near_{word}"),
            format!("Nearest to “{word}”, with cosines"),
            heads,
        );
        for rank in 0..columns.iter().map(|column| column.1.len()).max().unwrap_or(0) {
            let cells = columns.iter().map(|column| Cell::from(column.1.get(rank).cloned()));
            table.push(std::iter::once(Cell::from(rank + 1)).chain(cells));
        }
        table
    }

    /// Every neighbour as a row, for scripts.
    fn all(&self) -> Table {
        let heads = ["word", "method", "rank", "neighbour", "cosine"];
        let mut table = Table::new("neighbours", "All neighbours", heads);
        for word in &self.words {
            for method in &self.methods {
                for metric in self.near(method, word) {
                    table.push([
                        Cell::from(word.as_str()),
                        Cell::from(method.as_str()),
                        Cell::from(metric.place.number("rank")),
                        Cell::from(metric.place.text("neighbour")),
                        Cell::from(metric.value),
                    ]);
                }
            }
            for one in neighbours().unwrap_or_default().iter().filter(|one| one.word == *word) {
                let PaperNeighbours { method, neighbours, cosines, .. } = one;
                for (rank, (neighbour, cosine)) in neighbours.iter().zip(cosines).enumerate() {
                    table.push([
                        Cell::from(word.as_str()),
                        Cell::from(format!("{method} (paper)")),
                        Cell::from(rank + 1),
                        Cell::from(neighbour.as_str()),
                        Cell::from(*cosine),
                    ]);
                }
            }
        }
        table
    }
}
