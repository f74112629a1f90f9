//! Models whose projections can be adapted.

use burn::module::Module;
use burn::nn::Linear;
use sixfold_model::{CausalLm, MaskedLm, SequenceClassifier, TokenEmbedding, Transformer};

use super::Adapted;

/// A model of plain projections.
pub trait Adaptable: Module {
    /// The same model of projections that may be adapted.
    type Adapted: AdaptedModel<Plain = Self>;

    /// Replaces every projection: `f` gets its path, such as `body.blocks.0.mlp.up`, and the projection.
    fn adapt(self, f: &mut dyn FnMut(&str, Linear) -> Adapted) -> Self::Adapted;

    /// Visits every projection.
    fn visit_projections(&self, f: &mut dyn FnMut(&str, &Linear)) {
        let _ = self.clone().adapt(&mut |path, linear| {
            f(path, &linear);
            Adapted::Plain(linear)
        });
    }
}

/// A model of projections that may be adapted.
pub trait AdaptedModel: Module {
    /// The same model of plain projections.
    type Plain: Adaptable<Adapted = Self>;

    /// Replaces every projection, given its path.
    fn map_adapted(self, f: &mut dyn FnMut(&str, Adapted) -> Adapted) -> Self;

    /// Makes every projection plain, given its path.
    fn into_plain(self, f: &mut dyn FnMut(&str, Adapted) -> Linear) -> Self::Plain;

    /// Visits every projection.
    fn visit_adapted(&self, f: &mut dyn FnMut(&str, &Adapted)) {
        let _ = self.clone().map_adapted(&mut |path, adapted| {
            f(path, &adapted);
            adapted
        });
    }
}

impl<E: TokenEmbedding> Adaptable for Transformer<E> {
    type Adapted = Transformer<E, Adapted>;

    fn adapt(self, f: &mut dyn FnMut(&str, Linear) -> Adapted) -> Self::Adapted {
        self.map_projections(f)
    }
}

impl<E: TokenEmbedding> AdaptedModel for Transformer<E, Adapted> {
    type Plain = Transformer<E>;

    fn map_adapted(self, f: &mut dyn FnMut(&str, Adapted) -> Adapted) -> Self {
        self.map_projections(f)
    }

    fn into_plain(self, f: &mut dyn FnMut(&str, Adapted) -> Linear) -> Self::Plain {
        self.map_projections(f)
    }
}

/// Models of a body and a head of their own.
macro_rules! with_body {
    ($($model:ident),*) => {$(
        impl<E: TokenEmbedding> Adaptable for $model<E> {
            type Adapted = $model<E, Adapted>;

            fn adapt(self, f: &mut dyn FnMut(&str, Linear) -> Adapted) -> Self::Adapted {
                let body = self.body.map_projections(|path, p| f(&format!("body.{path}"), p));
                $model { body, head: self.head }
            }
        }

        impl<E: TokenEmbedding> AdaptedModel for $model<E, Adapted> {
            type Plain = $model<E>;

            fn map_adapted(self, f: &mut dyn FnMut(&str, Adapted) -> Adapted) -> Self {
                let body = self.body.map_projections(|path, p| f(&format!("body.{path}"), p));
                $model { body, head: self.head }
            }

            fn into_plain(self, f: &mut dyn FnMut(&str, Adapted) -> Linear) -> Self::Plain {
                let body = self.body.map_projections(|path, p| f(&format!("body.{path}"), p));
                $model { body, head: self.head }
            }
        }
    )*};
}

with_body!(SequenceClassifier, CausalLm, MaskedLm);
