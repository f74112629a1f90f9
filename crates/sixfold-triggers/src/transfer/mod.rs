//! Whether a trigger of one model fools another, and what of it is selection.
//!
//! The paper's protocol picks a layer and a q for every target from a grid and compares with
//! one run of the other method. Whoever picks the best of many is ahead of whoever takes the
//! first, whatever the method; so a [`Headline`] cannot be made without the line in which both
//! pick the best of equally many.

mod gain;
mod headline;
mod select;
mod split;
mod table;

pub use gain::{Gain, Kind, PairRates};
pub use headline::Headline;
pub use select::{Chosen, Evidence, Pairs, Protocol};
pub use split::Split;
pub use table::{Proxy, Table, Trial};
