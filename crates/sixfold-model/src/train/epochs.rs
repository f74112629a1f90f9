//! The order in which examples are seen.

use rand::Rng;

use crate::Seed;

/// Epochs over `n` examples, each in an order of its own.
///
/// The order of an epoch depends on the seed and the epoch's number alone, so a training can
/// enter any epoch at any point without having gone through those before.
///
/// ```
/// use sixfold_model::Seed;
/// use sixfold_model::train::Epochs;
///
/// let epochs = Epochs::shuffled(5, Seed::new(1));
/// let mut order = epochs.order(3);
/// assert_eq!(order, epochs.order(3));
/// order.sort_unstable();
/// assert_eq!(order, [0, 1, 2, 3, 4]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epochs {
    n: usize,
    shuffle: Option<Seed>,
}

impl Epochs {
    /// Shuffled anew in every epoch, from the stream `data` of the seed.
    pub fn shuffled(n: usize, seed: Seed) -> Self {
        Self { n, shuffle: Some(seed.derive("data")) }
    }

    /// The given order in every epoch.
    pub fn in_order(n: usize) -> Self {
        Self { n, shuffle: None }
    }

    /// Examples of an epoch.
    pub fn n_examples(&self) -> usize {
        self.n
    }

    /// The examples of an epoch, in order: a uniform permutation of `0..n` (Fisher–Yates).
    ///
    /// # Complexity
    /// O(n) time and memory.
    pub fn order(&self, epoch: u64) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.n).collect();
        if let Some(seed) = self.shuffle {
            let mut random = seed.stream(&format!("epoch.{epoch}"));
            for last in (1..self.n).rev() {
                order.swap(last, below(&mut random, last as u64 + 1) as usize);
            }
        }
        order
    }
}

/// A uniform number below `n`, which is not 0: the high half of a product, drawn again where the
/// low half would favour some values (Lemire, arXiv 1805.10941). Written out so that the order
/// of the data does not depend on a library's version.
fn below(random: &mut impl Rng, n: u64) -> u64 {
    let rejected = n.wrapping_neg() % n;
    loop {
        let product = u128::from(random.next_u64()) * u128::from(n);
        if product as u64 >= rejected {
            return (product >> 64) as u64;
        }
    }
}
