//! Measures all sites of a model on a text: spectra from streamed moments, neighbours from a sample.

mod neighbours;
mod spectra;

use anyhow::{Result, ensure};
use burn::tensor::Tensor;
use sixfold_geometry::cloud::Cloud;
use sixfold_model::stats::{MomentTap, NormTap, SampleTap, TokenFilter as Filter};
use sixfold_model::{Seed, Site, Tap, Transformer};

use super::estimator::Estimator;
use super::score::{Control, Score};
use crate::context::Context;
use crate::experiments::profile::{OUTLIER_FACTOR, Reading, n_groups, pass};

/// What is measured.
pub(super) struct Probe<'a> {
    pub(super) filters: &'a [Filter],
    /// Points of a sample, at most.
    pub(super) sample: usize,
    pub(super) estimators: &'a [Estimator],
    /// Whether Gaussian clouds with the same moments are measured too.
    pub(super) gaussian: bool,
    pub(super) seed: Seed,
}

/// What was found.
#[derive(Default)]
pub(super) struct Probed {
    pub(super) scores: Vec<Score>,
    pub(super) notes: Vec<String>,
    /// Tokens that each filter keeps.
    pub(super) tokens: Vec<(Filter, usize)>,
    /// Of the first filter's sample at each site: distinct points, and of how many.
    distinct: Vec<(usize, usize)>,
    /// Sites at which the points are few for their dimension, by whose cloud it is.
    few: Vec<(String, usize)>,
}

impl Probed {
    /// One sentence each on what holds at several sites.
    fn sum_up(&mut self, what: &str) {
        if let Some((_, of)) = self.distinct.iter().find(|(distinct, of)| distinct < of) {
            let counts: Vec<String> = self.distinct.iter().map(|(n, _)| n.to_string()).collect();
            self.notes.push(format!(
                "{what}: {of} sampled tokens are {} distinct points at sites 0 to {}; a dimension \
                 is that of the distinct ones.",
                counts.join(", "),
                counts.len() - 1
            ));
        }
        let mut clouds: Vec<&String> = self.few.iter().map(|(cloud, _)| cloud).collect();
        clouds.dedup();
        for cloud in clouds {
            let sites = self.few.iter().filter(|(other, _)| other == cloud);
            let sites: Vec<String> = sites.map(|(_, site)| site.to_string()).collect();
            self.notes.push(format!(
                "{cloud}: the points are few for the dimension at site {}: read it as a lower bound.",
                sites.join(", ")
            ));
        }
    }
}

/// Reads the text once, twice where a filter has to know outliers, and measures every site.
///
/// # Errors
/// Values that are not finite, a filter that leaves too few tokens, a signal.
pub(super) fn probe(
    model: &Transformer,
    reading: &Reading,
    options: &Probe<'_>,
    what: &str,
    cx: &Context,
) -> Result<Probed> {
    ensure!(reading.n_tokens > 0, "the text has no token");
    let mut norms = NormTap::new();
    if options.filters.iter().any(|filter| filter.needs_norms()) {
        let name = format!("{what}: norms");
        pass(model, reading, &mut norms, &name, cx, |norms, batch, _| norms.begin(batch))?;
    }
    let outliers = norms.outliers(OUTLIER_FACTOR);
    let spec = model.spec();
    let classes = reading.classes(spec.causal, &outliers);
    let groups = n_groups(spec.d_model).min(reading.n_documents);
    let lots = options.seed.derive("sample").value();
    let mut tap = Both {
        moments: MomentTap::sites(),
        rows: SampleTap::new(options.sample, options.filters, lots),
    };
    let name = format!("{what}: states");
    pass(model, reading, &mut tap, &name, cx, |tap, batch, index| {
        let rows: Vec<usize> = reading.batches[index].1.iter().map(|d| d % groups).collect();
        tap.moments.begin(batch, &classes[index], &rows);
        tap.rows.begin(batch, &classes[index], &reading.first[index]);
    })?;
    let Both { mut moments, rows } = tap;

    let mut found = Probed::default();
    let n_outliers = outliers.iter().filter(|outlier| **outlier).count();
    found.notes.push(format!(
        "{what}: {} tokens of {} documents; {n_outliers} have a norm above {OUTLIER_FACTOR} medians.",
        reading.n_tokens, reading.n_documents
    ));
    for (index, &filter) in options.filters.iter().enumerate() {
        let clouds = spectra::measure(&mut moments, filter, &mut found, cx)?;
        let estimators = if index == 0 { options.estimators } else { &options.estimators[..1] };
        let points = |site: usize| rows.rows(filter, site);
        let view =
            neighbours::View { filter, estimators, what, control: Control::None, main: index == 0 };
        neighbours::measure(clouds.len(), points, &view, &mut found, cx)?;
        if options.gaussian {
            let n = rows.tokens(filter).len();
            gaussian(&clouds, n, &view, options.seed, &mut found, cx)?;
        }
    }
    found.sum_up(what);
    Ok(found)
}

/// The dimension of Gaussian clouds with the moments of each site.
fn gaussian(
    clouds: &[Cloud],
    n: usize,
    view: &neighbours::View<'_>,
    seed: Seed,
    found: &mut Probed,
    cx: &Context,
) -> Result<()> {
    let seed = seed.derive("gaussian").derive(view.filter.name());
    let what = format!("{}, gaussian", view.what);
    let view = neighbours::View { control: Control::Gaussian, what: &what, ..*view };
    for (site, cloud) in clouds.iter().enumerate() {
        cx.check_interrupt()?;
        let points = cloud.gaussian(n, seed.derive(&site.to_string()).value())?;
        neighbours::of_site(site, points.view(), &view, found)?;
    }
    Ok(())
}

/// Two taps in one pass.
struct Both {
    moments: MomentTap,
    rows: SampleTap,
}

impl Tap for Both {
    fn wants(&self, site: Site) -> bool {
        self.moments.wants(site) || self.rows.wants(site)
    }

    fn visit(&mut self, site: Site, x: Tensor<3>) -> Tensor<3> {
        let x = if self.moments.wants(site) { self.moments.visit(site, x) } else { x };
        if self.rows.wants(site) { self.rows.visit(site, x) } else { x }
    }
}
