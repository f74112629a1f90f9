//! Norms of all tokens at all sites, to find those that stand out.

use burn::tensor::Tensor;

use crate::{Batch, Site, Tap};

/// Collects the norm of every token at every residual site: one number each, nothing else.
///
/// Call [`begin`](Self::begin) before each forward pass.
#[derive(Clone, Debug, Default)]
pub struct NormTap {
    tokens: Vec<usize>,
    /// By site, then in the order of the tokens.
    norms: Vec<Vec<f32>>,
}

impl NormTap {
    /// Starts without any token.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says which batch comes next.
    pub fn begin(&mut self, batch: &Batch) {
        self.tokens = batch.token_indices();
    }

    /// Tokens so far.
    pub fn n_tokens(&self) -> usize {
        self.norms.first().map_or(0, Vec::len)
    }

    /// The norms at a residual site, in the order of the tokens.
    pub fn at(&self, site: usize) -> &[f32] {
        self.norms.get(site).map_or(&[], Vec::as_slice)
    }

    /// Tokens whose norm exceeds `factor` times the median of a site, at any site.
    pub fn outliers(&self, factor: f64) -> Vec<bool> {
        let mut outliers = vec![false; self.n_tokens()];
        for norms in &self.norms {
            let limit = factor * median(norms);
            for (outlier, norm) in outliers.iter_mut().zip(norms) {
                *outlier |= f64::from(*norm) > limit;
            }
        }
        outliers
    }
}

impl Tap for NormTap {
    fn wants(&self, site: Site) -> bool {
        site.residual_index().is_some()
    }

    fn visit(&mut self, site: Site, x: Tensor<3>) -> Tensor<3> {
        let index = site.residual_index().expect("only residual sites are wanted");
        let squares = x.clone().square().sum_dim(2);
        let squares: Vec<f32> = squares.into_data().iter::<f32>().collect();
        self.norms.resize(self.norms.len().max(index + 1), Vec::new());
        self.norms[index].extend(self.tokens.iter().map(|&token| squares[token].sqrt()));
        x
    }
}

/// The median; 0 of nothing.
fn median(values: &[f32]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let mut values = values.to_vec();
    let middle = values.len() / 2;
    let (_, &mut upper, _) = values.select_nth_unstable_by(middle, f32::total_cmp);
    f64::from(upper)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PaddingSide;
    use burn::tensor::TensorData;

    #[test]
    fn a_large_token_stands_out_and_padding_does_not_count() {
        let device = crate::device("flex").unwrap();
        let batch = Batch::pad(&[vec![1, 2, 3, 4], vec![5]], 0, PaddingSide::Right);
        let mut values = vec![1.0_f32; 2 * 4 * 2];
        values[2..4].fill(100.0);
        values[10..16].fill(1e6);
        let x = Tensor::<3>::from_data(TensorData::new(values, [2, 4, 2]), &device);
        let mut tap = NormTap::new();
        tap.begin(&batch);
        tap.visit(Site::residual(0), x);
        assert_eq!(tap.outliers(10.0), [false, true, false, false, false]);
        assert_eq!(tap.n_tokens(), 5);
    }
}
