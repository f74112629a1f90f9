//! What noise scores, and what takes that out.

use sixfold_linalg::qr;
use sixfold_linearity::Transition;

use crate::clouds::{normal, pair, scores};

/// Mean of the scores of independent Gaussians is D/(N − 1), with a known deviation.
#[test]
fn noise_scores_its_floor_and_adjusts_to_zero() {
    for (n, d, runs) in [(200, 16, 20), (1000, 100, 8), (2000, 500, 2)] {
        let (rows, columns) = (n as f64, d as f64);
        let floor = columns / (rows - 1.0);
        let sd = (2.0 * (rows - 1.0 - columns) / ((rows - 1.0).powi(2) * (rows + 1.0))).sqrt();
        let mut sums = [0.0; 2];
        for run in 0..runs {
            let found = scores(&normal(n, d, 2 * run), &normal(n, d, 2 * run + 1));
            assert!((found.floor - floor).abs() < 1e-12);
            sums[0] += found.score / runs as f64;
            sums[1] += found.adjusted.unwrap() / runs as f64;
        }
        // d columns of Y are d independent scores of the same X.
        let se = sd / (runs as f64).sqrt();
        assert!((sums[0] - floor).abs() < 3.0 * se, "{n}×{d}: {} against {floor} ± {se}", sums[0]);
        let scale = (rows - 1.0) / (rows - columns - 1.0);
        assert!(sums[1].abs() < 3.0 * se * scale, "{n}×{d}: adjusted {}", sums[1]);
    }
}

#[test]
fn a_noisy_rotation_scores_what_the_noise_leaves() {
    let (n, d) = (20_000, 32);
    let x = normal(n, d, 1);
    let rotation = qr(normal(d, d, 2).view()).unwrap().q;
    let noise = normal(n, d, 3);
    for (sigma, expected) in [(0.1, 0.990_11), (0.5, 0.800_32), (1.0, 0.500_80)] {
        let y = x.dot(&rotation) + &noise * sigma;
        let found = scores(&x, &y).score;
        assert!((found - expected).abs() < 2e-3, "σ = {sigma}: {found} against {expected}");
    }
}

#[test]
fn on_held_out_tokens_the_map_scores_less() {
    let (x, y) = (normal(200, 16, 1), normal(200, 16, 2));
    let (test_x, test_y) = (normal(2000, 16, 3), normal(2000, 16, 4));
    let (train, test) = (pair(x.view(), y.view()), pair(test_x.view(), test_y.view()));
    let train = Transition::from(&train);
    let map = train.affine_map().unwrap();
    let heldout = map.score(&Transition::from(&test)).unwrap();
    assert!(heldout < 0.0, "{heldout}");
    // On its own tokens it scores what the fit says.
    let own = map.score(&train).unwrap();
    assert!((own - train.linearity().unwrap().score).abs() < 1e-9, "{own}");
    // And moments say what rows say.
    let residual = map.apply(test_x.view()).unwrap() - &test_y;
    let mean = test_y.mean_axis(ndarray::Axis(0)).unwrap();
    let centred = &test_y - &mean;
    let square = |a: &ndarray::Array2<f64>| a.iter().map(|v| v * v).sum::<f64>();
    let direct = 1.0 - square(&residual) / square(&centred);
    assert!((heldout - direct).abs() < 1e-9, "{heldout} and {direct}");
}
