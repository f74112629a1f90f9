//! The search: a method proposes tokens, the victim decides.

mod beam;
mod clean;
mod config;
mod fingerprint;
mod ledger;
mod outcome;
mod policy;
mod rate;
mod run;
mod sets;
mod setup;
mod state;
mod streams;
mod verify;

pub use clean::Clean;
pub use config::{RacingConfig, SearchConfig};
pub use ledger::{Account, Ledger};
pub use outcome::{SearchOutcome, Stop, Trigger};
pub use rate::Rate;
pub use setup::Search;
pub use state::{Best, Fingerprint, SearchState, Update};
