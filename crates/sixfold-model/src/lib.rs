//! Placeholder docs.
mod batch;
mod device;
mod error;
mod observer;
mod parts;
mod seed;
mod spec;
mod tap;
#[cfg(feature = "transformer")]
mod transformer;

pub use batch::{Batch, PaddingSide};
pub use device::{available_devices, device};
pub use error::{Error, Result, TensorReport};
pub use observer::{Observer, Step};
pub use parts::{Projection, TokenEmbedding, cross_entropy};
pub use seed::Seed;
pub use spec::*;
pub use tap::{BlockSite, Site, Tap, UnknownSite};
#[cfg(feature = "transformer")]
pub use transformer::*;
#[cfg(feature = "transformer")]
mod generate;
#[cfg(feature = "transformer")]
mod heads;
#[cfg(feature = "transformer")]
pub use generate::*;
#[cfg(feature = "transformer")]
pub use heads::*;
#[cfg(feature = "checkpoint")]
mod checkpoint;
#[cfg(feature = "checkpoint")]
mod families;
mod paths;
#[cfg(feature = "checkpoint")]
pub use checkpoint::{Checkpoint, HeadKind, LoadOptions, NamedTensors, SaveModel};
#[cfg(feature = "checkpoint")]
pub use families::families;
pub use paths::{PathTracker, parameter_shapes};
#[cfg(feature = "tokenizers")]
mod tokenizer;
#[cfg(feature = "tokenizers")]
pub use tokenizer::{EncodeOptions, Encoding, Tokenizer, buckets};
#[cfg(feature = "hub")]
pub mod hub;
