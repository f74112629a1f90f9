//! The encoder's token table, or the fact that it is the decoder's.

use burn::module::Module;
use burn::tensor::{Int, Tensor};

use crate::TokenEmbedding;

/// The token table of a [`Seq2Seq`](crate::Seq2Seq)'s encoder.
///
/// A shared table is a parameter once, in the decoder, so that no optimiser can step it twice
/// and no file holds it twice; the encoder then has this note in its place.
#[derive(Module, Debug)]
pub enum SourceTable<E: TokenEmbedding> {
    /// A table of the encoder's own.
    Own(E),
    /// The decoder's.
    Shared(SharedTable),
}

/// The size of a table that stands elsewhere.
#[derive(Module, Debug)]
pub struct SharedTable {
    vocab_size: usize,
    d_embed: usize,
}

impl SharedTable {
    pub(super) fn new(vocab_size: usize, d_embed: usize) -> Self {
        Self { vocab_size, d_embed }
    }
}

const ELSEWHERE: &str =
    "this encoder shares the decoder's token table: run it through `Seq2Seq::encode`";

/// [`embed`](TokenEmbedding::embed) and [`logits`](TokenEmbedding::logits) panic for a shared
/// table, because it is not here: [`Seq2Seq::encode`](crate::Seq2Seq::encode) looks vectors up in
/// the decoder and hands them to the encoder.
impl<E: TokenEmbedding> TokenEmbedding for SourceTable<E> {
    fn vocab_size(&self) -> usize {
        match self {
            Self::Own(table) => table.vocab_size(),
            Self::Shared(table) => table.vocab_size,
        }
    }

    fn d_embed(&self) -> usize {
        match self {
            Self::Own(table) => table.d_embed(),
            Self::Shared(table) => table.d_embed,
        }
    }

    fn embed(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        match self {
            Self::Own(table) => table.embed(ids),
            Self::Shared(_) => panic!("{ELSEWHERE}"),
        }
    }

    fn logits<const D: usize>(&self, h: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Own(table) => table.logits(h),
            Self::Shared(_) => panic!("{ELSEWHERE}"),
        }
    }

    fn cross_entropy(&self, h: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
        match self {
            Self::Own(table) => table.cross_entropy(h, targets),
            Self::Shared(_) => panic!("{ELSEWHERE}"),
        }
    }

    fn tangent<const D: usize>(&self, h: Tensor<D>, dh: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Own(table) => table.tangent(h, dh),
            Self::Shared(_) => panic!("{ELSEWHERE}"),
        }
    }
}
