//! A linear probe: ridge logistic regression on features that a model gives.

use anyhow::{Result, ensure};
use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use sixfold_linalg::{gram, gram_rcond, solve_gram};

/// Newton steps; a handful is enough for a penalised problem.
const MAX_STEPS: usize = 50;
/// A step of this length is no step.
const TOLERANCE: f64 = 1e-8;
/// Penalties that are tried, per example.
const PENALTIES: [f64; 6] = [1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0];
/// The part of the examples on which penalties are compared: one in so many.
const HELD_OUT: usize = 5;

/// A fitted probe of two classes: p(1 | x) = σ(w·(x − m)/s + b).
#[derive(Clone, Debug, PartialEq)]
pub struct Logistic {
    mean: Array1<f64>,
    scale: Array1<f64>,
    /// One weight a feature, then the bias.
    weights: Array1<f64>,
}

impl Logistic {
    /// Fits standardised features, with the penalty that does best on every fifth example; then
    /// on all of them.
    ///
    /// # Shapes
    /// `x` is `[n, d]`, `classes` `[n]`.
    ///
    /// # Errors
    /// Fewer than ten examples, a feature that is not finite.
    ///
    /// # Complexity
    /// O(n·d² + d³) a Newton step.
    pub fn fit(x: ArrayView2<'_, f64>, classes: &[bool]) -> Result<Self> {
        let n = classes.len();
        ensure!(x.nrows() == n && n >= 10, "a probe needs ten examples or more; there are {n}");
        let held: Vec<usize> = (0..n).step_by(HELD_OUT).collect();
        let kept: Vec<usize> = (0..n).filter(|i| i % HELD_OUT != 0).collect();
        let pick = |rows: &[usize]| -> (Array2<f64>, Vec<bool>) {
            (x.select(Axis(0), rows), rows.iter().map(|&row| classes[row]).collect())
        };
        let (train, train_classes) = pick(&kept);
        let (test, test_classes) = pick(&held);
        let mut best = (f64::NEG_INFINITY, PENALTIES[0]);
        for penalty in PENALTIES {
            let probe = Self::with_penalty(train.view(), &train_classes, penalty)?;
            let score = probe.log_likelihood(test.view(), &test_classes);
            if score > best.0 {
                best = (score, penalty);
            }
        }
        Self::with_penalty(x, classes, best.1)
    }

    /// Minimises −Σ ln p(class)/n + penalty·‖w‖²/2 by Newton's method.
    fn with_penalty(x: ArrayView2<'_, f64>, classes: &[bool], penalty: f64) -> Result<Self> {
        let (n, d) = x.dim();
        let mean = x.mean_axis(Axis(0)).unwrap_or_else(|| Array1::zeros(d));
        // A feature that never changes stays as it is: centred, it is zero.
        let scale = x.std_axis(Axis(0), 0.0).mapv(|sd| if sd > 1e-12 { sd } else { 1.0 });
        let mut design = Array2::ones((n, d + 1));
        design.slice_mut(s![.., ..d]).assign(&((&x - &mean) / &scale));
        let targets: Array1<f64> =
            classes.iter().map(|&class| f64::from(u8::from(class))).collect();
        let mut ridge = Array1::from_elem(d + 1, penalty);
        ridge[d] = 0.0;

        let mut weights = Array1::<f64>::zeros(d + 1);
        let mut value = objective(&design, &targets, &weights, &ridge);
        for _ in 0..MAX_STEPS {
            let p = design.dot(&weights).mapv(sigmoid);
            let slope = design.t().dot(&(&p - &targets)) / n as f64 + &ridge * &weights;
            // Curvature: XᵀWX/n, with W^½ put into the rows.
            let root = p.mapv(|p| (p * (1.0 - p)).max(1e-12).sqrt());
            let rows = &design * &root.insert_axis(Axis(1));
            let mut curvature = gram(rows.view()) / n as f64;
            curvature.diag_mut().zip_mut_with(&ridge, |entry, ridge| *entry += ridge);
            let column = slope.view().insert_axis(Axis(1));
            let step = solve_gram(curvature.view(), column, gram_rcond::<f64>(d + 1))?.solution;
            let step = step.column(0);
            // Far from the minimum a full step can overshoot.
            let mut share = 1.0;
            loop {
                let tried = &weights - &(&step * share);
                let new = objective(&design, &targets, &tried, &ridge);
                if new <= value || share < 1e-6 {
                    (weights, value) = (tried, new);
                    break;
                }
                share /= 2.0;
            }
            if step.iter().all(|change| change.abs() < TOLERANCE) {
                break;
            }
        }
        ensure!(
            weights.iter().all(|weight| weight.is_finite()),
            "the probe's weights are not finite"
        );
        Ok(Self { mean, scale, weights })
    }

    /// ln p(1 | x) − ln p(0 | x) of every row.
    pub fn logits(&self, x: ArrayView2<'_, f64>) -> Array1<f64> {
        let d = self.mean.len();
        ((&x - &self.mean) / &self.scale).dot(&self.weights.slice(s![..d])) + self.weights[d]
    }

    /// Share of the rows whose class is told.
    pub fn accuracy(&self, x: ArrayView2<'_, f64>, classes: &[bool]) -> f64 {
        let logits = self.logits(x);
        let right = logits.iter().zip(classes).filter(|(logit, class)| (**logit > 0.0) == **class);
        right.count() as f64 / classes.len() as f64
    }

    fn log_likelihood(&self, x: ArrayView2<'_, f64>, classes: &[bool]) -> f64 {
        let logits = self.logits(x);
        let each = logits
            .iter()
            .zip(classes)
            .map(|(&logit, &class)| -softplus(if class { -logit } else { logit }));
        each.sum::<f64>() / classes.len() as f64
    }
}

/// Share of the most frequent class: what a probe that ignores its input gets.
pub fn majority(classes: &[bool]) -> f64 {
    let ones = classes.iter().filter(|class| **class).count();
    ones.max(classes.len() - ones) as f64 / classes.len().max(1) as f64
}

fn objective(
    design: &Array2<f64>,
    targets: &Array1<f64>,
    weights: &Array1<f64>,
    ridge: &Array1<f64>,
) -> f64 {
    let logits: Array1<f64> = design.dot(weights);
    let loss = |(&logit, &target): (&f64, &f64)| softplus(logit) - target * logit;
    let fit = logits.iter().zip(targets).map(loss).sum::<f64>() / targets.len() as f64;
    fit + (ridge * weights).dot(weights) / 2.0
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// ln(1 + eˣ) without overflow.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;
    use sixfold_model::Seed;

    fn sample(n: usize, seed: u64) -> (Array2<f64>, Vec<bool>) {
        let mut random = Seed::new(seed).stream("sample");
        let x = Array2::from_shape_simple_fn((n, 3), || random.random::<f64>() * 2.0 - 1.0);
        let classes = x.outer_iter().map(|row| {
            let logit = 4.0 * row[0] - 2.0 * row[1] + 0.5;
            random.random::<f64>() < sigmoid(logit)
        });
        let classes = classes.collect();
        (x, classes)
    }

    #[test]
    fn weights_of_the_generating_model_are_found() {
        let (x, classes) = sample(20_000, 1);
        let probe = Logistic::with_penalty(x.view(), &classes, 1e-6).unwrap();
        let found = &probe.weights.slice(s![..3]) / &probe.scale;
        let bias = probe.weights[3] - found.dot(&probe.mean);
        for (found, expected) in found.iter().chain([&bias]).zip([4.0, -2.0, 0.0, 0.5]) {
            assert!((found - expected).abs() < 0.12, "{found} for {expected}");
        }
    }

    #[test]
    fn the_slope_vanishes_at_the_minimum() {
        let (x, classes) = sample(500, 2);
        let probe = Logistic::with_penalty(x.view(), &classes, 0.01).unwrap();
        let p = probe.logits(x.view()).mapv(sigmoid);
        let wrong: Array1<f64> =
            p.iter().zip(&classes).map(|(p, &class)| p - f64::from(u8::from(class))).collect();
        let z = (&x - &probe.mean) / &probe.scale;
        let slope = z.t().dot(&wrong) / 500.0 + &probe.weights.slice(s![..3]) * 0.01;
        assert!(slope.iter().all(|slope| slope.abs() < 1e-9), "{slope}");
        assert!(wrong.sum().abs() < 1e-6);
    }

    #[test]
    fn separable_and_useless_features_are_no_trouble() {
        let x = Array2::from_shape_fn((40, 2), |(i, j)| if j == 0 { i as f64 } else { 7.0 });
        let classes: Vec<bool> = (0..40).map(|i| i >= 20).collect();
        let probe = Logistic::fit(x.view(), &classes).unwrap();
        assert!(probe.accuracy(x.view(), &classes) > 0.97);
        let flat = Array2::ones((40, 1));
        let third: Vec<bool> = (0..40).map(|i| i % 3 == 0).collect();
        let probe = Logistic::fit(flat.view(), &third).unwrap();
        let apart = probe.accuracy(flat.view(), &third) - majority(&third);
        assert!(apart.abs() < 1e-12, "{apart}");
    }

    #[test]
    fn too_few_examples_are_refused() {
        let x = Array2::zeros((3, 2));
        assert!(Logistic::fit(x.view(), &[true, false, true]).is_err());
    }
}
