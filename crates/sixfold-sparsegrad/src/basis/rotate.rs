//! Gradients in the coordinates of a basis.

use ndarray::{Array2, ArrayView2};

use crate::Result;
use crate::basis::Basis;
use crate::product::product_into;

impl Basis {
    /// The core of a gradient, C = Uᵀ·G·V.
    ///
    /// The cheaper of both orders is taken; a side of the features themselves costs nothing.
    ///
    /// # Shapes
    /// `gradient` is `[d_in, d_out]`, any strides; the core `[r_in, r_out]`.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) for a gradient of another matrix.
    ///
    /// # Complexity
    /// 2·d_in·d_out·r_out + 2·d_in·r_in·r_out operations, or the same with the sides exchanged.
    ///
    /// # References
    /// SparseGrad, section 3.2 (there transposed, and U of the authors' program once more).
    pub fn rotate(&self, gradient: ArrayView2<'_, f32>) -> Result<Array2<f32>> {
        let [d_in, d_out] = self.weights();
        crate::error::same_shape("gradient", [d_in, d_out], [gradient.nrows(), gradient.ncols()])?;
        let [r_in, r_out] = self.core();
        Ok(match (self.input.columns(), self.output.columns()) {
            (None, None) => gradient.to_owned(),
            (Some(u), None) => product(u.t(), gradient),
            (None, Some(v)) => product(gradient, v.view()),
            (Some(u), Some(v)) if d_in * r_out * (d_out + r_in) < d_out * r_in * (d_in + r_out) => {
                product(u.t(), product(gradient, v.view()).view())
            }
            (Some(u), Some(v)) => product(product(u.t(), gradient).view(), v.view()),
        })
    }
}

fn product(a: ArrayView2<'_, f32>, b: ArrayView2<'_, f32>) -> Array2<f32> {
    let mut c = Array2::zeros((a.nrows(), b.ncols()));
    product_into(1.0, a, b, 0.0, c.view_mut());
    c
}
