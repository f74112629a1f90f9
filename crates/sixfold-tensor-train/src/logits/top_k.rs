//! The rows with the largest logits.

use ndarray::ArrayViewMut2;
use rayon::prelude::*;

use super::blocks::{Block, Method, blocks};
use super::hidden::{Hidden, Scratch, chunks, matrix, sized};
use crate::TtShape;
use crate::lookup::packed::Packed;

/// The rows with the largest logits of each hidden state, the largest first.
#[derive(Clone, Debug, PartialEq)]
pub struct TopK {
    /// Which rows, `[n, k]`.
    pub ids: Vec<u32>,
    /// h·w of each, `[n, k]`.
    pub logits: Vec<f32>,
    /// k, or V where that is smaller.
    pub k: usize,
}

/// The `k` rows of the vocabulary with the largest logits, of equal ones those of smaller number.
///
/// ```
/// use sixfold_tensor_train::logits::{self, Method};
/// use sixfold_tensor_train::{Cores, Initializer, TtShape};
///
/// let cores = Cores::init(TtShape::planned(1_000, 16, 3, 4)?, &Initializer::Glorot, 0)?;
/// let hidden = [0.5; 2 * 16];
/// let best = logits::top_k(cores.shape(), cores.values(), &hidden, 3, Method::Merged);
/// let all = logits::logits(cores.shape(), cores.values(), &hidden, Method::Merged);
/// assert_eq!(best.ids.len(), 6);
/// assert!(all[..1_000].iter().all(|logit| *logit <= best.logits[0]));
/// # Ok::<(), sixfold_tensor_train::Error>(())
/// ```
///
/// # Shapes
/// `hidden`: `[n, D]`
///
/// # Panics
/// As [`logits`](super::logits()).
///
/// # Complexity
/// The operations of [`logits`](super::logits()); memory for a block of 1024 rows a thread, and k candidates of each
/// block.
pub fn top_k(shape: &TtShape, cores: &[f32], hidden: &[f32], k: usize, method: Method) -> TopK {
    let cores = Packed::new(shape, cores);
    let hidden = matrix(shape, hidden);
    let k = k.min(shape.vocab_size());
    let blocks = blocks(shape);
    let mut best = TopK { ids: Vec::new(), logits: Vec::new(), k };
    for (range, hidden) in chunks(hidden) {
        let n = range.len();
        let hidden = Hidden::new(method, &cores, hidden);
        let of_block = |(scratch, logits): &mut (Scratch, Vec<f32>), block: &Block| {
            let width = block.rows.len();
            let logits = sized(logits, n * width);
            let view = ArrayViewMut2::from_shape((n, width), &mut *logits);
            hidden.logits(block, scratch, view.expect("n·rows values"));
            let rows = logits.chunks_exact(width);
            rows.map(|logits| Largest::of(k, block.rows.start, logits)).collect::<Vec<_>>()
        };
        let found: Vec<_> = blocks.par_iter().map_init(Default::default, of_block).collect();
        for i in 0..n {
            let mut largest = Largest::new(k);
            for (logit, id) in found.iter().flat_map(|of_block| &of_block[i].0) {
                largest.offer(k, *logit, *id);
            }
            for (logit, id) in largest.0 {
                best.ids.push(id);
                best.logits.push(logit);
            }
        }
    }
    best
}

/// The k largest of what was offered, which comes in the order of ids; the largest first.
struct Largest(Vec<(f32, u32)>);

impl Largest {
    fn new(k: usize) -> Self {
        Self(Vec::with_capacity(k))
    }

    fn of(k: usize, first: usize, logits: &[f32]) -> Self {
        let mut largest = Self::new(k);
        for (at, logit) in logits.iter().enumerate() {
            largest.offer(k, *logit, (first + at) as u32);
        }
        largest
    }

    fn offer(&mut self, k: usize, logit: f32, id: u32) {
        let full = self.0.len() >= k;
        if full && self.0.last().is_none_or(|(last, _)| logit.total_cmp(last).is_le()) {
            return;
        }
        if full {
            self.0.pop();
        }
        let at = self.0.partition_point(|(other, _)| other.total_cmp(&logit).is_ge());
        self.0.insert(at, (logit, id));
    }
}
