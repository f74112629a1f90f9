//! Layers taken out, and affine maps put in their place.

use std::ops::Range;

use burn::nn::Linear;

use super::{Block, Transformer};
use crate::{Projection, TokenEmbedding};

impl<E: TokenEmbedding, P: Projection> Transformer<E, P> {
    /// The transformer without some of its layers: what the earlier ones give flows into the later.
    ///
    /// Blocks that no layer uses any more are dropped, and the others are numbered anew.
    ///
    /// # Panics
    /// If there are fewer layers, or attention is scaled by the number of its layer: such a model
    /// would become another one.
    ///
    /// ```
    /// use sixfold_model::{Seed, Transformer, TransformerSpec};
    /// let device = sixfold_model::device("flex")?;
    /// let spec = TransformerSpec::decoder(50, 16, 5, 2);
    /// let model = Transformer::new(&spec, Seed::new(0), &device).without_layers(2..4);
    /// assert_eq!((model.n_layers(), model.blocks.len()), (3, 3));
    /// # Ok::<(), sixfold_model::Error>(())
    /// ```
    #[doc(alias = "prune")]
    pub fn without_layers(self, layers: Range<usize>) -> Self {
        self.replaced(layers, None)
    }

    /// The transformer with one affine map in the place of a span of layers.
    ///
    /// # Shapes
    /// `map.weight` is `[d_model, d_model]`.
    ///
    /// # Panics
    /// If there are fewer layers, the span is empty, the map has other widths, or attention is scaled
    /// by the number of its layer and more than one layer goes.
    pub fn with_affine(self, layers: Range<usize>, map: Linear) -> Self {
        let d = self.spec.d_model;
        assert!(!layers.is_empty(), "an affine map takes the place of at least one layer");
        assert_eq!(map.weight.dims(), [d, d], "the map leads from the residual stream into itself");
        self.replaced(layers, Some(map))
    }

    fn replaced(mut self, layers: Range<usize>, map: Option<Linear>) -> Self {
        let n = self.n_layers();
        assert!(layers.start <= layers.end && layers.end <= n, "layers {layers:?} of {n}");
        let moves = layers.len() != usize::from(map.is_some());
        assert!(
            !(self.spec.attention.scale_by_layer && moves),
            "attention is scaled by the number of its layer: other layers would change"
        );
        // Layers by old block; the new map stands behind the old blocks.
        let new = map.map(Block::Affine);
        let place = new.as_ref().map(|_| self.blocks.len());
        self.spec.schedule.splice(layers.clone(), place);
        if !self.spec.attention.windows.is_empty() {
            self.spec.attention.windows.splice(layers, place.map(|_| None));
        }
        let mut old: Vec<Option<Block<P>>> = self.blocks.into_iter().chain(new).map(Some).collect();
        // Numbered in the order in which layers use them.
        let mut numbers: Vec<Option<usize>> = vec![None; old.len()];
        self.blocks = Vec::with_capacity(old.len());
        self.spec.affine.clear();
        for layer in &mut self.spec.schedule {
            let number = match numbers[*layer] {
                Some(number) => number,
                None => {
                    let block = old[*layer].take().expect("taken once, when it got its number");
                    if matches!(block, Block::Affine(_)) {
                        self.spec.affine.push(self.blocks.len());
                    }
                    self.blocks.push(block);
                    self.blocks.len() - 1
                }
            };
            numbers[*layer] = Some(number);
            *layer = number;
        }
        self
    }
}
