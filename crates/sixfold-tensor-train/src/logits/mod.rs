//! Products of hidden states with all rows of a table, h·Wᵀ, and the cross-entropy of a head that is tied to
//! it, on the host.
//!
//! Rows come in blocks; neither the table nor, for the cross-entropy, the logits are ever whole. Padding rows
//! take no part in the softmax.

mod blocks;
mod cross_entropy;
mod dense;
mod hidden;
mod merged;
mod tiled;
mod top_k;

pub use blocks::Method;
pub use cross_entropy::{CrossEntropy, cross_entropy, cross_entropy_backward};
pub use dense::{logits, logits_backward, logits_into};
pub use top_k::{TopK, top_k};
