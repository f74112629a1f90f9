//! Tables as files hold them, in whatever precision.

use std::borrow::Cow;
use std::path::Path;

use ndarray::Array2;
use safetensors::SafeTensors;
use sixfold_linalg::files::map_file;
use sixfold_tensor_train::files::{self, Saved};
use sixfold_tensor_train::{Cores, Order, Precision, QuantisedCores, Result, TtShape};

use crate::options::{commas, line};

/// Cores in f32 or in fewer bits.
pub(crate) enum Stored {
    Whole(Cores),
    Quantised(QuantisedCores),
}

impl Stored {
    pub(crate) fn new(cores: Cores, precision: Option<Precision>) -> Result<Self> {
        Ok(match precision {
            None => Self::Whole(cores),
            Some(precision) => Self::Quantised(QuantisedCores::new(&cores, precision)?),
        })
    }

    /// Reads a file of the crate's format.
    pub(crate) fn load(path: &Path) -> Result<Saved<Self>> {
        if is_quantised(path)? {
            let Saved { cores, order } = files::load_quantised(path)?;
            return Ok(Saved { cores: Self::Quantised(cores), order });
        }
        let Saved { cores, order } = files::load(path)?;
        Ok(Saved { cores: Self::Whole(cores), order })
    }

    pub(crate) fn save(&self, path: &Path, order: Option<&Order>) -> Result<()> {
        match self {
            Self::Whole(cores) => files::save(path, cores, order),
            Self::Quantised(cores) => files::save_quantised(path, cores, order),
        }
    }

    pub(crate) fn shape(&self) -> &TtShape {
        match self {
            Self::Whole(cores) => cores.shape(),
            Self::Quantised(cores) => cores.shape(),
        }
    }

    /// In f32.
    pub(crate) fn cores(&self) -> Cow<'_, Cores> {
        match self {
            Self::Whole(cores) => Cow::Borrowed(cores),
            Self::Quantised(cores) => Cow::Owned(cores.dequantise()),
        }
    }

    /// Rows of the cores, `[rows, D]`.
    pub(crate) fn rows(&self, rows: &[i64]) -> Result<Array2<f32>> {
        match self {
            Self::Whole(cores) => cores.rows(rows),
            Self::Quantised(cores) => cores.rows(rows),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Whole(cores) => size_of_val(cores.values()),
            Self::Quantised(cores) => cores.bytes(),
        }
    }

    fn precision(&self) -> &'static str {
        match self {
            Self::Whole(_) => "f32",
            Self::Quantised(cores) => match cores.precision() {
                Precision::Int8 => "int8",
                Precision::F16 => "f16",
                Precision::Bf16 => "bf16",
                _ => "fewer bits",
            },
        }
    }

    /// What it is, line by line. The compression counts the bytes of cores, scales and order.
    pub(crate) fn describe(&self, order: Option<&Order>) -> String {
        let mut text = describe_shape(self.shape());
        line(&mut text, "parameters", self.shape().parameters());
        line(&mut text, "stored as", self.precision());
        let of_order = order.map_or(0, Order::bytes);
        match order {
            None => line(&mut text, "order", "none"),
            Some(_) => line(&mut text, "order", format_args!("{of_order} bytes")),
        }
        let bytes = self.bytes() + of_order;
        line(&mut text, "bytes", bytes);
        let dense = table_bytes(self.shape());
        line(&mut text, "compression", format_args!("{:.2}", dense / bytes as f64));
        text
    }
}

/// Bytes of the table in f32, without the padding.
pub(crate) fn table_bytes(shape: &TtShape) -> f64 {
    shape.vocab_size() as f64 * shape.d_embed() as f64 * size_of::<f32>() as f64
}

/// Sizes, factors and ranks.
pub(crate) fn describe_shape(shape: &TtShape) -> String {
    let mut text = String::new();
    let (vocab, d) = (shape.vocab_size(), shape.d_embed());
    line(&mut text, "table", format_args!("{vocab} x {d}"));
    let padding = (shape.padded_vocab() - vocab) as f64 / vocab as f64 * 100.0;
    let rows = commas(shape.rows());
    line(&mut text, "row factors", format_args!("{rows} ({padding:.2} % padding)"));
    line(&mut text, "column factors", commas(shape.columns()));
    let kind = if shape.is_ring() { " (ring)" } else { "" };
    line(&mut text, "ranks", format_args!("{}{kind}", commas(shape.ranks())));
    text
}

/// Whether a file says that its cores are not f32. What is no such file is found out by who reads it.
fn is_quantised(path: &Path) -> Result<bool> {
    let file = map_file(path)?;
    let Ok((_, header)) = SafeTensors::read_metadata(&file) else { return Ok(false) };
    let words = header.metadata().as_ref();
    Ok(words.and_then(|words| words.get("values")).is_some_and(|values| values != "f32"))
}
