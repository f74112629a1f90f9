//! Cores in fewer bits.

mod rows;
mod store;

pub(crate) use store::Values;

use crate::{Cores, Result, TtShape};

/// What the values of cores are stored as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Precision {
    /// 8-bit integers and a scale for each slice i_k of each core.
    Int8,
    /// Half precision: 11 significant bits, up to 65,504.
    F16,
    /// The upper half of f32: 8 significant bits.
    Bf16,
}

/// Cores stored in 8 or 16 bits, for inference. Rows are computed in f32; of the cores, what a batch needs is
/// widened for it.
///
/// With integers, a value x of slice i_k of core k is stored as the integer next to x/s, where s = max|x|/127
/// over that slice; it is off by s/2 at most.
///
/// ```
/// use sixfold_tensor_train::{Cores, Initializer, QuantisedCores, TtShape};
///
/// let shape = TtShape::train(25_000, [25, 30, 40], [4, 8, 8], 16)?;
/// let cores = Cores::init(shape, &Initializer::Glorot, 0)?;
/// let small = QuantisedCores::int8(&cores)?;
/// assert!(small.saving() > 3.9);
/// let (exact, rows) = (cores.rows(&[7])?, small.rows(&[7])?);
/// let norm = |x: &ndarray::Array2<f32>| x.mapv(|x| x * x).sum().sqrt();
/// assert!(norm(&(&rows - &exact)) < 0.02 * norm(&exact));
/// # Ok::<(), sixfold_tensor_train::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[doc(alias = "QuantizedCores")]
pub struct QuantisedCores {
    shape: TtShape,
    values: Values,
}

impl QuantisedCores {
    /// Stores cores in that precision, each value rounded to the nearest.
    ///
    /// # Errors
    /// [`Error::NotFinite`]; [`Error::InvalidParameter`] if a value is beyond the range of f16 or bf16.
    ///
    /// [`Error::NotFinite`]: crate::Error::NotFinite
    /// [`Error::InvalidParameter`]: crate::Error::InvalidParameter
    pub fn new(cores: &Cores, precision: Precision) -> Result<Self> {
        cores.check_finite()?;
        let values = Values::new(cores, precision)?;
        Ok(Self { shape: cores.shape().clone(), values })
    }

    /// Cores in 8 bits: a quarter of f32's memory. Rows of Glorot's initialisation are off by 1.2 % of their
    /// norm, none by 2 % (25,000 rows of three cores of rank 16).
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn int8(cores: &Cores) -> Result<Self> {
        Self::new(cores, Precision::Int8)
    }

    /// Of what was read from a file.
    pub(crate) fn from_parts(shape: TtShape, values: Values) -> Self {
        Self { shape, values }
    }

    pub(crate) fn values(&self) -> &Values {
        &self.values
    }

    /// The shape of the cores.
    pub fn shape(&self) -> &TtShape {
        &self.shape
    }

    /// What the values are stored as.
    pub fn precision(&self) -> Precision {
        match self.values {
            Values::Int8 { .. } => Precision::Int8,
            Values::F16(_) => Precision::F16,
            Values::Bf16(_) => Precision::Bf16,
        }
    }

    /// Bytes of values and scales.
    pub fn bytes(&self) -> usize {
        match &self.values {
            Values::Int8 { values, scales } => values.len() + size_of_val(&scales[..]),
            Values::F16(values) => size_of_val(&values[..]),
            Values::Bf16(values) => size_of_val(&values[..]),
        }
    }

    /// How many times smaller these are than the same cores in f32.
    pub fn saving(&self) -> f64 {
        (self.shape.parameters() * size_of::<f32>()) as f64 / self.bytes() as f64
    }

    /// How many times smaller these are than the table in f32; the padding does not count.
    pub fn compression(&self) -> f64 {
        self.shape.compression() * self.saving()
    }

    /// The cores in f32.
    pub fn dequantise(&self) -> Cores {
        let mut values = vec![0.0; self.shape.parameters()];
        let mut start = 0;
        for k in 0..self.shape.cores() {
            let len = self.shape.core_len(k) / self.shape.rows()[k];
            for digit in 0..self.shape.rows()[k] {
                self.slice_into(k, digit, &mut values[start..][..len]);
                start += len;
            }
        }
        whole(self.shape.clone(), values)
    }

    /// Slice i_k of core k (from 0) in f32, `[r_{k−1}, J_k, r_k]`.
    fn slice_into(&self, k: usize, digit: usize, slice: &mut [f32]) {
        let start = self.shape.core_range(k).start;
        let number: usize = self.shape.rows()[..k].iter().sum();
        self.values.slice_into(start + digit * slice.len(), number + digit, slice);
    }
}

fn whole(shape: TtShape, values: Vec<f32>) -> Cores {
    Cores::new(shape, values).expect("as many values as the shape says")
}
