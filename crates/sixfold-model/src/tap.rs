//! Named places of the residual stream, and the taps that read or change what flows there.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Tensor;

/// A place in the forward pass, with the names of TransformerLens.
///
/// ```
/// use sixfold_model::{BlockSite, Site};
///
/// let site: Site = "blocks.3.hook_resid_post".parse().unwrap();
/// assert_eq!(site, Site::Block { index: 3, at: BlockSite::ResidPost });
/// assert_eq!(Site::Embed.to_string(), "embed");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Site {
    /// The input of the first block: `embed`.
    Embed,
    /// A place in a block: `blocks.{index}.hook_…`.
    Block {
        /// The block, from 0.
        index: usize,
        /// Where in the block.
        at: BlockSite,
    },
    /// The output of the final norm: `final_norm`.
    FinalNorm,
}

/// A place within a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BlockSite {
    /// The residual stream that enters: `hook_resid_pre`.
    ResidPre,
    /// What attention adds: `hook_attn_out`.
    AttnOut,
    /// What cross-attention adds, in a block that has it: `hook_cross_attn_out`.
    CrossAttnOut,
    /// What the MLP adds: `hook_mlp_out`.
    MlpOut,
    /// The residual stream that leaves: `hook_resid_post`.
    ResidPost,
}

impl Site {
    /// Site `i` of the residual stream: 0 is `embed`, i ≥ 1 is `blocks.{i-1}.hook_resid_post`.
    pub fn residual(i: usize) -> Self {
        match i {
            0 => Self::Embed,
            _ => Self::Block { index: i - 1, at: BlockSite::ResidPost },
        }
    }

    /// The inverse of [`Site::residual`]; `None` for other places.
    pub fn residual_index(self) -> Option<usize> {
        match self {
            Self::Embed => Some(0),
            Self::Block { index, at: BlockSite::ResidPost } => Some(index + 1),
            _ => None,
        }
    }
}

impl fmt::Display for BlockSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ResidPre => "hook_resid_pre",
            Self::AttnOut => "hook_attn_out",
            Self::CrossAttnOut => "hook_cross_attn_out",
            Self::MlpOut => "hook_mlp_out",
            Self::ResidPost => "hook_resid_post",
        })
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embed => f.pad("embed"),
            Self::Block { index, at } => f.pad(&format!("blocks.{index}.{at}")),
            Self::FinalNorm => f.pad("final_norm"),
        }
    }
}

/// A site name that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no site: expected `embed`, `final_norm` or `blocks.N.hook_{{resid_pre, attn_out, cross_attn_out, mlp_out, resid_post}}`"
)]
pub struct UnknownSite(pub String);

impl FromStr for Site {
    type Err = UnknownSite;

    fn from_str(name: &str) -> Result<Self, UnknownSite> {
        let unknown = || UnknownSite(name.to_owned());
        match name {
            "embed" => return Ok(Self::Embed),
            "final_norm" => return Ok(Self::FinalNorm),
            _ => {}
        }
        let (index, at) = name
            .strip_prefix("blocks.")
            .and_then(|rest| rest.split_once('.'))
            .ok_or_else(unknown)?;
        let at = match at {
            "hook_resid_pre" => BlockSite::ResidPre,
            "hook_attn_out" => BlockSite::AttnOut,
            "hook_cross_attn_out" => BlockSite::CrossAttnOut,
            "hook_mlp_out" => BlockSite::MlpOut,
            "hook_resid_post" => BlockSite::ResidPost,
            _ => return Err(unknown()),
        };
        Ok(Self::Block { index: index.parse().map_err(|_| unknown())?, at })
    }
}

/// Reads or replaces the tensors that pass a [`Site`].
///
/// A tap sees `[batch, seq, d_model]` and returns the tensor that flows on: the same one to
/// observe, another one to intervene. Statistics are meant to stream through taps, so that no
/// forward pass ever keeps all activations. `()` is the tap that looks nowhere.
///
/// ```
/// use burn::tensor::Tensor;
/// use sixfold_model::{Site, Tap};
///
/// struct ZeroBlock(usize);
/// impl Tap for ZeroBlock {
///     fn wants(&self, site: Site) -> bool { site == Site::residual(self.0 + 1) }
///     fn visit(&mut self, _: Site, x: Tensor<3>) -> Tensor<3> { x.zeros_like() }
/// }
/// assert!(ZeroBlock(2).wants("blocks.2.hook_resid_post".parse().unwrap()));
/// ```
pub trait Tap {
    /// Whether the tensor at `site` is asked for; where not, `visit` is not called.
    fn wants(&self, site: Site) -> bool {
        let _ = site;
        true
    }

    /// Takes the tensor at `site` and returns the one that flows on, of the same shape.
    fn visit(&mut self, site: Site, x: Tensor<3>) -> Tensor<3>;
}

impl Tap for () {
    fn wants(&self, _: Site) -> bool {
        false
    }

    fn visit(&mut self, _: Site, x: Tensor<3>) -> Tensor<3> {
        x
    }
}

/// Passes `x` through the tap where it is wanted.
#[cfg(feature = "transformer")]
pub(crate) fn through(tap: &mut dyn Tap, site: Site, x: Tensor<3>) -> Tensor<3> {
    if tap.wants(site) { tap.visit(site, x) } else { x }
}
