//! Correlation.

/// Average ranks from 1: equal values share the mean of their places.
///
/// # Panics
/// If a value is NaN.
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|&i, &j| values[i].partial_cmp(&values[j]).expect("no NaN"));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0.0;
    #[expect(clippy::float_cmp, reason = "ties are exact; 0 and −0 are one")]
    for run in order.chunk_by(|&i, &j| values[i] == values[j]) {
        for &i in run {
            ranks[i] = before + (run.len() as f64 + 1.0) / 2.0;
        }
        before += run.len() as f64;
    }
    ranks
}

/// Pearson's correlation; NaN if one side does not vary.
///
/// # Panics
/// If the lengths differ.
pub fn pearson(x: &[f64], y: &[f64]) -> f64 {
    assert_eq!(x.len(), y.len(), "pairs of values");
    let n = x.len() as f64;
    let (mx, my) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (x, y) in x.iter().zip(y) {
        let (x, y) = (x - mx, y - my);
        xx += x * x;
        yy += y * y;
        xy += x * y;
    }
    if xx > 0.0 && yy > 0.0 { (xy / (xx.sqrt() * yy.sqrt())).clamp(-1.0, 1.0) } else { f64::NAN }
}

/// Spearman's correlation: Pearson's of the average ranks; NaN if one side does not vary.
///
/// # Panics
/// If the lengths differ, or a value is NaN.
///
/// ```
/// use sixfold_sgns::evaluation::spearman;
/// assert!((spearman(&[1.0, 2.0, 3.0], &[10.0, 400.0, 500.0]) - 1.0).abs() < 1e-12);
/// ```
pub fn spearman(x: &[f64], y: &[f64]) -> f64 {
    pearson(&ranks(x), &ranks(y))
}
