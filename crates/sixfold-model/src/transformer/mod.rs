//! One transformer for all families.

mod attention;
mod block;
mod cache;
mod context;
mod cross;
mod dropout;
mod dual;
mod embeddings;
mod init;
mod mlp;
mod narrow;
mod norm;
mod position;
mod sinusoid;
mod surgery;

use burn::module::Module;
use burn::nn::{Embedding, Linear};
use burn::tensor::{Device, Tensor};

use crate::tap::through;
use crate::{Batch, Error, Projection, Result, Seed, Site, Tap, TokenEmbedding, TransformerSpec};

pub use attention::Attention;
pub use block::{Block, FullBlock};
pub use cache::KvCache;
pub use cross::{CrossAttention, Memory};
pub use embeddings::Embeddings;
pub use mlp::Mlp;
pub use norm::Norm;

use block::Pass;
use cache::LayerCache;
use context::{Columns, Context};
pub use dropout::{Dropout, seed_dropout};
pub use dual::{Dual, DualState};
pub(crate) use init::Init;

/// A transformer without a head: embeddings, blocks, final norm.
///
/// `E` is the token table and `P` the projections; [`map_projections`](Self::map_projections)
/// and [`map_embedding`](Self::map_embedding) swap them and keep the weights.
///
/// ```
/// use sixfold_model::{Batch, PaddingSide, Seed, Transformer, TransformerSpec};
///
/// let device = sixfold_model::device("flex")?;
/// let spec = TransformerSpec::decoder(100, 16, 2, 4);
/// let model = Transformer::new(&spec, Seed::new(0), &device);
/// let batch = Batch::pad(&[vec![1, 2, 3], vec![4]], 0, PaddingSide::Right);
/// let hidden = model.forward(&batch)?;
/// assert_eq!(hidden.dims(), [2, 3, 16]);
/// # Ok::<(), sixfold_model::Error>(())
/// ```
#[derive(Module, Debug)]
pub struct Transformer<E: TokenEmbedding = Embedding, P: Projection = Linear> {
    /// Token vectors, positions and what surrounds them.
    pub embed: Embeddings<E>,
    /// The blocks; a shared one stands here once.
    pub blocks: Vec<Block<P>>,
    /// The norm after the last block.
    pub final_norm: Option<Norm>,
    /// From the residual stream back to the width of the token table (OPT).
    pub project_back: Option<Linear>,
    #[module(skip)]
    spec: TransformerSpec,
}

/// The residual stream somewhere between two blocks, with what the remaining ones need.
#[derive(Clone, Debug)]
pub struct State {
    /// `[batch, seq, d_model]`. Replace it to continue from another point.
    pub hidden: Tensor<3>,
    /// Blocks already passed.
    pub layer: usize,
    context: Context,
}

impl Transformer {
    /// A transformer with random weights: N(0, 0.02²), zero biases, unit gains, each tensor
    /// drawn from the stream of its own path.
    ///
    /// # Panics
    /// If the description contradicts itself ([`TransformerSpec::problems`]).
    pub fn new(spec: &TransformerSpec, seed: Seed, device: &Device) -> Self {
        Self::over(spec, None, seed, device)
    }

    /// As [`new`](Self::new), with cross-attention to states of width `d_memory` where given.
    pub(crate) fn over(
        spec: &TransformerSpec,
        d_memory: Option<usize>,
        seed: Seed,
        device: &Device,
    ) -> Self {
        let problems = spec.problems();
        assert!(problems.is_empty(), "impossible transformer: {}", problems.join("; "));
        let init = Init::new(seed, device);
        Self {
            embed: Embeddings::new(spec, &init),
            blocks: (0..spec.n_blocks()).map(|i| Block::new(spec, d_memory, &init, i)).collect(),
            final_norm: spec
                .final_norm
                .then(|| Norm::new(&init, spec.norm, spec.norm_epsilon, spec.d_model)),
            project_back: spec
                .embed_projection
                .filter(|projection| projection.back)
                .map(|p| init.linear("project_back", spec.d_model, spec.d_embed, p.bias)),
            spec: spec.clone(),
        }
    }
}

impl<E: TokenEmbedding, P: Projection> Transformer<E, P> {
    /// The description it was built from.
    pub fn spec(&self) -> &TransformerSpec {
        &self.spec
    }

    /// Layers that a token passes.
    pub fn n_layers(&self) -> usize {
        self.spec.n_layers()
    }

    /// The device of its weights.
    ///
    /// # Panics
    /// If no parameter has a device, which no transformer lacks.
    pub fn device(&self) -> Device {
        self.devices().first().cloned().expect("a transformer has parameters")
    }

    /// Replaces every projection of the blocks: `f` gets its path, such as
    /// `blocks.0.attention.query`, and the projection.
    pub fn map_projections<Q: Projection>(
        self,
        mut f: impl FnMut(&str, P) -> Q,
    ) -> Transformer<E, Q> {
        let blocks = self.blocks.into_iter().enumerate();
        Transformer {
            embed: self.embed,
            blocks: blocks
                .map(|(i, block)| block.map_projections(&format!("blocks.{i}"), &mut f))
                .collect(),
            final_norm: self.final_norm,
            project_back: self.project_back,
            spec: self.spec,
        }
    }

    /// Replaces the token table.
    pub fn map_embedding<F: TokenEmbedding>(self, f: impl FnOnce(E) -> F) -> Transformer<F, P> {
        Transformer {
            embed: self.embed.map_tokens(f),
            blocks: self.blocks,
            final_norm: self.final_norm,
            project_back: self.project_back,
            spec: self.spec,
        }
    }

    /// The last hidden states, after the final norm.
    ///
    /// # Shapes
    /// `[batch, seq]` → `[batch, seq, d_output]`; rows at padding hold no meaning.
    ///
    /// # Errors
    /// A token id or type outside its table, or a sequence longer than the positions.
    pub fn forward(&self, batch: &Batch) -> Result<Tensor<3>> {
        self.forward_with(batch, &mut ())
    }

    /// As [`forward`](Self::forward), past a tap that reads or changes the residual stream.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn forward_with(&self, batch: &Batch, tap: &mut dyn Tap) -> Result<Tensor<3>> {
        let state = self.embed_with(batch, None, tap)?;
        Ok(self.forward_from_with(state, tap))
    }

    /// The state before block `layer`; 0 is right after the embeddings.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    ///
    /// # Panics
    /// If there are fewer layers.
    pub fn forward_to(&self, layer: usize, batch: &Batch) -> Result<State> {
        let state = self.embed_with(batch, None, &mut ())?;
        Ok(self.advance(state, layer, &mut ()))
    }

    /// The state before block `layer` of a later one, from a state before it.
    ///
    /// # Panics
    /// If `layer` lies before the state, or there are fewer layers.
    pub fn advance(&self, state: State, layer: usize, tap: &mut dyn Tap) -> State {
        assert!(
            (state.layer..=self.n_layers()).contains(&layer),
            "layer {layer} is not within {}..={}",
            state.layer,
            self.n_layers()
        );
        let State { mut hidden, layer: first, context } = state;
        for index in first..layer {
            hidden = self.block(index, hidden, &context, None, tap);
        }
        State { hidden, layer, context }
    }

    /// The last hidden states, from a state on the way.
    pub fn forward_from(&self, state: State) -> Tensor<3> {
        self.forward_from_with(state, &mut ())
    }

    /// As [`forward_from`](Self::forward_from), past a tap.
    pub fn forward_from_with(&self, state: State, tap: &mut dyn Tap) -> Tensor<3> {
        let state = self.advance(state, self.n_layers(), tap);
        self.finish(state.hidden, tap)
    }

    /// The state after the embeddings, from token vectors in place of ids: the door for soft
    /// inputs. `batch` gives mask, positions and token types.
    ///
    /// # Shapes
    /// `vectors`: `[batch, seq, d_embed]`
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn embed_vectors(&self, batch: &Batch, vectors: Tensor<3>) -> Result<State> {
        self.check(batch, None)?;
        let past = vec![0; batch.rows()];
        let context = self.context(batch.mask(), batch.rows(), 0, &vectors.device());
        let hidden = self.embed.add_positions(&self.spec, batch, vectors, &past)?;
        Ok(State { hidden, layer: 0, context })
    }

    /// One step of generation: the hidden states of the new tokens, given those in the cache.
    ///
    /// # Errors
    /// As [`forward`](Self::forward), or a batch whose rows are not those of the cache.
    pub fn forward_cached(&self, batch: &Batch, cache: &mut KvCache) -> Result<Tensor<3>> {
        self.check(batch, cache.memory.as_ref())?;
        if cache.layers.is_empty() {
            cache.layers = vec![LayerCache::default(); self.n_layers()];
            cache.mask = vec![Vec::new(); batch.rows()];
        }
        if cache.mask.len() != batch.rows() {
            return Err(Error::Batch {
                what: "rows of the batch",
                expected: format!("{} as in the cache", cache.mask.len()),
                found: batch.rows().to_string(),
            });
        }
        let (start, past) = (cache.len(), cache.tokens());
        for (row, new) in cache.mask.iter_mut().zip(batch.mask().chunks(batch.len())) {
            row.extend_from_slice(new);
        }
        let device = self.device();
        let mut context = self.context(&cache.mask.concat(), batch.rows(), start, &device);
        context.memory = cache.memory.clone();
        let ids = batch.ids_on(&device);
        let mut hidden = self.embed.forward(&self.spec, batch, ids, &past)?;
        for layer in 0..self.n_layers() {
            let layer_cache = Some(&mut cache.layers[layer]);
            hidden = self.block(layer, hidden, &context, layer_cache, &mut ());
        }
        Ok(self.finish(hidden, &mut ()))
    }

    /// The state after the embeddings, past a tap.
    fn embed_with(
        &self,
        batch: &Batch,
        memory: Option<&Memory>,
        tap: &mut dyn Tap,
    ) -> Result<State> {
        self.check(batch, memory)?;
        let device = self.device();
        let past = vec![0; batch.rows()];
        let hidden = self.embed.forward(&self.spec, batch, batch.ids_on(&device), &past)?;
        let hidden = through(tap, Site::Embed, hidden);
        let mut context = self.context(batch.mask(), batch.rows(), 0, &device);
        context.memory = memory.cloned();
        Ok(State { hidden, layer: 0, context })
    }

    fn check(&self, batch: &Batch, memory: Option<&Memory>) -> Result<()> {
        batch.check_vocabulary(self.spec.vocab_size)?;
        batch.check_token_types(self.spec.token_types.max(1))?;
        self.check_memory(batch.rows(), memory)
    }

    fn context(&self, mask: &[bool], rows: usize, start: usize, device: &Device) -> Context {
        Context::new(&self.spec, &Columns { mask, rows, start }, device)
    }

    fn block(
        &self,
        layer: usize,
        x: Tensor<3>,
        context: &Context,
        cache: Option<&mut LayerCache>,
        tap: &mut dyn Tap,
    ) -> Tensor<3> {
        let window = self.spec.attention.window(layer);
        let pass = Pass { layer, window, context, cache, tap };
        self.blocks[self.spec.schedule[layer]].forward(x, pass)
    }

    fn finish(&self, x: Tensor<3>, tap: &mut dyn Tap) -> Tensor<3> {
        let x = match &self.final_norm {
            Some(norm) => through(tap, Site::FinalNorm, norm.forward(x)),
            None => x,
        };
        match &self.project_back {
            Some(projection) => projection.project(x),
            None => x,
        }
    }
}
