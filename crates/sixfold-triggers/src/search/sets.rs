//! Which examples are looked at.

use rand::seq::SliceRandom;
use sha2::{Digest, Sha256};

use super::streams::{Use, stream};

/// Examples by index, ascending, and their fingerprint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Set {
    pub(super) indices: Vec<usize>,
    pub(super) key: u64,
}

impl Set {
    pub(super) fn new(mut indices: Vec<usize>) -> Self {
        indices.sort_unstable();
        let mut hash = Sha256::new();
        for index in &indices {
            hash.update((*index as u64).to_le_bytes());
        }
        let digest = hash.finalize();
        // What a cache and a file need: eight bytes tell sets apart.
        let key = digest.iter().take(8).fold(0, |key, byte| key << 8 | u64::from(*byte));
        Self { indices, key }
    }

    pub(super) fn len(&self) -> usize {
        self.indices.len()
    }
}

/// The examples of an update, cut where candidates drop out.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    /// All of them, in the order drawn.
    pub(super) indices: Vec<usize>,
    /// The first ones, the next ones, …: disjoint, one for each stage.
    pub(super) stages: Vec<Set>,
}

/// The examples of update `update`: each epoch is a permutation of all, cut into whole batches; what is left over
/// stays out of it.
pub(super) fn batch(
    seed: u64,
    update: usize,
    examples: usize,
    size: usize,
    cuts: &[usize],
) -> Batch {
    let size = size.min(examples);
    let per_epoch = examples / size;
    let mut order: Vec<usize> = (0..examples).collect();
    order.shuffle(&mut stream(seed, Use::Epoch, update / per_epoch));
    let from = update % per_epoch * size;
    let indices = order[from..from + size].to_vec();
    let mut cuts: Vec<usize> = cuts.iter().copied().filter(|cut| *cut < size).collect();
    cuts.push(size);
    let mut from = 0;
    let stages = cuts.into_iter().map(|to| {
        let stage = Set::new(indices[from..to].to_vec());
        from = to;
        stage
    });
    Batch { stages: stages.collect(), indices }
}

/// The fixed examples of a seed.
pub(super) fn monitor(seed: u64, examples: usize, size: usize) -> Set {
    let mut order: Vec<usize> = (0..examples).collect();
    order.shuffle(&mut stream(seed, Use::Monitor, 0));
    order.truncate(size);
    Set::new(order)
}
