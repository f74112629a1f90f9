//! Spectral measures of every site, with intervals over groups of documents.

use anyhow::{Context as _, Result, ensure};
use sixfold_geometry::cloud::{Cloud, RowNorm, Score as Spectral, spread_of_groups};
use sixfold_model::stats::{LayerMoments, MomentTap, TokenFilter as Filter};

use super::super::score::Score;
use super::Probed;
use crate::context::Context;

/// The scores and their names in `results.json`.
const SCORES: [(Spectral, &str); 7] = [
    (Spectral::Anisotropy, "anisotropy"),
    (Spectral::MeanCosine, "mean_cosine"),
    (Spectral::IsoScore, "iso_score"),
    (Spectral::ParticipationRatio, "participation_ratio"),
    (Spectral::NeSum, "nesum"),
    (Spectral::EffectiveRank, "effective_rank"),
    (Spectral::MeanNorm, "mean_norm"),
];

/// Measures what `filter` keeps; gives back the cloud of every site.
///
/// # Errors
/// A filter that leaves no token, values that are not finite, tokens that do not vary, a signal.
pub(super) fn measure(
    moments: &mut MomentTap,
    filter: Filter,
    found: &mut Probed,
    cx: &Context,
) -> Result<Vec<Cloud>> {
    let groups: Vec<LayerMoments> = moments
        .groups()
        .into_iter()
        .map(|group| moments.select(filter, |other| other != group))
        .collect::<Result<_, _>>()?;
    let all = moments.select(filter, |_| false)?;
    ensure!(!all.sites.is_empty(), "the filter `{filter}` leaves no token");
    let tokens = usize::try_from(all.sites[0].count()).unwrap_or(usize::MAX);
    found.tokens.push((filter, tokens));
    let mut clouds = Vec::new();
    for site in 0..all.sites.len() {
        cx.check_interrupt()?;
        let what = || format!("site {site}, filter {filter}");
        let of_groups: Vec<Cloud> = groups
            .iter()
            .filter_map(|group| cloud(group, site).transpose())
            .collect::<Result<_>>()?;
        let spread = spread_of_groups(&of_groups).with_context(what)?;
        for (score, name) in SCORES {
            if let Some(value) = spread.spread.score(score) {
                let number = Score::new(name, site, filter, value);
                found.scores.push(number.ci95(spread.ci95(score)));
            }
        }
        clouds.extend(cloud(&all, site)?);
    }
    Ok(clouds)
}

/// The cloud of a site; none where a group has no token.
fn cloud(moments: &LayerMoments, site: usize) -> Result<Option<Cloud>> {
    let (Some(of_site), Some(directions)) = (moments.sites.get(site), moments.directions.get(site))
    else {
        return Ok(None);
    };
    Ok(Some(Cloud::from_streamed(of_site.clone(), directions.clone(), RowNorm::None)?))
}
