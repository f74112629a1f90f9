//! Moments of any two sites of the residual stream.

use burn::tensor::Tensor;
use ndarray::Array2;
use sixfold_linalg::PairMoments;
use sixfold_model::{Batch, Site, Tap};

use crate::{Result, Transition};

/// A tap that accumulates the moments of two residual sites: what a map of a span is fitted on.
///
/// `MomentTap` of `sixfold-model` has all neighbouring sites at once; this one has any two, with
/// each other, and keeps no activation beyond a batch.
///
/// ```
/// use sixfold_linearity::PairTap;
/// use sixfold_model::{Batch, PaddingSide, Seed, Transformer, TransformerSpec};
///
/// let device = sixfold_model::device("flex")?;
/// let model = Transformer::new(&TransformerSpec::decoder(50, 8, 3, 2), Seed::new(0), &device);
/// let batch = Batch::pad(&[(0..40).collect()], 0, PaddingSide::Right);
/// let mut tap = PairTap::new(0, 3);
/// tap.begin(&batch);
/// model.forward_with(&batch, &mut tap)?;
/// let map = tap.finish()?.unwrap().transition().affine_map()?;
/// let model = model.with_affine(0..3, map.layer(&device));
/// assert_eq!(model.n_layers(), 1);
/// # Ok::<(), sixfold_linearity::Error>(())
/// ```
#[derive(Debug)]
pub struct PairTap {
    from: usize,
    to: usize,
    tokens: Vec<usize>,
    x: Option<Array2<f32>>,
    moments: Option<PairMoments>,
    error: Option<sixfold_linalg::Error>,
}

/// The moments of two sites.
#[derive(Clone, Debug, PartialEq)]
pub struct SpanMoments(PairMoments);

impl SpanMoments {
    /// The transition from the earlier site to the later.
    pub fn transition(&self) -> Transition<'_> {
        Transition::from(&self.0)
    }

    /// The moments themselves.
    pub fn into_inner(self) -> PairMoments {
        self.0
    }
}

impl PairTap {
    /// Watches residual sites `from` and `to` ([`Site::residual`]): a map of layers `from..to`.
    ///
    /// # Panics
    /// Unless `from` lies before `to`.
    pub fn new(from: usize, to: usize) -> Self {
        assert!(from < to, "site {from} does not lie before site {to}");
        Self { from, to, tokens: Vec::new(), x: None, moments: None, error: None }
    }

    /// Says which batch comes next: padding does not count.
    pub fn begin(&mut self, batch: &Batch) {
        self.tokens = batch.token_indices();
    }

    /// The moments of all tokens so far; `None` before the first.
    ///
    /// # Errors
    /// A state that is not finite.
    pub fn finish(self) -> Result<Option<SpanMoments>> {
        match self.error {
            Some(error) => Err(error.into()),
            None => Ok(self.moments.map(SpanMoments)),
        }
    }

    /// The tokens of a state, `[tokens, d]`.
    fn rows(&self, state: &Tensor<3>) -> Array2<f32> {
        let d = state.dims()[2];
        let values: Vec<f32> = state.to_data().iter::<f32>().collect();
        let rows = self.tokens.iter().flat_map(|&token| &values[token * d..(token + 1) * d]);
        Array2::from_shape_vec((self.tokens.len(), d), rows.copied().collect())
            .expect("d values a token")
    }
}

impl Tap for PairTap {
    fn wants(&self, site: Site) -> bool {
        let watched = [self.from, self.to].map(Site::residual).contains(&site);
        watched && self.error.is_none()
    }

    fn visit(&mut self, site: Site, state: Tensor<3>) -> Tensor<3> {
        let rows = self.rows(&state);
        if site == Site::residual(self.from) {
            self.x = Some(rows);
        } else if let Some(x) = self.x.take() {
            let moments =
                self.moments.get_or_insert_with(|| PairMoments::new(x.ncols(), rows.ncols()));
            self.error = moments.update(x.view(), rows.view()).err();
        }
        state
    }
}
