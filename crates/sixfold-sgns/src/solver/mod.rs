//! Riemannian optimisation of the objective over matrices of rank d.

mod config;
mod gradient;
mod scales;
mod splitting;
mod state;

use std::ops::ControlFlow;

use ndarray::{Array1, Array2};
use sixfold_linalg::Real;

pub use config::{Direction, Metric, SolverConfig, StepSize};
use scales::Scales;
pub use state::State;

use crate::sweep::Sweep;
use crate::{Error, FixedRank, Objective, Result};

/// Armijo's c₁: the share of the promised gain that a step must bring.
const ENOUGH: f64 = 1e-4;

/// A relative change of the objective that is rounding, and how many trials must end in one.
const FLAT: f64 = 1e-8;
const FLAT_TRIALS: usize = 3;

/// Halvings of one step before the solver gives up.
const HALVINGS: usize = 30;

/// An optimisation that the caller drives: [`Self::step`] by step, or [`Self::run`].
///
/// With the default direction an iteration is the paper's: K = U·S + η·G·V, (U₁, ·) = QR(K),
/// L = V·Sᵀ·UᵀU₁ + η·Gᵀ·U₁, (V₁, S₁ᵀ) = QR(L), where G is the gradient at the same point. Only products
/// with G are formed, in one [`Sweep`] each, and the first brings the objective with it.
///
/// The same start and objective give the same numbers to the last bit for any number of threads, and
/// a resumed run those of one that was never interrupted.
///
/// # Complexity
/// 8·n·m·d operations an iteration; about 12·(n + m)/2·d numbers of memory beside the counts.
///
/// # References
/// Fonarev et al. 2017, algorithm 1; Lubich and Oseledets 2014, *A projector-splitting integrator for
/// dynamical low-rank approximation*.
///
/// ```
/// use sixfold_sgns::sweep::HostSweep;
/// use sixfold_sgns::{Counts, Objective, ObjectiveConfig, Solver, SolverConfig, initial};
/// let counts = Counts::from_rows(2, vec![0, 1, 3], vec![1, 0, 1], vec![4.0, 4.0, 2.0])?;
/// let objective = Objective::new(counts, &ObjectiveConfig::default())?;
/// let (a, b) = initial::random(&objective, 1, 0)?;
/// let config = SolverConfig::default();
/// let mut solver = Solver::new(&objective, HostSweep::new(&objective), (&a, &b), config)?;
/// let first = solver.objective();
/// while let Some(step) = solver.step()? {
///     println!("{}: {}", step.iteration, step.objective);
/// }
/// assert!(solver.objective() > first);
/// # Ok::<(), sixfold_sgns::Error>(())
/// ```
#[derive(Clone, Debug)]
#[doc(alias = "RO-SGNS")]
pub struct Solver<T, S> {
    sweep: S,
    config: SolverConfig,
    scales: Scales<T>,
    /// In the coordinates of the metric.
    state: State<T>,
    /// What the last evaluation left for the next step.
    known: Known<T>,
}

/// What is known at the point.
#[derive(Clone, Debug)]
enum Known<T> {
    /// G·V, `[n, d]`.
    Rows(Array2<T>),
    /// The gradient as a tangent vector.
    Tangent(Box<crate::Tangent<T>>),
}

/// What an iteration did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Its number, from 1 on.
    pub iteration: usize,
    /// F after it.
    pub objective: f64,
    /// The length η of the step; after the last one of a gradient, that of the next.
    pub step: f64,
    /// ‖G·V‖ (splitting) or the norm of the Riemannian gradient, after it, in the metric.
    pub gradient_norm: f64,
    /// How often a step was taken back.
    pub rejected: usize,
}

impl<T: Real, S: Sweep<T>> Solver<T, S> {
    /// Begins at X = A·Bᵀ.
    ///
    /// # Shapes
    /// `a` is `[n, d]`, `b` is `[m, d]`.
    ///
    /// # Errors
    /// Those of [`SolverConfig::validate`], [`Error::ShapeMismatch`], those of the first sweep.
    pub fn new(
        objective: &Objective,
        sweep: S,
        (a, b): (&Array2<T>, &Array2<T>),
        config: SolverConfig,
    ) -> Result<Self> {
        config.validate()?;
        let (n, m) = objective.dim();
        crate::sweep::check([n, m], a.view(), b.view(), None, None)?;
        objective.check_rank(a.ncols())?;
        let scales = Scales::new(objective, config.metric);
        let (a, b) = scales.unscaled(a.view(), b.view());
        let point = FixedRank::from_product(a.view(), b.view())?;
        let step = match config.step {
            StepSize::Relative(tau) => tau / scales.curvature,
            StepSize::Absolute(lambda) => lambda,
        };
        let state = State { point, iteration: 0, step, objective: f64::NAN, last: None };
        Self::at(sweep, config, scales, state)
    }

    /// Goes on from a state, bit for bit: objective, sweep and config must be those of the solver that
    /// it came from.
    ///
    /// # Errors
    /// Those of [`Self::new`].
    pub fn resume(
        objective: &Objective,
        sweep: S,
        config: SolverConfig,
        state: State<T>,
    ) -> Result<Self> {
        config.validate()?;
        let (n, m) = objective.dim();
        crate::sweep::check([n, m], state.point.u(), state.point.v(), None, None)?;
        Self::at(sweep, config, Scales::new(objective, config.metric), state)
    }

    fn at(
        mut sweep: S,
        config: SolverConfig,
        scales: Scales<T>,
        mut state: State<T>,
    ) -> Result<Self> {
        sweep.begin(state.iteration);
        let (objective, known) = evaluate(&sweep, &scales, config.direction, &state.point)?;
        state.objective = objective;
        let solver = Self { sweep, config, scales, state, known };
        if objective.is_finite() { Ok(solver) } else { Err(solver.diverged(objective)) }
    }

    /// F at the point.
    pub fn objective(&self) -> f64 {
        self.state.objective
    }

    /// How it went on so far; what [`Self::resume`] takes.
    pub fn state(&self) -> &State<T> {
        &self.state
    }

    /// The config.
    pub fn config(&self) -> &SolverConfig {
        &self.config
    }

    /// One iteration; nothing once all are done or the gain has become too small.
    ///
    /// # Errors
    /// [`Error::Diverged`] where the objective leaves the range of numbers, or no halving of the step
    /// raises it; those of the sweep. The point is then that before the iteration.
    pub fn step(&mut self) -> Result<Option<Step>> {
        if self.state.iteration >= self.config.iterations {
            return Ok(None);
        }
        let before = self.state.objective;
        let mut rejected = 0;
        loop {
            self.sweep.begin(self.state.iteration);
            let (point, promise, along) = match &self.known {
                Known::Rows(gv) => self.split(gv)?,
                Known::Tangent(gradient) => self.along(gradient)?,
            };
            self.sweep.begin(self.state.iteration + 1);
            let (objective, known) =
                evaluate(&self.sweep, &self.scales, self.config.direction, &point)?;
            // A NaN is no gain.
            if objective >= before + ENOUGH * promise
                || !self.config.line_search && objective.is_finite()
            {
                self.advance(point, objective, known, along);
                break;
            }
            if !self.config.line_search || rejected == HALVINGS {
                return Err(self.diverged(objective));
            }
            rejected += 1;
            if self.state.last.take().is_some() && self.config.direction != Direction::Gradient {
                continue;
            }
            // At the optimum there is nothing to gain but rounding.
            if (objective - before).abs() <= FLAT * before.abs() && rejected > FLAT_TRIALS {
                self.state.iteration = self.config.iterations;
                return Ok(None);
            }
            self.state.step *= 0.5;
        }
        self.state.iteration += 1;
        let step = Step {
            iteration: self.state.iteration,
            objective: self.state.objective,
            step: self.state.step,
            gradient_norm: self.known.norm(),
            rejected,
        };
        if (step.objective - before).abs() < self.config.tolerance * before.abs() {
            self.state.iteration = self.config.iterations;
        }
        Ok(Some(step))
    }

    /// Takes a step that was found good.
    fn advance(
        &mut self,
        point: FixedRank<T>,
        objective: f64,
        known: Known<T>,
        along: Option<state::Along<T>>,
    ) {
        if let (true, Known::Tangent(gradient), Some(along)) =
            (self.config.line_search, &known, &along)
        {
            self.state.step = self.fitted(&point, gradient, along);
        }
        let remembered = match self.config.direction {
            Direction::Splitting => self.config.line_search && self.config.momentum > 0.0,
            Direction::Gradient => false,
            Direction::ConjugateGradient => true,
        };
        let point = std::mem::replace(&mut self.state.point, point);
        self.state.last = remembered.then(|| Box::new(state::Last { point, along }));
        self.state.objective = objective;
        self.known = known;
    }

    /// All iterations, or until the observer breaks.
    ///
    /// # Errors
    /// Those of [`Self::step`].
    pub fn run(&mut self, mut observer: impl FnMut(&Step) -> ControlFlow<()>) -> Result<()> {
        while let Some(step) = self.step()? {
            if observer(&step).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Factors A `[n, d]` and B `[m, d]` of X = A·Bᵀ.
    pub fn factors(&self) -> (Array2<T>, Array2<T>) {
        factors(&self.scales, &self.state.point)
    }

    /// The singular value decomposition of X: U `[n, d]`, Σ `[d]` falling, V `[m, d]`.
    ///
    /// # Errors
    /// Those of the decompositions.
    pub fn svd(&self) -> Result<(Array2<T>, Array1<T>, Array2<T>)> {
        let (a, b) = self.factors();
        FixedRank::from_product(a.view(), b.view())?.svd()
    }

    fn diverged(&self, objective: f64) -> Error {
        let hint = match (self.config.line_search, self.config.step) {
            (false, StepSize::Absolute(_)) => {
                "an absolute step belongs to one corpus: try a relative one, or the line search"
            }
            (false, StepSize::Relative(_)) => "try a shorter step, or the line search",
            (true, _) => "no halving of the step helped: are the counts and the start in range?",
        };
        let iteration = self.state.iteration + 1;
        Error::Diverged { what: "the solver", iteration, objective, step: self.state.step, hint }
    }
}

impl<T: Real> Known<T> {
    fn norm(&self) -> f64 {
        match self {
            Self::Rows(gv) => crate::manifold::dot(gv, gv).sqrt(),
            Self::Tangent(gradient) => gradient.inner(gradient).sqrt(),
        }
    }
}

/// A and B of X = A·Bᵀ for a point in the coordinates of the metric.
fn factors<T: Real>(scales: &Scales<T>, point: &FixedRank<T>) -> (Array2<T>, Array2<T>) {
    (scales.rows(point.us()), scales.columns(point.v.clone()))
}

/// F and what the direction needs, at a point.
fn evaluate<T: Real, S: Sweep<T>>(
    sweep: &S,
    scales: &Scales<T>,
    direction: Direction,
    point: &FixedRank<T>,
) -> Result<(f64, Known<T>)> {
    let (a, b) = factors(scales, point);
    if direction == Direction::Splitting {
        let (objective, gv) = sweep.rows(a.view(), b.view(), b.view())?;
        return Ok((objective, Known::Rows(scales.rows(gv))));
    }
    let left = scales.rows(point.u.clone());
    let (objective, gv, gtu) = sweep.both(a.view(), b.view(), left.view(), b.view())?;
    let gradient = point.project(scales.rows(gv), scales.columns(gtu));
    Ok((objective, Known::Tangent(Box::new(gradient))))
}

/// A trial: the point, the gain that its step promised, and the direction that it took.
type Trial<T> = (FixedRank<T>, f64, Option<state::Along<T>>);
