//! The scores of one transition X → Y, from its moments.

use ndarray::Array2;
use sixfold_linalg::{
    CrossMoments, Moments, PairMoments, explain_gram, gram_rcond, linear_cka, procrustes_from_gram,
    solve_gram,
};

use crate::error::same_shape;
use crate::{AffineMap, Error, Result};

/// Below this share of ‖Y‖², what a layer adds is rounding and has no linearity of its own.
const NOTHING_ADDED: f64 = 1e-12;

/// The moments of the tokens before a layer (X), after it (Y), and of both together.
///
/// The three are borrowed, because neighbouring transitions share a site: `MomentTap` of
/// `sixfold-model` gives them for all layers in one pass.
///
/// ```
/// use ndarray::array;
/// use sixfold_linalg::PairMoments;
/// use sixfold_linearity::Transition;
/// let x = array![[1.0_f32, 0.0], [0.0, 1.0], [2.0, 1.0], [1.0, 3.0]];
/// let y = x.dot(&array![[1.0, 1.0], [0.0, 2.0]]) + 5.0;
/// let mut moments = PairMoments::new(2, 2);
/// moments.update(x.view(), y.view())?;
/// let found = Transition::from(&moments).linearity()?;
/// assert!((found.score - 1.0).abs() < 1e-5);
/// assert_eq!(found.rank, 2);
/// # Ok::<(), sixfold_linearity::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Transition<'a> {
    /// Moments of X, `[n, dx]`.
    pub x: &'a Moments,
    /// Moments of Y, `[n, dy]`.
    pub y: &'a Moments,
    /// Cross moments of X and Y.
    pub xy: &'a CrossMoments,
}

impl<'a> From<&'a PairMoments> for Transition<'a> {
    fn from(pair: &'a PairMoments) -> Self {
        Self { x: &pair.x, y: &pair.y, xy: &pair.xy }
    }
}

/// How linear a transition is. X and Y are centred in every formula.
#[derive(Clone, Debug, PartialEq)]
pub struct Linearity {
    /// L = 1 − min_A ‖XA − Y‖²/‖Y‖²: the share of Y that the best affine map of X explains.
    pub score: f64,
    /// What independent noise would score: r/(N − 1) at rank r.
    pub floor: f64,
    /// 1 − (1 − L)(N − 1)/(N − r − 1): zero in the mean for noise; `None` unless N > r + 1.
    pub adjusted: Option<f64>,
    /// The score of X → Y − X; `None` where a layer adds nothing, or X and Y differ in width.
    ///
    /// It is no measurement of its own: 1 − L = (1 − L_without)·`norm_ratio`.
    pub without_residual: Option<f64>,
    /// [`without_residual`](Self::without_residual), adjusted as [`adjusted`](Self::adjusted).
    pub without_residual_adjusted: Option<f64>,
    /// ‖Y − X‖²/‖Y‖²; `None` where X and Y differ in width.
    pub norm_ratio: Option<f64>,
    /// ‖Y − XA‖²/N: what the map leaves, per token and not normalised.
    pub residual_error: f64,
    /// Numerical rank r of X.
    pub rank: usize,
    /// Condition number of X with columns of norm 1, or an estimate from below.
    pub condition: f64,
    /// Tokens N.
    pub n: u64,
}

impl Transition<'_> {
    /// The scores.
    ///
    /// # Errors
    /// [`Error::TooFewTokens`] for fewer than two, [`Error::AllEqual`] where X or Y does not vary,
    /// [`Error::Unpaired`] where the three states have not seen the same tokens.
    ///
    /// # Complexity
    /// dx³/3 + dx²·dy operations in f64.
    ///
    /// # References
    /// Razzhigaev et al. 2024, *Your Transformer is Secretly Linear*, §3; the adjustment is
    /// Ezekiel's for the multiple correlation.
    #[doc(alias = "procrustes_similarity")]
    #[doc(alias = "linearity_score")]
    pub fn linearity(&self) -> Result<Linearity> {
        self.check("linearity")?;
        let n = self.x.count();
        let total = self.y.total_variance();
        let (gram, cross) = (self.x.scatter(), self.xy.cross_scatter());
        let fit = explain_gram(gram.view(), cross.view(), rcond(gram.nrows()))?;
        let score = (fit.explained / total).clamp(0.0, 1.0);
        let norm_ratio = cross
            .is_square()
            .then(|| ((total - 2.0 * trace(&cross) + trace(&gram)) / total).max(0.0));
        let without = without_residual(score, norm_ratio);
        let adjust = |score: f64| {
            let free = n as f64 - fit.rank as f64 - 1.0;
            (free > 0.0).then(|| 1.0 - (1.0 - score) * (n as f64 - 1.0) / free)
        };
        Ok(Linearity {
            score,
            floor: (fit.rank as f64 / (n as f64 - 1.0)).min(1.0),
            adjusted: adjust(score),
            without_residual: without,
            without_residual_adjusted: without.and_then(adjust),
            norm_ratio,
            residual_error: (1.0 - score) * total / n as f64,
            rank: fit.rank,
            condition: fit.condition.sqrt(),
            n,
        })
    }

    /// Orthogonal Procrustes similarity, ‖C‖²_*/(tr G · tr YᵀY): what the best rotation and one
    /// scale explain, at most [`Linearity::score`]; `None` for different widths.
    ///
    /// # Errors
    /// As [`linearity`](Self::linearity).
    ///
    /// # Complexity
    /// One SVD of `[d, d]`.
    pub fn procrustes_orthogonal(&self) -> Result<Option<f64>> {
        self.check("Procrustes similarity")?;
        let cross = self.xy.cross_scatter();
        if !cross.is_square() {
            return Ok(None);
        }
        let (of_x, of_y) = (self.x.total_variance(), self.y.total_variance());
        Ok(Some(procrustes_from_gram(cross.view(), of_x, of_y)?.similarity))
    }

    /// Linear CKA, ‖C‖²_F/(‖G‖_F·‖YᵀY‖_F).
    ///
    /// # Errors
    /// As [`linearity`](Self::linearity).
    ///
    /// # Complexity
    /// O(dx·dy).
    ///
    /// # References
    /// Kornblith et al. 2019.
    pub fn cka(&self) -> Result<f64> {
        self.check("CKA")?;
        Ok(linear_cka(self.x, self.y, self.xy)?)
    }

    /// The affine map that fits best: y ≈ x·A + b.
    ///
    /// # Errors
    /// As [`linearity`](Self::linearity).
    ///
    /// # Complexity
    /// dx³/3 + 2·dx²·dy operations in f64.
    pub fn affine_map(&self) -> Result<AffineMap> {
        self.check("affine map")?;
        let (gram, cross) = (self.x.scatter(), self.xy.cross_scatter());
        let weight = solve_gram(gram.view(), cross.view(), rcond(gram.nrows()))?.solution;
        let bias = self.y.mean()? - self.x.mean()?.dot(&weight);
        Ok(AffineMap { weight, bias })
    }

    pub(crate) fn check(&self, what: &'static str) -> Result<()> {
        let [dx, dy] = self.xy.dims();
        same_shape("xy", [dx, dy], [self.x.dim(), self.y.dim()])?;
        let (x, y, xy) = (self.x.count(), self.y.count(), self.xy.count());
        if x != xy || y != xy {
            return Err(Error::Unpaired { x, y, xy });
        }
        if xy < 2 {
            return Err(Error::TooFewTokens { what, found: xy, needed: 2 });
        }
        for (moments, side) in [(self.x, "before the layer"), (self.y, "after the layer")] {
            if moments.total_variance() <= 0.0 {
                return Err(Error::AllEqual { what, n: xy, side });
            }
        }
        Ok(())
    }
}

/// States of networks come from f32 arithmetic, whose noise must not count as rank.
fn rcond(d: usize) -> f64 {
    gram_rcond::<f32>(d)
}

/// L_without = 1 − (1 − L)/norm_ratio; none where the layer adds nothing.
fn without_residual(score: f64, norm_ratio: Option<f64>) -> Option<f64> {
    norm_ratio.filter(|ratio| *ratio > NOTHING_ADDED).map(|ratio| 1.0 - (1.0 - score) / ratio)
}

fn trace(matrix: &Array2<f64>) -> f64 {
    matrix.diag().sum()
}
