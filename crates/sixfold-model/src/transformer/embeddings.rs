//! From token ids to the residual stream.

use burn::module::Module;
use burn::nn::{Embedding, Linear};
use burn::tensor::{Int, Tensor};

use super::dropout::Dropout;
use super::init::Init;
use super::norm::Norm;
use super::position::learned_rows;
use super::sinusoid::sinusoids;
use crate::batch::indices;
use crate::{Batch, Positions, Projection, Result, TokenEmbedding, TransformerSpec};

/// Token vectors, positions, token types, norm and projection.
#[derive(Module, Debug)]
pub struct Embeddings<E: TokenEmbedding> {
    /// The token table.
    pub tokens: E,
    /// The learned position table.
    pub positions: Option<Embedding>,
    /// The token-type table.
    pub token_types: Option<Embedding>,
    /// The norm after the sum.
    pub norm: Option<Norm>,
    /// From `d_embed` to `d_model`.
    pub projection: Option<Linear>,
    dropout: Dropout,
}

impl Embeddings<Embedding> {
    pub(crate) fn new(spec: &TransformerSpec, init: &Init<'_>) -> Self {
        let width = spec.d_positions();
        let table = |name: &str, rows, width| init.embedding(&format!("embed.{name}"), rows, width);
        Self {
            tokens: table("tokens", spec.vocab_size, spec.d_embed),
            positions: match spec.positions {
                Positions::Learned { rows, .. } => Some(table("positions", rows, width)),
                _ => None,
            },
            token_types: (spec.token_types > 0)
                .then(|| table("token_types", spec.token_types, width)),
            norm: spec.embed_norm.then(|| Norm::new(init, spec.norm, spec.norm_epsilon, width)),
            projection: spec.embed_projection.map(|projection| {
                init.linear("embed.projection", spec.d_embed, spec.d_model, projection.bias)
            }),
            dropout: init.dropout(spec.dropout),
        }
    }
}

impl<E: TokenEmbedding> Embeddings<E> {
    /// Replaces the token table.
    pub(crate) fn map_tokens<F: TokenEmbedding>(self, f: impl FnOnce(E) -> F) -> Embeddings<F> {
        Embeddings {
            tokens: f(self.tokens),
            positions: self.positions,
            token_types: self.token_types,
            norm: self.norm,
            projection: self.projection,
            dropout: self.dropout,
        }
    }

    /// The residual stream before the first block, `[rows, len, d_model]`.
    ///
    /// `past` is how many tokens of each row were seen before.
    pub(crate) fn forward(
        &self,
        spec: &TransformerSpec,
        batch: &Batch,
        ids: Tensor<2, Int>,
        past: &[u32],
    ) -> Result<Tensor<3>> {
        self.add_positions(spec, batch, self.tokens.embed(ids), past)
    }

    /// As [`forward`](Self::forward), from token vectors `[rows, len, d_embed]`.
    pub(crate) fn add_positions(
        &self,
        spec: &TransformerSpec,
        batch: &Batch,
        vectors: Tensor<3>,
        past: &[u32],
    ) -> Result<Tensor<3>> {
        let project_first = spec.embed_projection.is_some_and(|p| !p.after_norm);
        let mut x = match spec.embed_scale {
            Some(scale) => vectors * scale,
            None => vectors,
        };
        if let (true, Some(projection)) = (project_first, &self.projection) {
            x = projection.project(x);
        }
        x = self.add_tables(spec, batch, x, past)?;
        if let Some(norm) = &self.norm {
            x = norm.forward(x);
        }
        x = self.dropout.forward(x);
        if let (false, Some(projection)) = (project_first, &self.projection) {
            x = projection.project(x);
        }
        Ok(x)
    }

    /// Adds positions and token types: what does not depend on the tokens.
    pub(super) fn add_tables(
        &self,
        spec: &TransformerSpec,
        batch: &Batch,
        mut x: Tensor<3>,
        past: &[u32],
    ) -> Result<Tensor<3>> {
        let device = x.device();
        let shape = [batch.rows(), batch.len()];
        if let (Some(table), Positions::Learned { rows, rule }) = (&self.positions, &spec.positions)
        {
            let taken = learned_rows(*rule, batch, past);
            if let Some(&largest) = taken.iter().max().filter(|&&row| row as usize >= *rows) {
                let beyond = largest as usize + 1 - rows;
                let longest = past.iter().max().map_or(0, |&p| p as usize) + batch.len();
                return Err(crate::Error::TooLong {
                    length: longest,
                    max_positions: longest.saturating_sub(beyond),
                });
            }
            x = x + table.embed(indices(&taken, shape, &device));
        }
        if let Positions::Sinusoidal(layout) = spec.positions {
            x = x + sinusoids(layout, batch, past, spec.d_positions(), &device);
        }
        if let Some(table) = &self.token_types {
            let zeros;
            let types = match batch.token_types() {
                Some(types) => types,
                None => {
                    zeros = vec![0; batch.ids().len()];
                    &zeros
                }
            };
            x = x + table.embed(indices(types, shape, &device));
        }
        Ok(x)
    }
}
