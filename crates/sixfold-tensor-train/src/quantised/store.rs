//! How values are stored.

use half::{bf16, f16};

use super::Precision;
use crate::{Cores, Error, Result};

/// The largest integer that is used: without −128 the range is symmetric.
const LARGEST: f64 = 127.0;

/// The values of all cores, one after the other.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Values {
    Int8 {
        values: Vec<i8>,
        /// Of all slices of the first core, then of the second, …
        scales: Vec<f32>,
    },
    F16(Vec<f16>),
    Bf16(Vec<bf16>),
}

impl Values {
    /// Of finite cores.
    pub(super) fn new(cores: &Cores, precision: Precision) -> Result<Self> {
        match precision {
            Precision::Int8 => Ok(integers(cores)),
            Precision::Bf16 => {
                // Rounding to the nearest may leave the range only above its largest number, 3.39e38.
                let values: Vec<bf16> = cores.values().iter().map(|x| bf16::from_f32(*x)).collect();
                let beyond = |x: &bf16| !x.is_finite();
                refuse(
                    cores,
                    values.iter().position(beyond),
                    "within ±3.38e38, the range of bf16",
                )?;
                Ok(Self::Bf16(values))
            }
            Precision::F16 => {
                let values: Vec<f16> = cores.values().iter().map(|x| f16::from_f32(*x)).collect();
                let beyond = |x: &f16| !x.is_finite();
                refuse(cores, values.iter().position(beyond), "within ±65504, the range of f16")?;
                Ok(Self::F16(values))
            }
        }
    }

    /// A slice in f32, which begins at value `start` and is number `number` of all slices.
    pub(super) fn slice_into(&self, start: usize, number: usize, slice: &mut [f32]) {
        let range = start..start + slice.len();
        match self {
            Self::Int8 { values, scales } => {
                let scale = scales[number];
                for (to, from) in slice.iter_mut().zip(&values[range]) {
                    *to = scale * f32::from(*from);
                }
            }
            Self::F16(values) => {
                for (to, from) in slice.iter_mut().zip(&values[range]) {
                    *to = from.to_f32();
                }
            }
            Self::Bf16(values) => {
                for (to, from) in slice.iter_mut().zip(&values[range]) {
                    *to = from.to_f32();
                }
            }
        }
    }
}

fn refuse(cores: &Cores, at: Option<usize>, expected: &'static str) -> Result<()> {
    match at {
        None => Ok(()),
        Some(at) => {
            let found = f64::from(cores.values()[at]);
            Err(Error::InvalidParameter { name: "a value of the cores", found, expected })
        }
    }
}

fn integers(cores: &Cores) -> Values {
    let shape = cores.shape();
    let mut values = Vec::with_capacity(shape.parameters());
    let mut scales = Vec::with_capacity(shape.rows().iter().sum());
    for k in 0..shape.cores() {
        let core = cores.core(k);
        for slice in core.chunks_exact(core.len() / shape.rows()[k]) {
            let largest = slice.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
            let scale = (f64::from(largest) / LARGEST) as f32;
            // A slice of zeros, or of values so small that f32 has no scale for them.
            let inverse = if scale > 0.0 { 1.0 / f64::from(scale) } else { 0.0 };
            let round = |x: &f32| (f64::from(*x) * inverse).round().clamp(-LARGEST, LARGEST) as i8;
            values.extend(slice.iter().map(round));
            scales.push(scale);
        }
    }
    Values::Int8 { values, scales }
}
