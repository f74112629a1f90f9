//! A6: what share of a gradient its largest entries hold, by basis.

use ndarray::Array2;
use rand_distr::{Distribution, StandardNormal};
use sixfold_sparsegrad::{Basis, GramCalibration};

use crate::common::generator;

const SHAPE: [usize; 2] = [64, 256];

/// Gradients that share decaying directions on both sides, and noise.
fn gradients(n: usize, seed: u64) -> Vec<Array2<f32>> {
    let mut generator = generator(seed);
    let mut normal = |rows, columns| -> Array2<f32> {
        Array2::from_shape_simple_fn((rows, columns), || StandardNormal.sample(&mut generator))
    };
    let [d_in, d_out] = SHAPE;
    let hidden = Basis::random(d_in, d_out, d_in, d_out, 77).unwrap();
    let (u, v) = (hidden.input.columns().unwrap(), hidden.output.columns().unwrap());
    let fall = |i: usize| 0.88_f32.powi(i as i32);
    (0..n)
        .map(|_| {
            let mut core = normal(d_in, d_out);
            core.indexed_iter_mut().for_each(|((p, q), x)| *x *= fall(p) * fall(q));
            let noise = normal(d_in, d_out) * 0.002;
            u.dot(&core).dot(&v.t()) + noise
        })
        .collect()
}

/// Σ of the largest 1 % of squares, over all of them, by a full sort.
fn held(core: &Array2<f32>) -> f64 {
    let mut squares: Vec<f64> = core.iter().map(|x| f64::from(*x).powi(2)).collect();
    squares.sort_by(|a, b| b.total_cmp(a));
    let kept = squares.len() / 100;
    squares[..kept].iter().sum::<f64>() / squares.iter().sum::<f64>()
}

#[test]
fn the_right_orientation_holds_most() {
    let mut calibration = GramCalibration::new(SHAPE[0], SHAPE[1]);
    gradients(12, 1).iter().for_each(|g| calibration.add(g.view()).unwrap());
    let basis = calibration.finish(SHAPE[0], SHAPE[1]).unwrap();
    let unseen = gradients(4, 2);
    let share = |basis: &Basis| {
        let shares = unseen.iter().map(|g| held(&basis.rotate(g.view()).unwrap()));
        shares.sum::<f64>() / unseen.len() as f64
    };
    let correct = share(&basis);
    let reference = share(&basis.transposed_input().unwrap());
    let one_sided = share(&basis.output_only());
    let identity = share(&Basis::identity(SHAPE[0], SHAPE[1]));
    let random = share(&Basis::random(SHAPE[0], SHAPE[1], SHAPE[0], SHAPE[1], 9).unwrap());
    let all = [correct, reference, one_sided, identity, random];
    assert!(correct >= 0.7 && correct >= 2.0 * identity, "{all:.3?}");
    assert!(correct >= reference + 0.2, "{all:.3?}");
    // The reference's rotation of the inputs is worth no more than none at all.
    assert!((reference - one_sided).abs() < 0.05, "{all:.3?}");
    assert!(reference >= identity + 0.1 && reference >= random + 0.1, "{all:.3?}");
}
