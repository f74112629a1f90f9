//! Memory of large results, used again once their tensors are gone.
//!
//! The system hands memory out page by page and cleared, which takes longer than most kernels that write it once.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Numbers from which on memory is kept: smaller blocks the allocator itself keeps.
pub(super) const LARGE: usize = 1 << 18;

/// Numbers that are kept at most: 256 MiB, if nobody says otherwise.
static KEPT: AtomicUsize = AtomicUsize::new(1 << 26);

static POOL: Mutex<Pool> = Mutex::new(Pool { vectors: VecDeque::new(), numbers: 0 });

/// Vectors that nobody uses, the oldest first.
struct Pool {
    vectors: VecDeque<Vec<f32>>,
    numbers: usize,
}

impl Pool {
    /// The youngest vector of this length.
    fn take(&mut self, len: usize) -> Option<Vec<f32>> {
        let at = self.vectors.iter().rposition(|vector| vector.len() == len)?;
        let vector = self.vectors.remove(at)?;
        self.numbers -= vector.capacity();
        Some(vector)
    }

    /// Keeps a vector and at most `kept` numbers; returns those that there is no more room for.
    #[cfg(any(feature = "flex", test))]
    fn give(&mut self, vector: Vec<f32>, kept: usize) -> Vec<Vec<f32>> {
        self.numbers += vector.capacity();
        self.vectors.push_back(vector);
        self.shrink(kept)
    }

    /// The oldest vectors, so many that at most `kept` numbers are left.
    fn shrink(&mut self, kept: usize) -> Vec<Vec<f32>> {
        let mut gone = Vec::new();
        while self.numbers > kept {
            let Some(oldest) = self.vectors.pop_front() else { break };
            self.numbers -= oldest.capacity();
            gone.push(oldest);
        }
        gone
    }
}

/// A vector of `n` numbers of any value, or none if there is no memory to use again.
pub(super) fn used(n: usize) -> Option<Vec<f32>> {
    if n < LARGE { None } else { POOL.lock().ok()?.take(n) }
}

/// A vector of `n` numbers to be overwritten: zeros, or what an earlier result left.
pub fn recycled(n: usize) -> Vec<f32> {
    used(n).unwrap_or_else(|| vec![0.0; n])
}

/// An empty vector with room for `n` numbers.
pub(super) fn room(n: usize) -> Vec<f32> {
    let mut vector = used(n).unwrap_or_else(|| Vec::with_capacity(n));
    vector.clear();
    vector
}

/// Bounds the memory that is kept of large results, in bytes, and gives back the bound so far; 0 keeps none.
///
/// The backend `flex` keeps 256 MiB. Who counts what a computation needs would count that too.
pub fn keep_at_most(bytes: usize) -> usize {
    let kept = bytes / size_of::<f32>();
    let before = KEPT.swap(kept, Ordering::Relaxed);
    let gone = POOL.lock().map(|mut pool| pool.shrink(kept));
    drop(gone);
    before * size_of::<f32>()
}

/// Keeps a vector for later, if it is large.
#[cfg(feature = "flex")]
pub(super) fn keep(vector: Vec<f32>) {
    if vector.len() >= LARGE
        && let Ok(mut pool) = POOL.lock()
    {
        let gone = pool.give(vector, KEPT.load(Ordering::Relaxed));
        // The system takes memory back slowly: not while others wait for the pool.
        drop(pool);
        drop(gone);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_vectors_go_and_lengths_must_be_equal() {
        let mut pool = Pool { vectors: VecDeque::new(), numbers: 0 };
        for (value, len) in [(1.0, 10), (2.0, 20), (3.0, 10)] {
            assert!(pool.give(vec![value; len], 50).is_empty());
        }
        assert!(pool.take(11).is_none());
        let gone = pool.give(vec![4.0; 15], 50);
        assert_eq!(gone, [vec![1.0; 10]]);
        assert_eq!((pool.take(10), pool.take(10)), (Some(vec![3.0; 10]), None));
        assert!(pool.give(vec![6.0; 8], 50).is_empty());
        assert_eq!(pool.shrink(0).len(), 3, "nothing is kept below a bound of 0");
        // What does not fit at all is not kept, nor is anything older.
        assert_eq!(pool.give(vec![5.0; 60], 50).len(), 1);
        assert_eq!((pool.vectors.len(), pool.numbers), (0, 0));
    }
}
