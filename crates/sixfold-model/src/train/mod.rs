//! Training: frozen parts, groups, AdamW, gradients, schedules, the order of the data, and a
//! loop that ties them and resumes bit for bit.
//!
//! Each piece stands alone; [`Trainer`] (feature `checkpoint`) is the loop.
//!
//! ```
//! use sixfold_model::train::{ParamGroups, Trainer, TrainerConfig};
//! use sixfold_model::{Batch, CausalLm, LmHeadSpec, PaddingSide, Seed, TransformerSpec};
//!
//! let device = sixfold_model::device("flex")?.autodiff();
//! let spec = TransformerSpec::decoder(20, 16, 1, 2);
//! let model = CausalLm::new(&spec, &LmHeadSpec::TIED, Seed::new(0), &device);
//! let texts: Vec<Vec<u32>> = (0..8).map(|i| (i..i + 8).collect()).collect();
//!
//! let config = TrainerConfig { batch_size: 4, epochs: 2, ..TrainerConfig::default() };
//! let mut trainer = Trainer::new(model, texts.len(), &config, &ParamGroups::default())?;
//! let mut loss = |model: &CausalLm, examples: &[usize]| {
//!     let texts: Vec<Vec<u32>> = examples.iter().map(|&i| texts[i].clone()).collect();
//!     model.loss(&Batch::pad(&texts, 0, PaddingSide::Right))
//! };
//! trainer.run(&mut loss, &mut ())?;
//! assert_eq!(trainer.state().step, 4);
//! let model = trainer.into_model();
//! # let _ = model;
//! # Ok::<(), sixfold_model::Error>(())
//! ```

mod adamw;
#[cfg(feature = "checkpoint")]
mod archive;
mod buffers;
#[cfg(feature = "checkpoint")]
mod checkpoint;
mod config;
mod epochs;
mod freeze;
mod gradients;
mod groups;
mod kernels;
mod objective;
mod optimizer;
#[cfg(feature = "checkpoint")]
mod parameters;
mod patterns;
mod schedule;
#[cfg(feature = "checkpoint")]
mod state;
#[cfg(feature = "checkpoint")]
mod trainer;

pub use adamw::{AdamW, AdamWConfig};
#[cfg(feature = "checkpoint")]
pub use checkpoint::TrainCheckpoint;
pub use config::TrainerConfig;
pub use epochs::Epochs;
pub use freeze::{freeze, frozen, unfreeze};
pub use gradients::{ClippedGradients, Gradients};
pub use groups::{Group, GroupRule, ParamGroups};
pub use objective::{Objective, Outcome};
pub use optimizer::Optimizer;
pub use patterns::Patterns;
pub use schedule::Schedule;
#[cfg(feature = "checkpoint")]
pub use state::TrainState;
#[cfg(feature = "checkpoint")]
pub use trainer::Trainer;
