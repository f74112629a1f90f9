//! The bytes of a method.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::{Form, Kept, MatrixShape, Method, Workload};

/// Bytes of a single number.
const F32: usize = 4;
/// Bytes of a number of a truncated basis, which is in half precision.
const HALF: usize = 2;
/// Bytes of an index.
const U32: usize = 4;
/// Bytes of the two moments of Adam.
const MOMENTS: usize = 8;

/// Bytes that a training takes.
///
/// What all methods have in common is left out: activations beside the inputs of the adapted matrices,
/// and what the backend keeps for itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Weights of the model, and trained values beside them.
    pub weights: usize,
    /// Gradients of what is trained.
    pub gradients: usize,
    /// Adam's moments, and counts of steps.
    pub moments: usize,
    /// Where kept entries are.
    pub indices: usize,
    /// Bases: once for each group, or for each matrix in LoRA-XS.
    pub bases: usize,
    /// What the adapted matrices save of their inputs for the backward pass.
    pub saved: usize,
    /// What the largest matrix needs for a moment of the backward pass.
    pub transient: usize,
}

impl Plan {
    pub(super) fn new(work: &Workload, method: Method) -> Self {
        let mut plan = Self::default();
        plan.rest(work, work.rest_trained || method == Method::Full);
        let mut groups = BTreeSet::new();
        for matrix in &work.matrices {
            let first = groups.insert(&matrix.group);
            let transient = plan.matrix(work, method, matrix, first);
            plan.transient = plan.transient.max(transient);
        }
        plan
    }

    fn rest(&mut self, work: &Workload, trained: bool) {
        self.weights += work.rest * if trained { F32 } else { work.base.bytes() };
        if trained {
            self.gradients += work.rest * F32;
            self.moments += work.rest * MOMENTS;
        }
    }

    /// Adds a matrix, and returns what it needs for a moment.
    fn matrix(
        &mut self,
        work: &Workload,
        method: Method,
        matrix: &MatrixShape,
        first: bool,
    ) -> usize {
        let MatrixShape { d_in, d_out, .. } = *matrix;
        let (size, tokens, frozen) = (matrix.len(), work.tokens, work.base.bytes());
        let trained = method.trained(matrix);
        let dense_pair = 2 * F32 * size;
        match method {
            Method::Full => {
                self.adam(trained);
                self.weights += F32 * size;
                self.saved += F32 * tokens * d_in;
                0
            }
            Method::MeProp | Method::Reference => {
                self.adam(trained);
                self.weights += F32 * size;
                // The reference saves the rotated inputs, which are as large.
                self.saved += F32 * tokens * d_in;
                if method == Method::Reference && first {
                    self.bases += F32 * (d_in * d_in + d_out * d_out);
                }
                // Magnitudes for the threshold, and the masked copy.
                dense_pair
            }
            Method::Lora { rank } => {
                self.adam(trained);
                self.weights += frozen * size + F32 * trained;
                self.saved += F32 * tokens * (d_in + rank);
                F32 * tokens * rank
            }
            Method::LoraXs { rank } => {
                self.adam(trained);
                self.weights += frozen * size + F32 * trained;
                self.bases += HALF * rank * (d_in + d_out);
                self.saved += F32 * tokens * rank;
                F32 * (tokens * rank + trained)
            }
            Method::Sparse { form, r_in, r_out, kept } => {
                self.adam(trained);
                self.weights += match form {
                    Form::Adapter => frozen * size + F32 * trained,
                    // Values, and what was applied of them.
                    Form::InPlace => F32 * size + 2 * F32 * trained,
                };
                if kept != Kept::Core && trained < r_in * r_out {
                    self.indices += U32 * trained;
                }
                if first {
                    let whole = r_in == d_in && r_out == d_out;
                    let number = if whole { F32 } else { HALF };
                    self.bases += number * (d_in * r_in + d_out * r_out);
                }
                self.saved += F32 * tokens * r_in;
                // dy·V and the gradient of the core.
                F32 * (tokens * r_out + r_in * r_out)
            }
            Method::Dynamic { touched, entry_bytes, .. } => {
                let touched = touched.count(matrix, size);
                self.weights += F32 * size;
                // Index and value of what a step selects.
                self.gradients += F32 * trained;
                self.indices += U32 * (trained + touched);
                self.moments += (entry_bytes - U32) * touched;
                if first {
                    self.bases += F32 * (d_in * d_in + d_out * d_out);
                }
                self.saved += F32 * tokens * d_in;
                // The gradient, and the same one rotated.
                dense_pair
            }
        }
    }

    /// Gradients and moments of a dense Adam.
    fn adam(&mut self, trained: usize) {
        self.gradients += F32 * trained;
        self.moments += MOMENTS * trained;
    }

    /// Bytes that are there between steps.
    pub fn persistent(&self) -> usize {
        self.weights + self.gradients + self.moments + self.indices + self.bases
    }

    /// Bytes at the most, in the backward pass.
    pub fn peak(&self) -> usize {
        self.persistent() + self.saved + self.transient
    }
}

/// A table in MiB.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = [
            ("weights", self.weights),
            ("gradients", self.gradients),
            ("moments", self.moments),
            ("indices", self.indices),
            ("bases", self.bases),
            ("persistent", self.persistent()),
            ("saved activations", self.saved),
            ("transient", self.transient),
            ("peak", self.peak()),
        ];
        for (name, bytes) in rows {
            writeln!(f, "{name:<17} {:>11.1} MiB", bytes as f64 / f64::from(1 << 20))?;
        }
        Ok(())
    }
}
