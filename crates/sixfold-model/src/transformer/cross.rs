//! Cross-attention: a decoder's blocks look at what an encoder left.

use burn::module::Module;
use burn::nn::{Dropout, Linear};
use burn::tensor::{Int, Tensor};

use super::attention::attend;
use super::context::{Columns, key_bias};
use super::init::Init;
use super::norm::Norm;
use super::{Block, Transformer};
use crate::ops::AttentionForm;
use crate::{Batch, Error, Projection, Result, Tap, TokenEmbedding, TransformerSpec};

/// Attention whose keys and values come from an encoder's states, with its norm
/// (arXiv 1706.03762, §3.2.3).
///
/// Heads, biases, scale and dropout are those of the decoder's [`AttentionSpec`]; windows and
/// positions play no part, so every token sees the whole source.
///
/// [`AttentionSpec`]: crate::AttentionSpec
#[derive(Module, Debug)]
pub struct CrossAttention<P: Projection> {
    /// The norm before it (pre-norm blocks), or after its residual sum (post-norm).
    pub norm: Norm,
    /// Queries: `d_model` → `n_heads · d_head`.
    pub query: P,
    /// Keys: the encoder's width → `n_kv_heads · d_head`.
    pub key: P,
    /// Values: the encoder's width → `n_kv_heads · d_head`.
    pub value: P,
    /// Back to the residual stream: `n_heads · d_head` → `d_model`.
    pub output: P,
    dropout: Dropout,
    n_heads: usize,
    n_kv_heads: usize,
    scale: f64,
}

/// What a decoder reads of its sources: the keys and values of every layer, computed once.
///
/// A batch over a memory has one row a source, or the same number of rows for each source, those
/// of one source side by side (beams).
#[derive(Clone, Debug)]
pub struct Memory {
    /// One entry a layer, `[sources, len, n_kv_heads · d_head]` each; `None` where the block does
    /// not look.
    layers: Vec<Option<(Tensor<3>, Tensor<3>)>>,
    /// `[sources or 1, 1, len]`, −∞ on padding.
    bias: Tensor<3>,
    sources: usize,
}

impl CrossAttention<Linear> {
    pub(crate) fn new(
        spec: &TransformerSpec,
        d_memory: usize,
        init: &Init<'_>,
        path: &str,
    ) -> Self {
        let a = &spec.attention;
        let (d_query, d_key) = (a.n_heads * a.d_head, a.n_kv_heads * a.d_head);
        Self {
            norm: Norm::new(init, spec.norm, spec.norm_epsilon, spec.d_model),
            query: init.linear(&format!("{path}.query"), spec.d_model, d_query, a.qkv_bias),
            key: init.linear(&format!("{path}.key"), d_memory, d_key, a.qkv_bias),
            value: init.linear(&format!("{path}.value"), d_memory, d_key, a.qkv_bias),
            output: init.linear(&format!("{path}.output"), d_query, spec.d_model, a.output_bias),
            dropout: init.dropout(a.dropout),
            n_heads: a.n_heads,
            n_kv_heads: a.n_kv_heads,
            scale: a.scale,
        }
    }
}

impl<P: Projection> CrossAttention<P> {
    /// Replaces the projections, given their paths below `path`.
    pub(crate) fn map_projections<Q: Projection>(
        self,
        path: &str,
        f: &mut impl FnMut(&str, P) -> Q,
    ) -> CrossAttention<Q> {
        CrossAttention {
            norm: self.norm,
            query: f(&format!("{path}.query"), self.query),
            key: f(&format!("{path}.key"), self.key),
            value: f(&format!("{path}.value"), self.value),
            output: f(&format!("{path}.output"), self.output),
            dropout: self.dropout,
            n_heads: self.n_heads,
            n_kv_heads: self.n_kv_heads,
            scale: self.scale,
        }
    }

    /// Keys and values of the encoder's states, `[sources, len, d]`.
    fn keys_and_values(&self, states: Tensor<3>) -> (Tensor<3>, Tensor<3>) {
        (self.key.project(states.clone()), self.value.project(states))
    }

    /// What cross-attention adds to the residual stream, `[batch, seq, d_model]`.
    pub(crate) fn forward(&self, x: Tensor<3>, memory: &Memory, layer: usize) -> Tensor<3> {
        let [batch, seq, _] = x.dims();
        let (k, v) = memory.layers[layer].clone().expect("made by this very block");
        // Nothing here depends on the column of a query. So rows that share a source stand in
        // one long row of queries, and its keys are not repeated.
        let q = self.query.project(x);
        let width = q.dims()[2];
        let shared = batch / memory.sources;
        let q = q.reshape([memory.sources, shared * seq, width]);
        let form = AttentionForm {
            n_heads: self.n_heads,
            n_kv_heads: self.n_kv_heads,
            scale: self.scale,
            causal: false,
            start: 0,
            window: None,
        };
        let mixed = attend(q, k, v, memory.bias.clone(), form, &self.dropout);
        self.output.project(mixed.reshape([batch, seq, width]))
    }
}

impl Memory {
    /// Sources it holds.
    pub fn sources(&self) -> usize {
        self.sources
    }

    /// The memory for a batch made of these rows of one of `rows` rows.
    pub(crate) fn select(&self, taken: &[usize], rows: usize) -> Self {
        let shared = rows / self.sources;
        let mut sources: Vec<usize> = taken.iter().map(|row| row / shared).collect();
        // Rows of one source that stand side by side go on sharing it, if all sources agree.
        let runs: Vec<&[usize]> = sources.chunk_by(|a, b| a == b).collect();
        if runs.iter().all(|run| run.len() == runs[0].len()) {
            sources = runs.iter().map(|run| run[0]).collect();
        }
        if sources.iter().copied().eq(0..self.sources) {
            return self.clone();
        }
        let indices = row_indices(&sources, &self.bias.device());
        let pick = |x: &Tensor<3>| x.clone().select(0, indices.clone());
        Self {
            layers: self
                .layers
                .iter()
                .map(|layer| layer.as_ref().map(|(k, v)| (pick(k), pick(v))))
                .collect(),
            bias: if self.bias.dims()[0] == 1 { self.bias.clone() } else { pick(&self.bias) },
            sources: sources.len(),
        }
    }
}

/// Rows as indices on a device.
pub(super) fn row_indices(rows: &[usize], device: &burn::tensor::Device) -> Tensor<1, Int> {
    let rows: Vec<u32> = rows.iter().map(|&row| row as u32).collect();
    crate::batch::indices(&rows, [rows.len()], device)
}

impl<E: TokenEmbedding, P: Projection> Transformer<E, P> {
    /// What this decoder reads of the encoder's states of `source`.
    ///
    /// # Shapes
    /// `states`: `[sources, len, d]`, `d` the width of the encoder
    ///
    /// # Panics
    /// If the states do not have the batch's shape, or another width.
    pub fn memory(&self, states: Tensor<3>, source: &Batch) -> Memory {
        let [rows, len, _] = states.dims();
        assert_eq!([rows, len], [source.rows(), source.len()], "states of another batch");
        // A block that stands in several layers makes its keys once.
        let blocks: Vec<_> = self
            .blocks
            .iter()
            .map(|block| {
                let cross = cross_attention(block)?;
                Some(cross.keys_and_values(states.clone()))
            })
            .collect();
        let columns = Columns { mask: source.mask(), rows, start: 0 };
        Memory {
            layers: self.spec().schedule.iter().map(|&block| blocks[block].clone()).collect(),
            bias: key_bias(&columns, &[0.0], &states.device()),
            sources: rows,
        }
    }

    /// As [`forward_with`](Self::forward_with), for a decoder with cross-attention: over a
    /// memory that [`memory`](Self::memory) made.
    ///
    /// # Errors
    /// As [`forward`](Self::forward); a memory of other sources or of another decoder.
    pub fn forward_over(
        &self,
        batch: &Batch,
        memory: &Memory,
        tap: &mut dyn Tap,
    ) -> Result<Tensor<3>> {
        let state = self.embed_with(batch, Some(memory), tap)?;
        Ok(self.forward_from_with(state, tap))
    }

    /// Whether a batch of `rows` rows can run over the memory.
    pub(super) fn check_memory(&self, rows: usize, memory: Option<&Memory>) -> Result<()> {
        let misfit =
            |what, expected: String, found: String| Err(Error::Batch { what, expected, found });
        let Some(memory) = memory else {
            return match self.blocks.iter().any(|block| cross_attention(block).is_some()) {
                true => misfit(
                    "a decoder with cross-attention",
                    "the memory of a source".to_owned(),
                    "none".to_owned(),
                ),
                false => Ok(()),
            };
        };
        // A layer that looks needs its keys; whether they are there tells another decoder's.
        let fits = memory.layers.len() == self.n_layers()
            && self.spec().schedule.iter().zip(&memory.layers).all(|(&block, layer)| {
                cross_attention(&self.blocks[block]).is_none() || layer.is_some()
            });
        if !fits {
            let found = format!("{} layers of another one", memory.layers.len());
            return misfit("memory", "that of this decoder".to_owned(), found);
        }
        if memory.sources == 0 || !rows.is_multiple_of(memory.sources) {
            return misfit(
                "rows of the batch",
                format!("a multiple of the memory's {} sources", memory.sources),
                rows.to_string(),
            );
        }
        Ok(())
    }
}

fn cross_attention<P: Projection>(block: &Block<P>) -> Option<&CrossAttention<P>> {
    match block {
        Block::Full(full) => full.cross.as_ref(),
        Block::Affine(_) => None,
    }
}
