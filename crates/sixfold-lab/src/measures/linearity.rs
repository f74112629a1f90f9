//! How well an affine map turns one site into the next (arXiv 2405.12250, §3).

use anyhow::{Result, ensure};
use ndarray::{Array1, Array2};
use sixfold_linalg::{CrossMoments, GramSolution, Moments, gram_rcond, solve_gram};

/// Scores of one transition X → Y, all centred.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Linearity {
    /// `L = 1 − min_A ‖XA − Y‖²/‖Y‖²`.
    pub(crate) score: f64,
    /// L less what noise alone would score: `1 − (1 − L)(N − 1)/(N − r − 1)` at rank r.
    pub(crate) adjusted: f64,
    /// The same of X → Y − X, by the identity `1 − L = (1 − L_without) · norm_ratio`; none where
    /// the block adds nothing.
    pub(crate) without_residual: Option<f64>,
    /// `‖Y − X‖²/‖Y‖²`.
    pub(crate) norm_ratio: f64,
    /// `‖C‖²_*/(tr G · tr YᵀY)`: the best orthogonal map, scaled.
    pub(crate) procrustes_orthogonal: f64,
    /// Linear CKA, `‖C‖²_F/(‖G‖_F ‖YᵀY‖_F)`.
    pub(crate) cka: f64,
    /// Numerical rank of X.
    pub(crate) rank: usize,
}

/// The moments of a transition.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Transition<'a> {
    /// Moments of X.
    pub(crate) x: &'a Moments,
    /// Moments of Y.
    pub(crate) y: &'a Moments,
    /// Cross moments of X and Y.
    pub(crate) xy: &'a CrossMoments,
}

impl Transition<'_> {
    /// L and the share of the block's addition, the two numbers that a jackknife repeats.
    ///
    /// # Errors
    /// Too few tokens, or tokens that do not vary.
    pub(crate) fn score(&self) -> Result<(f64, usize, f64)> {
        let n = self.x.count();
        ensure!(n >= 2, "{n} tokens are left, too few for a linearity");
        let total = self.y.total_variance();
        ensure!(total > 0.0, "all {n} tokens are equal at this site: no linearity is defined");
        let (gram, cross) = (self.x.scatter(), self.xy.cross_scatter());
        let fit = solve(&gram, &cross)?;
        let added = total - 2.0 * trace(&cross) + trace(&gram);
        Ok(((fit.explained / total).clamp(0.0, 1.0), fit.rank, (added / total).max(0.0)))
    }

    /// All scores.
    ///
    /// # Errors
    /// As [`score`](Self::score).
    pub(crate) fn linearity(&self) -> Result<Linearity> {
        let (score, rank, norm_ratio) = self.score()?;
        let (gram, cross, target) = (self.x.scatter(), self.xy.cross_scatter(), self.y.scatter());
        let nuclear: f64 = sixfold_linalg::svdvals(cross.view())?.iter().sum();
        let n = self.x.count() as f64;
        let free = n - rank as f64 - 1.0;
        Ok(Linearity {
            score,
            adjusted: if free > 0.0 { 1.0 - (1.0 - score) * (n - 1.0) / free } else { f64::NAN },
            without_residual: without_residual(score, norm_ratio),
            norm_ratio,
            procrustes_orthogonal: nuclear * nuclear / (trace(&gram) * trace(&target)),
            cka: square(&cross) / (square(&gram) * square(&target)).sqrt(),
            rank,
        })
    }

    /// The score on `test` of the map that fits these tokens, intercept included.
    ///
    /// # Errors
    /// As [`score`](Self::score).
    pub(crate) fn heldout(&self, test: &Transition<'_>) -> Result<f64> {
        ensure!(test.x.count() >= 2, "too few tokens are held out");
        let total = test.y.total_variance();
        ensure!(total > 0.0, "all held-out tokens are equal at this site");
        let (gram, cross) = (self.x.scatter(), self.xy.cross_scatter());
        let map = solve(&gram, &cross)?.solution;
        let (gram, cross) = (test.x.scatter(), test.xy.cross_scatter());
        let spread = total - 2.0 * inner(&map, &cross) + inner(&map, &gram.dot(&map));
        let shift: Array1<f64> =
            (test.y.mean()? - self.y.mean()?) - (test.x.mean()? - self.x.mean()?).dot(&map);
        Ok(1.0 - (spread + test.x.count() as f64 * shift.dot(&shift)) / total)
    }
}

/// `L_without = 1 − (1 − L)/norm_ratio`; none where the block adds nothing.
pub(crate) fn without_residual(score: f64, norm_ratio: f64) -> Option<f64> {
    (norm_ratio > 1e-12).then(|| 1.0 - (1.0 - score) / norm_ratio)
}

/// Least squares from moments. States come from f32 arithmetic, whose noise must not count as
/// rank.
fn solve(gram: &Array2<f64>, cross: &Array2<f64>) -> Result<GramSolution> {
    Ok(solve_gram(gram.view(), cross.view(), gram_rcond::<f32>(gram.nrows()))?)
}

fn trace(matrix: &Array2<f64>) -> f64 {
    matrix.diag().sum()
}

fn inner(a: &Array2<f64>, b: &Array2<f64>) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn square(matrix: &Array2<f64>) -> f64 {
    inner(matrix, matrix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;
    use sixfold_model::Seed;

    const N: usize = 4000;
    const D: usize = 16;

    fn normal(n: usize, d: usize, stream: &str) -> Array2<f64> {
        let mut rng = Seed::new(1).stream(stream);
        let mut uniform = move || (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
        Array2::from_shape_fn((n, d), |_| {
            (-2.0 * (1.0 - uniform()).ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos()
        })
    }

    fn moments(x: &Array2<f64>, y: &Array2<f64>) -> (Moments, Moments, CrossMoments) {
        let (mut mx, mut my) = (Moments::new(x.ncols()), Moments::new(y.ncols()));
        let mut xy = CrossMoments::new(x.ncols(), y.ncols());
        mx.update(x.view()).unwrap();
        my.update(y.view()).unwrap();
        xy.update(x.view(), y.view()).unwrap();
        (mx, my, xy)
    }

    fn scores(x: &Array2<f64>, y: &Array2<f64>) -> Linearity {
        let (x, y, xy) = moments(x, y);
        Transition { x: &x, y: &y, xy: &xy }.linearity().unwrap()
    }

    #[test]
    fn an_affine_map_is_linear_and_an_orthogonal_one_is_procrustes() {
        let x = normal(N, D, "x");
        let map = normal(D, D, "map");
        let found = scores(&x, &(x.dot(&map) + 3.0));
        assert!((found.score - 1.0).abs() < 1e-9 && found.rank == D, "{found:?}");
        let rotation = sixfold_linalg::qr(map.view()).unwrap().q;
        let found = scores(&x, &x.dot(&rotation));
        assert!((found.procrustes_orthogonal - 1.0).abs() < 1e-9, "{found:?}");
        assert!((found.cka - 1.0).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn noise_scores_its_floor_and_adjusts_to_zero() {
        let found = scores(&normal(N, D, "x"), &normal(N, D, "y"));
        let floor = D as f64 / (N as f64 - 1.0);
        let n = N as f64;
        let sd = (2.0 * (n - 1.0 - D as f64) / ((n - 1.0).powi(2) * (n + 1.0))).sqrt();
        assert!((found.score - floor).abs() < 5.0 * sd, "{} against {floor} ± {sd}", found.score);
        assert!(found.adjusted.abs() < 5.0 * sd);
    }

    #[test]
    fn the_score_without_the_residual_follows_from_the_identity() {
        let x = normal(N, D, "x");
        let y = &x + &(x.mapv(f64::tanh) * 0.3);
        let direct = scores(&x, &(&y - &x)).score;
        let found = scores(&x, &y);
        assert!((found.without_residual.unwrap() - direct).abs() < 1e-9);
        assert_eq!(scores(&x, &x).without_residual, None);
    }

    #[test]
    fn known_nonlinearities_have_their_known_scores() {
        let x = normal(60_000, 4, "x");
        let relu = std::f64::consts::PI / (2.0 * (std::f64::consts::PI - 1.0));
        for (function, expected) in [
            (f64::tanh as fn(f64) -> f64, 0.930_470),
            (|v: f64| v.max(0.0), relu),
            (|v: f64| v * v * v, 0.6),
            (|v: f64| v * v, 0.0),
        ] {
            let found = scores(&x, &x.mapv(function)).score;
            assert!((found - expected).abs() < 1e-2, "{found} against {expected}");
        }
    }

    #[test]
    fn the_held_out_score_of_noise_is_below_zero() {
        let (x, y) = (normal(200, D, "x"), normal(200, D, "y"));
        let (tx, ty) = (normal(2000, D, "tx"), normal(2000, D, "ty"));
        let (train, test) = (moments(&x, &y), moments(&tx, &ty));
        let train = Transition { x: &train.0, y: &train.1, xy: &train.2 };
        let test = Transition { x: &test.0, y: &test.1, xy: &test.2 };
        let heldout = train.heldout(&test).unwrap();
        assert!(heldout < 0.0 && train.score().unwrap().0 > 0.0, "{heldout}");
    }
}
