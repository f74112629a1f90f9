//! Spread of a cloud over its directions, from one streaming state.
//!
//! A [`Cloud`] takes rows block by block, merges with other clouds, and is stored in a file. All
//! scores come from it: [`Cloud::spread`]; cheap ones without eigenvalues: [`Cloud::anisotropy`],
//! [`Cloud::participation_ratio`], [`Cloud::iso_score`], [`Cloud::nesum`]; with intervals over
//! groups of points: [`spread_of_groups`].

mod file;
mod gaussian;
mod intervals;
mod spread;
mod state;

pub use crate::dimension::Caution;
pub use file::{load_clouds, save_clouds};
pub use intervals::{GroupedSpread, spread_of_groups};
pub use spread::{Score, Spread};
pub use state::{Cloud, RowNorm};
