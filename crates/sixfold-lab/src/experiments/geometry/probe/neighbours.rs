//! What neighbours tell: dimensions of every site, and how far neighbours stay from site to site.

use std::collections::HashSet;

use anyhow::{Context as _, Result};
use ndarray::{Array2, ArrayView2, Axis};
use sixfold_geometry::Neighbours;
use sixfold_geometry::compare::{information_imbalance_to, neighbourhood_overlap};
use sixfold_linalg::Jackknife;
use sixfold_model::stats::TokenFilter as Filter;

use super::super::estimator::{Cloud, Estimator};
use super::super::score::{Control, Score};
use super::Probed;
use crate::context::Context;

/// Neighbours whose overlap is looked at.
const OVERLAP: usize = 16;

/// Under which conditions a cloud is looked at.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) filter: Filter,
    pub(super) estimators: &'a [Estimator],
    /// Whose cloud it is, for notes.
    pub(super) what: &'a str,
    pub(super) control: Control,
    /// Whether it is the first filter: everything is measured, and everything is said.
    pub(super) main: bool,
}

/// All sites: each by itself, and each with the next.
///
/// # Errors
/// Too few points, values that are not finite, a signal.
pub(super) fn measure(
    sites: usize,
    points: impl Fn(usize) -> Array2<f32>,
    view: &View<'_>,
    found: &mut Probed,
    cx: &Context,
) -> Result<()> {
    let mut before: Option<(Array2<f32>, Neighbours)> = None;
    for site in 0..sites {
        cx.check_interrupt()?;
        let points = points(site);
        let table = of_site(site, points.view(), view, found)?;
        if let Some((other, of_other)) = &before {
            let (from, to) = ((other.view(), of_other), (points.view(), &table));
            between(site - 1, from, to, view, found)?;
        }
        before = Some((points, table));
    }
    Ok(())
}

/// One site: gives back the neighbours of its points.
///
/// # Errors
/// Too few points, values that are not finite.
pub(super) fn of_site(
    site: usize,
    points: ArrayView2<'_, f32>,
    view: &View<'_>,
    found: &mut Probed,
) -> Result<Neighbours> {
    let View { filter, estimators, what, control, main } = *view;
    let note = |text: String, found: &mut Probed| {
        if main {
            found.notes.push(format!("{what}, {filter}, site {site}: {text}"));
        }
    };
    let place = || format!("site {site}, filter {filter}");
    let k = estimators.iter().map(|one| one.neighbours()).max().unwrap_or(2).max(OVERLAP);
    let k_of = |points: &ArrayView2<'_, f32>| k.min(points.nrows().saturating_sub(1));
    let table = sixfold_geometry::neighbours(points, k_of(&points)).with_context(place)?;
    // States that do not depend on the context, such as those of the embedding, are equal for equal
    // tokens: the cloud is what is left when each stands once.
    let distinct = distinct(points);
    let copies = points.nrows() - distinct.len();
    if main && control == Control::None {
        found.distinct.push((distinct.len(), points.nrows()));
    }
    let own;
    let (once, of_once) = match copies {
        0 => (points.to_owned(), &table),
        _ => {
            let once = points.select(Axis(0), &distinct);
            own = sixfold_geometry::neighbours(once.view(), k_of(&once.view()))
                .with_context(place)?;
            (once, &own)
        }
    };
    for estimator in estimators {
        let cloud = match estimator.keeps_copies() {
            true => Cloud { points, table: &table },
            false => Cloud { points: once.view(), table: of_once },
        };
        if cloud.table.k() < estimator.neighbours() {
            let n = cloud.table.n();
            note(format!("{n} points are too few for {}.", estimator.name()), found);
            continue;
        }
        let all = match estimator.estimate(&cloud) {
            Ok(all) => all,
            // Such as states that are all equal: the other sites have their numbers all the same.
            Err(error) => {
                note(format!("no dimension by {}: {error}.", estimator.name()), found);
                continue;
            }
        };
        for one in all {
            if main && *estimator == estimators[0] && one.few_points {
                found.few.push((what.to_owned(), site));
            }
            let number = Score::new("intrinsic_dimension", site, filter, one.value).of(control);
            found.scores.push(number.by(estimator.name(), one.scale).ci95(one.ci95));
        }
    }
    Ok(table)
}

/// One site and the next: which neighbours stay, and what the nearest at one tells of the other.
fn between(
    site: usize,
    (from, of_from): (ArrayView2<'_, f32>, &Neighbours),
    (to, of_to): (ArrayView2<'_, f32>, &Neighbours),
    view: &View<'_>,
    found: &mut Probed,
) -> Result<()> {
    let place = || format!("sites {site} and {}, filter {}", site + 1, view.filter);
    let k = OVERLAP.min(of_from.k()).min(of_to.k());
    let overlap = neighbourhood_overlap(of_from, of_to, k).with_context(place)?;
    let number = |name: &str, found: Jackknife| {
        let number = Score::new(name, site, view.filter, found.value).of(view.control);
        number.ci95(Some(found.ci95))
    };
    found.scores.push(number("neighbourhood_overlap", overlap).at_scale(k));
    if view.main {
        let forward = information_imbalance_to(of_from, to).with_context(place)?;
        let backward = information_imbalance_to(of_to, from).with_context(place)?;
        for (direction, imbalance) in [("forward", forward), ("backward", backward)] {
            let number = number("information_imbalance", imbalance);
            found.scores.push(number.towards(direction));
        }
    }
    Ok(())
}

/// The first of each group of equal rows.
fn distinct(points: ArrayView2<'_, f32>) -> Vec<usize> {
    let mut seen: HashSet<Vec<u32>> = HashSet::with_capacity(points.nrows());
    // The two zeros are one value.
    let bits = |value: &f32| (value + 0.0).to_bits();
    let rows = points.rows().into_iter().enumerate();
    let first = rows.filter(|(_, row)| seen.insert(row.iter().map(bits).collect()));
    first.map(|(index, _)| index).collect()
}
