//! Streams the states of every layer through the accumulators of `sixfold_model::stats`.

use anyhow::Result;
use sixfold_model::stats::{LayerMoments, MomentTap, NormTap, TokenFilter};
use sixfold_model::{Batch, Tap, Transformer};

use super::reading::Reading;
use crate::context::Context;

/// A token is an outlier where its norm exceeds this many medians.
pub(in crate::experiments) const OUTLIER_FACTOR: f64 = 5.0;

/// The streamed moments of a model over a text.
pub(in crate::experiments) struct Streamed {
    tap: MomentTap,
}

/// The moments of the tokens that a filter keeps: of all, and without each group of documents.
pub(super) struct Filtered {
    pub(super) all: LayerMoments,
    /// Empty where there are too few groups for an interval.
    pub(super) left_out: Vec<LayerMoments>,
    /// Even and odd groups, to fit on one and score on the other.
    pub(super) halves: Option<[LayerMoments; 2]>,
}

impl Streamed {
    /// Streams a text through a model: once, twice where a filter has to know outliers.
    pub(in crate::experiments) fn of(
        model: &Transformer,
        reading: &Reading,
        filters: &[TokenFilter],
        name: &str,
        cx: &mut Context,
    ) -> Result<Self> {
        let spec = model.spec();
        let mut norms = NormTap::new();
        if filters.iter().any(|filter| filter.needs_norms()) {
            let what = format!("{name}: norms");
            pass(model, reading, &mut norms, &what, cx, |norms, batch, _| norms.begin(batch))?;
        }
        let outliers = norms.outliers(OUTLIER_FACTOR);
        let classes = reading.classes(spec.causal, &outliers);
        let groups = n_groups(spec.d_model).min(reading.n_documents);
        let mut tap = MomentTap::new();
        let what = format!("{name}: moments");
        pass(model, reading, &mut tap, &what, cx, |tap, batch, index| {
            let rows: Vec<usize> = reading.batches[index].1.iter().map(|d| d % groups).collect();
            tap.begin(batch, &classes[index], &rows);
        })?;
        cx.note(format!(
            "{name}: {} tokens of {} documents, {} tokens with a norm above {OUTLIER_FACTOR} medians",
            reading.n_tokens,
            reading.n_documents,
            outliers.iter().filter(|&&outlier| outlier).count()
        ));
        Ok(Self { tap })
    }

    /// The moments of all tokens that a filter keeps.
    pub(in crate::experiments) fn all(&mut self, filter: TokenFilter) -> Result<LayerMoments> {
        Ok(self.tap.select(filter, |_| false)?)
    }

    /// The moments that a filter keeps, of all and of parts.
    pub(super) fn filtered(&mut self, filter: TokenFilter) -> Result<Filtered> {
        let groups = self.tap.groups();
        let all = self.all(filter)?;
        let count = all.sites.first().map_or(0, sixfold_linalg::Moments::count);
        anyhow::ensure!(count > 0, "the filter `{filter}` leaves no token");
        let enough = groups.len() >= 4;
        let left_out = match enough {
            true => groups
                .iter()
                .map(|&g| self.tap.select(filter, |other| other == g))
                .collect::<Result<_, _>>()?,
            false => Vec::new(),
        };
        let mut half = |parity: usize| self.tap.select(filter, |group| group % 2 != parity);
        let halves = if enough { Some([half(0)?, half(1)?]) } else { None };
        Ok(Filtered { all, left_out, halves })
    }
}

/// Groups of documents: fewer where the moments are large.
pub(in crate::experiments) fn n_groups(d_model: usize) -> usize {
    match d_model {
        0..=512 => 16,
        513..=1024 => 8,
        _ => 4,
    }
}

/// One pass over the text; a signal ends it between two batches.
pub(in crate::experiments) fn pass<T: Tap>(
    model: &Transformer,
    reading: &Reading,
    tap: &mut T,
    what: &str,
    cx: &Context,
    begin: impl Fn(&mut T, &Batch, usize),
) -> Result<()> {
    let mut task = cx.progress().task(what, reading.n_tokens as u64, "tokens");
    for (index, (batch, _)) in reading.batches.iter().enumerate() {
        cx.check_interrupt()?;
        begin(tap, batch, index);
        model.forward_with(batch, tap)?;
        task.advance(batch.n_tokens() as u64);
    }
    Ok(())
}
