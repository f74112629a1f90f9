//! Streaming statistics of the residual stream: which tokens count, and their moments.

mod filter;
mod moments;
mod norms;
mod sample;
mod values;

pub use filter::{Duplicates, TokenClass, TokenFilter, UnknownFilter, classify};
pub use moments::{LayerMoments, MomentTap};
pub use norms::NormTap;
pub use sample::{SampleTap, SampledToken};
