//! Heat maps over the text, a table of predictions and words, from the records alone.

use crate::experiments::curves::Curves;
use crate::experiments::curves::line;
use crate::figure::{Axis, Chart, Figure, Series};
use crate::format::short;
use crate::present::Presentation;
use crate::record::Results;
use crate::table::{Cell, Table};

/// Tokens beside each other in a heat map.
const TOKENS_A_ROW: usize = 16;

/// Measures: name, title, how to read it.
const MEASURES: [(&str, &str, &str); 4] = [
    (
        "nonlinearity",
        "Non-linearity of each block",
        "What the affine map of a block misses of a token, in units of the mean spread of its \
         output: the mean over the text that the map was fitted on is 1 − L.",
    ),
    (
        "lens_loss",
        "Loss of each site",
        "−ln p of the token that follows, had the site gone straight into the final norm and the \
         head. The last row is the model's own loss.",
    ),
    ("lens_entropy", "Entropy of each site's prediction", "In nats: how undecided a site is."),
    (
        "lens_divergence",
        "How far each site is from the last one",
        "KL divergence from the model's prediction to that of the site, in nats.",
    ),
];

/// All there is to say.
pub(super) fn present(results: &Results) -> Presentation {
    let view = View::new(results);
    let mut figures = Vec::new();
    for (name, title, caption) in MEASURES {
        figures.extend(view.maps(name, title, caption));
    }
    figures.extend(view.means());
    Presentation {
        headline: view.headline(),
        answer: view.answer(),
        confidence: vec![
            "One text: an illustration, no statistic. The maps are fitted on other documents."
                .to_owned(),
        ],
        figures,
        tables: [view.layers(), view.predictions()]
            .into_iter()
            .filter(|table| !table.rows.is_empty())
            .collect(),
    }
}

struct View<'a> {
    results: &'a Results,
    curves: Curves<'a>,
    /// The tokens by position.
    tokens: Vec<String>,
}

impl<'a> View<'a> {
    fn new(results: &'a Results) -> Self {
        let mut tokens: Vec<(usize, String)> = results
            .named("nonlinearity")
            .filter(|metric| metric.place.text("layer") == "0")
            .filter_map(|m| Some((m.place.number("position")? as usize, m.place.text("token"))))
            .collect();
        tokens.sort();
        let tokens = tokens.into_iter().map(|(_, token)| readable(&token)).collect();
        Self { results, curves: Curves::new(results), tokens }
    }

    fn n_layers(&self, name: &str) -> usize {
        self.curves.distinct(name, "layer").len()
    }

    /// The value of each token at a layer; not-a-number where there is none.
    fn values(&self, name: &str, layer: usize) -> Vec<f64> {
        let mut values = vec![f64::NAN; self.tokens.len()];
        for metric in self.results.named(name) {
            if metric.place.number("layer") == Some(layer as f64)
                && let Some(position) = metric.place.number("position")
                && let Some(value) = values.get_mut(position as usize)
            {
                *value = metric.value;
            }
        }
        values
    }

    /// One heat map for each row of tokens.
    fn maps(&self, name: &str, title: &str, caption: &str) -> Vec<Figure> {
        let layers = self.n_layers(name);
        if layers == 0 {
            return Vec::new();
        }
        let rows: Vec<Vec<f64>> = (0..layers).map(|layer| self.values(name, layer)).collect();
        let finite = rows.iter().flatten().copied().filter(|value| value.is_finite());
        let deepest = finite.fold(0.0, f64::max);
        let word = if name == "nonlinearity" { "block" } else { "site" };
        let map = |start: usize| {
            let end = self.tokens.len().min(start + TOKENS_A_ROW);
            Figure {
                name: format!("{name}_{start}"),
                title: format!("Tokens {} to {}", start + 1, end),
                caption: if start == 0 { caption.to_owned() } else { String::new() },
                part: title.to_owned(),
                chart: Chart::Heat {
                    value: name.replace('_', " "),
                    columns: self.tokens[start..end].to_vec(),
                    rows: (0..layers).map(|layer| format!("{word} {layer}")).collect(),
                    cells: rows.iter().map(|row| row[start..end].to_vec()).collect(),
                    signed: false,
                    deepest: Some(deepest),
                },
            }
        };
        (0..self.tokens.len()).step_by(TOKENS_A_ROW).map(map).collect()
    }

    /// The means over the tokens, layer by layer.
    fn means(&self) -> Vec<Figure> {
        let mut figures = Vec::new();
        for (name, title, _) in MEASURES.iter().take(2) {
            let curve = self.curves.over(name, "layer", &[("position", "")]);
            let series: Vec<Series> = line(name, 0, 0, &curve).into_iter().collect();
            if series.is_empty() {
                continue;
            }
            figures.push(Figure {
                name: format!("{name}_mean"),
                title: format!("{title}, mean over the tokens"),
                caption: "Each value is the mean of a row of the maps above.".to_owned(),
                part: "Means".to_owned(),
                chart: Chart::Lines {
                    x: if *name == "nonlinearity" { "block" } else { "site" }.to_owned(),
                    y: name.replace('_', " "),
                    axis: Axis::Whole,
                    series,
                },
            });
        }
        figures
    }

    /// Tokens of a measure from the largest value on, and the layer of it.
    fn most(&self, name: &str) -> Vec<(f64, usize, usize)> {
        let mut found: Vec<(f64, usize, usize)> = (0..self.n_layers(name))
            .flat_map(|layer| {
                let values = self.values(name, layer).into_iter().enumerate();
                values.map(move |(position, value)| (value, position, layer))
            })
            .filter(|(value, ..)| value.is_finite())
            .collect();
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        found
    }

    fn headline(&self) -> String {
        let Some((value, position, layer)) = self.most("nonlinearity").first().copied() else {
            return "Nothing was measured".to_owned();
        };
        format!(
            "The least linear token is `{}` (number {}) in block {layer}: its map misses {} of \
             the spread",
            self.tokens[position],
            position + 1,
            short(value)
        )
    }

    fn answer(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let rest: Vec<String> = self
            .most("nonlinearity")
            .iter()
            .filter(|(_, position, _)| *position > 0)
            .take(3)
            .map(|(value, position, layer)| {
                format!("`{}` in block {layer} ({})", self.tokens[*position], short(*value))
            })
            .collect();
        if !rest.is_empty() {
            lines.push(format!("Beyond the first token the least linear are {}.", rest.join(", ")));
        }
        let loss = self.curves.over("lens_loss", "layer", &[("position", "")]);
        if let (Some(first), Some(last)) = (loss.first(), loss.last()) {
            lines.push(format!(
                "Read through the final norm and the head, the loss goes from {} nats at the \
                 embeddings to {} at the last site.",
                short(first.value),
                short(last.value)
            ));
        }
        let agree = |layer: usize| {
            let last = self.predicted(self.n_layers("lens_loss").saturating_sub(1));
            let here = self.predicted(layer);
            let same = here.iter().zip(&last).filter(|(a, b)| !a.is_empty() && a == b).count();
            same as f64 / here.iter().filter(|one| !one.is_empty()).count().max(1) as f64
        };
        let sites = self.n_layers("lens_loss");
        if sites > 1 {
            lines.push(format!(
                "One block before the end {}\u{a0}% of the predictions are the final ones.",
                short(100.0 * agree(sites - 2))
            ));
        }
        lines
    }

    /// The most likely next token at each position.
    fn predicted(&self, layer: usize) -> Vec<String> {
        let mut predicted = vec![String::new(); self.tokens.len()];
        for metric in self.results.named("lens_loss") {
            if metric.place.number("layer") == Some(layer as f64)
                && let Some(position) = metric.place.number("position")
                && let Some(place) = predicted.get_mut(position as usize)
            {
                *place = readable(&metric.place.text("predicted"));
            }
        }
        predicted
    }

    /// One row per layer: means over the tokens.
    fn layers(&self) -> Table {
        let names: Vec<&str> = MEASURES.iter().map(|(name, ..)| *name).collect();
        let heads = std::iter::once("layer").chain(names.iter().copied());
        let mut table = Table::new("layers", "Means over the tokens", heads);
        let depth = self.n_layers("nonlinearity").max(self.n_layers("lens_loss"));
        for layer in 0..depth {
            let text = layer.to_string();
            let values = names.iter().map(|name| {
                Cell::from(self.curves.one(name, &[("layer", &text), ("position", "")]))
            });
            let values: Vec<Cell> = values.collect();
            table.push(std::iter::once(Cell::from(layer)).chain(values));
        }
        table
    }

    /// One row per token: what comes next, and what each site would say.
    fn predictions(&self) -> Table {
        let sites = self.n_layers("lens_loss");
        let heads = ["position", "token", "next"].into_iter().map(str::to_owned);
        let heads = heads.chain((0..sites).map(|site| format!("site {site}")));
        let mut table = Table::new("predictions", "What each site would say next", heads);
        let predicted: Vec<Vec<String>> = (0..sites).map(|site| self.predicted(site)).collect();
        for position in 0..self.tokens.len().saturating_sub(1) {
            if sites == 0 {
                break;
            }
            let said = predicted.iter().map(|site| Cell::from(site[position].as_str()));
            let head = [
                Cell::from(position + 1),
                Cell::from(self.tokens[position].as_str()),
                Cell::from(self.tokens[position + 1].as_str()),
            ];
            table.push(head.into_iter().chain(said.collect::<Vec<_>>()));
        }
        table
    }
}

/// A token without the marks of its tokenizer.
fn readable(token: &str) -> String {
    let text = token.replace(['▁', 'Ġ'], "␣").replace("<0x0A>", "⏎").replace('Ċ', "⏎");
    if text.is_empty() { "␣".to_owned() } else { text }
}
