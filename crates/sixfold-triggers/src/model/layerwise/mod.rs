//! LUAT: tokens that move a hidden layer the most.

mod config;

use burn::module::Module;
use burn::nn::{Embedding, Linear};
use burn::tensor::{Device, Tensor, TensorData};
use ndarray::{Array1, Array2, Axis};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1};
use sixfold_model::{Dual, Projection, TokenEmbedding, Transformer};

pub use self::config::{Derivative, LuatConfig, Rows, Start};
use super::memory::read;
use super::passes::{Group, in_groups, pull};
use super::victim::ModelVictim;
use crate::score::rank::{token_scores, top_tokens};
use crate::score::{Query, Scorer, TokenScores};
use crate::{Forwards, Result};

/// The layerwise method: `S = (Σ_x Jᵀ φ(J ε))·Eᵀ` at the tokens of the trigger, with `φ(z) = sign(z)|z|^(q−1)`.
///
/// J is the Jacobian of the output of a block with respect to the token vectors of the trigger, and ε leads from
/// them to a mixture of all allowed tokens. It is one step of the power method for the largest ‖J ε‖_q over such
/// mixtures. No label and no head is looked at.
///
/// # Complexity
/// A forward pass up to the layer, its tangent, and the backward pass to the inputs, for each example and power step;
/// 2·length·vocab·d operations for the scores.
///
/// # References
/// Layerwise universal adversarial attack on NLP models (Findings of ACL 2023).
#[doc(alias = "layerwise universal adversarial attack")]
#[derive(Debug)]
pub struct Luat<'a, E: TokenEmbedding = Embedding, P: Projection = Linear> {
    victim: &'a ModelVictim<E, P>,
    tracked: Transformer<E, P>,
    config: LuatConfig,
    /// Mean length of a token vector.
    unit: f64,
}

impl<'a, E: TokenEmbedding, P: Projection> Luat<'a, E, P> {
    /// The scorer of a victim. Weights are shared, not copied.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for settings that do not fit the model.
    pub fn new(victim: &'a ModelVictim<E, P>, config: LuatConfig) -> Result<Self> {
        config.validate(victim.n_layers())?;
        let table = victim.table();
        let length = |row: ndarray::ArrayView1<'_, f32>| {
            row.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt()
        };
        let unit = table.rows().into_iter().map(length).sum::<f64>() / table.nrows() as f64;
        let tracked = victim.classifier().body.clone().no_grad().train();
        Ok(Self { victim, tracked, config, unit })
    }

    /// The settings.
    pub fn config(&self) -> &LuatConfig {
        &self.config
    }

    /// `Σ_x Jᵀ φ(J v)` at the tokens of the trigger, `[length, d]`; and `Σ_x ‖J v‖_q^q`.
    ///
    /// # Shapes
    /// `v`: `[length, d]`
    ///
    /// # Errors
    /// What the model refuses; gradients that are not finite.
    pub fn power_step(&self, query: Query<'_>, v: &Array2<f32>) -> Result<Array2<f32>> {
        let mut sum = Array2::<f64>::zeros(v.dim());
        // Powers of large exponents leave f32, so moves are measured in the largest of the first group.
        let mut unit = None;
        in_groups(self.victim, query, |group| {
            let device = self.victim.classifier().body.device();
            let vectors = group.vectors(self.victim)?;
            let dx = group.direction(v.view(), &device);
            let x = Tensor::from_inner(vectors.clone()).require_grad();
            let (hidden, moved) = match self.config.derivative {
                Derivative::Tangent => self.tangent(&group, x.clone(), dx)?,
                Derivative::Difference(share) => {
                    self.difference(&group, &x, vectors, dx, v, share, false)?
                }
                Derivative::CentralDifference(share) => {
                    self.difference(&group, &x, vectors, dx, v, share, true)?
                }
            };
            let moved = moved * self.row_mask(&group, query.trigger.len(), &device);
            let unit = match unit {
                Some(unit) => unit,
                None => {
                    let largest = read(moved.clone().abs().max())?[0];
                    *unit.insert(if largest > 0.0 { largest } else { 1.0 })
                }
            };
            let u = phi(moved / unit, self.config.q);
            group.gather(pull(&x, hidden, u), &mut sum)
        })?;
        Ok(sum.mapv(|value| value as f32))
    }

    fn layer(&self) -> usize {
        self.config.layer + 1
    }

    /// The tracked output of the layer, and its derivative by dual numbers.
    fn tangent(
        &self,
        group: &Group,
        x: Tensor<3>,
        dx: Tensor<3>,
    ) -> Result<(Tensor<3>, Tensor<3>)> {
        let state = self.tracked.embed_dual(&group.batch, Dual::new(x, dx))?;
        let state = self.tracked.advance_dual(state, self.layer(), &mut |_, _| ());
        Ok((state.hidden.value, state.hidden.tangent))
    }

    /// The same by differences.
    #[expect(clippy::too_many_arguments, reason = "the parts of one formula")]
    fn difference(
        &self,
        group: &Group,
        x: &Tensor<3>,
        vectors: Tensor<3>,
        dx: Tensor<3>,
        v: &Array2<f32>,
        share: f64,
        central: bool,
    ) -> Result<(Tensor<3>, Tensor<3>)> {
        let length = v.rows().into_iter().map(|row| row.dot(&row).sqrt()).sum::<f32>();
        let h = share * self.unit * v.nrows() as f64 / f64::from(length).max(f64::MIN_POSITIVE);
        let body = &self.victim.classifier().body;
        let plain = |x: Tensor<3>| -> Result<Tensor<3>> {
            let state = body.embed_vectors(&group.batch, x)?;
            Ok(body.advance(state, self.layer(), &mut ()).hidden)
        };
        let state = self.tracked.embed_vectors(&group.batch, x.clone())?;
        let hidden = self.tracked.advance(state, self.layer(), &mut ()).hidden;
        let up = plain(vectors.clone() + dx.clone() * h)?;
        let moved = match central {
            true => (up - plain(vectors - dx * h)?) / (2.0 * h),
            false => (up - hidden.clone().inner()) / h,
        };
        Ok((hidden, moved))
    }

    /// 1 for the rows that count, `[rows, len, 1]`.
    fn row_mask(&self, group: &Group, length: usize, device: &Device) -> Tensor<3> {
        let (rows, len) = (group.batch.rows(), group.batch.len());
        let mut mask: Vec<f32> = match self.config.rows {
            Rows::First => (0..rows * len).map(|i| f32::from(u8::from(i % len == 0))).collect(),
            _ => group.batch.mask().iter().map(|&kept| f32::from(u8::from(kept))).collect(),
        };
        if self.config.rows == Rows::NonTrigger {
            for (row, &seat) in group.seats.iter().enumerate() {
                mask[row * len + seat..][..length].fill(0.0);
            }
        }
        Tensor::from_data(TensorData::new(mask, [rows, len, 1]), device)
    }

    /// The mixture of allowed tokens that the step starts from.
    fn mixture(&self, allowed: &[bool], rng: &mut ChaCha8Rng) -> Array1<f32> {
        let table = self.victim.table();
        let weights: Vec<f64> = allowed
            .iter()
            .map(|&allowed| match (allowed, self.config.start) {
                (false, _) => 0.0,
                (true, Start::Constant) => 1.0,
                (true, Start::Random) => Exp1.sample(rng),
            })
            .collect();
        let total: f64 = weights.iter().sum();
        let mut mean = Array1::<f64>::zeros(table.ncols());
        for (row, weight) in table.rows().into_iter().zip(weights) {
            if weight > 0.0 {
                mean.zip_mut_with(&row, |sum, &x| *sum += weight / total * f64::from(x));
            }
        }
        mean.mapv(|value| value as f32)
    }
}

impl<E: TokenEmbedding, P: Projection> Scorer for Luat<'_, E, P> {
    fn name(&self) -> &'static str {
        "luat"
    }

    fn describe(&self) -> String {
        format!("luat {:?}", self.config)
    }

    fn cost(&self, examples: usize) -> Forwards {
        Forwards(self.config.cost(self.victim.n_layers()) * examples as f64)
    }

    fn score(&mut self, query: Query<'_>, rng: &mut ChaCha8Rng) -> Result<TokenScores> {
        let table = self.victim.table();
        let ids: Vec<usize> = query.trigger.iter().map(|&id| id as usize).collect();
        let current = table.select(Axis(0), &ids);
        let starts = ids.iter().map(|_| self.mixture(query.allowed, rng)).collect::<Vec<_>>();
        let mut mixed = Array2::zeros(current.dim());
        for (mut row, start) in mixed.rows_mut().into_iter().zip(&starts) {
            row.assign(start);
        }
        let mut values = Array2::zeros((0, 0));
        for step in 0..self.config.power_steps {
            if step > 0 {
                let best = top_tokens(values.view(), query.allowed, 1)?;
                let best: Vec<usize> = best.iter().map(|row| row[0] as usize).collect();
                mixed = table.select(Axis(0), &best);
            }
            let directions = self.power_step(query, &(&mixed - &current))?;
            values = token_scores(directions.view(), table.view());
        }
        Ok(TokenScores { values, cost: self.cost(query.examples.len()) })
    }
}

/// `sign(z)|z|^(q−1)`.
fn phi(z: Tensor<3>, q: f64) -> Tensor<3> {
    if (q - 2.0).abs() < f64::EPSILON {
        return z;
    }
    z.clone().sign() * z.abs().powf_scalar(q - 1.0)
}
