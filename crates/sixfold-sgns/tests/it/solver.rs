//! Oracles 3, 4, 5, 8 and 14: the step, its invariances, its fixed points, and resuming.

use ndarray::{Array2, ArrayView2, Axis};
use sixfold_linalg::{matmul, qr, svd};
use sixfold_sgns::sweep::{DenseSweep, HostSweep, Sweep};
use sixfold_sgns::{
    Direction, Error, Metric, Objective, Result, Solver, SolverConfig, State, StepSize, initial,
};

use crate::problems::{
    counts_of, distance, objective, on_threads, orthonormal, positive, product, sparse, symmetric,
    uniform, widened,
};

fn euclidean(step: f64) -> SolverConfig {
    SolverConfig {
        metric: Metric::Euclidean,
        step: StepSize::Absolute(step),
        line_search: false,
        iterations: 1,
        ..SolverConfig::default()
    }
}

/// X after the run.
fn fitted<S: Sweep<f64>>(
    objective: &Objective,
    sweep: S,
    start: (&Array2<f64>, &Array2<f64>),
    config: SolverConfig,
) -> Array2<f64> {
    let mut solver = Solver::new(objective, sweep, start, config).unwrap();
    while solver.step().unwrap().is_some() {}
    let (a, b) = solver.factors();
    product(&a, &b)
}

/// Oracle 3: the two QR decompositions are the K–S–L scheme of Lubich and Oseledets.
#[test]
fn the_step_is_projector_splitting() {
    let objective = objective(&positive(20, 26, 1), 1.0);
    let (a, b) = (uniform::<f64>(20, 3, 2), uniform::<f64>(26, 3, 3));
    let sweep = DenseSweep::new(&objective);
    let step = 1e-3;
    let two_qr = fitted(&objective, sweep, (&a, &b), euclidean(step));

    let x = product(&a, &b);
    let change = sweep.gradient(x.view()).1 * step;
    let (u, v) = (qr(a.view()).unwrap().q, qr(b.view()).unwrap().q);
    let k = matmul((&x + &change).view(), v.view());
    let qr_of_k = qr(k.view()).unwrap();
    let (u1, s_hat) = (qr_of_k.q, qr_of_k.r);
    let s_tilde = s_hat - matmul(u1.t(), matmul(change.view(), v.view()).view());
    let l = matmul(v.view(), s_tilde.t()) + matmul(change.t(), u1.view());
    let ksl = product(&u1, &l);
    assert!(distance(&two_qr, &ksl) < 1e-12, "{:e}", distance(&two_qr, &ksl));
    // And S~ is UᵀU₁ of the old S: the step backwards costs nothing.
    let s = matmul(matmul(u.t(), x.view()).view(), v.view());
    assert!(distance(&s_tilde, &matmul(matmul(u1.t(), u.view()).view(), s.view())) < 1e-13);
}

/// Neither the basis of the factors, nor the order of words, changes the trajectory.
#[test]
fn bases_and_orders_do_not_matter() {
    let dense = sparse(20, 20, 0.4, 4);
    let problem = objective(&dense, 0.75);
    let (a, b) = (uniform::<f64>(20, 3, 5), uniform::<f64>(20, 3, 6));
    let config = SolverConfig { iterations: 4, ..SolverConfig::default() };
    let plain = fitted(&problem, DenseSweep::new(&problem), (&a, &b), config);

    let turn = orthonormal::<f64>(3, 3, 7);
    let (turned_a, turned_b) = (matmul(a.view(), turn.view()), -matmul(b.view(), turn.view()));
    let turned = fitted(&problem, DenseSweep::new(&problem), (&-turned_a, &turned_b), config);
    assert!(distance(&plain, &turned) < 1e-11);

    let order: Vec<usize> = (0..20).map(|i| (i * 7 + 3) % 20).collect();
    let shuffle = |x: &Array2<f64>| x.select(Axis(0), &order);
    let shuffled_counts = shuffle(&shuffle(&dense).reversed_axes()).reversed_axes();
    let permuted = objective(&shuffled_counts, 0.75);
    let start = (&shuffle(&a), &shuffle(&b));
    let found = fitted(&permuted, DenseSweep::new(&permuted), start, config);
    let expected = shuffle(&shuffle(&plain).reversed_axes()).reversed_axes();
    // Weights are summed in another order, in f32.
    assert!(distance(&found, &expected) < 1e-5);
}

/// F(X) = −‖T − X‖²/2, whose best X of rank d is the truncated SVD of T.
struct Quadratic(Array2<f64>);

impl Sweep<f64> for Quadratic {
    fn shape(&self) -> [usize; 2] {
        self.0.dim().into()
    }

    fn rows(
        &self,
        a: ArrayView2<'_, f64>,
        b: ArrayView2<'_, f64>,
        right: ArrayView2<'_, f64>,
    ) -> Result<(f64, Array2<f64>)> {
        let g = &self.0 - &matmul(a, b.t());
        Ok((-0.5 * g.iter().map(|g| g * g).sum::<f64>(), matmul(g.view(), right)))
    }

    fn columns(
        &self,
        a: ArrayView2<'_, f64>,
        b: ArrayView2<'_, f64>,
        left: ArrayView2<'_, f64>,
    ) -> Result<Array2<f64>> {
        Ok(matmul((&self.0 - &matmul(a, b.t())).t(), left))
    }
}

/// Oracle 4: Eckart and Young, for every direction.
#[test]
fn a_quadratic_leads_to_the_truncated_svd() {
    let (n, d) = (18, 3);
    let (u, v) = (orthonormal::<f64>(n, n, 1), orthonormal::<f64>(n, n, 2));
    let sigma = ndarray::Array1::from_shape_fn(n, |i| 3.0_f64.powi(-(i as i32)));
    let target = product(&(&u * &sigma), &v);
    let best = svd(target.view()).unwrap();
    let us = &best.u * &best.s;
    let best = matmul(us.slice(ndarray::s![.., ..d]), best.vt.slice(ndarray::s![..d, ..]));
    // The objective only serves its scales, which the euclidean metric does not use.
    let objective = objective(&positive(n, n, 3), 1.0);
    let (a, b) = (uniform::<f64>(n, d, 4), uniform::<f64>(n, d, 5));
    for (direction, line_search, iterations) in [
        (Direction::Splitting, false, 60),
        (Direction::Gradient, true, 300),
        (Direction::ConjugateGradient, true, 150),
    ] {
        let config =
            SolverConfig { direction, line_search, iterations, tolerance: 0.0, ..euclidean(1.0) };
        let found = fitted(&objective, Quadratic(target.clone()), (&a, &b), config);
        let error = distance(&found, &best);
        assert!(error < 1e-6, "{direction:?}: {error:e}");
    }
}

/// Oracle 5: with d = n and all counts positive, x = PMI − log k and F = F*.
#[test]
fn full_rank_reaches_the_bound() {
    let dense = positive(12, 12, 6);
    let objective = objective(&dense, 1.0);
    let (a, b) = (uniform::<f64>(12, 12, 7), uniform::<f64>(12, 12, 8));
    let config = SolverConfig { iterations: 600, momentum: 0.5, ..SolverConfig::default() };
    let found = fitted(&objective, DenseSweep::new(&objective), (&a, &b), config);
    let value = DenseSweep::new(&objective).gradient(found.view()).0;
    assert!((value / objective.bound() - 1.0).abs() < 1e-7, "{value} {}", objective.bound());
    let total = dense.sum();
    let pmi = Array2::from_shape_fn((12, 12), |(i, j)| {
        let expected = dense.row(i).sum() * dense.column(j).sum() / total;
        (dense[(i, j)] / expected).ln() - 5.0_f64.ln()
    });
    assert!(distance(&found, &pmi) < 2e-2, "{}", distance(&found, &pmi));
    // No entry of the scaled Hessian is above the unit of the step.
    let curvature = pmi.mapv(|x| 5.0 * total / (1.0 + (-x).exp()));
    assert!(curvature.iter().all(|c| *c <= 5.0 * total));
}

/// Oracle 8: counts in another unit leave the trajectory as it is.
#[test]
fn the_frequency_metric_is_free_of_scale() {
    let dense = sparse(30, 30, 0.3, 9);
    let (a, b) = (uniform::<f64>(30, 4, 1), uniform::<f64>(30, 4, 2));
    let config = SolverConfig { iterations: 6, ..SolverConfig::default() };
    let run = |scale: f64| {
        let objective = objective(&(&dense * scale), 0.75);
        fitted(&objective, DenseSweep::new(&objective), (&a, &b), config)
    };
    let once = run(1.0);
    assert!(distance(&once, &run(64.0)) < 1e-9);
    assert!(distance(&once, &run(1.0 / 32.0)) < 1e-9);
}

/// Five steps in f32 are those of f64. At one point F agrees within 1e-7 (see the sweeps); here the
/// points differ by the rounding of the steps too.
#[test]
fn single_precision_keeps_the_trajectory() {
    let dense = symmetric(300, 0.05, 11);
    let objective = objective(&dense, 1.0);
    let (a, b) = initial::from_sppmi(&objective, 20, 0).unwrap();
    for metric in [Metric::Euclidean, Metric::Frequency] {
        let config = SolverConfig { iterations: 5, metric, ..SolverConfig::default() };
        let mut fast =
            Solver::new(&objective, HostSweep::new(&objective), (&a, &b), config).unwrap();
        let (wide_a, wide_b) = (widened(&a), widened(&b));
        let dense = DenseSweep::new(&objective);
        let mut exact = Solver::new(&objective, dense, (&wide_a, &wide_b), config).unwrap();
        while let (Some(fast), Some(exact)) = (fast.step().unwrap(), exact.step().unwrap()) {
            let error = (fast.objective / exact.objective - 1.0).abs();
            assert!(error < 5e-7, "{metric:?}, step {}: {error:e}", fast.iteration);
        }
        let ((a, b), (wide_a, wide_b)) = (fast.factors(), exact.factors());
        let error = distance(&widened(&product(&a, &b)), &product(&wide_a, &wide_b));
        assert!(error < 1e-4, "{metric:?}: {error:e}");
    }
}

/// With the line search no step loses.
#[test]
fn the_line_search_is_monotone() {
    let objective = objective(&symmetric(200, 0.1, 12), 0.75);
    let (a, b) = initial::random::<f32>(&objective, 10, 1).unwrap();
    for direction in [Direction::Splitting, Direction::Gradient, Direction::ConjugateGradient] {
        // Far too long, so that steps must be taken back.
        let step = StepSize::Relative(500.0);
        let momentum = 0.5;
        let config =
            SolverConfig { direction, momentum, step, iterations: 20, ..SolverConfig::default() };
        let mut solver =
            Solver::new(&objective, HostSweep::new(&objective), (&a, &b), config).unwrap();
        let (mut last, mut rejected) = (solver.objective(), 0);
        while let Some(step) = solver.step().unwrap() {
            assert!(step.objective > last, "{direction:?}: {last} {}", step.objective);
            last = step.objective;
            rejected += step.rejected;
        }
        assert!(rejected > 0, "{direction:?}");
    }
}

/// Oracle 14: a run that was saved, read and gone on with ends at the same bits, on any threads.
#[test]
fn a_resumed_run_is_the_same_to_the_bit() {
    let objective = objective(&symmetric(150, 0.1, 13), 0.75);
    let (a, b) = initial::random::<f32>(&objective, 12, 1).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state.safetensors");
    for (direction, momentum) in [
        (Direction::Splitting, 0.0),
        (Direction::Splitting, 0.5),
        (Direction::Gradient, 0.0),
        (Direction::ConjugateGradient, 0.0),
    ] {
        let config = SolverConfig { direction, momentum, iterations: 8, ..SolverConfig::default() };
        let sweep = HostSweep::new(&objective);
        let whole = on_threads(1, || {
            let mut solver = Solver::new(&objective, sweep, (&a, &b), config).unwrap();
            while solver.step().unwrap().is_some() {}
            solver.state().clone()
        });
        let resumed = on_threads(2, || {
            let mut solver = Solver::new(&objective, sweep, (&a, &b), config).unwrap();
            for _ in 0..3 {
                solver.step().unwrap();
            }
            solver.state().save(&path).unwrap();
            let state = State::open(&path).unwrap();
            assert_eq!(&state, solver.state());
            let mut solver = Solver::resume(&objective, sweep, config, state).unwrap();
            while solver.step().unwrap().is_some() {}
            solver.state().clone()
        });
        assert_eq!(whole, resumed, "{direction:?}");
    }
    assert!(matches!(State::<f64>::open(&path), Err(Error::Malformed { .. })));
    let bytes = std::fs::read(&path).unwrap();
    for cut in [0, 7, 100, bytes.len() - 1] {
        std::fs::write(&path, &bytes[..cut]).unwrap();
        let error = State::<f32>::open(&path).unwrap_err();
        assert!(error.to_string().contains("state.safetensors"), "{error}");
    }
}

/// The paper's absolute step on a corpus that it was not tuned for.
#[test]
fn divergence_is_an_error_and_not_a_result() {
    let objective = objective(&(symmetric(100, 0.5, 14) * 1e6), 1.0);
    let (a, b) = initial::random::<f32>(&objective, 5, 1).unwrap();
    let config = SolverConfig { step: StepSize::Absolute(1e30), ..SolverConfig::paper(5) };
    let mut solver = Solver::new(&objective, HostSweep::new(&objective), (&a, &b), config).unwrap();
    let error = loop {
        match solver.step() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("all steps were taken"),
            Err(error) => break error,
        }
    };
    let text = error.to_string();
    assert!(text.contains("diverged") || text.contains("finite"), "{text}");

    let config = SolverConfig { step: StepSize::Relative(-1.0), momentum: 2.0, ..config };
    let error = Solver::new(&objective, HostSweep::new(&objective), (&a, &b), config).unwrap_err();
    assert!(error.to_string().contains("step -1") && error.to_string().contains("momentum 2"));
}

/// The factorisation of SPPMI is that of the dense matrix.
#[test]
fn sparse_pmi_has_the_triplets_of_the_dense_one() {
    for (dense, smoothing) in [(symmetric(60, 0.2, 15), 1.0), (sparse(50, 70, 0.3, 16), 0.75)] {
        let objective = Objective::new(
            counts_of(dense.view()),
            &sixfold_sgns::ObjectiveConfig { negatives: 1.0, smoothing },
        )
        .unwrap();
        let sppmi = sixfold_sgns::Sppmi::new(&objective);
        let mut whole = Array2::<f64>::zeros(dense.dim());
        for i in 0..dense.nrows() {
            let (columns, values) = sppmi.row(i);
            for (&j, &value) in columns.iter().zip(values) {
                whole[(i, j as usize)] = value.into();
            }
        }
        let q = objective.column_weights();
        for ((i, j), &value) in whole.indexed_iter() {
            let expected = dense[(i, j)] / (dense.row(i).sum() * f64::from(q[j]));
            let expected = if dense[(i, j)] > 0.0 { expected.ln().max(0.0) } else { 0.0 };
            assert!((value - expected).abs() < 1e-5, "{i} {j}");
        }
        let (_, s, _) = sppmi.svd(5, 0).unwrap();
        let exact = svd(whole.view()).unwrap().s;
        for (found, exact) in s.iter().zip(&exact) {
            // Two iterations on the flat spectrum of noise.
            assert!((f64::from(*found) / exact - 1.0).abs() < 3e-2, "{found} {exact}");
        }
    }
}
