//! The power method on rows of the probability simplex: directions that are mixtures of tokens.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use rand::Rng;
use rand_distr::{Distribution, Exp1};
use sixfold_linalg::{Real, matmul};

use super::iterate::{checked, shape};
use super::maps::{norm, phi_direction};
use super::{Exponent, Jacobian};
use crate::{Error, Result};

/// The mean of the rows of the table whose token is allowed.
///
/// # Shapes
/// `[vocab, d]`, vocab flags → `[d]`
///
/// # Errors
/// [`Error::Mismatch`] where there are not as many flags as rows, [`Error::Empty`] where none
/// is set.
pub fn mean_row<T: Real>(table: ArrayView2<'_, T>, allowed: &[bool]) -> Result<Array1<T>> {
    if allowed.len() != table.nrows() {
        return Err(Error::Mismatch {
            what: "the flags of allowed tokens",
            expected: format!("{} of them", table.nrows()),
            found: allowed.len().to_string(),
        });
    }
    let mut sum = Array1::<f64>::zeros(table.ncols());
    let mut count = 0.0;
    for (row, _) in table.rows().into_iter().zip(allowed).filter(|(_, allowed)| **allowed) {
        sum.zip_mut_with(&row, |sum, x| *sum += x.widen());
        count += 1.0;
    }
    if count == 0.0 {
        return Err(Error::Empty { what: "allowed tokens" });
    }
    Ok(sum.mapv(|x| T::narrow(x / count)))
}

/// The first direction of LUAT: every weight 1/V, so ε_i = mean(E_allowed) − E\[t_i\].
///
/// No product with the table is needed: W·E has all rows equal to the mean row.
///
/// # Shapes
/// `[d]`, `[L, d]` → `[L, d]`
///
/// # Panics
/// If the widths differ.
///
/// ```
/// use ndarray::array;
/// use sixfold_triggers::power::{const_direction, mean_row};
/// let table = array![[1.0_f32, 0.0], [3.0, 2.0], [9.0, 9.0]];
/// let mean = mean_row(table.view(), &[true, true, false])?;
/// let current = table.select(ndarray::Axis(0), &[2, 0]);
/// assert_eq!(const_direction(mean.view(), current.view()), array![[-7.0, -8.0], [1.0, 1.0]]);
/// # Ok::<(), sixfold_triggers::Error>(())
/// ```
pub fn const_direction<T: Real>(mean: ArrayView1<'_, T>, current: ArrayView2<'_, T>) -> Array2<T> {
    assert_eq!(mean.len(), current.ncols(), "the mean row is as wide as the rows of the trigger");
    let mut out = current.to_owned();
    for mut row in out.rows_mut() {
        row.zip_mut_with(&mean, |row, &mean| *row = mean - *row);
    }
    out
}

/// A random first direction: ε = W·E_allowed − E\[t\], rows of W uniform on the simplex
/// (exponential variables over their sum).
///
/// # Shapes
/// `allowed_rows` is `[V, d]`, `current` and the result `[L, d]`
///
/// # Errors
/// [`Error::Empty`] for no allowed rows, [`Error::Mismatch`] for other widths.
pub fn random_direction<T: Real>(
    allowed_rows: ArrayView2<'_, T>,
    current: ArrayView2<'_, T>,
    rng: &mut impl Rng,
) -> Result<Array2<T>> {
    fits(allowed_rows, current)?;
    let shape = (current.nrows(), allowed_rows.nrows());
    let mut weights = Array2::<f64>::from_shape_simple_fn(shape, || Exp1.sample(rng));
    for mut row in weights.rows_mut() {
        let sum = row.sum();
        row /= sum;
    }
    let weights = weights.mapv(T::narrow);
    Ok(matmul(weights.view(), allowed_rows) - current)
}

/// A trigger as a singular vector.
#[derive(Clone, Debug, PartialEq)]
pub struct SimplexVector {
    /// The value ‖J·ε‖_q at the tokens.
    pub value: f64,
    /// The token of every position, as an index into the allowed rows.
    pub tokens: Vec<usize>,
    /// Values from the uniform mixture on; they never fall.
    pub history: Vec<f64>,
}

/// Maximises ‖J·ε‖_q over ε = W·E − E\[t\], rows of W in the probability simplex, by
/// conditional gradients from the uniform mixture:
///
/// ```text
/// G = Jᵀ φ_q(J·ε)  as [L, d],   S = G·Eᵀ,   W ← the highest S of each row
/// ```
///
/// A step of LUAT is the first of these; repeated until the tokens stay, its value says how far
/// tokens can move a layer. The function is convex, so values never fall and the maximum lies
/// at tokens; which one is found depends on the start.
///
/// # Shapes
/// `map` is `[m, L·d]`, positions one after another; `allowed_rows` `[V, d]`, `current`
/// `[L, d]`.
///
/// # Errors
/// [`Error::Empty`], [`Error::Mismatch`] where shapes do not fit, [`Error::Config`] for q below
/// 1 or no step, [`Error::NotFinite`], those of the map.
///
/// # Complexity
/// Two products and one of `[L, d]` with `[d, V]` a step.
pub fn simplex_vector(
    map: &(impl Jacobian + ?Sized),
    allowed_rows: ArrayView2<'_, f64>,
    current: ArrayView2<'_, f64>,
    q: f64,
    iterations: usize,
) -> Result<SimplexVector> {
    let mut problems = Vec::new();
    if !(q >= 1.0 && q.is_finite()) {
        problems.push(format!("q is {q}, expected at least 1 and finite"));
    }
    if iterations == 0 {
        problems.push("iterations is 0, expected at least 1".to_owned());
    }
    if !problems.is_empty() {
        return Err(Error::Config { problems });
    }
    fits(allowed_rows, current)?;
    let [m, n] = shape(map)?;
    if n != current.len() {
        return Err(Error::Mismatch {
            what: "the columns of a map",
            expected: format!("{} for a trigger of {:?}", current.len(), current.dim()),
            found: n.to_string(),
        });
    }
    let flat = |x: Array2<f64>| Array1::from_iter(x);
    let exponent = Exponent::Finite(q);
    let mean = mean_row(allowed_rows, &vec![true; allowed_rows.nrows()])?;
    let start = flat(const_direction(mean.view(), current));
    let mut image = checked(map.apply(start.view()), m)?;
    let mut history = vec![norm(image.view(), exponent)];
    let mut tokens: Vec<usize> = Vec::new();
    for _ in 0..iterations {
        let gradient = checked(map.apply_transpose(phi_direction(&image, q).view()), n)?;
        let scores = gradient
            .to_shape(current.dim())
            .map(|gradient| matmul(gradient.view(), allowed_rows.t()))
            .map_err(|_| Error::Empty { what: "positions of a trigger" })?;
        let highest: Vec<usize> = scores.rows().into_iter().map(first_highest).collect();
        if highest == tokens {
            break;
        }
        let direction = flat(&allowed_rows.select(Axis(0), &highest) - &current);
        image = checked(map.apply(direction.view()), m)?;
        history.push(norm(image.view(), exponent));
        tokens = highest;
    }
    let value = history[history.len() - 1];
    Ok(SimplexVector { value, tokens, history })
}

/// The lowest index of the highest score.
fn first_highest(scores: ArrayView1<'_, f64>) -> usize {
    scores.iter().enumerate().fold(0, |best, (i, &x)| if x > scores[best] { i } else { best })
}

fn fits<T>(allowed_rows: ArrayView2<'_, T>, current: ArrayView2<'_, T>) -> Result<()> {
    if allowed_rows.nrows() == 0 {
        return Err(Error::Empty { what: "allowed tokens" });
    }
    if allowed_rows.ncols() != current.ncols() {
        return Err(Error::Mismatch {
            what: "the width of the rows of the trigger",
            expected: allowed_rows.ncols().to_string(),
            found: current.ncols().to_string(),
        });
    }
    Ok(())
}
