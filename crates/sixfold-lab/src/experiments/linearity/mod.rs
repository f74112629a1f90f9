//! The experiments of `sixfold-linearity`.

mod finetune;
mod microscope;
mod pretrain;
mod probe;
mod profile;
mod replace;

pub use finetune::{Finetune, FinetuneConfig, FinetuneRecipe};
pub use microscope::{Microscope, MicroscopeConfig};
pub use pretrain::{Pretrain, PretrainConfig};
pub use probe::ProbeConfig;
pub use profile::Profile;
pub use replace::{Method, ModelConfig, Order, Replace, ReplaceConfig};
