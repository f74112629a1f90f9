//! Which matrices of a model are adapted.

use std::collections::BTreeMap;

use sixfold_model::train::Patterns;

use crate::{Adaptable, Error, Result, SparseGradConfig};

/// A matrix that is adapted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// `[d_in, d_out]`
    pub(super) shape: [usize; 2],
    /// The name of its basis, which it shares with others.
    pub(super) basis: String,
}

/// The adapted matrices by path.
pub(super) fn targets<M: Adaptable>(
    model: &M,
    config: &SparseGradConfig,
) -> Result<BTreeMap<String, Target>> {
    let (targets, exclude) = (Patterns::new(&config.targets)?, Patterns::new(&config.exclude)?);
    let mut shapes: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    model.visit_projections(&mut |path, linear| {
        let shape = linear.weight.lazy_shape();
        shapes.insert(path.to_owned(), [shape[0], shape[1]]);
    });
    for pattern in targets.texts() {
        let one = Patterns::new([pattern])?;
        if !shapes.keys().any(|path| one.matches(path)) {
            let known = shapes.into_keys().collect();
            return Err(Error::NoMatch { pattern: pattern.to_owned(), known });
        }
    }
    let chosen = |path: &str| {
        let layers = config.layers_to_transform.as_ref();
        let within = layers.is_none_or(|layers| block(path).is_some_and(|b| layers.contains(&b)));
        within && targets.matches(path) && !exclude.matches(path)
    };
    let found: BTreeMap<String, Target> = shapes
        .iter()
        .filter(|(path, _)| chosen(path))
        .map(|(path, shape)| {
            (path.clone(), Target { shape: *shape, basis: config.sharing().name(path) })
        })
        .collect();
    if found.is_empty() {
        let pattern =
            format!("{} without exclude, of layers-to-transform", config.targets.join(", "));
        return Err(Error::NoMatch { pattern, known: shapes.into_keys().collect() });
    }
    Ok(found)
}

/// The number of the block in a path.
fn block(path: &str) -> Option<usize> {
    path.split('.').skip_while(|part| *part != "blocks").nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_numbered_in_paths() {
        assert_eq!(block("body.blocks.12.mlp.up"), Some(12));
        assert_eq!(block("head.output"), None);
    }
}
