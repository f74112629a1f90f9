//! The matrix of co-occurrence counts.

use crate::sweep::Positives;
use crate::{Error, Result};

/// Sparse counts #(w, c) of word–context pairs, compressed by rows.
///
/// Columns of a row rise. A count is kept as f32, exact up to 2²⁴; marginals and the total are f64
/// and come from the exact counts.
///
/// # Complexity
/// 8 bytes a non-zero and 24 a row.
#[derive(Clone, Debug, PartialEq)]
#[doc(alias = "co-occurrence")]
pub struct Counts {
    columns_total: usize,
    offsets: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f32>,
    row_sums: Vec<f64>,
    column_sums: Vec<f64>,
    symmetric: bool,
}

impl Counts {
    /// Counts from their compressed rows.
    ///
    /// # Shapes
    /// `offsets` is `[n + 1]`, `columns` and `values` are `[non-zeros]`, below `m` each.
    ///
    /// # Errors
    /// [`Error::Empty`] without rows, columns or pairs; [`Error::InvalidParameter`] where offsets do
    /// not rise, columns of a row do not rise or are not below `m`, or a count is negative or not
    /// finite.
    pub fn from_rows(
        m: usize,
        offsets: Vec<usize>,
        columns: Vec<u32>,
        values: Vec<f64>,
    ) -> Result<Self> {
        let invalid =
            |name, found, expected| Err(Error::InvalidParameter { name, found, expected });
        let n = offsets.len().saturating_sub(1);
        if n == 0 || m == 0 || values.is_empty() {
            let reason = format!("{n} words, {m} contexts, {} pairs", values.len());
            return Err(Error::Empty { what: "the matrix of counts", reason });
        }
        if offsets[0] != 0 || offsets[n] != columns.len() || columns.len() != values.len() {
            return invalid("the last offset", offsets[n] as f64, "the number of pairs");
        }
        let mut row_sums = vec![0.0; n];
        let mut column_sums = vec![0.0; m];
        for i in 0..n {
            if offsets[i] > offsets[i + 1] {
                return invalid("offset of a row", offsets[i + 1] as f64, "offsets that rise");
            }
            let mut last = None;
            for at in offsets[i]..offsets[i + 1] {
                let (j, value) = (columns[at], values[at]);
                if last.is_some_and(|last| last >= j) || j as usize >= m {
                    return invalid("column of a pair", f64::from(j), "rising columns below m");
                }
                if !(value.is_finite() && value >= 0.0) {
                    return invalid("count of a pair", value, "a finite number, 0 or more");
                }
                last = Some(j);
                row_sums[i] += value;
                column_sums[j as usize] += value;
            }
        }
        let values: Vec<f32> = values.into_iter().map(|value| value as f32).collect();
        let mut counts = Self {
            columns_total: m,
            offsets,
            columns,
            values,
            row_sums,
            column_sums,
            symmetric: false,
        };
        counts.symmetric = counts.equals_its_transpose();
        Ok(counts)
    }

    /// Counts whose rows are known to be in order, n × n, and whose sums are known.
    pub(crate) fn from_counted(
        offsets: Vec<usize>,
        columns: Vec<u32>,
        values: Vec<f32>,
        row_sums: Vec<f64>,
        column_sums: Vec<f64>,
        symmetric: bool,
    ) -> Self {
        let columns_total = column_sums.len();
        Self { columns_total, offsets, columns, values, row_sums, column_sums, symmetric }
    }

    /// One pass: while rows rise, so does the row that the next entry of each column must stand in.
    #[expect(clippy::float_cmp, reason = "the same count on both sides, to the last bit")]
    fn equals_its_transpose(&self) -> bool {
        let (n, m) = self.dim();
        if n != m {
            return false;
        }
        let mut next = self.offsets.clone();
        (0..n).all(|i| {
            let (columns, values) = self.row(i);
            columns.iter().zip(values).all(|(&j, value)| {
                let j = j as usize;
                let at = next[j];
                next[j] += 1;
                at < self.offsets[j + 1]
                    && self.columns[at] as usize == i
                    && self.values[at] == *value
            })
        })
    }

    /// Words and contexts.
    pub fn dim(&self) -> (usize, usize) {
        (self.row_sums.len(), self.columns_total)
    }

    /// Pairs that are kept.
    pub fn non_zeros(&self) -> usize {
        self.values.len()
    }

    /// Contexts of a word, rising, and the counts.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, i: usize) -> (&[u32], &[f32]) {
        self.positives().row(i)
    }

    pub(crate) fn positives(&self) -> Positives<'_> {
        let Self { offsets, columns, values, .. } = self;
        Positives { offsets, columns, counts: values }
    }

    /// #(w) = Σ_c #(w, c), `[n]`.
    pub fn row_sums(&self) -> &[f64] {
        &self.row_sums
    }

    /// #(c) = Σ_w #(w, c), `[m]`.
    pub fn column_sums(&self) -> &[f64] {
        &self.column_sums
    }

    /// |D|, the sum of all counts.
    pub fn total(&self) -> f64 {
        self.row_sums.iter().sum()
    }

    /// Whether #(w, c) = #(c, w) for all pairs, as a symmetric window gives.
    pub fn is_symmetric(&self) -> bool {
        self.symmetric
    }
}
