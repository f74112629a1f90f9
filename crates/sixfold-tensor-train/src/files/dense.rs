//! The table itself, for programs that know no tensor trains.

use std::path::Path;

use sixfold_linalg::files::{Dtype, TensorEntry};

use super::table::check_order;
use super::write::write;
use crate::{Cores, Error, Order, Result};

/// Numbers of a block of rows: 16 MiB.
const BLOCK: usize = 1 << 22;

/// Writes the whole table as one tensor `name` `[V, D]`, f32, of a safetensors file: the embedding of a
/// checkpoint that other programs read. With `order`, row `id` of the tensor is row `order.position(id)` of
/// the cores.
///
/// # Errors
/// [`Error::Io`]; [`Error::NotFinite`]; [`Error::Length`] if `order` is of another vocabulary;
/// [`Error::Malformed`] for the one name that no tensor can have, `__metadata__`. Then what was there is
/// still there.
///
/// # Complexity
/// That of [`Cores::to_dense`], but for memory: 16 MiB and one row.
pub fn export_dense(
    path: impl AsRef<Path>,
    cores: &Cores,
    order: Option<&Order>,
    name: &str,
) -> Result<()> {
    let path = path.as_ref();
    let (vocab, d) = (cores.shape().vocab_size(), cores.shape().d_embed());
    if name == "__metadata__" {
        return Err(Error::malformed(path, format!("a tensor cannot have the name `{name}`")));
    }
    if let Some(order) = order {
        check_order(order, vocab)?;
    }
    cores.check_finite()?;
    let entry = TensorEntry::new(name, Dtype::F32, [vocab, d]);
    // `transformers` reads only files that say so.
    write(path, &[("format", "pt")], &[entry], |output| {
        let each = (BLOCK / d).max(1);
        for start in (0..vocab).step_by(each) {
            let ids = start..(start + each).min(vocab);
            let ids: Vec<i64> = match order {
                None => ids.map(|id| id as i64).collect(),
                Some(order) => order.positions()[ids].iter().map(|row| i64::from(*row)).collect(),
            };
            let (rows, _) = cores.rows(&ids)?.into_raw_vec_and_offset();
            output.values(&rows, f32::to_le_bytes)?;
        }
        Ok(())
    })
}
