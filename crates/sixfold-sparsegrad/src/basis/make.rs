//! Bases that no calibration made: controls, and what is cut from others.

use half::bf16;
use ndarray::{Array2, ArrayView2, s};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use sixfold_linalg::{TruncatedSvdConfig, qr, svd, truncated_svd};

use crate::basis::{Basis, Side};
use crate::product::alone;
use crate::{Error, Result};

impl Basis {
    /// The features themselves: what MeProp, SIFT and SHiRA select in.
    pub fn identity(d_in: usize, d_out: usize) -> Self {
        Self { input: Side::Identity(d_in), output: Side::Identity(d_out) }
    }

    /// Random orthonormal coordinates, uniformly distributed: the control that any claim about a basis needs.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for ranks outside 1 ≤ r ≤ d.
    ///
    /// # Complexity
    /// 4·d·r² operations for each side.
    ///
    /// # References
    /// Mezzadri 2007, *How to generate random matrices from the classical compact groups*, section 4.
    pub fn random(d_in: usize, d_out: usize, r_in: usize, r_out: usize, seed: u64) -> Result<Self> {
        rank_in("r_in", r_in, d_in)?;
        rank_in("r_out", r_out, d_out)?;
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        let mut side = |d, r| {
            let normal = gaussian([d, r], &mut generator);
            // R with a diagonal that is not negative makes Q uniform.
            let q = alone(|| qr(normal.view()))?.q;
            Ok::<_, Error>(Side::Columns(q.mapv(|x| x as f32)))
        };
        Ok(Self { input: side(d_in, r_in)?, output: side(d_out, r_out)? })
    }

    /// Leading singular vectors of the weights, as LoRA-XS takes them.
    ///
    /// # Shapes
    /// `weights` is `[d_in, d_out]`.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for ranks outside 1 ≤ r ≤ min(d_in, d_out); [`Error::Linalg`] for
    /// weights that are not finite.
    ///
    /// # Complexity
    /// 12·d_in·d_out·r operations where 4·r is at most the smaller side, else those of a full SVD.
    ///
    /// # References
    /// Bałazy, Banaei, Aberer, Tabor 2024, *LoRA-XS*, section 3.
    #[doc(alias = "lora_xs")]
    pub fn of_weights(weights: ArrayView2<'_, f32>, r_in: usize, r_out: usize) -> Result<Self> {
        let smaller = weights.nrows().min(weights.ncols());
        rank_in("r_in", r_in, smaller)?;
        rank_in("r_out", r_out, smaller)?;
        let r = r_in.max(r_out);
        let (mut u, vt) = alone(|| {
            if 4 * r <= smaller {
                let found = truncated_svd(weights, r, &TruncatedSvdConfig::default())?;
                Ok::<_, Error>((found.u, found.vt))
            } else {
                let found = svd(weights)?;
                Ok((found.u, found.vt))
            }
        })?;
        let mut v = vt.reversed_axes();
        signed(&mut u);
        signed(&mut v);
        let first = |of: &Array2<f32>, r| {
            Side::Columns(of.slice(s![.., ..r]).as_standard_layout().into_owned())
        };
        Ok(Self { input: first(&u, r_in), output: first(&v, r_out) })
    }

    /// U replaced by Uᵀ: the basis that the authors' program really used.
    ///
    /// Its rotation of the inputs is arbitrary, so that only the outputs become sparse; for replications.
    ///
    /// # Errors
    /// [`Error::Shape`] where U is not square.
    pub fn transposed_input(&self) -> Result<Self> {
        let input = match &self.input {
            Side::Identity(d) => Side::Identity(*d),
            Side::Columns(u) => {
                let (d, r) = u.dim();
                crate::error::same_shape("basis of the inputs", [d, d], [d, r])?;
                Side::Columns(u.t().as_standard_layout().into_owned())
            }
        };
        Ok(Self { input, output: self.output.clone() })
    }

    /// The same with columns rounded to bfloat16: half the memory on devices and in files, and the same basis in both.
    ///
    /// Columns are then of unit length and orthogonal to within 2⁻⁸, which training, merging and export do not rely on.
    #[must_use]
    pub fn in_half(&self) -> Self {
        let rounded = |side: &Side| match side {
            Side::Identity(d) => Side::Identity(*d),
            Side::Columns(columns) => Side::Columns(columns.mapv(|x| bf16::from_f32(x).to_f32())),
        };
        Self { input: rounded(&self.input), output: rounded(&self.output) }
    }

    /// Whether bfloat16 holds all columns.
    #[cfg(feature = "model")]
    pub(crate) fn is_in_half(&self) -> bool {
        let sides = [&self.input, &self.output].into_iter().filter_map(Side::columns);
        sides.flatten().all(|x| x.to_bits() == bf16::from_f32(*x).to_f32().to_bits())
    }

    /// U alone, with the outputs as they are: a control.
    pub fn input_only(&self) -> Self {
        Self { input: self.input.clone(), output: Side::Identity(self.output.width()) }
    }

    /// V alone, with the inputs as they are: the control that the paper's layout calls left-only.
    #[doc(alias = "left_only")]
    pub fn output_only(&self) -> Self {
        Self { input: Side::Identity(self.input.width()), output: self.output.clone() }
    }

    /// The first coordinates of each side.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for ranks outside 1 ≤ r ≤ the present rank; features themselves have
    /// no order, and cannot be cut.
    pub fn truncate(&self, r_in: usize, r_out: usize) -> Result<Self> {
        Ok(Self {
            input: cut(&self.input, "r_in", r_in)?,
            output: cut(&self.output, "r_out", r_out)?,
        })
    }
}

fn cut(side: &Side, name: &'static str, r: usize) -> Result<Side> {
    match side {
        Side::Identity(d) if r == *d => Ok(side.clone()),
        Side::Identity(_) => {
            let expected = "the number of features, which have no order to be cut in";
            Err(Error::InvalidParameter { name, found: r as f64, expected })
        }
        Side::Columns(columns) => {
            rank_in(name, r, columns.ncols())?;
            Ok(Side::Columns(columns.slice(s![.., ..r]).to_owned()))
        }
    }
}

pub(super) fn rank_in(name: &'static str, r: usize, most: usize) -> Result<()> {
    if (1..=most).contains(&r) {
        return Ok(());
    }
    let expected = "at least 1, and no more than there are coordinates";
    Err(Error::InvalidParameter { name, found: r as f64, expected })
}

/// Turns each column so that its entry of the largest magnitude, the first such, is positive.
pub(super) fn signed<T: sixfold_linalg::Real>(vectors: &mut Array2<T>) {
    for mut column in vectors.columns_mut() {
        let mut largest = T::zero();
        for x in &column {
            if x.abs() > largest.abs() {
                largest = *x;
            }
        }
        if largest < T::zero() {
            column.mapv_inplace(|x| -x);
        }
    }
}

/// Independent standard normal numbers.
pub(super) fn gaussian([rows, columns]: [usize; 2], generator: &mut impl Rng) -> Array2<f64> {
    Array2::from_shape_simple_fn((rows, columns), || StandardNormal.sample(generator))
}
