//! How far compressed rows are from those of a table.

use rayon::prelude::*;

use super::table::{Table, scan};
use crate::lookup::{self, Plan};
use crate::{Cores, Error, Result};

/// Rows that are looked up at once.
const ROWS: usize = 4096;

/// ‖W − W_TT‖ / ‖W‖ (Frobenius) over the V rows of a table, padding left out: what look-ups return, measured
/// row by row. 0 for a table of zeros that is met exactly, infinite for one that is not.
///
/// # Errors
/// If the sizes differ, or a value of the table is not finite.
///
/// # Complexity
/// That of looking all rows up; memory for 4096 of them.
pub fn relative_error(cores: &Cores, table: &impl Table) -> Result<f64> {
    let shape = cores.shape();
    let (vocab, d) = table.dim();
    if (vocab, d) != (shape.vocab_size(), shape.d_embed()) {
        let (rows, columns) = (shape.vocab_size(), shape.d_embed());
        let problem = format!("a table of {vocab} × {d} values beside cores of {rows} × {columns}");
        return Err(Error::Shape { problems: vec![problem] });
    }
    let energy = scan(table)?.energy;
    let mut sum = 0.0;
    for start in (0..vocab).step_by(ROWS) {
        let ids: Vec<u32> = (start..(start + ROWS).min(vocab)).map(|id| id as u32).collect();
        let rows = lookup::unique_rows(shape, cores.values(), &Plan::new(shape, &ids));
        let distance = |(row, id): (&[f32], &u32)| {
            let mut scratch = vec![0.0; d];
            let exact = table.read_row(*id as usize, &mut scratch);
            row.iter().zip(exact).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum::<f64>()
        };
        let of_rows: Vec<f64> = rows.par_chunks_exact(d).zip(&ids).map(distance).collect();
        sum += of_rows.iter().sum::<f64>();
    }
    Ok(if sum > 0.0 { (sum / energy).sqrt() } else { 0.0 })
}
