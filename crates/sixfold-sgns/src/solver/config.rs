//! Hyper-parameters of the optimisation.

use crate::{Error, Result};

/// The inner product in which a step is steepest.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Metric {
    /// That of the matrix X itself, as in the paper.
    Euclidean,
    /// That of Y = P^½·X·Q^½ with P = diag(#(w)/|D|) and Q = diag(q), q the distribution of negatives:
    /// frequent and rare words come forward at the same rate, at no cost.
    #[default]
    Frequency,
    /// Between both: powers α/2 of P and Q instead of ½, from 0 (euclidean) to 1 (frequency).
    Power(f64),
}

impl Metric {
    /// α.
    pub fn power(self) -> f64 {
        match self {
            Self::Euclidean => 0.0,
            Self::Frequency => 1.0,
            Self::Power(power) => power,
        }
    }
}

/// How long a step is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StepSize {
    /// τ: the step is τ over the largest curvature that the objective can have in the metric, which
    /// for the frequency metric is k·|D|. Free of scale: corpora of all sizes take the same.
    Relative(f64),
    /// λ as in the paper's X + λ·∇F(X), in the units of the metric.
    Absolute(f64),
}

/// Which direction a step takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// The paper's: a step along the ambient gradient, brought back to rank d by two QR decompositions
    /// (projector splitting). Two sweeps.
    #[default]
    Splitting,
    /// The Riemannian gradient with the nearest point of rank d as retraction. One sweep of both
    /// products: three quarters of the operations.
    Gradient,
    /// The same with conjugate directions (Polak and Ribière, restarted where they do not rise).
    ConjugateGradient,
}

/// How [`Solver`](crate::Solver) goes on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SolverConfig {
    /// Most iterations; 15 by default.
    pub iterations: usize,
    /// The metric; frequency by default.
    pub metric: Metric,
    /// The length of a step, or of the first; τ = 2.5 by default.
    pub step: StepSize,
    /// The direction of a step; splitting by default.
    pub direction: Direction,
    /// β of the heavy ball (Polyak 1964): splitting adds this share of the last change of X to the
    /// next, for O((n + m)·d²); 0, none, by default. Only with the line search.
    ///
    /// With τ = 3, 0.5 climbs further in as many iterations. Vectors that are as good need more of
    /// them than the same objective without it: on 7 M words of Wikipedia the default reaches 46 %
    /// of the Google analogies after 15 iterations, momentum 41 % at that objective.
    pub momentum: f64,
    /// Whether a step that does not raise the objective enough (Armijo's rule with 1e-4) is taken back:
    /// it loses its momentum, then half its length, for good. On by default; the test is free, a rejected
    /// step costs its sweeps. Gradient and conjugate gradient then also fit the next length to the
    /// curvature that they saw.
    pub line_search: bool,
    /// Stops when the objective's relative gain is below this; 0 (never) by default.
    pub tolerance: f64,
}

impl Default for SolverConfig {
    fn default() -> Self {
        Self {
            iterations: 15,
            metric: Metric::Frequency,
            step: StepSize::Relative(2.5),
            direction: Direction::Splitting,
            momentum: 0.0,
            line_search: true,
            tolerance: 0.0,
        }
    }
}

impl SolverConfig {
    /// The paper's own schedule: K = 25 steps of λ = 5e-5 at d ≤ 100, K = 13 of 1e-4 above, nothing
    /// taken back.
    ///
    /// Its λ belongs to its corpus (about 4e8 pairs) and diverges on others; see
    /// [`StepSize::Relative`].
    ///
    /// # References
    /// Fonarev et al. 2017, section 5.3 (ICLR version).
    pub fn paper(dim: usize) -> Self {
        let (iterations, rate) = if dim <= 100 { (25, 5e-5) } else { (13, 1e-4) };
        Self {
            iterations,
            metric: Metric::Euclidean,
            step: StepSize::Absolute(rate),
            direction: Direction::Splitting,
            momentum: 0.0,
            line_search: false,
            tolerance: 0.0,
        }
    }

    /// Checks all values.
    ///
    /// # Errors
    /// [`Error::Hyperparameters`] with all problems.
    pub fn validate(&self) -> Result<()> {
        let mut problems = Vec::new();
        if !(0.0..=1.0).contains(&self.metric.power()) {
            problems.push(format!("metric power {} is not between 0 and 1", self.metric.power()));
        }
        let (StepSize::Relative(step) | StepSize::Absolute(step)) = self.step;
        if !(step > 0.0 && step.is_finite()) {
            problems.push(format!("step {step} is not above 0"));
        }
        if !(0.0..1.0).contains(&self.momentum) {
            problems.push(format!("momentum {} is not between 0 and 1", self.momentum));
        }
        if !(self.tolerance >= 0.0 && self.tolerance.is_finite()) {
            problems.push(format!("tolerance {} is not 0 or more", self.tolerance));
        }
        if problems.is_empty() { Ok(()) } else { Err(Error::Hyperparameters { problems }) }
    }
}
