//! Safetensors files, tensor by tensor.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use half::bf16;
use ndarray::ArrayView2;
use sixfold_linalg::files::{Dtype, TensorEntry, safetensors_header, write_atomically};

use super::Precision;
use crate::Result;

/// A tensor to be written.
pub(crate) struct Output<'a> {
    pub(crate) name: String,
    pub(crate) values: Values<'a>,
}

/// Its values.
pub(crate) enum Values<'a> {
    Matrix(ArrayView2<'a, f32>, Precision),
    Vector(&'a [f32], Precision),
    Indices(&'a [u32], Dtype),
}

impl Values<'_> {
    fn dtype(&self) -> Dtype {
        match self {
            Self::Matrix(_, precision) | Self::Vector(_, precision) => precision.dtype(),
            Self::Indices(_, dtype) => *dtype,
        }
    }

    fn shape(&self) -> Vec<usize> {
        match self {
            Self::Matrix(values, _) => values.shape().to_vec(),
            Self::Vector(values, _) => vec![values.len()],
            Self::Indices(indices, _) => vec![indices.len()],
        }
    }

    fn write(&self, file: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Matrix(values, precision) => floats(file, values.iter(), *precision),
            Self::Vector(values, precision) => floats(file, values.iter(), *precision),
            Self::Indices(indices, Dtype::U16) => {
                // The core has at most 65 536 entries where this type is chosen.
                indices.iter().try_for_each(|index| file.write_all(&(*index as u16).to_le_bytes()))
            }
            Self::Indices(indices, _) => {
                indices.iter().try_for_each(|index| file.write_all(&index.to_le_bytes()))
            }
        }
    }
}

fn floats<'a>(
    file: &mut impl Write,
    mut values: impl Iterator<Item = &'a f32>,
    precision: Precision,
) -> io::Result<()> {
    match precision {
        Precision::F32 => values.try_for_each(|value| file.write_all(&value.to_le_bytes())),
        Precision::Bf16 => {
            values.try_for_each(|value| file.write_all(&bf16::from_f32(*value).to_le_bytes()))
        }
    }
}

/// Writes a file; it appears whole or not at all. Wider types come first, so that all are aligned.
pub(crate) fn write(
    path: &Path,
    metadata: &[(&str, &str)],
    mut tensors: Vec<Output<'_>>,
) -> Result<()> {
    tensors.sort_by_key(|tensor| std::cmp::Reverse(tensor.values.dtype().bitsize()));
    let entry = |tensor: &Output<'_>| {
        TensorEntry::new(tensor.name.as_str(), tensor.values.dtype(), tensor.values.shape())
    };
    let entries: Vec<TensorEntry> = tensors.iter().map(entry).collect();
    let header = safetensors_header(metadata, &entries);
    Ok(write_atomically(path, |file: &mut BufWriter<_>| {
        file.write_all(&header)?;
        tensors.iter().try_for_each(|tensor| tensor.values.write(file))
    })?)
}
