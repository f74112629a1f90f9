//! The sweep on every device that is compiled in: against its reference, and against f64.

use burn::tensor::{DType, Device, Tensor, TensorData};
use ndarray::Array2;
use sixfold_sgns::ops::sweep::{DeviceSweep, Factors, Pairs, reference, sweep};
use sixfold_sgns::sweep::{DenseSweep, HostSweep, Sweep};
use sixfold_sgns::{Objective, Solver, SolverConfig, initial};

use crate::problems::{distance, objective, sparse, symmetric, uniform, widened};

fn devices() -> Vec<Device> {
    let mut names = sixfold_model::available_devices();
    names.retain(|&name| name != "cuda" && (name != "wgpu" || sixfold_testkit::has_vulkan()));
    names.into_iter().map(|name| sixfold_model::device(name).unwrap()).collect()
}

fn tensor<const D: usize>(values: &[f32], shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), (device, DType::F32))
}

fn factors(objective: &Objective, [a, b, right]: [&Array2<f32>; 3], device: &Device) -> Factors {
    let matrix = |x: &Array2<f32>| tensor(x.as_slice().unwrap(), x.dim().into(), device);
    let vector = |x: &[f32]| tensor(x, [x.len()], device);
    Factors {
        a: matrix(a),
        b: matrix(b),
        right: matrix(right),
        row_weights: vector(objective.row_weights()),
        column_weights: vector(objective.column_weights()),
    }
}

fn numbers<const D: usize>(x: Tensor<D>) -> Vec<f64> {
    x.into_data().iter::<f64>().collect()
}

/// Shapes that fill no tile, more pairs in a row than a cube has units, a rank beyond one chunk.
#[test]
fn sweeps_on_devices_are_their_reference_and_the_dense_ones() {
    for (n, m, d, r, share) in
        [(1, 1, 1, 1, 1.1), (9, 35, 3, 2, 0.3), (40, 600, 33, 40, 0.7), (17, 64, 70, 300, 0.05)]
    {
        let dense = if n == 1 { Array2::from_elem((1, 1), 2.0) } else { sparse(n, m, share, 1) };
        let objective = objective(&dense, 0.75);
        let (a, b) = (uniform::<f32>(n, d, 2) * 3.0, uniform::<f32>(m, d, 3) * 3.0);
        let right = uniform::<f32>(m, r, 4);
        let exact = DenseSweep::new(&objective);
        let (wide_a, wide_b, wide_right) = (widened(&a), widened(&b), widened(&right));
        let (value, product) = exact.rows(wide_a.view(), wide_b.view(), wide_right.view()).unwrap();
        let scale = product.iter().fold(1e-9_f64, |max, x| max.max(x.abs()));
        for device in devices() {
            let pairs = Pairs::new(objective.counts(), &device);
            let inputs = || factors(&objective, [&a, &b, &right], &device);
            for (values, found) in [sweep(inputs(), &pairs), reference::sweep(inputs(), &pairs)] {
                let of_rows: f64 = numbers(values).iter().sum();
                assert!((of_rows / value - 1.0).abs() < 2e-6, "{device:?}: {of_rows} {value}");
                for (found, exact) in numbers(found).iter().zip(&product) {
                    let error = (found - exact).abs() / scale;
                    assert!(error < 1e-5, "{device:?}, {n}×{m}: {error:e}");
                }
            }
        }
    }
}

/// Values of rows are those of words, and not only their sum.
#[test]
fn every_row_has_its_own_value() {
    let objective = objective(&sparse(30, 50, 0.2, 5), 1.0);
    let (a, b) = (uniform::<f32>(30, 4, 1), uniform::<f32>(50, 4, 2));
    for device in devices() {
        let pairs = Pairs::new(objective.counts(), &device);
        let inputs = || factors(&objective, [&a, &b, &b], &device);
        let (fast, _) = sweep(inputs(), &pairs);
        let (plain, _) = reference::sweep(inputs(), &pairs);
        for (fast, plain) in numbers(fast).iter().zip(numbers(plain)) {
            assert!((fast - plain).abs() <= 1e-5 * plain.abs() + 1e-6, "{fast} {plain}");
        }
    }
}

#[test]
fn the_solver_takes_the_same_path_on_a_device() {
    for dense in [symmetric(60, 0.2, 6), sparse(60, 80, 0.2, 7)] {
        let objective = objective(&dense, 0.75);
        let (a, b) = initial::random::<f32>(&objective, 8, 1).unwrap();
        let config = SolverConfig { iterations: 4, ..SolverConfig::default() };
        let mut host =
            Solver::new(&objective, HostSweep::new(&objective), (&a, &b), config).unwrap();
        while host.step().unwrap().is_some() {}
        for device in devices() {
            let sweep = DeviceSweep::new(&objective, &device);
            let mut solver = Solver::new(&objective, sweep, (&a, &b), config).unwrap();
            while solver.step().unwrap().is_some() {}
            let error = (solver.objective() / host.objective() - 1.0).abs();
            assert!(error < 1e-5, "{device:?}: {error:e}");
            let ((a, b), (host_a, host_b)) = (solver.factors(), host.factors());
            let product = |a: &Array2<f32>, b: &Array2<f32>| a.dot(&b.t());
            assert!(distance(&product(&a, &b), &product(&host_a, &host_b)) < 1e-2);
        }
    }
}
