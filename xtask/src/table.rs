//! Tables on a terminal.

use std::fmt::Write as _;

/// Columns as wide as their widest cell, the first `left` of them to the left and the others to the
/// right; a line below the first row.
pub(crate) fn table<const N: usize>(rows: &[[String; N]], left: usize) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: [usize; N] = std::array::from_fn(|column| width(column).unwrap_or(0));
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        let cells = row.iter().zip(widths).enumerate().map(|(column, (cell, width))| {
            if column < left { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        let _ = writeln!(text, "{}", cells.collect::<Vec<_>>().join("  ").trim_end());
        if index == 0 {
            let total = widths.iter().sum::<usize>() + 2 * N.saturating_sub(1);
            let _ = writeln!(text, "{}", "-".repeat(total));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn columns_are_aligned() {
        let rows = [["work", "µs"], ["eigh", "1.25"], ["a long one", ""]];
        let rows = rows.map(|row| row.map(String::from));
        let expected = "work          µs\n----------------\neigh        1.25\na long one\n";
        assert_eq!(table(&rows, 1), expected);
    }
}
