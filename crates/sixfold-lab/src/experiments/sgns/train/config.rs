//! The config of `sgns/train`.

use super::super::config::{dims_problems, sgns_config};
use super::super::evaluation::EvalConfig;
use super::super::method::Method;
use crate::config::{Problem, Validate};
use crate::data::Input;

sgns_config! {
    /// Which text becomes vectors, how, and what scores them.
    TrainConfig {
        /// The length of a vector.
        dim: usize = 100,
        /// Where the vectors come from.
        method: Method = Method::Riemannian,
        /// The lists that score them.
        eval: EvalConfig = EvalConfig::default(),
        /// Iterations after which the state is kept.
        checkpoint_every: usize = 5,
    }
}

impl TrainConfig {
    pub(super) fn inputs(&self) -> Vec<Input> {
        std::iter::once(self.corpus.input()).chain(self.eval.input()).collect()
    }
}

impl Validate for TrainConfig {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = self.common().problems(&[self.dim], &[self.method]);
        problems.extend(dims_problems("dim", &[self.dim]));
        problems.extend(self.eval.problems());
        if self.checkpoint_every == 0 {
            problems.push(Problem::new("checkpoint_every", "is 0; 1 keeps every iteration"));
        }
        problems
    }
}
