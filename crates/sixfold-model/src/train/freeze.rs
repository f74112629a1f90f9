//! Freezing parameters by path.

use std::collections::BTreeSet;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::Tensor;

use super::Patterns;
use crate::{PathTracker, Result};

/// The model with the matching parameters frozen: they get no gradient, and the backward pass
/// stops where nothing before needs one. An optimiser leaves them as they are, weight decay
/// included.
///
/// Dropout within frozen parts stays on, as in PyTorch.
///
/// # Errors
/// [`Error::NoSuchParameter`](crate::Error::NoSuchParameter) for a pattern that matches nothing.
///
/// ```
/// use sixfold_model::train::{Patterns, freeze, frozen};
/// use sixfold_model::{Seed, Transformer, TransformerSpec};
///
/// let device = sixfold_model::device("flex")?.autodiff();
/// let model = Transformer::new(&TransformerSpec::decoder(100, 16, 3, 4), Seed::new(0), &device);
/// let model = freeze(model, &Patterns::new(["embed.**", "blocks.{0..2}.**"])?)?;
/// assert!(frozen(&model).contains("blocks.1.mlp.up.weight"));
/// assert!(!frozen(&model).contains("blocks.2.mlp.up.weight"));
/// # Ok::<(), sixfold_model::Error>(())
/// ```
pub fn freeze<M: Module>(model: M, patterns: &Patterns) -> Result<M> {
    set(model, patterns, false)
}

/// The model with the matching parameters trained again.
///
/// # Errors
/// [`Error::NoSuchParameter`](crate::Error::NoSuchParameter) for a pattern that matches nothing.
pub fn unfreeze<M: Module>(model: M, patterns: &Patterns) -> Result<M> {
    set(model, patterns, true)
}

/// The paths of all float parameters that get no gradient.
///
/// On a device without autodiff these are all.
pub fn frozen<M: Module>(model: &M) -> BTreeSet<String> {
    #[derive(Default)]
    struct Frozen {
        tracker: PathTracker,
        paths: BTreeSet<String>,
    }
    impl ModuleVisitor for Frozen {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.tracker.enter(name, container);
        }
        fn exit_module(&mut self, _: &str, container: &str) {
            self.tracker.exit(container);
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if !param.is_require_grad() {
                self.paths.insert(self.tracker.path());
            }
        }
    }
    let mut visitor = Frozen::default();
    model.visit(&mut visitor);
    visitor.paths
}

fn set<M: Module>(model: M, patterns: &Patterns, require_grad: bool) -> Result<M> {
    let mut mapper =
        Set { tracker: PathTracker::default(), paths: patterns.select(&model)?, require_grad };
    Ok(model.map(&mut mapper))
}

struct Set {
    tracker: PathTracker,
    paths: BTreeSet<String>,
    require_grad: bool,
}

impl ModuleMapper for Set {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.tracker.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, container: &str) {
        self.tracker.exit(container);
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.paths.contains(&self.tracker.path()) {
            param.set_require_grad(self.require_grad)
        } else {
            param
        }
    }
}
