//! Norms and directions of tokens, streamed.

use burn::tensor::Tensor;
use ndarray::Array1;

/// Sums of norms and of unit vectors: mean norm, and the mean cosine of all pairs without
/// forming any pair.
#[derive(Clone, Debug, PartialEq)]
pub struct Directions {
    count: u64,
    norms: f64,
    units: Array1<f64>,
}

impl Directions {
    /// Starts without any token of `d` features.
    pub fn new(d: usize) -> Self {
        Self { count: 0, norms: 0.0, units: Array1::zeros(d) }
    }

    /// Adds the rows of `x`, `[n, d]`; rows of zeros have no direction and add none.
    pub fn update(&mut self, x: Tensor<2>) {
        let rows = x.dims()[0];
        let norms = x.clone().square().sum_dim(1).sqrt();
        let units = (x / norms.clone().clamp_min(f32::MIN_POSITIVE)).sum_dim(0);
        self.count += rows as u64;
        self.norms += norms.into_data().iter::<f32>().map(f64::from).sum::<f64>();
        for (sum, unit) in self.units.iter_mut().zip(units.into_data().iter::<f32>()) {
            *sum += f64::from(unit);
        }
    }

    /// Adds the tokens of another one.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.norms += other.norms;
        self.units += &other.units;
    }

    /// Tokens so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Mean norm; 0 of nothing.
    pub fn mean_norm(&self) -> f64 {
        self.norms / (self.count as f64).max(1.0)
    }

    /// Mean cosine of all pairs of tokens: `(‖Σx̂‖² − N)/(N(N − 1))`; 0 for fewer than two.
    pub fn mean_cosine(&self) -> f64 {
        let n = self.count as f64;
        if n < 2.0 { 0.0 } else { (self.units.dot(&self.units) - n) / (n * (n - 1.0)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::TensorData;

    #[test]
    fn the_closed_form_equals_all_pairs() {
        let device = crate::device("flex").unwrap();
        let rows = [[1.0_f32, 0.0], [0.0, 2.0], [3.0, 3.0], [-1.0, 0.5]];
        let x = Tensor::<2>::from_data(TensorData::from(rows), &device);
        let mut directions = Directions::new(2);
        directions.update(x.clone().slice([0..1, 0..2]));
        let mut rest = Directions::new(2);
        rest.update(x.slice([1..4, 0..2]));
        directions.merge(&rest);
        let mut sum = 0.0;
        for (i, a) in rows.iter().enumerate() {
            for (j, b) in rows.iter().enumerate().filter(|(j, _)| *j != i) {
                let _ = j;
                let dot = f64::from(a[0] * b[0] + a[1] * b[1]);
                let norm = |v: &[f32; 2]| f64::from(v[0]).hypot(f64::from(v[1]));
                sum += dot / (norm(a) * norm(b));
            }
        }
        assert!((directions.mean_cosine() - sum / 12.0).abs() < 1e-6);
        let norms = 1.0 + 2.0 + 18f64.sqrt() + 1.25f64.sqrt();
        assert!((directions.mean_norm() - norms / 4.0).abs() < 1e-6);
    }
}
