//! The states of a sample of tokens: the same tokens at every site.

use burn::tensor::{Int, Tensor, TensorData};
use ndarray::{Array2, ArrayView2, Axis};
use rand::Rng;
use sixfold_model::stats::{TokenClass, TokenFilter as Filter};
use sixfold_model::{Batch, Seed, Site, Tap};

/// Which tokens are looked at under each filter.
pub(super) struct Sample {
    /// All of them, ascending, by their number among the tokens that are not padding.
    tokens: Vec<usize>,
    /// Of each filter, places in `tokens`.
    filters: Vec<(Filter, Vec<usize>)>,
}

impl Sample {
    /// Draws at most `n` tokens for each filter. A token has one lot for all filters, so that
    /// their samples overlap as far as they can.
    pub(super) fn draw(classes: &[TokenClass], filters: &[Filter], n: usize, seed: Seed) -> Self {
        let mut random = seed.stream("sample");
        let mut lots: Vec<(u64, usize)> =
            (0..classes.len()).map(|token| (random.next_u64(), token)).collect();
        lots.sort_unstable();
        let chosen: Vec<(Filter, Vec<usize>)> = filters
            .iter()
            .map(|&filter| {
                let kept = lots.iter().map(|(_, token)| *token);
                let kept = kept.filter(|token| filter.keeps(classes[*token]));
                let mut kept: Vec<usize> = kept.take(n).collect();
                kept.sort_unstable();
                (filter, kept)
            })
            .collect();
        let mut tokens: Vec<usize> = chosen.iter().flat_map(|(_, of)| of).copied().collect();
        tokens.sort_unstable();
        tokens.dedup();
        let place = |token: usize| tokens.partition_point(|other| *other < token);
        let filters = chosen
            .into_iter()
            .map(|(filter, of)| (filter, of.into_iter().map(place).collect()))
            .collect();
        Self { tokens, filters }
    }

    fn places(&self, filter: Filter) -> &[usize] {
        let found = self.filters.iter().find(|(other, _)| *other == filter);
        found.map_or(&[], |(_, places)| places.as_slice())
    }

    /// Tokens of a filter.
    pub(super) fn len(&self, filter: Filter) -> usize {
        self.places(filter).len()
    }

    /// The rows of a filter among those of all sampled tokens.
    pub(super) fn of(&self, filter: Filter, rows: ArrayView2<'_, f32>) -> Array2<f32> {
        rows.select(Axis(0), self.places(filter))
    }
}

/// Keeps the states of the sampled tokens at every residual site.
pub(super) struct SampleTap {
    tokens: Vec<usize>,
    /// Tokens of the batches before.
    seen: usize,
    rows: Vec<i32>,
    sites: Vec<(usize, Vec<f32>)>,
}

impl SampleTap {
    pub(super) fn new(sample: &Sample) -> Self {
        Self { tokens: sample.tokens.clone(), seen: 0, rows: Vec::new(), sites: Vec::new() }
    }

    /// Says which batch comes next.
    pub(super) fn begin(&mut self, batch: &Batch) {
        let places = batch.token_indices();
        let end = self.seen + places.len();
        let from = self.tokens.partition_point(|token| *token < self.seen);
        let to = self.tokens.partition_point(|token| *token < end);
        self.rows =
            self.tokens[from..to].iter().map(|token| places[token - self.seen] as i32).collect();
        self.seen = end;
    }

    /// The rows of a site, in the order of the tokens.
    pub(super) fn at(&self, site: usize) -> ArrayView2<'_, f32> {
        let (d, values) = &self.sites[site];
        ArrayView2::from_shape((values.len() / d, *d), values).expect("whole rows were added")
    }
}

impl Tap for SampleTap {
    fn wants(&self, site: Site) -> bool {
        site.residual_index().is_some()
    }

    fn visit(&mut self, site: Site, x: Tensor<3>) -> Tensor<3> {
        let index = site.residual_index().expect("only residual sites are wanted");
        let [batch, seq, d] = x.dims();
        self.sites.resize(self.sites.len().max(index + 1), (d, Vec::new()));
        if !self.rows.is_empty() {
            let data = TensorData::new(self.rows.clone(), [self.rows.len()]);
            let rows = Tensor::<1, Int>::from_data(data, &x.device());
            let picked = x.clone().reshape([batch * seq, d]).select(0, rows);
            self.sites[index].1.extend(picked.into_data().iter::<f32>());
        }
        x
    }
}
