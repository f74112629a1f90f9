//! The config of `sgns/similarity`.

use super::super::config::{dims_problems, names_problems, sgns_config};
use super::super::evaluation::{EvalConfig, GOOGLE};
use super::super::method::Method;
use crate::config::{Problem, Validate};
use crate::data::Input;

/// The sets of the paper, and Google's analogies.
const SETS: [&str; 6] =
    ["EN-WS-353-SIM", "EN-WS-353-REL", "EN-WS-353-ALL", "EN-SIMLEX-999", "EN-MEN-TR-3k", GOOGLE];

sgns_config! {
    /// Which methods are compared on which sets.
    SimilarityConfig {
        /// Lengths of vectors.
        dims: Vec<usize> = vec![100],
        /// The methods.
        methods: Vec<Method> = vec![Method::Svd, Method::Sgd, Method::Riemannian],
        /// Stems of the files of `eval.dir`; `google` for `questions-words.txt`.
        sets: Vec<String> = SETS.map(str::to_owned).to_vec(),
        /// Where the sets are.
        eval: EvalConfig = EvalConfig::default(),
    }
}

impl SimilarityConfig {
    pub(super) fn inputs(&self) -> Vec<Input> {
        std::iter::once(self.corpus.input()).chain(self.eval.input()).collect()
    }
}

impl Validate for SimilarityConfig {
    fn problems(&self) -> Vec<Problem> {
        let mut problems = self.common().problems(&self.dims, &self.methods);
        problems.extend(dims_problems("dims", &self.dims));
        let methods: Vec<String> =
            self.methods.iter().map(|method| method.name().to_owned()).collect();
        problems.extend(names_problems("methods", &methods, "svd, sgd or riemannian"));
        problems.extend(names_problems("sets", &self.sets, "the stem of a list of word pairs"));
        if self.eval.dir.is_empty() {
            problems.push(Problem::new("eval.dir", "is empty; a directory of lists is expected"));
        }
        problems.extend(self.eval.problems());
        problems
    }
}
