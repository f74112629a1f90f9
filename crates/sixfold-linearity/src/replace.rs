//! Which layers go, and what takes their place.

use std::ops::Range;

use sixfold_model::{Projection, TokenEmbedding, Transformer};

use crate::{AffineMap, Error, Result};

/// Layers by their scores, the most linear first; of equal ones, the earlier first.
///
/// ```
/// assert_eq!(sixfold_linearity::most_linear_first(&[0.91, 0.99, 0.97]), [1, 2, 0]);
/// ```
///
/// # References
/// Razzhigaev et al. 2024, *Your Transformer is Secretly Linear*, §6: layers are taken in this
/// order.
pub fn most_linear_first(scores: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    order
}

/// The spans that a set of layers forms: neighbours belong to one.
///
/// ```
/// assert_eq!(sixfold_linearity::spans(&[4, 1, 2]), [1..3, 4..5]);
/// ```
pub fn spans(layers: &[usize]) -> Vec<Range<usize>> {
    let mut sorted = layers.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut spans: Vec<Range<usize>> = Vec::new();
    for layer in sorted {
        match spans.last_mut() {
            Some(span) if span.end == layer => span.end += 1,
            _ => spans.push(layer..layer + 1),
        }
    }
    spans
}

/// A plan: spans of layers, and the affine map that takes the place of each, or nothing.
///
/// The numbers of layers are those of the model as it is: the plan keeps count of what moves.
///
/// ```
/// use sixfold_linearity::{AffineMap, Surgery};
/// use sixfold_model::{Seed, Transformer, TransformerSpec};
///
/// let device = sixfold_model::device("flex")?;
/// let model = Transformer::new(&TransformerSpec::decoder(50, 8, 5, 2), Seed::new(0), &device);
/// let identity = AffineMap { weight: ndarray::Array2::eye(8), bias: ndarray::Array1::zeros(8) };
/// let plan = Surgery::new(5, [(0..1, None), (2..4, Some(identity))])?;
/// let smaller = plan.apply(model, &device);
/// assert_eq!(smaller.n_layers(), 3);
/// // Sites of the smaller model beside those of the model it came from.
/// assert_eq!(plan.site_pairs(), [[0, 1], [1, 2], [2, 4], [3, 5]]);
/// # Ok::<(), sixfold_linearity::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Surgery {
    n_layers: usize,
    /// From the first layers to the last, apart from each other.
    parts: Vec<(Range<usize>, Option<AffineMap>)>,
}

impl Surgery {
    /// A plan for a model of `n_layers`: the map of each span, `None` to take the span out.
    ///
    /// # Errors
    /// [`Error::NoSuchLayers`] for an empty span or one beyond the model, [`Error::Overlap`].
    pub fn new(
        n_layers: usize,
        parts: impl IntoIterator<Item = (Range<usize>, Option<AffineMap>)>,
    ) -> Result<Self> {
        let mut parts: Vec<(Range<usize>, Option<AffineMap>)> = parts.into_iter().collect();
        parts.sort_by_key(|(layers, _)| layers.start);
        for (layers, _) in &parts {
            if layers.is_empty() || layers.end > n_layers {
                return Err(Error::NoSuchLayers { layers: layers.clone(), n_layers });
            }
        }
        for pair in parts.windows(2) {
            let [first, second] = [&pair[0].0, &pair[1].0];
            if second.start < first.end {
                return Err(Error::Overlap { first: first.clone(), second: second.clone() });
            }
        }
        Ok(Self { n_layers, parts })
    }

    /// The model after the surgery.
    ///
    /// # Panics
    /// If the model has another number of layers or another width than the plan is for, or as
    /// [`Transformer::with_affine`].
    pub fn apply<E: TokenEmbedding, P: Projection>(
        &self,
        model: Transformer<E, P>,
        device: &burn::tensor::Device,
    ) -> Transformer<E, P> {
        assert_eq!(model.n_layers(), self.n_layers, "the plan is for another model");
        // From the top, so that the numbers below stay what they are.
        self.parts.iter().rev().fold(model, |model, (layers, map)| match map {
            Some(map) => model.with_affine(layers.clone(), map.layer(device)),
            None => model.without_layers(layers.clone()),
        })
    }

    /// The residual sites of the new model, each beside the site of the old one that it stands
    /// for: what [`layerwise_mse`](crate::layerwise_mse) compares.
    pub fn site_pairs(&self) -> Vec<[usize; 2]> {
        let (mut pairs, mut new) = (Vec::new(), 0);
        let mut parts = self.parts.iter().peekable();
        let mut old = 0;
        loop {
            // A span without a successor: its input now stands for its output.
            while let Some((layers, _)) =
                parts.next_if(|(layers, map)| layers.start == old && map.is_none())
            {
                old = layers.end;
            }
            pairs.push([new, old]);
            if old == self.n_layers {
                return pairs;
            }
            old = match parts.next_if(|(layers, _)| layers.start == old) {
                Some((layers, _)) => layers.end,
                None => old + 1,
            };
            new += 1;
        }
    }
}
