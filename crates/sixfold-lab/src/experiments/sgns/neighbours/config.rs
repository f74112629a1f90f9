//! The config of `sgns/neighbours`.

use super::super::config::{dims_problems, names_problems, sgns_config};
use super::super::method::Method;
use crate::config::{Problem, Validate};
use crate::data::Input;

sgns_config! {
    /// Whose neighbours are looked up.
    NeighboursConfig {
        /// The length of a vector.
        dim: usize = 100,
        /// The methods.
        methods: Vec<Method> = vec![Method::Svd, Method::Sgd, Method::Riemannian],
        /// The words.
        words: Vec<String> = ["five", "he", "main", "usa"].map(str::to_owned).to_vec(),
        /// How many neighbours.
        k: usize = 10,
    }
}

impl NeighboursConfig {
    pub(super) fn inputs(&self) -> Vec<Input> {
        vec![self.corpus.input()]
    }
}

impl Validate for NeighboursConfig {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = self.common().problems(&[self.dim], &self.methods);
        problems.extend(dims_problems("dim", &[self.dim]));
        let methods: Vec<String> =
            self.methods.iter().map(|method| method.name().to_owned()).collect();
        problems.extend(names_problems("methods", &methods, "svd, sgd or riemannian"));
        problems.extend(names_problems("words", &self.words, "a word"));
        if self.k == 0 {
            problems.push(Problem::new("k", "is 0; 10 are usual"));
        }
        problems
    }
}
