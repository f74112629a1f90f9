//! One configurable transformer on [burn], and what work on its inside needs.
//!
//! - **Any of 14 families.** [`Checkpoint`] opens a Hugging Face directory: BERT, RoBERTa,
//!   DistilBERT, ALBERT, ELECTRA, GPT-2, GPT-Neo, GPT-NeoX, OPT, BLOOM, Llama, Mistral, Qwen2, Phi.
//!   Hidden states, logits, losses and gradients agree with `transformers` (the crate's README has
//!   the table). A config key that is not understood is an error, never ignored.
//! - **Replaceable parts.** [`Transformer`] is generic over its token table ([`TokenEmbedding`])
//!   and its projections ([`Projection`]); both can be swapped in a loaded model.
//! - **A tapped residual stream.** A [`Tap`] reads or replaces what flows at a [`Site`], named as in
//!   TransformerLens; [`Transformer::forward_to`] and [`Transformer::forward_from`] split the
//!   network between two blocks.
//! - **Encoder and decoder.** [`Seq2Seq`] has cross-attention, for translation; greedy, sampled and
//!   beam search serve it and [`CausalLm`] alike.
//! - **Streaming statistics.** [`stats`] accumulates moments of all layers in one pass, with token
//!   filters and groups of documents, and keeps no activations.
//!
//! # Example
//!
//! ```
//! use sixfold_model::{Batch, CausalLm, LmHeadSpec, PaddingSide, Seed, TransformerSpec};
//!
//! let device = sixfold_model::device("flex")?;
//! let spec = TransformerSpec::decoder(100, 32, 2, 4);
//! let model = CausalLm::new(&spec, &LmHeadSpec::TIED, Seed::new(0), &device);
//! let batch = Batch::pad(&[vec![1, 2, 3], vec![4, 5]], 0, PaddingSide::Right);
//! assert_eq!(model.forward(&batch)?.dims(), [2, 3, 100]);
//! # Ok::<(), sixfold_model::Error>(())
//! ```
//!
//! # Features
//!
//! | feature | brings |
//! |---|---|
//! | `transformer` (default) | the model, heads, generation, statistics |
//! | `checkpoint` (default) | Hugging Face directories, read and written |
//! | `tokenizers` (default) | text to batches |
//! | `hub` | download by repository and revision |
//! | `flex` (default), `ndarray`, `cuda`, `wgpu` | backends |
//!
//! Without default features it is the core that method crates build on: devices, seeds,
//! [`Observer`], batches, taps and the two traits of replaceable parts.

mod batch;
#[cfg(feature = "checkpoint")]
mod checkpoint;
mod device;
mod error;
#[cfg(feature = "checkpoint")]
mod families;
#[cfg(feature = "transformer")]
mod generate;
#[cfg(feature = "transformer")]
mod heads;
#[cfg(feature = "hub")]
pub mod hub;
mod observer;
pub mod ops;
mod parts;
mod paths;
mod seed;
#[cfg(feature = "transformer")]
mod seq2seq;
mod spec;
#[cfg(feature = "transformer")]
pub mod stats;
mod tap;
#[cfg(feature = "tokenizers")]
mod tokenizer;
#[cfg(feature = "transformer")]
pub mod train;
#[cfg(feature = "transformer")]
mod transformer;

pub use batch::{Batch, PaddingSide};
#[cfg(feature = "checkpoint")]
pub use checkpoint::{
    Checkpoint, EncoderSizes, HeadKind, LoadOptions, NamedTensors, SaveModel, WeightType,
};
pub use device::{available_devices, device};
pub use error::{Error, Result, TensorReport};
#[cfg(feature = "checkpoint")]
pub use families::families;
#[cfg(feature = "transformer")]
pub use generate::{BeamConfig, EarlyStop, GenerateConfig, Hypothesis, LengthPenalty, Sampling};
#[cfg(feature = "transformer")]
pub use heads::{
    CausalLm, ClassifierHead, ClassifierSpec, IGNORE, LmHead, LmHeadSpec, MaskedLm, Pooling,
    SequenceClassifier, mean_pool, next_token_labels,
};
pub use observer::{Observer, Step};
pub use parts::{Projection, TokenEmbedding, cross_entropy};
pub use paths::{PathTracker, parameter_shapes};
pub use seed::Seed;
#[cfg(feature = "transformer")]
pub use seq2seq::{Seq2Seq, Seq2SeqSpec, SharedTable, SourceTable, shift_right};
pub use spec::{
    Activation, AttentionSpec, BlockForm, EmbedProjection, MlpSpec, NormKind, PositionRule,
    Positions, RopeScaling, Rotary, SinusoidLayout, TransformerSpec,
};
pub use tap::{BlockSite, Site, Tap, UnknownSite};
#[cfg(feature = "tokenizers")]
pub use tokenizer::{EncodeOptions, Encoding, Tokenizer, buckets};
#[cfg(feature = "transformer")]
pub use transformer::{
    Attention, Block, CrossAttention, Dropout, Dual, DualState, Embeddings, FullBlock, KvCache,
    Memory, Mlp, Norm, State, Transformer, seed_dropout,
};

/// The guide of the README, as tests.
#[cfg(all(doctest, feature = "checkpoint", feature = "tokenizers", feature = "flex"))]
#[doc = include_str!("../README.md")]
struct Readme;
