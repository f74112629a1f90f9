//! One root seed, many named streams.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// The root seed of a run.
///
/// Every use of randomness draws from its own named stream (`init`, `data`, `dropout`,
/// `negatives`, …), so that adding a draw in one place changes no number in another. The
/// generator is ChaCha8, whose values are stable across versions and platforms.
///
/// ```
/// use rand::Rng;
/// use sixfold_model::Seed;
///
/// let seed = Seed::new(7);
/// assert_eq!(seed.stream("data").next_u64(), Seed::new(7).stream("data").next_u64());
/// assert_ne!(seed.stream("data").next_u64(), seed.stream("init").next_u64());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Seed(u64);

impl Seed {
    /// The root seed of that number.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The number it was made from, or derived to.
    pub const fn value(self) -> u64 {
        self.0
    }

    /// A seed of its own for the part called `name`.
    pub fn derive(self, name: &str) -> Self {
        // FNV-1a over the name, then the finaliser of SplitMix64: short, fixed, documented.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ self.0;
        for byte in name.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self(hash ^ (hash >> 31))
    }

    /// The generator of the stream called `name`.
    pub fn stream(self, name: &str) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.derive(name).0)
    }
}
