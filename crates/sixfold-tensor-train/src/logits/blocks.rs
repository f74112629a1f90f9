//! How a product with a whole table is split, and computed.

use std::ops::Range;

use crate::TtShape;

/// Rows of a block, about: with 64 hidden states their logits take 256 KiB.
const ROWS: usize = 1024;

/// Operations of a merged product in the time of one of a large product: its matrices are smaller.
const MERGED_COST: f64 = 1.2;

/// In which order h·W\[i\] is contracted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// h with the prefix of all rows that share it, and then with their slices of the last core:
    /// 2·r·(D·P + V·J_d) operations for P prefixes, which is less than 2·V·D for small ranks.
    Merged,
    /// Blocks of rows are built, once for all hidden states, and multiplied.
    Tiled,
}

impl Method {
    /// The faster one for `n` hidden states.
    ///
    /// # References
    /// Merged needs fewer operations than a dense table iff r < I_d·J/(I_d + J) for J = J_1⋯J_{d−1}.
    pub fn choose(shape: &TtShape, n: usize) -> Self {
        let d = shape.cores() - 1;
        let [rows, rank, columns, ring] = shape.core(d);
        let prefixes = shape.vocab_size().div_ceil(rows) as f64;
        let (v, width, n) = (shape.vocab_size() as f64, shape.d_embed() as f64, n as f64);
        let rank = (rank * ring) as f64;
        let merged = n * rank * (width * prefixes + v * columns as f64);
        // The table is built again for each chunk of hidden states.
        let chunks = (n / HIDDEN as f64).ceil();
        let tiled = n * v * width + chunks * v * width * rank;
        if MERGED_COST * merged <= tiled { Self::Merged } else { Self::Tiled }
    }
}

/// Hidden states that are multiplied at once.
pub(super) const HIDDEN: usize = 512;

/// Consecutive rows of some prefixes.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// (i_1 … i_{d−1}) as numbers.
    pub(super) prefixes: Range<usize>,
    /// Their rows, without padding.
    pub(super) rows: Range<usize>,
}

/// All rows of a table in blocks.
pub(super) fn blocks(shape: &TtShape) -> Vec<Block> {
    let last = *shape.rows().last().expect("a shape has cores");
    let vocab = shape.vocab_size();
    let prefixes = vocab.div_ceil(last);
    let each = (ROWS / last).max(1);
    let block = |first: usize| {
        let prefixes = first..(first + each).min(prefixes);
        let rows = prefixes.start * last..(prefixes.end * last).min(vocab);
        Block { prefixes, rows }
    };
    (0..prefixes).step_by(each).map(block).collect()
}

/// Splits blocks into parts that have gradients of their own; by sizes alone, so that threads change nothing.
pub(super) fn parts(blocks: &[Block]) -> impl Iterator<Item = &[Block]> {
    const PARTS: usize = 8;
    blocks.chunks(blocks.len().div_ceil(PARTS).max(1))
}
