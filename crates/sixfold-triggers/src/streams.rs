//! Which stream of the seed's generator serves which use.
//!
//! Every use has a number of its own, and every repetition of it one more, so that a result
//! depends neither on the number of threads nor on what was drawn before it.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Resample r of a bootstrap draws from stream `BOOTSTRAP + r`.
pub(crate) const BOOTSTRAP: u64 = 1 << 40;
/// Restart r of the power method draws its start from stream `POWER + r`.
pub(crate) const POWER: u64 = 2 << 40;
/// The split of examples into those that select and those that score.
pub(crate) const SPLIT: u64 = 3 << 40;
/// Which examples are augmented, and with which trigger.
pub(crate) const AUGMENT: u64 = 4 << 40;

/// The generator of one stream of a seed.
pub(crate) fn generator(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}
