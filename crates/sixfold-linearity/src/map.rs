//! The affine map that takes a layer's place, and its score on tokens it has not seen.

use ndarray::{Array1, Array2, ArrayView2, Axis};
use sixfold_linalg::{Real, matmul};

use crate::error::same_shape;
use crate::{Result, Transition};

/// y = x·A + b.
#[derive(Clone, Debug, PartialEq)]
pub struct AffineMap {
    /// A, `[dx, dy]`.
    pub weight: Array2<f64>,
    /// b, `[dy]`.
    pub bias: Array1<f64>,
}

impl AffineMap {
    /// The map of each row of `x`, in f64.
    ///
    /// # Shapes
    /// `x` is `[n, dx]`, the result `[n, dy]`.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`](crate::Error::ShapeMismatch).
    pub fn apply<T: Real>(&self, x: ArrayView2<'_, T>) -> Result<Array2<f64>> {
        same_shape("x", [x.nrows(), x.ncols()], [x.nrows(), self.weight.nrows()])?;
        Ok(matmul(x.mapv(T::widen).view(), self.weight.view()) + &self.bias)
    }

    /// What the map misses of each token: ‖x·A + b − y‖².
    ///
    /// Divided by [`Moments::total_variance`](sixfold_linalg::Moments::total_variance) / N of Y, the
    /// mean over the tokens of the fit is 1 − L: a token's own non-linearity.
    ///
    /// # Shapes
    /// `x` is `[n, dx]`, `y` is `[n, dy]`, the result `[n]`.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`](crate::Error::ShapeMismatch).
    pub fn errors<T: Real>(
        &self,
        x: ArrayView2<'_, T>,
        y: ArrayView2<'_, T>,
    ) -> Result<Array1<f64>> {
        same_shape("y", [y.nrows(), y.ncols()], [x.nrows(), self.weight.ncols()])?;
        let mut missed = self.apply(x)?;
        missed.zip_mut_with(&y, |missed, y| *missed -= y.widen());
        Ok(missed.map_axis(Axis(1), |row| row.dot(&row)))
    }

    /// The map as a layer, to take the place of a block:
    /// [`Transformer::with_affine`](sixfold_model::Transformer::with_affine).
    #[cfg(feature = "model")]
    pub fn layer(&self, device: &burn::tensor::Device) -> burn::nn::Linear {
        use burn::module::Param;
        use burn::tensor::{Tensor, TensorData};
        let (rows, columns) = self.weight.dim();
        let single = |values: &mut dyn Iterator<Item = &f64>| -> Vec<f32> {
            values.map(|&value| value as f32).collect()
        };
        let weight = TensorData::new(single(&mut self.weight.iter()), [rows, columns]);
        let bias = TensorData::new(single(&mut self.bias.iter()), [columns]);
        burn::nn::Linear {
            weight: Param::from_tensor(Tensor::from_data(weight, device)),
            bias: Some(Param::from_tensor(Tensor::from_data(bias, device))),
        }
    }

    /// The map of this one, then of `next`: what stands for a span of layers.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`](crate::Error::ShapeMismatch).
    pub fn then(&self, next: &Self) -> Result<Self> {
        let [inner, outer] = [next.weight.nrows(), next.weight.ncols()];
        same_shape("next", [inner, outer], [self.weight.ncols(), outer])?;
        let weight = matmul(self.weight.view(), next.weight.view());
        Ok(Self { weight, bias: self.bias.dot(&next.weight) + &next.bias })
    }

    /// The linearity 1 − ‖XA + b − Y‖²/‖Y − μ‖² on the tokens of `test`, intercept included:
    /// negative where the mean of Y would have been the better guess.
    ///
    /// Computed from moments: ‖Y‖² − 2 tr(AᵀC) + tr(AᵀGA), and the offset of the means.
    ///
    /// # Errors
    /// As [`Transition::linearity`].
    ///
    /// # Complexity
    /// 2·dx²·dy operations; no token is read again.
    #[doc(alias = "heldout")]
    pub fn score(&self, test: &Transition<'_>) -> Result<f64> {
        test.check("held-out linearity")?;
        same_shape("test", test.xy.dims(), [self.weight.nrows(), self.weight.ncols()])?;
        let total = test.y.total_variance();
        let (gram, cross) = (test.x.scatter(), test.xy.cross_scatter());
        let explained = matmul(gram.view(), self.weight.view());
        let spread = total - 2.0 * inner(&self.weight, &cross) + inner(&self.weight, &explained);
        let offset = test.y.mean()? - test.x.mean()?.dot(&self.weight) - &self.bias;
        Ok(1.0 - (spread + test.xy.count() as f64 * offset.dot(&offset)) / total)
    }
}

fn inner(a: &Array2<f64>, b: &Array2<f64>) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
