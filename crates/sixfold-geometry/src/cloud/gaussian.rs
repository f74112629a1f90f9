//! A Gaussian cloud with the moments of another one: what is left of a score when nothing but
//! mean and covariance is.

use ndarray::{Array2, ArrayViewMut2, Axis, s};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use sixfold_linalg::{eigh, matmul};

use super::Cloud;
use crate::Result;

/// Rows made at a time.
const ROWS: usize = 1024;

impl Cloud {
    /// `n` points of a Gaussian distribution with the mean and the covariance of this cloud: the
    /// control for every statistic that claims to see more than two moments.
    ///
    /// x = μ + V·√λ·z with the eigenpairs of the covariance (with n − 1) and standard normal z.
    /// The same seed gives the same points.
    ///
    /// # Shapes
    /// The result is `[n, d]`.
    ///
    /// # Errors
    /// Those of [`spectrum`](Self::spectrum).
    ///
    /// # Complexity
    /// 9·d³ + 2·n·d² operations.
    pub fn gaussian(&self, n: usize, seed: u64) -> Result<Array2<f32>> {
        self.variance("gaussian")?;
        let mean = self.moments().mean()?;
        let eigen = eigh(self.moments().covariance(1)?.view())?;
        let positive = eigen.values.iter().take_while(|value| **value > 0.0).count();
        // The rows of √λ·Vᵀ.
        let mut axes = eigen.vectors.slice_move(s![.., ..positive]).reversed_axes();
        for (mut axis, value) in axes.rows_mut().into_iter().zip(&eigen.values) {
            axis *= value.sqrt();
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut points = Array2::<f32>::zeros((n, self.dim()));
        for mut rows in points.axis_chunks_iter_mut(Axis(0), ROWS) {
            let shape = (rows.nrows(), positive);
            let normal = Array2::from_shape_simple_fn(shape, || StandardNormal.sample(&mut rng));
            let centred: Array2<f64> = matmul(normal.view(), axes.view());
            narrow(&(centred + &mean), &mut rows);
        }
        Ok(points)
    }
}

fn narrow(values: &Array2<f64>, into: &mut ArrayViewMut2<'_, f32>) {
    into.zip_mut_with(values, |into, value| *into = *value as f32);
}
