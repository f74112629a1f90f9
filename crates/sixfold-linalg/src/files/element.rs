//! How a matrix is stored, and its values as they can be computed with.

use std::borrow::Cow;
use std::ops::Range;

use bytemuck::AnyBitPattern;
use half::{bf16, f16};
use ndarray::{Array2, ArrayView2, CowArray, Ix2, ShapeBuilder};

use super::matrix::Matrix;

/// A float type of a file, in little-endian order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    F16,
    Bf16,
    F32,
    F64,
}

impl Element {
    fn bytes(self) -> usize {
        match self {
            Self::F16 | Self::Bf16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

/// A tensor of a file.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    /// Its type, or the name of one that is no float.
    pub(super) element: Result<Element, String>,
    pub(super) shape: Vec<usize>,
    /// Columns one after the other, as in Fortran.
    pub(super) columns_first: bool,
    /// Where its bytes are.
    pub(super) range: Range<usize>,
}

impl Stored {
    /// Whether [`matrix`](Self::matrix) takes it.
    pub(super) fn is_matrix(&self) -> bool {
        self.element.is_ok() && self.shape.len() == 2 && !self.shape.contains(&0)
    }

    /// The matrix among the bytes of the file, or what is wrong with it.
    pub(super) fn matrix<'a>(&self, file: &'a [u8]) -> Result<Matrix<'a>, String> {
        let element = match &self.element {
            Ok(element) => *element,
            Err(found) => return Err(format!("has type {found}, expected f16, bf16, f32 or f64")),
        };
        let [rows, columns] = self.shape[..] else {
            return Err(format!("has shape {:?}, expected two dimensions", self.shape));
        };
        if rows == 0 || columns == 0 {
            return Err(format!("is empty: its shape is {:?}", self.shape));
        }
        let values = rows.checked_mul(columns);
        let needed = values.and_then(|values| values.checked_mul(element.bytes()));
        if needed != Some(self.range.len()) {
            let found = self.range.len();
            return Err(format!("has {found} bytes, which do not make {rows} × {columns} values"));
        }
        let bytes = &file[self.range.clone()];
        let dim = (rows, columns);
        Ok(match element {
            Element::F16 => Matrix::F32(self.shaped(dim, halves(bytes, f16::from_bits))),
            Element::Bf16 => Matrix::F32(self.shaped(dim, halves(bytes, bf16::from_bits))),
            Element::F32 => Matrix::F32(self.shaped(dim, in_place(bytes, f32::from_le_bytes))),
            Element::F64 => Matrix::F64(self.shaped(dim, in_place(bytes, f64::from_le_bytes))),
        })
    }

    fn shaped<'a, T: Clone>(
        &self,
        dim: (usize, usize),
        values: Cow<'a, [T]>,
    ) -> CowArray<'a, T, Ix2> {
        const FITS: &str = "as many values as the shape has: compared above";
        let shape = dim.set_f(self.columns_first);
        match values {
            Cow::Borrowed(values) => ArrayView2::from_shape(shape, values).expect(FITS).into(),
            Cow::Owned(values) => Array2::from_shape_vec(shape, values).expect(FITS).into(),
        }
    }
}

/// The values where they are, or a copy if the bytes are not aligned, or not in this machine's order.
fn in_place<const W: usize, T: AnyBitPattern>(
    bytes: &[u8],
    value: fn([u8; W]) -> T,
) -> Cow<'_, [T]> {
    match bytemuck::try_cast_slice(bytes) {
        Ok(values) if cfg!(target_endian = "little") => Cow::Borrowed(values),
        _ => Cow::Owned(bytes.as_chunks().0.iter().map(|&chunk| value(chunk)).collect()),
    }
}

fn halves<T: Into<f32>>(bytes: &[u8], value: fn(u16) -> T) -> Cow<'static, [f32]> {
    let halves = bytes.as_chunks().0.iter();
    Cow::Owned(halves.map(|&chunk| value(u16::from_le_bytes(chunk)).into()).collect())
}
