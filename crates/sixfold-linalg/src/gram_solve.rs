//! Least squares from Gram matrices, for data that was only seen in one pass.

use ndarray::{Array1, Array2, ArrayView2, Axis, s};

use crate::backend::{self, Cholesky, Columns};
use crate::error::same_shape;
use crate::lstsq::check_rcond;
use crate::scale::{max_abs, power_of_two};
use crate::svd::condition;
use crate::{Error, Real, Result, matmul};

/// Steps of the power iterations that estimate the condition number.
const STEPS: usize = 12;

/// The solution of G·A = C and what it explains.
#[derive(Clone, Debug, PartialEq)]
pub struct GramSolution {
    /// A = G⁺C, `[dx, dy]`.
    pub solution: Array2<f64>,
    /// How well it fits.
    pub fit: GramFit,
}

/// What the solution of G·A = C explains.
#[derive(Clone, Debug, PartialEq)]
pub struct GramFit {
    /// Number of eigenvalues of the column-scaled G that count.
    pub rank: usize,
    /// Condition number λ₁/λ_min of the column-scaled G: the square of that of the data. From the
    /// full spectrum for [`GramMethod::Eigen`] (infinite where G is singular); for
    /// [`GramMethod::Cholesky`] an estimate from below, seldom less than three quarters of it.
    pub condition: f64,
    /// tr(CᵀG⁺C): the part of tr(YᵀY) that X explains.
    pub explained: f64,
    /// The part of each column of Y that X explains, `[dy]`; sums to `explained`.
    pub explained_columns: Array1<f64>,
    /// How the system was solved.
    pub method: GramMethod,
}

/// How [`solve_gram`] solved its system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GramMethod {
    /// Full rank, far from the cut.
    Cholesky,
    /// Eigendecomposition with a cut at `rcond`.
    Eigen,
}

/// Least squares of Y on X from G = XᵀX and C = XᵀY: A = G⁺C and tr(CᵀG⁺C).
///
/// Columns are scaled to norm 1 first, Ĝ = S⁻¹GS⁻¹ with S² = diag(G), so that neither rank nor
/// precision depends on the units of the columns; a column of zeros gets coefficients of zero.
/// Eigenvalues of Ĝ at or below `rcond`·λ₁ count as zero. G squares the condition of the data:
/// what matters is the precision with which it was formed, see [`gram_rcond`].
///
/// Where Ĝ is far from the cut Cholesky is used, which is about ten times faster.
///
/// # Shapes
/// `g` is `[dx, dx]`, symmetric; `c` is `[dx, dy]`.
///
/// # Errors
/// `ShapeMismatch`, `Empty`, `NotFinite`, `NoConvergence`; `InvalidParameter` unless
/// 0 ≤ `rcond` < 1; `ZeroVariance` where G has no positive diagonal entry.
///
/// # Complexity
/// dx³/3 + 2·dx²·dy operations in f64 by Cholesky, 9·dx³ + 4·dx²·dy by eigendecomposition.
///
/// # References
/// Van der Sluis 1969, *Condition numbers and equilibration of matrices*, theorem 4.1.
///
/// ```
/// use ndarray::array;
/// use sixfold_linalg::{cross_gram, gram, gram_rcond, solve_gram};
/// let (x, y) = (array![[1.0], [2.0], [3.0]], array![[2.0], [4.0], [6.0]]);
/// let (g, c) = (gram(x.view()), cross_gram(x.view(), y.view()));
/// let found = solve_gram(g.view(), c.view(), gram_rcond::<f64>(1))?;
/// assert!((found.solution[(0, 0)] - 2.0).abs() < 1e-14);
/// assert!((found.fit.explained - 56.0).abs() < 1e-12);
/// # Ok::<(), sixfold_linalg::Error>(())
/// ```
pub fn solve_gram(
    g: ArrayView2<'_, f64>,
    c: ArrayView2<'_, f64>,
    rcond: f64,
) -> Result<GramSolution> {
    let (fit, solution) = solve(g, c, rcond, true)?;
    Ok(GramSolution { solution: solution.unwrap_or_default(), fit })
}

/// What [`solve_gram`] would explain, without the solution: two thirds of its work.
///
/// # Shapes
/// `g` is `[dx, dx]`, symmetric; `c` is `[dx, dy]`.
///
/// # Errors
/// As [`solve_gram`].
///
/// # Complexity
/// dx³/3 + dx²·dy operations in f64 by Cholesky, 9·dx³ + 2·dx²·dy by eigendecomposition.
pub fn explain_gram(g: ArrayView2<'_, f64>, c: ArrayView2<'_, f64>, rcond: f64) -> Result<GramFit> {
    Ok(solve(g, c, rcond, false)?.0)
}

fn solve(
    g: ArrayView2<'_, f64>,
    c: ArrayView2<'_, f64>,
    rcond: f64,
    wanted: bool,
) -> Result<(GramFit, Option<Array2<f64>>)> {
    check_rcond(rcond)?;
    let d = g.nrows();
    same_shape("g", [d, g.ncols()], [d, d])?;
    same_shape("c", [c.nrows(), c.ncols()], [d, c.ncols()])?;
    if g.is_empty() {
        return Err(Error::Empty { what: "g" });
    }
    max_abs("g", g)?;
    max_abs("c", c)?;
    let inverse: Array1<f64> = g.diag().mapv(|x| if x > 0.0 { 1.0 / x.sqrt() } else { 0.0 });
    if inverse.iter().all(|x| *x == 0.0) {
        return Err(Error::ZeroVariance { what: "g" });
    }
    // |S⁻¹C| ≤ ‖y‖ where G and C come from data; squares of it are formed in a unit near 1.
    let rows = c.rows().into_iter().zip(&inverse);
    let largest = rows.flat_map(|(row, s)| row.into_iter().map(move |c| (c * s).abs()));
    let unit = power_of_two(largest.fold(0.0, f64::max), f64::MAX_SCALE_EXPONENT);
    let system = System { g, c, inverse: &inverse, unit, rcond, wanted };
    let (mut fit, solution) = match system.cholesky() {
        Some(found) => found,
        None => system.eigen()?,
    };
    fit.explained_columns.mapv_inplace(|x| (x * unit) * unit);
    fit.explained = fit.explained_columns.sum();
    let solution = solution.map(|mut solution| {
        solution *= &inverse.view().insert_axis(Axis(1));
        solution *= unit;
        solution
    });
    Ok((fit, solution))
}

/// A fair `rcond` for [`solve_gram`] on `d` columns whose products were formed in `T`.
///
/// 8·√d units in the last place of `T`: above the noise of a column-scaled Gram matrix made of
/// blocks in `T`, and not much above.
pub fn gram_rcond<T: Real>(d: usize) -> f64 {
    8.0 * (d as f64).sqrt() * T::EPSILON
}

/// Matrices of wide layers are large: each is made where it is needed, in the one copy that the
/// decompositions then overwrite.
struct System<'a> {
    g: ArrayView2<'a, f64>,
    c: ArrayView2<'a, f64>,
    /// S⁻¹.
    inverse: &'a Array1<f64>,
    unit: f64,
    rcond: f64,
    /// Whether the solution is wanted, or only what it explains.
    wanted: bool,
}

impl System<'_> {
    /// Ĝ = S⁻¹GS⁻¹; symmetric, so that rows are columns.
    fn equilibrated(&self) -> Columns {
        let d = self.g.nrows();
        let mut data = Vec::with_capacity(d * d);
        for (row, s) in self.g.rows().into_iter().zip(self.inverse) {
            data.extend(row.iter().zip(self.inverse).map(|(g, t)| g * s * t));
        }
        Columns { rows: d, cols: d, data }
    }

    /// S⁻¹C in units of `unit`.
    fn rhs(&self) -> Columns {
        let (d, dy) = self.c.dim();
        let mut rhs = Columns::zeros(d, dy);
        // Some columns at a time, so that what is read and what is written stays in the cache.
        for (block, columns) in rhs.data.chunks_mut(32 * d).enumerate() {
            for (i, s) in self.inverse.iter().enumerate() {
                let row = self.c.row(i);
                for (k, column) in columns.chunks_mut(d).enumerate() {
                    column[i] = row[32 * block + k] * s / self.unit;
                }
            }
        }
        rhs
    }

    /// Nothing where the matrix is near the cut.
    fn cholesky(&self) -> Option<(GramFit, Option<Array2<f64>>)> {
        let d = self.g.nrows();
        let g = self.equilibrated();
        let largest = grow(d, |x| *x = Columns::load(matmul(g.view(), x.view()).view(), 1.0));
        let cholesky = Cholesky::new("g", g).ok()?;
        // λ₁·λ_min⁻¹ by power iterations with G and with its inverse, from below.
        let condition = largest
            * grow(d, |x| {
                cholesky.solve_lower(x);
                cholesky.solve_upper(x);
            });
        // The estimate is from below; the margin also covers the rounding of Cholesky itself.
        if condition * 4.0 * self.rcond.max(d as f64 * f64::EPSILON) >= 1.0 {
            return None;
        }
        let mut work = self.rhs();
        cholesky.solve_lower(&mut work);
        let explained_columns = work.view().map_axis(Axis(0), |c| c.dot(&c));
        let solution = self.wanted.then(|| {
            cholesky.solve_upper(&mut work);
            work.store(1.0)
        });
        let method = GramMethod::Cholesky;
        Some((GramFit { rank: d, condition, explained: 0.0, explained_columns, method }, solution))
    }

    fn eigen(&self) -> Result<(GramFit, Option<Array2<f64>>)> {
        let g = self.equilibrated();
        let (values, vectors) = backend::eigh(&g)?;
        let largest = values[0].max(0.0);
        // Below this the eigenvalues are the rounding of the decomposition.
        let cut = self.rcond.max(g.rows as f64 * f64::EPSILON) * largest;
        let rank = values.iter().take_while(|x| **x > cut).count();
        let vectors = vectors.view();
        let kept = vectors.slice(s![.., ..rank]);
        let mut work = matmul(kept.reversed_axes(), self.rhs().view());
        let scale = values.slice(s![..rank]).mapv(|x| 1.0 / x.sqrt());
        work *= &scale.view().insert_axis(Axis(1));
        let explained_columns = work.map_axis(Axis(0), |c| c.dot(&c));
        let solution = self.wanted.then(|| {
            work *= &scale.view().insert_axis(Axis(1));
            matmul(kept, work.view())
        });
        let (condition, method) = (condition(&values), GramMethod::Eigen);
        Ok((GramFit { rank, condition, explained: 0.0, explained_columns, method }, solution))
    }
}

/// The growth of a vector under repeated `step`, which tends to its largest eigenvalue.
fn grow(n: usize, step: impl Fn(&mut Columns)) -> f64 {
    let mut x = Columns::zeros(n, 1);
    // Any fixed vector without symmetry will do.
    for (i, v) in x.data.iter_mut().enumerate() {
        *v = 1.0 + (i as f64 * 0.618_033_988_749_895).fract();
        *v *= if i % 2 == 0 { 1.0 } else { -1.0 };
    }
    let mut growth = 0.0;
    for _ in 0..STEPS {
        let norm = x.data.iter().map(|v| v * v).sum::<f64>().sqrt();
        if norm == 0.0 || !norm.is_finite() {
            return f64::INFINITY;
        }
        x.data.iter_mut().for_each(|v| *v /= norm);
        step(&mut x);
        growth = x.data.iter().map(|v| v * v).sum::<f64>().sqrt();
    }
    growth
}
