//! How well predictions fit: accuracy, F1, and two correlations.

/// Share of equal classes.
pub(super) fn accuracy(predicted: &[usize], classes: &[usize]) -> f64 {
    let right = predicted.iter().zip(classes).filter(|(a, b)| a == b).count();
    right as f64 / classes.len().max(1) as f64
}

/// Of two classes: how often `[0, 0]`, `[0, 1]`, `[1, 0]`, `[1, 1]` were predicted and right.
fn counts(predicted: &[usize], classes: &[usize]) -> [[f64; 2]; 2] {
    let mut counts = [[0.0; 2]; 2];
    for (found, class) in predicted.iter().zip(classes) {
        counts[usize::from(*found == 1)][usize::from(*class == 1)] += 1.0;
    }
    counts
}

/// F1 of class 1: 2·TP/(2·TP + FP + FN); 0 where nothing is of it.
pub(super) fn f1(predicted: &[usize], classes: &[usize]) -> f64 {
    let [[_, missed], [wrong, right]] = counts(predicted, classes);
    let all = 2.0 * right + wrong + missed;
    if all > 0.0 { 2.0 * right / all } else { 0.0 }
}

/// Matthews' correlation of two classes; 0 where one side has a single class.
pub(super) fn matthews(predicted: &[usize], classes: &[usize]) -> f64 {
    let [[tn, missed], [fp, tp]] = counts(predicted, classes);
    let scale = ((tp + fp) * (tp + missed) * (tn + fp) * (tn + missed)).sqrt();
    if scale > 0.0 { (tp * tn - fp * missed) / scale } else { 0.0 }
}

/// Pearson's correlation; 0 where one side does not vary.
pub(super) fn pearson(x: &[f64], y: &[f64]) -> f64 {
    let n = x.len().min(y.len()).max(1) as f64;
    let (mean_x, mean_y) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let mut sums = [0.0; 3];
    for (x, y) in x.iter().zip(y) {
        let (x, y) = (x - mean_x, y - mean_y);
        sums[0] += x * y;
        sums[1] += x * x;
        sums[2] += y * y;
    }
    let scale = (sums[1] * sums[2]).sqrt();
    if scale > 0.0 { sums[0] / scale } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_of_two_classes() {
        let (predicted, classes) = ([1, 1, 1, 0, 0, 0, 0, 1], [1, 1, 0, 0, 0, 1, 0, 0]);
        // TP 2, FP 2, FN 1, TN 3.
        assert!((accuracy(&predicted, &classes) - 5.0 / 8.0).abs() < 1e-12);
        assert!((f1(&predicted, &classes) - 4.0 / 7.0).abs() < 1e-12);
        let expected = (6.0 - 2.0) / (4.0_f64 * 3.0 * 5.0 * 4.0).sqrt();
        assert!((matthews(&predicted, &classes) - expected).abs() < 1e-12);
        assert_eq!((matthews(&[1; 3], &[0, 1, 1]), f1(&[0; 2], &[0; 2])), (0.0, 0.0));
    }

    #[test]
    fn correlation_is_of_what_varies() {
        assert!((pearson(&[1.0, 2.0, 4.0], &[-2.0, -4.0, -8.0]) + 1.0).abs() < 1e-12);
        assert!((pearson(&[1.0, 2.0, 3.0], &[1.0, 3.0, 2.0]) - 0.5).abs() < 1e-12);
        assert!(pearson(&[1.0, 1.0], &[1.0, 2.0]).abs() < 1e-12);
    }
}
