//! What is varied.

use sixfold_sparsegrad::config::Policy;

use super::super::methods::BasisName;
use super::super::ways::{Common, Sparse};
use super::AblationConfig;
use crate::record::Metric;

/// A variant of SparseGrad.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Variant {
    pub(super) fraction: f64,
    pub(super) basis: BasisName,
    pub(super) policy: Policy,
}

/// The name of a policy in configs and results.
pub(super) fn policy_name(policy: Policy) -> String {
    let name = serde_json::to_value(policy).ok();
    name.as_ref().and_then(|name| name.as_str()).unwrap_or_default().to_owned()
}

/// All variants, each once: fractions, then bases, then policies.
pub(super) fn variants(config: &AblationConfig) -> Vec<Variant> {
    let base =
        Variant { fraction: config.fraction, basis: BasisName::Shared, policy: Policy::TopK };
    let fractions = config.fractions.iter().map(|&fraction| Variant { fraction, ..base });
    let bases = config.bases.iter().map(|&basis| Variant { basis, ..base });
    let policies = config.policies.iter().map(|&policy| Variant { policy, ..base });
    let mut all: Vec<Variant> = Vec::new();
    for variant in fractions.chain(bases).chain(policies) {
        if !all.contains(&variant) {
            all.push(variant);
        }
    }
    all
}

impl Variant {
    /// What is trained.
    pub(super) fn sparse(&self, common: &Common) -> Sparse {
        let common = Common { fraction: self.fraction, ..common.clone() };
        let mut sparse = common.sparse().on(self.basis);
        sparse.config.selection = self.policy;
        sparse
    }

    /// The name of a cell.
    pub(super) fn name(&self) -> String {
        format!("{} {} {}", self.fraction, self.basis, policy_name(self.policy))
    }

    /// Labels a record.
    pub(super) fn label(&self, metric: Metric) -> Metric {
        let metric = metric.at("fraction", self.fraction).at("basis", self.basis.name());
        metric.at("policy", policy_name(self.policy))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_is_varied_at_a_time_and_none_twice() {
        let config = AblationConfig::default();
        let all = variants(&config);
        // The base is one of each.
        assert_eq!(all.len(), 5 + 7 + 5 - 2);
        assert_eq!(all[4].name(), "1 shared top-k");
        let common = config.common();
        let whole = all[4].sparse(&common).config;
        assert_eq!(whole.k_of(384, 1536), 384 * 1536, "a true 100 %");
        assert!(all.iter().all(|one| one.sparse(&common).config.validate().is_ok()));
    }
}
