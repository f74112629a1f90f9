//! An unbiased estimate of a sweep for large vocabularies: frequent words exactly, the rest sampled.

use ndarray::{Array2, ArrayView2, Axis};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::host::HostSweep;
use super::positives::entries;
use super::sparse::{times, transpose_times};
use super::terms::{Positives, Terms};
use super::{Sweep, check};
use crate::{Error, Objective, Result};

/// How much of the negative part a [`SampledSweep`] computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleConfig {
    /// The words with the largest weights, which are never left to chance.
    pub head: usize,
    /// Draws from the others, with replacement and with a probability that grows with the root of the
    /// weight.
    pub tail: usize,
    /// Of the draws; those of an iteration are a stream of their own.
    pub seed: u64,
}

/// Sweeps whose negative part is an estimate: exact over the `head` heaviest contexts (or words), and
/// Σ over `tail` drawn others with weights 1/(tail·π), which all rows share, so that it stays a matrix
/// product. The positive part is exact.
///
/// Values and products are unbiased, with a draw of their own in each iteration; values of different
/// iterations are not comparable to the last digit, so the line search has no place here.
///
/// # Complexity
/// 4·n·(head + tail)·d + 4·non-zeros·d operations a product, instead of 4·n·m·d.
#[derive(Clone, Debug)]
pub struct SampledSweep<'a> {
    objective: &'a Objective,
    config: SampleConfig,
    round: u64,
    words: Side<'a>,
    contexts: Side<'a>,
}

/// What can be drawn of one side.
#[derive(Clone, Debug)]
struct Side<'a> {
    weights: &'a [f32],
    /// From the heaviest to the lightest.
    order: Vec<u32>,
    /// Σ √weight over the tail, up to and with each place.
    cumulative: Vec<f64>,
}

/// Indices of a draw, and their weights.
type Draw = (Vec<usize>, Vec<f32>);

impl<'a> SampledSweep<'a> {
    /// Sweeps of this objective.
    ///
    /// # Errors
    /// [`Error::InvalidParameter`] for a head or a tail of nothing where words are left.
    pub fn new(objective: &'a Objective, config: SampleConfig) -> Result<Self> {
        let (n, m) = objective.dim();
        if config.head + config.tail == 0 || config.tail == 0 && config.head < n.max(m) {
            let (found, expected) = (config.tail as f64, "at least 1, or a head of all words");
            return Err(Error::InvalidParameter { name: "tail", found, expected });
        }
        let words = Side::new(objective.row_weights(), config.head);
        let contexts = Side::new(objective.column_weights(), config.head);
        Ok(Self { objective, config, round: 0, words, contexts })
    }

    fn draw(&self, side: &Side<'_>, stream: u64) -> Draw {
        let mut rng = ChaCha8Rng::seed_from_u64(self.config.seed);
        rng.set_stream(2 * self.round + stream);
        side.draw(self.config.tail, &mut rng)
    }
}

impl<'a> Side<'a> {
    fn new(weights: &'a [f32], head: usize) -> Self {
        let mut order: Vec<u32> = (0..weights.len() as u32).collect();
        order.sort_by(|&i, &j| weights[j as usize].total_cmp(&weights[i as usize]));
        let mut sum = 0.0;
        let tail = order.iter().skip(head);
        let cumulative = tail
            .map(|&i| {
                sum += f64::from(weights[i as usize]).sqrt();
                sum
            })
            .collect();
        Self { weights, order, cumulative }
    }

    /// The head, and draws of the tail; the same word may come twice.
    fn draw(&self, draws: usize, rng: &mut ChaCha8Rng) -> Draw {
        let head = self.order.len() - self.cumulative.len();
        let weight = |i: usize| self.weights[i];
        let mut ids: Vec<usize> = self.order[..head].iter().map(|&i| i as usize).collect();
        let mut weights: Vec<f32> = ids.iter().map(|&i| weight(i)).collect();
        let total = self.cumulative.last().copied().unwrap_or(0.0);
        if total > 0.0 {
            for _ in 0..draws {
                let at = rng.random::<f64>() * total;
                let place = self.cumulative.partition_point(|sum| *sum <= at);
                let id = self.order[head + place.min(self.cumulative.len() - 1)] as usize;
                let share = f64::from(weight(id)).sqrt() / total;
                ids.push(id);
                weights.push((f64::from(weight(id)) / (draws as f64 * share)) as f32);
            }
        }
        (ids, weights)
    }
}

impl Sweep<f32> for SampledSweep<'_> {
    fn shape(&self) -> [usize; 2] {
        self.objective.dim().into()
    }

    fn begin(&mut self, iteration: usize) {
        self.round = iteration as u64;
    }

    fn rows(
        &self,
        a: ArrayView2<'_, f32>,
        b: ArrayView2<'_, f32>,
        right: ArrayView2<'_, f32>,
    ) -> Result<(f64, Array2<f32>)> {
        check(self.shape(), a, b, None, Some(right))?;
        let (ids, q) = self.draw(&self.contexts, 0);
        let terms = Terms { b: self.objective.row_weights(), q: &q, positives: Positives::NONE };
        let drawn = |x: ArrayView2<'_, f32>| x.select(Axis(0), &ids);
        let negatives = HostSweep::of(terms).rows(a, drawn(b).view(), drawn(right).view())?;
        let counts = self.objective.counts();
        let (positive, mut product) = times(counts, right, entries(counts, a, b));
        product += &negatives.1;
        Ok((positive + negatives.0, product))
    }

    fn columns(
        &self,
        a: ArrayView2<'_, f32>,
        b: ArrayView2<'_, f32>,
        left: ArrayView2<'_, f32>,
    ) -> Result<Array2<f32>> {
        check(self.shape(), a, b, Some(left), None)?;
        let (ids, weights) = self.draw(&self.words, 1);
        let terms =
            Terms { b: &weights, q: self.objective.column_weights(), positives: Positives::NONE };
        let drawn = |x: ArrayView2<'_, f32>| x.select(Axis(0), &ids);
        let mut product = HostSweep::of(terms).columns(drawn(a).view(), b, drawn(left).view())?;
        let counts = self.objective.counts();
        product += &transpose_times(counts, left, entries(counts, a, b));
        Ok(product)
    }
}
