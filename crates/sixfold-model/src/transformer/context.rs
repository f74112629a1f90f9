//! What attention needs besides the residual stream: masks, rotations, penalties.

use burn::tensor::{Device, Tensor, TensorData};

use super::cross::Memory;
use super::position::{Rotation, alibi_slopes};
use crate::{Positions, TransformerSpec};

/// Masks and positions of a batch, made once and shared by all layers.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    /// What is added to the scores of each key: −∞ at padding, ALiBi's penalty.
    /// `[rows or 1, heads or 1, keys]`
    pub(crate) bias: Tensor<3>,
    pub(crate) causal: bool,
    /// First new column.
    pub(crate) start: usize,
    pub(crate) rotation: Option<Rotation>,
    /// What cross-attention reads.
    pub(crate) memory: Option<Memory>,
}

/// The columns of a batch: those seen before (in a cache) and those that are new.
pub(crate) struct Columns<'a> {
    /// `true` for tokens, `[rows, total]`.
    pub(crate) mask: &'a [bool],
    pub(crate) rows: usize,
    /// First new column.
    pub(crate) start: usize,
}

impl Columns<'_> {
    fn total(&self) -> usize {
        self.mask.len() / self.rows
    }
}

impl Context {
    pub(crate) fn new(spec: &TransformerSpec, columns: &Columns<'_>, device: &Device) -> Self {
        let len = columns.total() - columns.start;
        let slopes = match spec.positions {
            Positions::Alibi => alibi_slopes(spec.attention.n_heads),
            _ => vec![0.0],
        };
        Self {
            bias: key_bias(columns, &slopes, device),
            causal: spec.causal,
            start: columns.start,
            rotation: match &spec.positions {
                Positions::Rotary(rotary) => {
                    Some(Rotation::new(rotary, columns.start, len, device))
                }
                _ => None,
            },
            memory: None,
        }
    }
}

/// `slope · position` of each key, −∞ at padding. Softmax forgets what is the same for all keys
/// of a query, so this equals ALiBi's penalty on the distance.
pub(super) fn key_bias(columns: &Columns<'_>, slopes: &[f64], device: &Device) -> Tensor<3> {
    let total = columns.total();
    let padded = columns.mask.iter().any(|&token| !token);
    let rows = if padded { columns.rows } else { 1 };
    let mut bias = Vec::with_capacity(rows * slopes.len() * total);
    for row in columns.mask.chunks(total).take(rows) {
        for slope in slopes {
            let mut position = 0.0;
            bias.extend(row.iter().map(|&token| {
                if !token {
                    return f32::NEG_INFINITY;
                }
                position += 1.0;
                (slope * (position - 1.0)) as f32
            }));
        }
    }
    Tensor::from_data(TensorData::new(bias, [rows, slopes.len(), total]), device)
}
