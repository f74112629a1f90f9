//! Up to which dimension an estimator can be trusted, from its bias on manifolds.

use sixfold_geometry::manifolds::Manifold;

use crate::format::short;
use crate::table::{Cell, Table};

/// An estimator is trusted where its bias is not larger than this share of the dimension.
pub(super) const TOLERANCE: f64 = 0.1;
/// How far an estimator can be trusted.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Trust {
    pub(super) estimator: String,
    /// Manifolds within the tolerance, of how many.
    pub(super) within: [usize; 2],
    /// The largest dimension up to which all manifolds are within.
    pub(super) upto: Option<usize>,
    /// The first manifold by dimension that is not.
    pub(super) miss: Option<(String, usize, f64)>,
}

/// Judges an estimator by its bias on manifolds of known dimension.
pub(super) fn trust(estimator: &str, biases: &[(Manifold, f64)]) -> Trust {
    let mut sorted: Vec<&(Manifold, f64)> = biases.iter().collect();
    sorted.sort_by_key(|(manifold, _)| manifold.intrinsic());
    let is_off = |bias: f64| bias.abs() > TOLERANCE;
    let within = sorted.iter().filter(|(_, bias)| !is_off(*bias)).count();
    let miss = sorted.iter().find(|(_, bias)| is_off(*bias));
    let below = |limit: usize| {
        let dimensions = sorted.iter().map(|(manifold, _)| manifold.intrinsic());
        dimensions.filter(|d| *d < limit).max()
    };
    Trust {
        estimator: estimator.to_owned(),
        within: [within, sorted.len()],
        upto: match miss {
            Some((manifold, _)) => below(manifold.intrinsic()),
            None => below(usize::MAX),
        },
        miss: miss
            .map(|(manifold, bias)| (manifold.name().to_owned(), manifold.intrinsic(), *bias)),
    }
}

impl Trust {
    pub(super) fn sentence(&self) -> String {
        let Self { estimator, within: [within, all], upto, miss } = self;
        let percent = short(100.0 * TOLERANCE);
        let mut text = match (upto, miss) {
            (Some(upto), None) => {
                format!(
                    "{estimator} is within {percent}\u{a0}% of the truth on all {all} manifolds, up to dimension {upto}"
                )
            }
            (Some(upto), Some(_)) => {
                format!(
                    "{estimator} is within {percent}\u{a0}% of the truth up to dimension {upto}, and on {within} of {all} manifolds"
                )
            }
            (None, _) => {
                format!(
                    "{estimator} can be trusted up to no dimension: it is within {percent}\u{a0}% of the truth on {within} of {all} manifolds"
                )
            }
        };
        if let Some((name, d, bias)) = miss {
            text += &format!(
                "; it first fails on {name}, of dimension {d}, by {:+.0}\u{a0}%",
                100.0 * bias
            );
        }
        text + "."
    }
}

/// All of them as a table.
pub(super) fn table_of(trusts: &[Trust]) -> Table {
    let percent = short(100.0 * TOLERANCE);
    let mut table = Table::new(
        "trust",
        format!("How far each estimator is within {percent}\u{a0}% of the truth"),
        [
            "estimator",
            "up to dimension",
            "manifolds within",
            "of",
            "first miss",
            "its dimension",
            "its bias",
        ],
    );
    for Trust { estimator, within: [within, all], upto, miss } in trusts {
        let (name, d, bias) = match miss {
            Some((name, d, bias)) => (Some(name.as_str()), Some(*d), Some(*bias)),
            None => (None, None, None),
        };
        table.push([
            Cell::from(estimator.as_str()),
            Cell::from(*upto),
            Cell::from(*within),
            Cell::from(*all),
            Cell::from(name),
            Cell::from(d),
            Cell::from(bias),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trust_ends_before_the_first_miss_by_dimension() {
        let biases = [
            (Manifold::M9, -0.25),
            (Manifold::M5a, 0.02),
            (Manifold::M7, -0.05),
            (Manifold::M2, 0.09),
            (Manifold::M1, -0.12),
            (Manifold::M6, 0.04),
        ];
        let found = trust("two-nn", &biases);
        assert_eq!(found.upto, Some(6));
        assert_eq!(found.within, [4, 6]);
        assert_eq!(found.miss, Some(("M1".to_owned(), 10, -0.12)));
        let sentence = found.sentence();
        assert!(sentence.contains("up to dimension 6") && sentence.contains("-12"), "{sentence}");
    }

    #[test]
    fn trust_of_all_and_of_none() {
        let all = trust("lpca", &[(Manifold::M5a, 0.0), (Manifold::M9, 0.01)]);
        assert_eq!((all.upto, all.miss.clone()), (Some(20), None));
        assert!(all.sentence().contains("on all 2 manifolds"), "{}", all.sentence());
        let none = trust("lpca", &[(Manifold::M5a, 2.0), (Manifold::M9, 0.01)]);
        assert_eq!(none.upto, None);
        assert!(none.sentence().contains("up to no dimension"), "{}", none.sentence());
    }
}
