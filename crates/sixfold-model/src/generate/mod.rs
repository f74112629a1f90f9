//! Text generation with a key-value cache: one token at a time, greedy, sampled or by beam search.

mod beam;
mod sampling;

use burn::tensor::Tensor;

pub use beam::{BeamConfig, EarlyStop, Hypothesis, LengthPenalty};
pub use sampling::{GenerateConfig, Sampling};

use crate::{
    Batch, CausalLm, Error, KvCache, LmHead, Projection, Result, Seq2Seq, TokenEmbedding,
    Transformer,
};

/// What generation needs of a model that keeps what it has seen.
trait NextScores {
    /// Appends the batch's columns and scores the token after the last one, `[rows, vocab]`.
    fn next_scores(&mut self, batch: &Batch) -> Result<Tensor<2>>;

    /// Goes on with these rows in this order; a row may be taken several times, or never.
    fn select(&mut self, rows: &[usize]);
}

/// A transformer with a head and its cache.
struct Cached<'a, E: TokenEmbedding, P: Projection> {
    body: &'a Transformer<E, P>,
    head: &'a LmHead,
    cache: KvCache,
}

impl<E: TokenEmbedding, P: Projection> NextScores for Cached<'_, E, P> {
    fn next_scores(&mut self, batch: &Batch) -> Result<Tensor<2>> {
        let hidden = self.body.forward_cached(batch, &mut self.cache)?;
        let [rows, seq, d] = hidden.dims();
        let last: Tensor<2> = hidden.narrow(1, seq - 1, 1).reshape([rows, d]);
        Ok(self.head.logits(last, &self.body.embed.tokens))
    }

    fn select(&mut self, rows: &[usize]) {
        self.cache.select(rows);
    }
}

impl<E: TokenEmbedding, P: Projection> CausalLm<E, P> {
    /// Continues every sequence of the batch; returns the new tokens of each.
    ///
    /// Prompts of different lengths must be padded on the left, so that the last column of
    /// every row is a token.
    ///
    /// # Errors
    /// As [`Transformer::forward`](crate::Transformer::forward); a batch padded on the right;
    /// settings out of range.
    ///
    /// # Complexity
    /// O(t) attention for the t-th token of each layer: keys and values are kept.
    ///
    /// ```
    /// use sixfold_model::*;
    ///
    /// let device = device("flex")?;
    /// let spec = TransformerSpec::decoder(50, 16, 2, 4);
    /// let model = CausalLm::new(&spec, &LmHeadSpec::TIED, Seed::new(1), &device);
    /// let prompt = Batch::pad(&[vec![3, 1, 4]], 0, PaddingSide::Left);
    /// let new = model.generate(&prompt, &GenerateConfig::greedy(5))?;
    /// assert_eq!(new[0].len(), 5);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn generate(&self, prompt: &Batch, config: &GenerateConfig) -> Result<Vec<Vec<u32>>> {
        ends_in_tokens(prompt)?;
        sampling::generate(&mut self.cached(), prompt, config)
    }

    /// The continuations of every sequence that beam search finds, best first: at most
    /// [`BeamConfig::beams`] for each, without the prompt.
    ///
    /// # Errors
    /// As [`generate`](Self::generate).
    ///
    /// # Complexity
    /// O(t) attention for the t-th token of each layer, beam and prompt, and a copy of the cache
    /// wherever beams change places.
    ///
    /// ```
    /// use sixfold_model::*;
    ///
    /// let device = device("flex")?;
    /// let spec = TransformerSpec::decoder(50, 16, 2, 4);
    /// let model = CausalLm::new(&spec, &LmHeadSpec::TIED, Seed::new(1), &device);
    /// let prompt = Batch::pad(&[vec![3, 1, 4]], 0, PaddingSide::Left);
    /// let found = model.beam_search(&prompt, &BeamConfig { beams: 3, ..BeamConfig::new(5, [2]) })?;
    /// assert_eq!(found[0].len(), 3);
    /// assert!(found[0][0].score >= found[0][1].score);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn beam_search(&self, prompt: &Batch, config: &BeamConfig) -> Result<Vec<Vec<Hypothesis>>> {
        ends_in_tokens(prompt)?;
        beam::search(&mut self.cached(), prompt, config)
    }

    fn cached(&self) -> Cached<'_, E, P> {
        Cached { body: &self.body, head: &self.head, cache: KvCache::default() }
    }
}

impl<E: TokenEmbedding, P: Projection> Seq2Seq<E, P> {
    /// The target that the model writes for every source, greedy or sampled. Sources may be
    /// padded on either side.
    ///
    /// # Errors
    /// As [`encode`](Self::encode); settings out of range.
    ///
    /// # Complexity
    /// O(t + source) attention for the t-th token of each layer: the target's keys and values are
    /// kept, the source's are computed once.
    pub fn generate(&self, source: &Batch, config: &GenerateConfig) -> Result<Vec<Vec<u32>>> {
        let (mut cached, first) = self.begin(source)?;
        sampling::generate(&mut cached, &first, config)
    }

    /// The targets that beam search finds for every source, best first: at most
    /// [`BeamConfig::beams`] for each. Sources may be padded on either side.
    ///
    /// # Errors
    /// As [`generate`](Self::generate).
    ///
    /// # Complexity
    /// As [`generate`](Self::generate) for each beam, and a copy of the target's keys and values
    /// wherever beams change places; the source's are shared by its beams.
    ///
    /// ```
    /// use sixfold_model::*;
    ///
    /// let device = device("flex")?;
    /// let model = Seq2Seq::new(&Seq2SeqSpec::translation(50, 16, 2, 4), Seed::new(1), &device);
    /// let source = Batch::pad(&[vec![3, 1, 4], vec![5, 9]], 0, PaddingSide::Right);
    /// let end = 2;
    /// let found = model.beam_search(&source, &BeamConfig::new(6, [end]))?;
    /// assert_eq!((found.len(), found[0].len()), (2, 4));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn beam_search(&self, source: &Batch, config: &BeamConfig) -> Result<Vec<Vec<Hypothesis>>> {
        let (mut cached, first) = self.begin(source)?;
        beam::search(&mut cached, &first, config)
    }

    /// The decoder over its sources, and the column that it starts with.
    fn begin(&self, source: &Batch) -> Result<(Cached<'_, E, P>, Batch)> {
        let cache = KvCache::from(self.encode(source)?);
        let rows = source.rows();
        let start = vec![self.spec().start_token; rows];
        let first = Batch::from_parts(rows, start, vec![true; rows])?;
        Ok((Cached { body: &self.decoder, head: &self.head, cache }, first))
    }
}

fn ends_in_tokens(prompt: &Batch) -> Result<()> {
    let len = prompt.len();
    if prompt.mask().chunks(len).all(|mask| mask[len - 1]) {
        return Ok(());
    }
    Err(Error::Batch {
        what: "prompts",
        expected: "padding on the left".to_owned(),
        found: "a row that ends in padding".to_owned(),
    })
}

/// An error that lists the settings out of range, where there are any.
fn in_range(problems: &[String]) -> Result<()> {
    if problems.is_empty() {
        return Ok(());
    }
    Err(Error::Batch {
        what: "generation settings",
        expected: "values in range".to_owned(),
        found: problems.join("; "),
    })
}

/// The rows of a matrix on the host.
fn to_rows(scores: Tensor<2>) -> Vec<Vec<f32>> {
    let [_, vocab] = scores.dims();
    let values: Vec<f32> = scores.into_data().iter::<f32>().collect();
    values.chunks(vocab).map(<[f32]>::to_vec).collect()
}
