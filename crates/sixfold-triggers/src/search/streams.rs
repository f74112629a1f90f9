//! Where every random number of a search comes from.
//!
//! All are ChaCha8 of the seed; the stream tells the use and the number of it, so that update i needs no generator
//! state of the updates before.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// A use of randomness: the upper eight bits of the stream.
#[derive(Clone, Copy)]
#[repr(u64)]
pub(crate) enum Use {
    /// The order of examples; the number is the epoch.
    Epoch = 1,
    /// What a scorer draws; the number is the update.
    Score = 2,
    /// The examples of the monitor; number 0.
    Monitor = 3,
}

pub(crate) fn stream(seed: u64, purpose: Use, number: usize) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream((purpose as u64) << 56 | number as u64);
    rng
}
