//! How good guessed probabilities are.

/// −mean ln p of what happened.
pub(super) fn logloss(found: &[(f64, bool)]) -> f64 {
    let of = |(p, clicked): &(f64, bool)| {
        // What is all but certain costs a finite number, as in scikit-learn.
        let p = if *clicked { *p } else { 1.0 - p };
        -p.clamp(f64::EPSILON, 1.0).ln()
    };
    found.iter().map(of).sum::<f64>() / found.len() as f64
}

/// How likely a row that was clicked has the larger guess than one that was not, ties as a half; NaN where
/// either is missing (Mann and Whitney 1947).
pub(super) fn auc(found: &[(f64, bool)]) -> f64 {
    let mut sorted: Vec<(f64, bool)> = found.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut wins, mut clicked) = (0.0, 0.0, 0.0);
    for tied in sorted.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let up = tied.iter().filter(|(_, clicked)| *clicked).count() as f64;
        let down = tied.len() as f64 - up;
        wins += up * (below + 0.5 * down);
        below += down;
        clicked += up;
    }
    wins / (clicked * below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_those_of_small_cases() {
        let found = [(0.1, false), (0.4, false), (0.35, true), (0.8, true)];
        // The example of scikit-learn's `roc_auc_score`.
        assert!((auc(&found) - 0.75).abs() < 1e-12);
        let expected = -(0.9f64 * 0.6 * 0.35 * 0.8).ln() / 4.0;
        assert!((logloss(&found) - expected).abs() < 1e-12);
        assert!((auc(&[(0.5, true), (0.5, false), (0.5, false)]) - 0.5).abs() < 1e-12);
        assert!(auc(&[(0.5, true)]).is_nan());
        assert!(logloss(&[(0.0, true)]).is_finite());
    }
}
