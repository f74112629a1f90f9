//! A bag-of-words classifier whose best trigger is known, and scorers that say what they are told.

use std::cell::RefCell;

use ndarray::{Array2, Array3, s};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sixfold_triggers::score::Query;
use sixfold_triggers::{Example, Forwards, Result, Scorer, Sequence, TokenScores, Victim};

/// The token before every text and the one behind it; neither has a weight.
pub(crate) const START: u32 = 0;
pub(crate) const END: u32 = 1;

/// Class scores are sums of the weights of the tokens.
pub(crate) struct Bag {
    /// `[vocab, classes]`
    pub(crate) weights: Array2<f32>,
    pub(crate) limit: Option<usize>,
    /// Sequences of each call so far.
    pub(crate) calls: RefCell<Vec<usize>>,
    /// Tokens of the largest call so far.
    pub(crate) largest: RefCell<usize>,
}

impl Bag {
    pub(crate) fn new(weights: Array2<f32>) -> Self {
        Self { weights, limit: None, calls: RefCell::default(), largest: RefCell::new(0) }
    }

    /// Weights between −1 and 1; those of the two special tokens are 0.
    pub(crate) fn random(vocab: usize, classes: usize, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut weights =
            Array2::from_shape_simple_fn((vocab, classes), || rng.random_range(-1.0_f32..1.0));
        weights.slice_mut(s![..2, ..]).fill(0.0);
        Self::new(weights)
    }

    pub(crate) fn asked(&self) -> usize {
        self.calls.borrow().iter().sum()
    }

    fn class(&self, ids: &[u32]) -> usize {
        let scores = self.of(ids);
        (0..scores.len()).rev().max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap()
    }

    fn of(&self, ids: &[u32]) -> Vec<f32> {
        let classes = 0..self.weights.ncols();
        classes.map(|c| ids.iter().map(|id| self.weights[(*id as usize, c)]).sum()).collect()
    }

    /// How many examples a trigger fools, by a plain loop.
    pub(crate) fn fooled(&self, examples: &[Example], trigger: &[u32]) -> u64 {
        let fools = |example: &&Example| {
            let ids = &example.clean().ids;
            self.class(ids) != self.class(&[ids.as_slice(), trigger].concat())
        };
        examples.iter().filter(fools).count() as u64
    }
}

impl Victim for Bag {
    fn n_classes(&self) -> usize {
        self.weights.ncols()
    }

    fn vocab_size(&self) -> usize {
        self.weights.nrows()
    }

    fn max_tokens(&self) -> Option<usize> {
        self.limit
    }

    fn scores(&self, sequences: &[Sequence]) -> Result<Array2<f32>> {
        self.calls.borrow_mut().push(sequences.len());
        let tokens: usize = sequences.iter().map(|sequence| sequence.ids.len()).sum();
        let mut largest = self.largest.borrow_mut();
        *largest = tokens.max(*largest);
        let rows: Vec<f32> = sequences.iter().flat_map(|sequence| self.of(&sequence.ids)).collect();
        Ok(Array2::from_shape_vec((sequences.len(), self.n_classes()), rows).unwrap())
    }
}

/// Texts of tokens behind the special ones, of 3 to 8 tokens.
pub(crate) fn texts(n: usize, vocab: usize, seed: u64) -> Vec<Example> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..n).map(|_| text(&draw(vocab, &mut rng))).collect()
}

fn draw(vocab: usize, rng: &mut impl Rng) -> Vec<u32> {
    let length = rng.random_range(3..=8);
    (0..length).map(|_| rng.random_range(2..vocab as u32)).collect()
}

/// One text between the special tokens.
pub(crate) fn text(tokens: &[u32]) -> Example {
    let ids = [&[START], tokens, &[END]].concat();
    let n = ids.len();
    let field = 1..n - 1;
    Example::new(Sequence { ids, token_types: vec![0; n] }, vec![field]).unwrap()
}

/// All but the special tokens.
pub(crate) fn allowed(vocab: usize) -> Vec<bool> {
    (0..vocab).map(|id| id > 1).collect()
}

/// Says of every update what it is told, and says it again from the start when it is through.
pub(crate) struct Told {
    /// `[updates, length, vocab]`
    pub(crate) values: Array3<f32>,
    pub(crate) next: usize,
    pub(crate) cost_each: f64,
}

impl Told {
    pub(crate) fn new(values: Array3<f32>) -> Self {
        Self { values, next: 0, cost_each: 0.0 }
    }
}

impl Scorer for Told {
    fn name(&self) -> &'static str {
        "told"
    }

    fn cost(&self, examples: usize) -> Forwards {
        Forwards(self.cost_each * examples as f64)
    }

    fn score(&mut self, query: Query<'_>, _: &mut ChaCha8Rng) -> Result<TokenScores> {
        let values = self.values.slice(s![self.next % self.values.dim().0, .., ..]).to_owned();
        self.next += 1;
        Ok(TokenScores { values, cost: self.cost(query.examples.len()) })
    }
}
