//! Encoder and decoder with cross-attention: translation and other rewriting of sequences.

mod loss;
mod spec;
mod table;

use burn::module::Module;
use burn::nn::{Embedding, Linear};
use burn::tensor::{Device, Tensor};

pub use loss::shift_right;
pub use spec::Seq2SeqSpec;
pub use table::{SharedTable, SourceTable};

use crate::tap::through;
use crate::transformer::Init;
use crate::{
    Batch, KvCache, LmHead, Memory, Projection, Result, Seed, Site, Tap, TokenEmbedding,
    Transformer,
};

/// An encoder, a decoder whose blocks look at what it left, and a language-model head
/// (arXiv 1706.03762).
///
/// Encoder and decoder may read one token table and the head may be tied to it: see
/// [`Seq2SeqSpec::shared_table`] and [`LmHeadSpec::tied`](crate::LmHeadSpec::tied).
///
/// ```
/// use sixfold_model::{Batch, GenerateConfig, PaddingSide, Seed, Seq2Seq, Seq2SeqSpec};
///
/// let device = sixfold_model::device("flex")?;
/// let model = Seq2Seq::new(&Seq2SeqSpec::translation(100, 16, 2, 4), Seed::new(0), &device);
/// let source = Batch::pad(&[vec![5, 6, 7], vec![8]], 0, PaddingSide::Right);
/// let target = Batch::pad(&[vec![9, 2], vec![7, 8, 2]], 0, PaddingSide::Right);
/// assert_eq!(model.loss(&source, &target)?.dims(), [1]);
/// let written = model.generate(&source, &GenerateConfig::greedy(4))?;
/// assert_eq!(written[1].len(), 4);
/// # Ok::<(), sixfold_model::Error>(())
/// ```
#[derive(Module, Debug)]
pub struct Seq2Seq<E: TokenEmbedding = Embedding, P: Projection = Linear> {
    /// The encoder. Where it shares the decoder's token table, run it through
    /// [`encode`](Self::encode).
    pub encoder: Transformer<SourceTable<E>, P>,
    /// The decoder; every block has a cross-attention.
    pub decoder: Transformer<E, P>,
    /// The head on the decoder.
    pub head: LmHead,
    #[module(skip)]
    spec: Seq2SeqSpec,
}

impl Seq2Seq {
    /// A model with random weights, drawn as in [`Transformer::new`].
    ///
    /// # Panics
    /// If the description contradicts itself ([`Seq2SeqSpec::problems`]).
    pub fn new(spec: &Seq2SeqSpec, seed: Seed, device: &Device) -> Self {
        let problems = spec.problems();
        assert!(problems.is_empty(), "impossible encoder-decoder: {}", problems.join("; "));
        let shared = SharedTable::new(spec.encoder.vocab_size, spec.encoder.d_embed);
        let d_memory = Some(spec.encoder.d_output());
        Self {
            encoder: Transformer::new(&spec.encoder, seed.derive("encoder"), device).map_embedding(
                |table| match spec.shared_table {
                    true => SourceTable::Shared(shared),
                    false => SourceTable::Own(table),
                },
            ),
            decoder: Transformer::over(&spec.decoder, d_memory, seed.derive("decoder"), device),
            head: LmHead::new(&spec.head, &spec.decoder, &Init::new(seed, device)),
            spec: spec.clone(),
        }
    }
}

impl<E: TokenEmbedding, P: Projection> Seq2Seq<E, P> {
    /// The description it was built from.
    pub fn spec(&self) -> &Seq2SeqSpec {
        &self.spec
    }

    /// The device of its weights.
    pub fn device(&self) -> Device {
        self.decoder.device()
    }

    /// Replaces every projection of the blocks: `f` gets its path, such as
    /// `decoder.blocks.0.cross.query`, and the projection.
    pub fn map_projections<Q: Projection>(self, mut f: impl FnMut(&str, P) -> Q) -> Seq2Seq<E, Q> {
        Seq2Seq {
            encoder: self.encoder.map_projections(|path, p| f(&format!("encoder.{path}"), p)),
            decoder: self.decoder.map_projections(|path, p| f(&format!("decoder.{path}"), p)),
            head: self.head,
            spec: self.spec,
        }
    }

    /// Replaces the token tables: `f` gets the path, `encoder.embed.tokens` or
    /// `decoder.embed.tokens`, and the table; a shared one once, as the decoder's.
    pub fn map_embedding<F: TokenEmbedding>(
        self,
        mut f: impl FnMut(&str, E) -> F,
    ) -> Seq2Seq<F, P> {
        Seq2Seq {
            encoder: self.encoder.map_embedding(|table| match table {
                SourceTable::Own(table) => SourceTable::Own(f("encoder.embed.tokens", table)),
                SourceTable::Shared(note) => SourceTable::Shared(note),
            }),
            decoder: self.decoder.map_embedding(|table| f("decoder.embed.tokens", table)),
            head: self.head,
            spec: self.spec,
        }
    }

    /// Scores of the next target token, for targets that are known: encodes and decodes.
    ///
    /// # Shapes
    /// `source`: `[batch, len]`, `inputs`: `[batch, seq]`, the targets behind a start token (see
    /// [`shift_right`]) → `[batch, seq, vocab]`
    ///
    /// # Errors
    /// As [`encode`](Self::encode) and [`decode`](Self::decode).
    pub fn forward(&self, source: &Batch, inputs: &Batch) -> Result<Tensor<3>> {
        self.decode(inputs, &self.encode(source)?)
    }

    /// What the decoder reads of the sources, padded on either side: the encoder's last hidden
    /// states as keys and values of every decoder layer.
    ///
    /// # Errors
    /// A token id or type outside its table, or a source longer than the positions.
    pub fn encode(&self, source: &Batch) -> Result<Memory> {
        self.encode_with(source, &mut ())
    }

    /// As [`encode`](Self::encode), past a tap on the encoder.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn encode_with(&self, source: &Batch, tap: &mut dyn Tap) -> Result<Memory> {
        Ok(self.decoder.memory(self.source_states(source, tap)?, source))
    }

    /// The encoder's last hidden states, past a tap, `[batch, len, d]`.
    fn source_states(&self, source: &Batch, tap: &mut dyn Tap) -> Result<Tensor<3>> {
        if let SourceTable::Own(_) = self.encoder.embed.tokens {
            return self.encoder.forward_with(source, tap);
        }
        // Before the look-up: kernels on GPUs do not check ids.
        source.check_vocabulary(self.spec.encoder.vocab_size)?;
        let vectors = self.decoder.embed.tokens.embed(source.ids_on(&self.device()));
        let mut state = self.encoder.embed_vectors(source, vectors)?;
        state.hidden = through(tap, Site::Embed, state.hidden);
        Ok(self.encoder.forward_from_with(state, tap))
    }

    /// Scores of the next target token over a memory.
    ///
    /// # Shapes
    /// `[batch, seq]` → `[batch, seq, vocab]`; the batch has one row a source, or the same number
    /// of rows for each, side by side
    ///
    /// # Errors
    /// A token id outside the decoder's table, targets longer than the positions, a memory of
    /// other sources or another model.
    pub fn decode(&self, inputs: &Batch, memory: &Memory) -> Result<Tensor<3>> {
        self.decode_with(inputs, memory, &mut ())
    }

    /// As [`decode`](Self::decode), past a tap on the decoder.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn decode_with(
        &self,
        inputs: &Batch,
        memory: &Memory,
        tap: &mut dyn Tap,
    ) -> Result<Tensor<3>> {
        Ok(self.logits(self.decoder.forward_over(inputs, memory, tap)?))
    }

    /// Scores after new tokens, given those in the cache; the first call's cache is
    /// `KvCache::from(memory)`.
    ///
    /// # Shapes
    /// `[batch, new]` → `[batch, new, vocab]`
    ///
    /// # Errors
    /// As [`decode`](Self::decode), or a batch whose rows are not those of the cache.
    pub fn decode_cached(&self, inputs: &Batch, cache: &mut KvCache) -> Result<Tensor<3>> {
        Ok(self.logits(self.decoder.forward_cached(inputs, cache)?))
    }

    /// Scores of the decoder's hidden states, `[.., d]` → `[.., vocab]`.
    pub fn logits<const D: usize>(&self, hidden: Tensor<D>) -> Tensor<D> {
        self.head.logits(hidden, &self.decoder.embed.tokens)
    }
}
