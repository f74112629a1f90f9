//! Custom operations: what is slow on burn's CPU backends, or keeps more than it must.
//!
//! Each is a folder. `mod.rs` has the public function and the extension trait, `reference` the
//! same made of plain burn operations, `host` the kernel of the CPU backends, `cube` that of CUDA
//! and wgpu, `autodiff` the backward pass. Kernels take f32; other types go to the reference,
//! which burn differentiates itself.
//!
//! [`host`] and `cube` are open to the method crates, whose own operations stand on them.

pub mod activation;
pub mod attention;
pub mod cross_entropy;
#[cfg(feature = "cube")]
pub mod cube;
pub mod dropout;
pub mod embedding;
pub mod host;
pub mod linear;
pub mod lstm;
pub mod norm;
pub mod rotary;
pub mod softmax;

pub use activation::{activate, activate_tangent};
pub use attention::{AttentionForm, attention, attention_tangent};
pub use cross_entropy::{cross_entropy, cross_entropy_tangent};
pub use dropout::{DropoutMask, dropout};
pub use embedding::embedding;
pub use linear::linear;
pub use lstm::lstm;
pub use norm::{layer_norm, layer_norm_tangent, rms_norm, rms_norm_tangent};
pub use rotary::rotate;
pub use softmax::{masked_softmax, softmax, softmax_tangent};

use burn::tensor::{DType, Tensor};

/// Whether the kernels take this tensor.
pub(crate) fn has_kernel<const D: usize>(x: &Tensor<D>) -> bool {
    x.dtype() == DType::F32
}
