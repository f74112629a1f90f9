//! Boyd's power method.

use ndarray::Array1;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::maps::{dual, norm, phi_direction};
use super::{Exponent, Jacobian, SingularConfig};
use crate::streams::{POWER, generator};
use crate::{Error, Result};

/// A (p,q)-singular vector.
#[derive(Clone, Debug, PartialEq)]
pub struct SingularVector {
    /// The value ‖J·v‖_q.
    pub value: f64,
    /// v with ‖v‖_p = 1, `[n]`.
    pub vector: Array1<f64>,
    /// Values of the start that was best, from its first vector on; they never fall.
    pub history: Vec<f64>,
    /// That start, from 0.
    pub restart: usize,
    /// Products J·v of all starts; those with Jᵀ are no more.
    pub products: usize,
}

/// A vector that maximises ‖J·v‖_q over ‖v‖_p = 1:
///
/// ```text
/// v ← ψ_p'( Jᵀ φ_q(J·v) ),   φ_q(z) = sign(z)|z|^(q−1),   p' = p/(p − 1),
/// ```
///
/// ψ_p' likewise with p' and normalised in the p-norm; for p = ∞ it is the sign. Each step
/// maximises a linear function that bounds a convex one from below, so the value never falls;
/// it ends in a fixed point, which need not be a maximum. For p = q = 2 this is the power method
/// for the largest singular value; for p = ∞ see [`SingularConfig::flips`].
///
/// # Errors
/// [`Error::Config`], [`Error::Empty`] for a map without rows or columns, [`Error::NotFinite`]
/// for a product that is not finite, [`Error::Mismatch`] for a product of another length, those
/// of the map.
///
/// # Complexity
/// At most 2 products a step, one more a start, and for p = ∞ `flips` at every fixed point.
///
/// # References
/// Boyd 1974, *The power method for lᵖ norms*; Khrulkov and Oseledets 2018, algorithm 1.
///
/// ```
/// use ndarray::array;
/// use sixfold_triggers::{SingularConfig, singular_vector};
/// let j = array![[1.0, -2.0], [0.5, 1.0]];
/// // The largest of ‖J·(±1, ±1)‖_5 is that of (1, −1): (3, −0.5).
/// let found = singular_vector(&j, &SingularConfig { restarts: 4, ..Default::default() })?;
/// assert!((found.value - (3.0_f64.powi(5) + 0.5_f64.powi(5)).powf(0.2)).abs() < 1e-12);
/// # Ok::<(), sixfold_triggers::Error>(())
/// ```
#[doc(alias = "boyd_power_method")]
pub fn singular_vector(
    map: &(impl Jacobian + ?Sized),
    config: &SingularConfig,
) -> Result<SingularVector> {
    config.validate()?;
    let [_, n] = shape(map)?;
    let mut best: Option<SingularVector> = None;
    let mut products = 0;
    for restart in 0..config.restarts {
        let mut rng = generator(config.seed, POWER + restart as u64);
        let run = climb(map, config, start(n, config.p, &mut rng), restart)?;
        products += run.products;
        // Of equal values the earlier start.
        if best.as_ref().is_none_or(|best| run.value > best.value) {
            best = Some(run);
        }
    }
    let best = best.ok_or(Error::Empty { what: "starts of the power method" })?;
    Ok(SingularVector { products, ..best })
}

/// The shape of a map that has rows and columns.
pub(super) fn shape(map: &(impl Jacobian + ?Sized)) -> Result<[usize; 2]> {
    match map.shape() {
        [0, _] | [_, 0] => Err(Error::Empty { what: "rows or columns of a map" }),
        shape => Ok(shape),
    }
}

/// J·v, or Jᵀ·u, of the length it must have and finite.
pub(super) fn checked(product: Result<Array1<f64>>, length: usize) -> Result<Array1<f64>> {
    let product = product?;
    if product.len() != length {
        return Err(Error::Mismatch {
            what: "the length of a product",
            expected: length.to_string(),
            found: product.len().to_string(),
        });
    }
    match product.iter().position(|x| !x.is_finite()) {
        Some(index) => Err(Error::NotFinite { what: "a product of a map", index }),
        None => Ok(product),
    }
}

fn start(n: usize, p: Exponent, rng: &mut ChaCha8Rng) -> Array1<f64> {
    match p {
        Exponent::Infinity => {
            Array1::from_shape_simple_fn(n, || if rng.random() { 1.0 } else { -1.0 })
        }
        Exponent::Finite(_) => {
            let v: Array1<f64> = Array1::from_shape_simple_fn(n, || StandardNormal.sample(rng));
            let length = norm(v.view(), p);
            v / length
        }
    }
}

/// A vector on its way up.
struct Climb<'a, J: ?Sized> {
    map: &'a J,
    config: &'a SingularConfig,
    vector: Array1<f64>,
    image: Array1<f64>,
    history: Vec<f64>,
    products: usize,
}

fn climb<J: Jacobian + ?Sized>(
    map: &J,
    config: &SingularConfig,
    vector: Array1<f64>,
    restart: usize,
) -> Result<SingularVector> {
    let image = checked(map.apply(vector.view()), map.shape()[0])?;
    let value = norm(image.view(), Exponent::Finite(config.q));
    let mut climb = Climb { map, config, vector, image, history: vec![value], products: 1 };
    while let Some(gradient) = climb.ascend()? {
        if config.p != Exponent::Infinity || !climb.flip(&gradient)? {
            break;
        }
    }
    let Climb { vector, history, products, .. } = climb;
    let value = history[history.len() - 1];
    Ok(SingularVector { value, vector, history, restart, products })
}

impl<J: Jacobian + ?Sized> Climb<'_, J> {
    fn value(&self) -> f64 {
        self.history[self.history.len() - 1]
    }

    /// Steps until nothing is gained: then the gradient there, none where it is 0 or no steps
    /// are left.
    fn ascend(&mut self) -> Result<Option<Array1<f64>>> {
        let n = self.vector.len();
        while self.history.len() <= self.config.iterations {
            let u = phi_direction(&self.image, self.config.q);
            let gradient = checked(self.map.apply_transpose(u.view()), n)?;
            if gradient.iter().all(|&x| x == 0.0) {
                return Ok(None);
            }
            let next = dual(&gradient, self.config.p, &self.vector);
            if next == self.vector {
                return Ok(Some(gradient));
            }
            let before = self.value();
            let (image, reached) = self.look(&next)?;
            // Less is rounding.
            if reached >= before {
                self.go(next, image, reached);
            }
            if reached - before <= self.config.tolerance * reached {
                return Ok(Some(gradient));
            }
        }
        Ok(None)
    }

    /// Turns one of the signs of which the gradient says least, if that leads higher.
    fn flip(&mut self, gradient: &Array1<f64>) -> Result<bool> {
        let mut order: Vec<usize> = (0..gradient.len()).collect();
        order.sort_by(|&i, &j| gradient[i].abs().total_cmp(&gradient[j].abs()));
        for i in order.into_iter().take(self.config.flips) {
            let mut next = self.vector.clone();
            next[i] = -next[i];
            let (image, reached) = self.look(&next)?;
            // More than rounding, lest two equal corners take turns.
            if reached > self.value() * (1.0 + self.config.tolerance.max(1e-12)) {
                self.go(next, image, reached);
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn look(&mut self, v: &Array1<f64>) -> Result<(Array1<f64>, f64)> {
        self.products += 1;
        let image = checked(self.map.apply(v.view()), self.map.shape()[0])?;
        let reached = norm(image.view(), Exponent::Finite(self.config.q));
        Ok((image, reached))
    }

    fn go(&mut self, vector: Array1<f64>, image: Array1<f64>, value: f64) {
        self.vector = vector;
        self.image = image;
        self.history.push(value);
    }
}
