//! What is trained, by group.

use std::fmt;

use serde::Serialize;

use super::{Method, Workload};

/// Trained parameters of each group, of the rest, and of all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The groups in the order of their first matrices, then `rest`.
    pub rows: Vec<SummaryRow>,
}

/// Trained parameters of a group of matrices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SummaryRow {
    /// Its pattern.
    pub pattern: String,
    /// How many matrices it has.
    pub matrices: usize,
    /// Parameters of the model in it.
    pub parameters: usize,
    /// Numbers that are trained.
    pub trained: usize,
}

impl SummaryRow {
    /// Trained numbers over parameters.
    pub fn share(&self) -> f64 {
        if self.parameters == 0 { 0.0 } else { self.trained as f64 / self.parameters as f64 }
    }
}

impl Summary {
    pub(super) fn new(work: &Workload, method: Method) -> Self {
        let mut rows: Vec<SummaryRow> = Vec::new();
        for matrix in &work.matrices {
            let at = rows.iter().position(|row| row.pattern == matrix.group).unwrap_or_else(|| {
                rows.push(SummaryRow {
                    pattern: matrix.group.clone(),
                    matrices: 0,
                    parameters: 0,
                    trained: 0,
                });
                rows.len() - 1
            });
            rows[at].matrices += 1;
            rows[at].parameters += matrix.len();
            rows[at].trained += method.trained(matrix);
        }
        let trained = work.rest_trained || method == Method::Full;
        rows.push(SummaryRow {
            pattern: "rest".to_owned(),
            matrices: 0,
            parameters: work.rest,
            trained: if trained { work.rest } else { 0 },
        });
        Self { rows }
    }

    /// All of the model.
    pub fn total(&self) -> SummaryRow {
        let sum = |of: fn(&SummaryRow) -> usize| self.rows.iter().map(of).sum();
        SummaryRow {
            pattern: "total".to_owned(),
            matrices: sum(|row| row.matrices),
            parameters: sum(|row| row.parameters),
            trained: sum(|row| row.trained),
        }
    }
}

/// A table: pattern, matrices, parameters, trained, share.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.total();
        let rows = || self.rows.iter().chain([&total]);
        let width = rows().map(|row| row.pattern.chars().count()).max().unwrap_or(0).max(7);
        writeln!(
            f,
            "{:<width$} {:>8} {:>13} {:>13} {:>8}",
            "pattern", "matrices", "parameters", "trained", "share"
        )?;
        for row in rows() {
            let SummaryRow { pattern, matrices, parameters, trained } = row;
            let share = 100.0 * row.share();
            writeln!(
                f,
                "{pattern:<width$} {matrices:>8} {parameters:>13} {trained:>13} {share:>7.3}%"
            )?;
        }
        Ok(())
    }
}
