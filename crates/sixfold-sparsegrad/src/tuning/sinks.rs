//! What gradients are led into.

use std::sync::{Mutex, MutexGuard, PoisonError};

use ndarray::ArrayView2;

use crate::ops::Sink;
use crate::{Error, GramCalibration, Result, top_k};

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sums of the products of gradients with themselves, for the bases of all matrices that share it.
#[derive(Debug)]
pub(super) struct GramSink(Mutex<(GramCalibration, Result<()>)>);

impl GramSink {
    pub(super) fn new([d_in, d_out]: [usize; 2]) -> Self {
        Self(Mutex::new((GramCalibration::new(d_in, d_out), Ok(()))))
    }

    /// The sums.
    ///
    /// # Errors
    /// [`Error::NotFinite`], with `path` in it.
    pub(super) fn take(&self, path: &str) -> Result<GramCalibration> {
        let mut state = locked(&self.0);
        std::mem::replace(&mut state.1, Ok(())).map_err(|error| error.at(path))?;
        let [d_in, d_out] = state.0.weights();
        Ok(std::mem::replace(&mut state.0, GramCalibration::new(d_in, d_out)))
    }
}

impl Sink for GramSink {
    fn receive(&self, core: Vec<f32>) {
        let mut state = locked(&self.0);
        let (calibration, outcome) = &mut *state;
        if outcome.is_ok() {
            let gradient =
                ArrayView2::from_shape(calibration.weights(), &core).expect("a gradient");
            *outcome = calibration.add(gradient);
        }
    }
}

/// Sums of the squares of each entry of a core: what says which are worth training.
#[derive(Debug)]
pub(super) struct SquareSink(Mutex<(Vec<f32>, Option<usize>)>);

impl SquareSink {
    pub(super) fn new(core: [usize; 2]) -> Self {
        Self(Mutex::new((vec![0.0; core[0] * core[1]], None)))
    }

    /// The sums, row by row.
    ///
    /// # Errors
    /// [`Error::NotFinite`], with `path` in it.
    pub(super) fn take(&self, path: &str) -> Result<Vec<f32>> {
        let mut state = locked(&self.0);
        if let Some(index) = state.1 {
            return Err(Error::NotFinite { path: path.to_owned(), what: "the gradient", index });
        }
        Ok(std::mem::take(&mut state.0))
    }
}

impl Sink for SquareSink {
    fn receive(&self, core: Vec<f32>) {
        let mut state = locked(&self.0);
        if let Some(index) = core.iter().position(|value| !value.is_finite()) {
            state.1.get_or_insert(index);
        }
        for (sum, value) in state.0.iter_mut().zip(&core) {
            *sum += value * value;
        }
    }
}

/// Keeps the k largest entries of a core, summed over the micro-batches of a step and over the layers that share the
/// matrix, and nothing of the others.
#[derive(Debug)]
pub(super) struct TopKSink {
    k: usize,
    /// Steps with the same entries.
    every: u32,
    state: Mutex<TopK>,
}

#[derive(Debug)]
struct TopK {
    /// Gradients of the matrix in a step; unknown before the first.
    uses: Option<usize>,
    micro_batches: usize,
    received: usize,
    sum: Option<Vec<f32>>,
    kept: Option<Result<Chosen>>,
    standing: Standing,
}

/// The entries of the last step, and in how many steps they have been the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Standing {
    pub(super) indices: Vec<u32>,
    pub(super) age: u32,
}

impl Standing {
    /// Entries of a core and their gradients: the same as before, or the largest once they are too old.
    fn choose(&self, core: &[f32], k: usize, every: u32) -> Result<Chosen> {
        let fresh = self.age.is_multiple_of(every) || self.indices.is_empty();
        let indices = if fresh { top_k(core, k)? } else { self.indices.clone() };
        let gradients: Vec<f32> = indices.iter().map(|index| core[*index as usize]).collect();
        if let Some(at) = gradients.iter().position(|gradient| !gradient.is_finite()) {
            let index = indices[at] as usize;
            return Err(Error::NotFinite { path: String::new(), what: "the gradient", index });
        }
        Ok(Chosen { indices, gradients })
    }
}

/// Chosen entries of a core, ascending, and their gradients.
#[derive(Clone, Debug, Default)]
pub(super) struct Chosen {
    pub(super) indices: Vec<u32>,
    pub(super) gradients: Vec<f32>,
}

impl TopKSink {
    /// Of k entries, that are chosen anew after so many steps.
    pub(super) fn new(k: usize, every: u32) -> Self {
        let standing = Standing::default();
        let state =
            TopK { uses: None, micro_batches: 1, received: 0, sum: None, kept: None, standing };
        Self { k, every, state: Mutex::new(state) }
    }

    /// Whether entries outlast a step.
    pub(super) fn is_sticky(&self) -> bool {
        self.every > 1
    }

    /// The entries of the last step.
    pub(super) fn standing(&self) -> Standing {
        locked(&self.state).standing.clone()
    }

    /// Goes on from the entries of a step.
    pub(super) fn stand(&self, standing: Standing) {
        locked(&self.state).standing = standing;
    }

    /// Forgets what an unfinished step left, and expects so many micro-batches.
    pub(super) fn begin(&self, micro_batches: usize) {
        let mut state = locked(&self.state);
        (state.micro_batches, state.received) = (micro_batches, 0);
        (state.sum, state.kept) = (None, None);
    }

    /// What is kept of the step; nothing where no gradient came.
    ///
    /// # Errors
    /// [`Error::NotFinite`], with `path` in it.
    pub(super) fn take(&self, path: &str) -> Result<Option<Chosen>> {
        let mut state = locked(&self.state);
        if let Some(sum) = state.sum.take() {
            // The first step tells how often the matrix is used.
            state.uses = Some(state.received / state.micro_batches.max(1));
            state.kept = Some(state.standing.choose(&sum, self.k, self.every));
        }
        let kept = state.kept.take().transpose().map_err(|error| error.at(path))?;
        if let Some(chosen) = &kept {
            state.standing.indices.clone_from(&chosen.indices);
            state.standing.age += 1;
        }
        Ok(kept)
    }
}

impl Sink for TopKSink {
    fn receive(&self, core: Vec<f32>) {
        let mut state = locked(&self.state);
        state.received += 1;
        let sum = match state.sum.take() {
            None => core,
            Some(mut sum) => {
                sum.iter_mut().zip(&core).for_each(|(sum, value)| *sum += value);
                sum
            }
        };
        if state.uses.is_some_and(|uses| state.received == uses * state.micro_batches) {
            state.kept = Some(state.standing.choose(&sum, self.k, self.every));
        } else {
            state.sum = Some(sum);
        }
    }
}
