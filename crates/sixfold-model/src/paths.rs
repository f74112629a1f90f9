//! Paths of parameters, free of enum variants.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;

/// Follows a visitor or mapper through a module and knows the path of the current parameter.
///
/// burn enters the variant of an enum like a field. Which variant a part happens to be is no
/// name of a parameter, so it is left out: `blocks.0.mlp.up.weight`.
#[derive(Clone, Debug, Default)]
pub struct PathTracker {
    segments: Vec<String>,
}

impl PathTracker {
    /// To be called from `enter_module`.
    pub fn enter(&mut self, name: &str, container: &str) {
        if !container.starts_with("Enum:") {
            self.segments.push(name.to_owned());
        }
    }

    /// To be called from `exit_module`.
    pub fn exit(&mut self, container: &str) {
        if !container.starts_with("Enum:") {
            self.segments.pop();
        }
    }

    /// The path of where the walk is.
    pub fn path(&self) -> String {
        self.segments.join(".")
    }
}

/// The paths and shapes of all float parameters, in the order of their fields.
///
/// ```
/// use sixfold_model::{Seed, Transformer, TransformerSpec, parameter_shapes};
///
/// let device = sixfold_model::device("flex")?;
/// let model = Transformer::new(&TransformerSpec::decoder(100, 16, 2, 4), Seed::new(0), &device);
/// let shapes = parameter_shapes(&model);
/// assert_eq!(shapes[0], ("embed.tokens.weight".to_owned(), vec![100, 16]));
/// assert!(shapes.iter().any(|(path, _)| path == "blocks.1.attention.query.weight"));
/// # Ok::<(), sixfold_model::Error>(())
/// ```
pub fn parameter_shapes<M: Module>(module: &M) -> Vec<(String, Vec<usize>)> {
    #[derive(Default)]
    struct Shapes {
        tracker: PathTracker,
        found: Vec<(String, Vec<usize>)>,
    }
    impl ModuleVisitor for Shapes {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.tracker.enter(name, container);
        }
        fn exit_module(&mut self, _: &str, container: &str) {
            self.tracker.exit(container);
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let shape = param.lazy_shape();
            self.found.push((self.tracker.path(), shape.iter().copied().collect()));
        }
    }
    let mut shapes = Shapes::default();
    module.visit(&mut shapes);
    shapes.found
}
