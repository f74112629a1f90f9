//! One layer: attention and MLP, or the affine map that took its place.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::Tensor;

use super::attention::Attention;
use super::cache::LayerCache;
use super::context::Context;
use super::cross::CrossAttention;
use super::dropout::Dropout;
use super::init::Init;
use super::mlp::Mlp;
use super::norm::Norm;
use crate::tap::through;
use crate::{BlockForm, BlockSite, Projection, Site, Tap, TransformerSpec};

/// A layer of the transformer.
#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly every block is full, and a box is no module")]
pub enum Block<P: Projection> {
    /// Attention and MLP.
    Full(FullBlock<P>),
    /// `x·W + b`: what layer surgery leaves.
    Affine(Linear),
}

/// Attention and MLP with their norms.
#[derive(Module, Debug)]
pub struct FullBlock<P: Projection> {
    /// The norm of the attention; of both in a block with one norm.
    pub norm_1: Norm,
    /// Attention.
    pub attention: Attention<P>,
    /// Cross-attention, in a decoder that reads an encoder.
    pub cross: Option<CrossAttention<P>>,
    /// The norm of the MLP.
    pub norm_2: Option<Norm>,
    /// MLP.
    pub mlp: Mlp<P>,
    dropout: Dropout,
    #[module(skip)]
    pub(super) form: BlockForm,
}

/// What a block needs to run, besides its input.
pub(crate) struct Pass<'a> {
    pub(crate) layer: usize,
    pub(crate) window: Option<usize>,
    pub(crate) context: &'a Context,
    pub(crate) cache: Option<&'a mut LayerCache>,
    pub(crate) tap: &'a mut dyn Tap,
}

impl Block<Linear> {
    /// `d_memory` is the width of what cross-attention reads; `None` for a block without it.
    pub(crate) fn new(
        spec: &TransformerSpec,
        d_memory: Option<usize>,
        init: &Init<'_>,
        index: usize,
    ) -> Self {
        let path = format!("blocks.{index}");
        if spec.affine.contains(&index) {
            return Self::Affine(init.linear(&path, spec.d_model, spec.d_model, true));
        }
        let norm = || Norm::new(init, spec.norm, spec.norm_epsilon, spec.d_model);
        Self::Full(FullBlock {
            norm_1: norm(),
            attention: Attention::new(spec, init, &format!("{path}.attention")),
            cross: d_memory.map(|d| CrossAttention::new(spec, d, init, &format!("{path}.cross"))),
            norm_2: spec.block.has_second_norm().then(norm),
            mlp: Mlp::new(spec, init, &format!("{path}.mlp")),
            dropout: init.dropout(spec.dropout),
            form: spec.block,
        })
    }
}

impl<P: Projection> Block<P> {
    /// Replaces the projections, given their paths below `path`.
    pub(crate) fn map_projections<Q: Projection>(
        self,
        path: &str,
        f: &mut impl FnMut(&str, P) -> Q,
    ) -> Block<Q> {
        match self {
            Self::Affine(map) => Block::Affine(map),
            Self::Full(full) => Block::Full(FullBlock {
                norm_1: full.norm_1,
                attention: full.attention.map_projections(&format!("{path}.attention"), f),
                cross: full.cross.map(|cross| cross.map_projections(&format!("{path}.cross"), f)),
                norm_2: full.norm_2,
                mlp: full.mlp.map_projections(&format!("{path}.mlp"), f),
                dropout: full.dropout,
                form: full.form,
            }),
        }
    }

    /// The residual stream after the block.
    pub(crate) fn forward(&self, x: Tensor<3>, pass: Pass<'_>) -> Tensor<3> {
        match self {
            Self::Full(full) => full.forward(x, pass),
            Self::Affine(map) => {
                let site = |at| Site::Block { index: pass.layer, at };
                let x = through(pass.tap, site(BlockSite::ResidPre), x);
                through(pass.tap, site(BlockSite::ResidPost), map.project(x))
            }
        }
    }
}

impl<P: Projection> FullBlock<P> {
    fn forward(&self, x: Tensor<3>, pass: Pass<'_>) -> Tensor<3> {
        let Pass { layer, window, context, cache, tap } = pass;
        let site = |at| Site::Block { index: layer, at };
        let x = through(tap, site(BlockSite::ResidPre), x);

        let normed = match self.form {
            BlockForm::PostNorm => x.clone(),
            _ => self.norm_1.forward(x.clone()),
        };
        let added = self.attention.forward(normed.clone(), layer, window, context, cache);
        let added = self.dropout.forward(through(tap, site(BlockSite::AttnOut), added));
        let out = self.after_attention(x, normed, added, layer, context, tap);
        through(tap, site(BlockSite::ResidPost), out)
    }

    /// The stream after the block at some positions only, `[batch, n, d_model]`: keys and values are those of all,
    /// queries and MLP those of these. `at` takes them out of `[batch, seq, d_model]`.
    ///
    /// Only for attention that sees all columns alike: see [`Attention::attend`].
    pub(super) fn forward_at(
        &self,
        x: Tensor<3>,
        layer: usize,
        context: &Context,
        at: impl Fn(Tensor<3>) -> Tensor<3>,
    ) -> Tensor<3> {
        let normed = match self.form {
            BlockForm::PostNorm => x.clone(),
            _ => self.norm_1.forward(x.clone()),
        };
        let asking = at(normed.clone());
        let added = self.attention.attend(asking.clone(), normed, layer, None, context, None);
        self.after_attention(at(x), asking, self.dropout.forward(added), layer, context, &mut ())
    }

    /// The stream after the block, from the one before it, its norm, and what attention adds.
    fn after_attention(
        &self,
        x: Tensor<3>,
        normed: Tensor<3>,
        added: Tensor<3>,
        layer: usize,
        context: &Context,
        tap: &mut dyn Tap,
    ) -> Tensor<3> {
        let site = |at| Site::Block { index: layer, at };
        match self.form {
            BlockForm::PreNorm => {
                let x = self.cross(x + added, layer, context, tap);
                self.mlp_after(x, site(BlockSite::MlpOut), tap)
            }
            BlockForm::PreNormResidual => {
                let x = normed + added;
                let normed = self.second_norm(x);
                normed.clone() + self.mlp(normed, site(BlockSite::MlpOut), tap)
            }
            BlockForm::PostNorm => {
                let x = self.cross(self.norm_1.forward(x + added), layer, context, tap);
                let sum = x.clone() + self.mlp(x, site(BlockSite::MlpOut), tap);
                self.second_norm(sum)
            }
            BlockForm::Parallel => {
                let normed = self.second_norm(x.clone());
                x + added + self.mlp(normed, site(BlockSite::MlpOut), tap)
            }
            BlockForm::ParallelSharedNorm => {
                x + added + self.mlp(normed, site(BlockSite::MlpOut), tap)
            }
        }
    }

    /// The residual stream after cross-attention; the very same in a block without it.
    fn cross(&self, x: Tensor<3>, layer: usize, context: &Context, tap: &mut dyn Tap) -> Tensor<3> {
        let Some(cross) = &self.cross else { return x };
        let memory = context.memory.as_ref().expect("the transformer refuses to run without it");
        let site = Site::Block { index: layer, at: BlockSite::CrossAttnOut };
        let normed = match self.form {
            BlockForm::PostNorm => x.clone(),
            _ => cross.norm.forward(x.clone()),
        };
        let added = through(tap, site, cross.forward(normed, memory, layer));
        let x = x + self.dropout.forward(added);
        match self.form {
            BlockForm::PostNorm => cross.norm.forward(x),
            _ => x,
        }
    }

    fn mlp_after(&self, x: Tensor<3>, site: Site, tap: &mut dyn Tap) -> Tensor<3> {
        let normed = self.second_norm(x.clone());
        x + self.mlp(normed, site, tap)
    }

    fn mlp(&self, x: Tensor<3>, site: Site, tap: &mut dyn Tap) -> Tensor<3> {
        self.dropout.forward(through(tap, site, self.mlp.forward(x)))
    }

    fn second_norm(&self, x: Tensor<3>) -> Tensor<3> {
        self.norm_2.as_ref().expect("every form that asks for it has one").forward(x)
    }
}
