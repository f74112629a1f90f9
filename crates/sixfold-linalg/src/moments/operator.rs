//! Products with the scatter matrix, which is never unfolded, and its Frobenius norm.

use ndarray::{Array2, ArrayView2, s};

use super::Moments;
use crate::LinearOperator;

/// The scatter matrix S in the units of x, as [`Moments::scatter`] gives it: half of the memory
/// traffic of a product with a full matrix.
impl LinearOperator<f64> for Moments {
    fn shape(&self) -> [usize; 2] {
        [self.dim(), self.dim()]
    }

    fn apply(&self, x: ArrayView2<'_, f64>) -> Array2<f64> {
        assert_eq!(x.nrows(), self.dim(), "as many rows as the scatter has columns");
        let scale = &self.side.scale;
        let mut y = Array2::zeros((self.dim(), x.ncols()));
        for (column, mut into) in x.columns().into_iter().zip(y.columns_mut()) {
            let scaled: Vec<f64> = column.iter().zip(scale).map(|(x, scale)| x * scale).collect();
            let mut product = vec![0.0; self.dim()];
            for i in 0..self.dim() {
                let row = self.scatter.slice(s![i, i..]);
                let row = row.as_slice().unwrap_or_default();
                product[i] += twice(row, &scaled[i..], &mut product[i..]);
            }
            for ((into, product), scale) in into.iter_mut().zip(product).zip(scale) {
                *into = product * scale;
            }
        }
        y
    }

    fn apply_transpose(&self, x: ArrayView2<'_, f64>) -> Array2<f64> {
        self.apply(x)
    }
}

/// Row i of the upper triangle, used as a row and as a column: adds x_i·s below the first entry of
/// `y` and gives s·x.
fn twice(row: &[f64], x: &[f64], y: &mut [f64]) -> f64 {
    const LANES: usize = 8;
    let first = x[0];
    let mut lanes = [0.0; LANES];
    let mut at = 1;
    while at + LANES <= row.len() {
        for lane in 0..LANES {
            lanes[lane] += row[at + lane] * x[at + lane];
            y[at + lane] += row[at + lane] * first;
        }
        at += LANES;
    }
    let mut sum = row[0] * first + lanes.iter().sum::<f64>();
    for at in at..row.len() {
        sum += row[at] * x[at];
        y[at] += row[at] * first;
    }
    sum
}

impl Moments {
    /// The squared Frobenius norm of the scatter, ‖S‖²_F = Σλ², without its eigenvalues.
    ///
    /// # Complexity
    /// d²/2 operations.
    pub fn scatter_square_norm(&self) -> f64 {
        let scale = &self.side.scale;
        let row = |i: usize| -> f64 {
            let row = self.scatter.slice(s![i, i..]);
            let square = |(value, scale): (&f64, &f64)| (value * scale) * (value * scale);
            let squares: f64 = row.iter().zip(scale.slice(s![i..])).map(square).sum();
            let diagonal = square((&row[0], &scale[i]));
            (2.0 * squares - diagonal) * scale[i] * scale[i]
        };
        (0..self.dim()).map(row).sum()
    }
}
