//! Cores in fewer bits in the format of this crate.

use std::path::Path;

use half::{bf16, f16};
use sixfold_linalg::files::{Dtype, TensorEntry, map_file};

use super::read::{Tensors, f32s, u16s};
use super::table::{Saved, Table, core_entries, core_name, scales_name, write_table};
use crate::quantised::Values;
use crate::{Order, QuantisedCores, Result};

/// Writes cores in fewer bits, and the order of the vocabulary if there is one: see [`files`](crate::files).
///
/// # Errors
/// As [`save`](super::save()).
pub fn save_quantised(
    path: impl AsRef<Path>,
    cores: &QuantisedCores,
    order: Option<&Order>,
) -> Result<()> {
    let (path, shape) = (path.as_ref(), cores.shape());
    match cores.values() {
        Values::Int8 { values, scales } => {
            let of_core = |k| TensorEntry::new(scales_name(k), Dtype::F32, [shape.rows()[k]]);
            let mut entries: Vec<TensorEntry> = (0..shape.cores()).map(of_core).collect();
            entries.extend(core_entries(shape, Dtype::I8));
            write_table(path, "int8", shape, order, entries, |output| {
                output.values(scales, f32::to_le_bytes)?;
                output.values(values, i8::to_le_bytes)
            })
        }
        Values::F16(values) => {
            let entries = core_entries(shape, Dtype::F16);
            write_table(path, "f16", shape, order, entries, |output| {
                output.values(values, f16::to_le_bytes)
            })
        }
        Values::Bf16(values) => {
            let entries = core_entries(shape, Dtype::BF16);
            write_table(path, "bf16", shape, order, entries, |output| {
                output.values(values, bf16::to_le_bytes)
            })
        }
    }
}

/// Reads what [`save_quantised`] wrote.
///
/// # Errors
/// As [`load`](super::load).
pub fn load_quantised(path: impl AsRef<Path>) -> Result<Saved<QuantisedCores>> {
    let path = path.as_ref();
    let file = map_file(path)?;
    let table = Table::new(Tensors::new(path, &file)?)?;
    let values = match table.expect_values(&["int8", "f16", "bf16"])? {
        "int8" => integers(&table)?,
        "f16" => Values::F16(halves(&table, Dtype::F16, f16::from_bits, f16::to_f32)?),
        _ => Values::Bf16(halves(&table, Dtype::BF16, bf16::from_bits, bf16::to_f32)?),
    };
    let order = table.order()?;
    Ok(Saved { cores: QuantisedCores::from_parts(table.shape, values), order })
}

fn integers(table: &Table<'_>) -> Result<Values> {
    let (mut values, mut scales) = (Vec::new(), Vec::new());
    for (k, rows) in table.shape.rows().iter().enumerate() {
        let name = scales_name(k);
        let start = scales.len();
        scales.extend(f32s(table.tensors.exactly(&name, Dtype::F32, &[*rows])?));
        table.tensors.finite(&name, &scales[start..])?;
        let core = table.core(k, Dtype::I8)?;
        values.extend(core.iter().map(|byte| i8::from_le_bytes([*byte])));
    }
    Ok(Values::Int8 { values, scales })
}

fn halves<T: Copy>(
    table: &Table<'_>,
    dtype: Dtype,
    from_bits: fn(u16) -> T,
    widen: fn(T) -> f32,
) -> Result<Vec<T>> {
    let mut values = Vec::with_capacity(table.shape.parameters());
    for k in 0..table.shape.cores() {
        let start = values.len();
        values.extend(u16s(table.core(k, dtype)?).map(from_bits));
        let widened: Vec<f32> = values[start..].iter().map(|value| widen(*value)).collect();
        table.tensors.finite(&core_name(k), &widened)?;
    }
    Ok(values)
}
