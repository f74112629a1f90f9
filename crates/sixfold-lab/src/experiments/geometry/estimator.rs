//! The estimators of the dimension by their names in configs and results.

use anyhow::Result;
use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};
use sixfold_geometry::Neighbours;
use sixfold_geometry::dimension::{
    Caution, CorrelationConfig, Dimension, FisherConfig, Interval, LevinaBickelConfig,
    LocalPcaConfig, MadaConfig, MomConfig, TleConfig, TwoNnConfig, TwoNnMethod, compat,
    correlation_dimension, fisher_separability, gride, levina_bickel, local_pca, mada, mom, tle,
    two_nn,
};
use sixfold_linalg::Real;

/// How a dimension is estimated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Estimator {
    /// TwoNN by maximum likelihood, with an interval that knows that neighbours share distances.
    TwoNn,
    /// TwoNN as published: a line through nine tenths of the ratios.
    TwoNnFit,
    /// The variant of the paper's code: a fifth of the ratios, and duplicates that shift them.
    TwoNnCompat,
    /// GRIDE at ranks that double: one estimate for each scale.
    Gride,
    /// Levina and Bickel's maximum likelihood on twenty neighbours.
    LevinaBickel,
    /// The method of moments on twenty neighbours.
    Mom,
    /// MADA on twenty neighbours.
    Mada,
    /// Maximum likelihood within tight localities of twenty neighbours.
    Tle,
    /// The correlation integral between the radii of few and of many neighbours.
    Correlation,
    /// Principal components of each point's 64 neighbours.
    LocalPca,
    /// How often a point can be separated from the others by a plane.
    Fisher,
}

/// The ranks of GRIDE, the farther one of each pair.
const SCALES: [usize; 6] = [2, 4, 8, 16, 32, 64];

/// Points with the table of their neighbours.
pub(super) struct Cloud<'a, T> {
    pub(super) points: ArrayView2<'a, T>,
    pub(super) table: &'a Neighbours,
}

/// One estimate.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) estimator: Estimator,
    /// The rank of the farthest neighbour, of an estimator with several.
    pub(super) scale: Option<usize>,
    pub(super) value: f64,
    pub(super) ci95: Option<[f64; 2]>,
    /// Whether its points are few for a dimension so high.
    pub(super) few_points: bool,
}

impl Found {
    /// The estimator, with its scale where it has several.
    pub(super) fn name(&self) -> String {
        match self.scale {
            None => self.estimator.name().to_owned(),
            Some(scale) => format!("{}-{scale}", self.estimator.name()),
        }
    }
}

impl Estimator {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::TwoNn,
        Self::TwoNnFit,
        Self::TwoNnCompat,
        Self::Gride,
        Self::LevinaBickel,
        Self::Mom,
        Self::Mada,
        Self::Tle,
        Self::Correlation,
        Self::LocalPca,
        Self::Fisher,
    ];
    /// Those of a profile.
    pub const PROFILE: [Self; 5] =
        [Self::TwoNn, Self::TwoNnCompat, Self::Gride, Self::LevinaBickel, Self::Mom];
    /// Those of a training.
    pub const TRAINING: [Self; 3] = [Self::TwoNn, Self::TwoNnCompat, Self::Gride];

    /// The name in configs and results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TwoNn => "two-nn",
            Self::TwoNnFit => "two-nn-fit",
            Self::TwoNnCompat => "two-nn-compat",
            Self::Gride => "gride",
            Self::LevinaBickel => "levina-bickel",
            Self::Mom => "mom",
            Self::Mada => "mada",
            Self::Tle => "tle",
            Self::Correlation => "correlation",
            Self::LocalPca => "local-pca",
            Self::Fisher => "fisher",
        }
    }

    /// Neighbours of each point that it looks at.
    pub const fn neighbours(self) -> usize {
        match self {
            Self::TwoNn | Self::TwoNnFit | Self::TwoNnCompat => 2,
            Self::Gride => SCALES[SCALES.len() - 1],
            Self::LevinaBickel | Self::Mom | Self::Mada | Self::Tle | Self::Correlation => 20,
            Self::LocalPca => 64,
            Self::Fisher => 1,
        }
    }

    /// Whether copies of a point are to be left in: the paper's code has its own way with them.
    pub(super) const fn keeps_copies(self) -> bool {
        matches!(self, Self::TwoNnCompat)
    }

    /// The estimates of one cloud: several of an estimator with scales.
    pub(super) fn estimate<T: Real>(self, cloud: &Cloud<'_, T>) -> Result<Vec<Found>> {
        let Cloud { points, table } = cloud;
        let one = |found: Dimension| vec![self.found(None, found)];
        Ok(match self {
            Self::TwoNn => one(two_nn(table, &TwoNnConfig::default())?),
            Self::TwoNnFit => {
                let method = TwoNnMethod::Fit { discard: 0.1 };
                one(two_nn(table, &TwoNnConfig { method, ..TwoNnConfig::default() })?)
            }
            Self::TwoNnCompat => {
                let value = compat::intrinsic_dimension(points.view(), 5)?;
                vec![Found { estimator: self, scale: None, value, ci95: None, few_points: false }]
            }
            Self::Gride => SCALES
                .into_iter()
                .map(|rank| {
                    let found = gride(table, [rank / 2, rank], Interval::Honest)?;
                    Ok(self.found(Some(rank), found))
                })
                .collect::<Result<_>>()?,
            Self::LevinaBickel => one(levina_bickel(table, &LevinaBickelConfig::default())?),
            Self::Mom => one(mom(table, &MomConfig::default())?),
            Self::Mada => one(mada(table, &MadaConfig::default())?),
            Self::Tle => one(tle(points.view(), table, &TleConfig::default())?),
            Self::Correlation => {
                one(correlation_dimension(points.view(), table, &CorrelationConfig::default())?)
            }
            Self::LocalPca => one(local_pca(points.view(), table, &LocalPcaConfig::default())?),
            Self::Fisher => one(fisher_separability(points.view(), &FisherConfig::default())?),
        })
    }

    fn found(self, scale: Option<usize>, found: Dimension) -> Found {
        let few = |caution: &Caution| matches!(caution, Caution::FewPoints { .. });
        let few_points = found.cautions.iter().any(few);
        Found { estimator: self, scale, value: found.value, ci95: found.ci95, few_points }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_config() {
        for estimator in Estimator::ALL {
            let json = serde_json::to_string(&estimator).unwrap();
            assert_eq!(json, format!("\"{}\"", estimator.name()));
            assert_eq!(serde_json::from_str::<Estimator>(&json).unwrap(), estimator);
        }
    }
}
