//! How far a trigger moves each layer: singular values of a layer, and one direction through all.

use burn::module::Module;
use burn::nn::{Embedding, Linear};
use burn::tensor::{Tensor, TensorData};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2};
use sixfold_model::{Dual, Projection, TokenEmbedding, Transformer};

use super::memory::read;
use super::passes::{Group, in_groups, pull};
use super::victim::ModelVictim;
use crate::power::{Jacobian, norm};
use crate::score::Query;
use crate::{Error, Exponent, Result};

/// The Jacobian of a layer with respect to the token vectors of a trigger, stacked over examples.
///
/// Its columns are the entries of the trigger's vectors, place by place; its rows are the entries of the layer at the
/// tokens of all examples, padding left out. [`singular_vector`](crate::singular_vector) finds how far vectors of any
/// kind can move the layer, [`simplex_vector`](crate::power::simplex_vector) how far mixtures of tokens can.
///
/// # Complexity
/// J·v takes two forwards up to the layer for each example, Jᵀ·u as much.
///
/// # References
/// Khrulkov and Oseledets 2018, *Art of singular vectors and universal adversarial perturbations*, §3.
#[derive(Debug)]
pub struct LayerMap<'a, E: TokenEmbedding = Embedding, P: Projection = Linear> {
    victim: &'a ModelVictim<E, P>,
    tracked: Transformer<E, P>,
    groups: Vec<Group>,
    /// Blocks up to the layer.
    depth: usize,
    length: usize,
    rows: usize,
}

impl<'a, E: TokenEmbedding, P: Projection> LayerMap<'a, E, P> {
    /// The map to the output of block `layer`, from 0, for the examples of a query with its trigger.
    ///
    /// # Errors
    /// [`Error::Config`] for a layer that the model does not have, [`Error::Empty`] without examples.
    pub fn new(victim: &'a ModelVictim<E, P>, query: Query<'_>, layer: usize) -> Result<Self> {
        let n_layers = victim.n_layers();
        if layer >= n_layers {
            let problems = vec![format!("layer is {layer}, expected below {n_layers}")];
            return Err(Error::Config { problems });
        }
        if query.examples.is_empty() {
            return Err(Error::Empty { what: "example to differentiate at" });
        }
        let mut groups = Vec::new();
        in_groups(victim, query, |group| {
            groups.push(group);
            Ok(())
        })?;
        let tokens: usize = groups.iter().map(|group| group.batch.n_tokens()).sum();
        Ok(Self {
            tracked: victim.classifier().body.clone().no_grad().train(),
            rows: tokens * victim.classifier().body.spec().d_model,
            length: query.trigger.len(),
            depth: layer + 1,
            groups,
            victim,
        })
    }
}

impl<E: TokenEmbedding, P: Projection> Jacobian for LayerMap<'_, E, P> {
    fn shape(&self) -> [usize; 2] {
        [self.rows, self.length * self.victim.table().ncols()]
    }

    fn apply(&self, v: ArrayView1<'_, f64>) -> Result<Array1<f64>> {
        let width = self.victim.table().ncols();
        let v = Array2::from_shape_fn((self.length, width), |(i, j)| v[i * width + j] as f32);
        let mut out = Vec::with_capacity(self.rows);
        for group in &self.groups {
            let mut moved = None;
            through(self.victim, group, v.view(), self.depth, &mut |_, hidden| {
                moved = Some(hidden.tangent.clone());
            })?;
            let moved = moved.expect("at least one block is passed");
            out.extend(kept(moved, group)?.into_iter().map(f64::from));
        }
        Ok(Array1::from_vec(out))
    }

    fn apply_transpose(&self, u: ArrayView1<'_, f64>) -> Result<Array1<f64>> {
        let mut sum = Array2::<f64>::zeros((self.length, self.victim.table().ncols()));
        let mut taken = 0;
        for group in &self.groups {
            let x = Tensor::from_inner(group.vectors(self.victim)?).require_grad();
            let state = self.tracked.embed_vectors(&group.batch, x.clone())?;
            let hidden = self.tracked.advance(state, self.depth, &mut ()).hidden;
            let [rows, len, width] = hidden.dims();
            let mut values = vec![0.0_f32; rows * len * width];
            for token in group.batch.token_indices() {
                for slot in &mut values[token * width..][..width] {
                    *slot = u[taken] as f32;
                    taken += 1;
                }
            }
            let device = self.victim.classifier().body.device();
            let u = Tensor::<3>::from_data(TensorData::new(values, [rows, len, width]), &device);
            group.gather(pull(&x, hidden, u), &mut sum)?;
        }
        Ok(Array1::from_iter(sum))
    }
}

/// `‖J_l v‖_q` of every layer l, for one direction of the trigger's token vectors, in one pass.
///
/// With v from the trigger to the mean of the allowed tokens it says which layers a trigger moves most, before any
/// search: about two forwards for each example.
///
/// # Shapes
/// `v`: `[length, d_embed]` → one value a layer
///
/// # Errors
/// [`Error::Config`] for a q below 1, [`Error::Mismatch`] for a direction of another shape, [`Error::NotFinite`]; what
/// the model refuses.
pub fn sensitivity<E: TokenEmbedding, P: Projection>(
    victim: &ModelVictim<E, P>,
    query: Query<'_>,
    v: ArrayView2<'_, f32>,
    q: f64,
) -> Result<Vec<f64>> {
    if !(q.is_finite() && q >= 1.0) {
        let problems = vec![format!("q is {q}, expected a number of at least 1")];
        return Err(Error::Config { problems });
    }
    let expected = (query.trigger.len(), victim.table().ncols());
    if v.dim() != expected {
        return Err(Error::Mismatch {
            what: "the direction of a trigger",
            expected: format!("{expected:?}"),
            found: format!("{:?}", v.dim()),
        });
    }
    let n_layers = victim.n_layers();
    let mut norms = vec![Vec::new(); n_layers];
    in_groups(victim, query, |group| {
        let mut of_group = Vec::with_capacity(n_layers);
        through(victim, &group, v, n_layers, &mut |_, hidden| {
            of_group.push(kept(hidden.tangent.clone(), &group).map(|values| {
                let values: Array1<f64> = values.into_iter().map(f64::from).collect();
                norm(values.view(), Exponent::Finite(q))
            }));
        })?;
        let of_group = of_group.into_iter().collect::<Result<Vec<f64>>>()?;
        for (norms, norm) in norms.iter_mut().zip(of_group) {
            norms.push(norm);
        }
        Ok(())
    })?;
    // The q-norm of parts is the q-norm of their q-norms.
    let total = |parts: Vec<f64>| norm(Array1::from_vec(parts).view(), Exponent::Finite(q));
    let norms: Vec<f64> = norms.into_iter().map(total).collect();
    match norms.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(Error::NotFinite { what: "the movement of a layer", index }),
        None => Ok(norms),
    }
}

/// A direction through the first `depth` blocks, outside any tape.
fn through<E: TokenEmbedding, P: Projection>(
    victim: &ModelVictim<E, P>,
    group: &Group,
    v: ArrayView2<'_, f32>,
    depth: usize,
    visit: &mut dyn FnMut(usize, &Dual<3>),
) -> Result<()> {
    let body = &victim.classifier().body;
    let x = group.vectors(victim)?;
    let dx = group.direction(v, &body.device());
    let state = body.embed_dual(&group.batch, Dual::new(x, dx))?;
    body.advance_dual(state, depth, visit);
    Ok(())
}

/// The rows of tokens that are no padding.
fn kept(hidden: Tensor<3>, group: &Group) -> Result<Vec<f32>> {
    let [_, _, width] = hidden.dims();
    let values = read(hidden)?;
    let tokens = group.batch.token_indices().into_iter();
    Ok(tokens.flat_map(|token| values[token * width..][..width].to_vec()).collect())
}
