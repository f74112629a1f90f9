//! A fixed random subset of the tokens, kept as rows: neighbour statistics need the points.

use std::collections::{BTreeMap, BTreeSet};

use burn::tensor::Tensor;
use ndarray::Array2;

use super::filter::{TokenClass, TokenFilter};
use super::values::values;
use crate::batch::indices;
use crate::{Batch, Site, Tap};

/// A tap that keeps the states of a random subset of the tokens, the same tokens at every residual
/// site.
///
/// Each token has a priority, which is a hash of the seed and of its number in reading order. Each
/// filter gets the `n` tokens of least priority among those that it keeps: exactly n, or all where
/// there are fewer, so that filters are compared at one sample size. The choice depends on neither
/// the batches nor their order; a smaller sample is part of a larger one.
///
/// # Complexity
/// O(log n) a token and filter; memory 4·d·n bytes a site and filter at most, and tokens that
/// several filters chose are kept once.
///
/// ```
/// use sixfold_model::stats::{SampleTap, TokenClass, TokenFilter};
/// use sixfold_model::{Batch, PaddingSide, Seed, Transformer, TransformerSpec, device};
///
/// let model =
///     Transformer::new(&TransformerSpec::decoder(40, 16, 2, 4), Seed::new(0), &device("flex")?);
/// let mut sample = SampleTap::new(3, &[TokenFilter::All], 7);
/// let batch = Batch::pad(&[vec![1, 5, 6], vec![1, 9]], 0, PaddingSide::Right);
/// // The first row begins with token 0 of the text, the second with token 3.
/// sample.begin(&batch, &[TokenClass::default(); 5], &[0, 3]);
/// model.forward_with(&batch, &mut sample)?;
/// assert_eq!(sample.rows(TokenFilter::All, 2).dim(), (3, 16));
/// # Ok::<(), sixfold_model::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SampleTap {
    n: usize,
    seed: u64,
    /// The chosen tokens of each filter by priority; the last is the first to go.
    chosen: Vec<(TokenFilter, BTreeSet<(u64, u64)>)>,
    /// All chosen tokens by number, and where their rows are.
    kept: BTreeMap<u64, Kept>,
    /// Slots whose tokens have gone.
    free: Vec<usize>,
    slots: usize,
    /// By site.
    sites: Vec<Rows>,
    /// Row-major index and slot of the chosen tokens of the batch.
    batch: Vec<(u32, usize)>,
}

/// A token of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampledToken {
    /// Its number in reading order.
    pub number: u64,
    /// Its position in its sequence, from 0.
    pub position: u32,
    /// Its id.
    pub id: u32,
}

#[derive(Clone, Copy, Debug)]
struct Kept {
    token: SampledToken,
    slot: usize,
    /// Filters that have chosen it.
    filters: usize,
}

#[derive(Clone, Debug, Default)]
struct Rows {
    d: usize,
    values: Vec<f32>,
}

impl SampleTap {
    /// Starts without any token, for `n` tokens of each of these filters.
    pub fn new(n: usize, filters: &[TokenFilter], seed: u64) -> Self {
        let filters: BTreeSet<TokenFilter> = filters.iter().copied().collect();
        Self {
            n,
            seed,
            chosen: filters.into_iter().map(|filter| (filter, BTreeSet::new())).collect(),
            kept: BTreeMap::new(),
            free: Vec::new(),
            slots: 0,
            sites: Vec::new(),
            batch: Vec::new(),
        }
    }

    /// Says which batch comes next: the class of each of its tokens (padding left out, row by
    /// row), and the number of each row's first token in reading order; a row's other tokens
    /// follow it.
    ///
    /// # Panics
    /// If there is not one class a token and one number a row, or if a number comes twice.
    pub fn begin(&mut self, batch: &Batch, classes: &[TokenClass], first: &[u64]) {
        let tokens = batch.token_indices();
        assert_eq!(tokens.len(), classes.len(), "one class for each token");
        assert_eq!(batch.rows(), first.len(), "one number for each row");
        let positions = batch.positions();
        let mut of_batch = BTreeMap::new();
        for (&index, &class) in tokens.iter().zip(classes) {
            let position = positions[index];
            let number = first[index / batch.len()] + u64::from(position);
            let token = SampledToken { number, position, id: batch.ids()[index] };
            self.offer(token, class);
            of_batch.insert(number, index as u32);
        }
        // Only now: a later token of the batch may have taken the place of an earlier one.
        let survivors = of_batch
            .into_iter()
            .filter_map(|(number, index)| self.kept.get(&number).map(|kept| (index, kept.slot)));
        self.batch = survivors.collect();
    }

    /// The states of the tokens that were chosen for `filter`, in reading order; empty for a
    /// filter or a site that was not asked for or seen.
    ///
    /// # Shapes
    /// `[m, d]`, the same m for all sites.
    pub fn rows(&self, filter: TokenFilter, site: usize) -> Array2<f32> {
        let Some(Rows { d, values }) = self.sites.get(site) else { return Array2::zeros((0, 0)) };
        let chosen = self.numbers(filter);
        let mut rows = Array2::zeros((chosen.len(), *d));
        for (mut row, number) in rows.rows_mut().into_iter().zip(&chosen) {
            let at = self.kept[number].slot * d;
            for (to, from) in row.iter_mut().zip(&values[at..at + d]) {
                *to = *from;
            }
        }
        rows
    }

    /// Which tokens were chosen for `filter`, in the order of [`rows`](Self::rows).
    pub fn tokens(&self, filter: TokenFilter) -> Vec<SampledToken> {
        self.numbers(filter).iter().map(|number| self.kept[number].token).collect()
    }

    /// Sites seen so far.
    pub fn n_sites(&self) -> usize {
        self.sites.len()
    }

    fn numbers(&self, filter: TokenFilter) -> Vec<u64> {
        let chosen = self.chosen.iter().find(|(other, _)| *other == filter);
        let mut numbers: Vec<u64> =
            chosen.into_iter().flat_map(|(_, set)| set.iter().map(|(_, number)| *number)).collect();
        numbers.sort_unstable();
        numbers
    }

    /// Lets every filter choose or refuse a token.
    fn offer(&mut self, token: SampledToken, class: TokenClass) {
        let key = (priority(self.seed, token.number), token.number);
        let (mut filters, mut gone) = (0, Vec::new());
        for (filter, chosen) in &mut self.chosen {
            let better = chosen.len() < self.n || chosen.last().is_some_and(|last| key < *last);
            if !filter.keeps(class) || !better || self.n == 0 {
                continue;
            }
            assert!(chosen.insert(key), "token {} comes twice", token.number);
            filters += 1;
            if chosen.len() > self.n {
                gone.extend(chosen.pop_last().map(|(_, number)| number));
            }
        }
        for number in gone {
            self.release(number);
        }
        if filters > 0 {
            let slot = self.free.pop().unwrap_or_else(|| {
                self.slots += 1;
                self.slots - 1
            });
            self.kept.insert(token.number, Kept { token, slot, filters });
        }
    }

    /// One filter less has chosen the token.
    fn release(&mut self, number: u64) {
        if let Some(kept) = self.kept.get_mut(&number) {
            kept.filters -= 1;
            if kept.filters == 0 {
                self.free.push(kept.slot);
                self.kept.remove(&number);
            }
        }
    }
}

impl Tap for SampleTap {
    fn wants(&self, site: Site) -> bool {
        site.residual_index().is_some()
    }

    fn visit(&mut self, site: Site, x: Tensor<3>) -> Tensor<3> {
        let site = site.residual_index().expect("only residual sites are wanted");
        let [batch, seq, d] = x.dims();
        self.sites.resize_with(self.sites.len().max(site + 1), Rows::default);
        let rows = &mut self.sites[site];
        rows.d = d;
        rows.values.resize(self.slots * d, 0.0);
        if !self.batch.is_empty() {
            let chosen: Vec<u32> = self.batch.iter().map(|(index, _)| *index).collect();
            let chosen = indices(&chosen, [chosen.len()], &x.device());
            let states = values(x.clone().reshape([batch * seq, d]).select(0, chosen));
            for ((_, slot), state) in self.batch.iter().zip(states.chunks(d)) {
                rows.values[slot * d..][..d].copy_from_slice(state);
            }
        }
        x
    }
}

/// A hash of the seed and a number: the finaliser of SplitMix64 over both.
fn priority(seed: u64, number: u64) -> u64 {
    let mix = |mut z: u64| {
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    mix(mix(seed.wrapping_add(0x9e37_79b9_7f4a_7c15)).wrapping_add(number))
}
