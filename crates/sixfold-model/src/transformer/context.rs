//! What attention needs besides the residual stream: masks, rotations, penalties.

use burn::tensor::{Bool, Device, Tensor, TensorData};

use super::cross::Memory;
use super::position::{Rotation, alibi_slopes};
use crate::{Positions, TransformerSpec};

/// Masks and positions of a batch, made once and shared by all layers.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    /// One mask for each distinct window; `true` hides. `None` where nothing is hidden.
    hidden: Vec<(Option<usize>, Option<Tensor<4, Bool>>)>,
    pub(crate) rotation: Option<Rotation>,
    pub(crate) alibi: Option<Tensor<4>>,
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
        let mut windows = vec![];
        for layer in 0..spec.n_layers() {
            let window = spec.attention.window(layer);
            if !windows.contains(&window) {
                windows.push(window);
            }
        }
        let hidden = windows
            .into_iter()
            .map(|window| (window, hidden(columns, spec.causal, window, device)))
            .collect();
        let len = columns.total() - columns.start;
        Self {
            hidden,
            rotation: match &spec.positions {
                Positions::Rotary(rotary) => {
                    Some(Rotation::new(rotary, columns.start, len, device))
                }
                _ => None,
            },
            alibi: match spec.positions {
                Positions::Alibi => Some(alibi(columns, spec.attention.n_heads, device)),
                _ => None,
            },
            memory: None,
        }
    }

    /// The mask of a layer with that window.
    pub(crate) fn hidden(&self, window: Option<usize>) -> Option<Tensor<4, Bool>> {
        self.hidden.iter().find(|(w, _)| *w == window).and_then(|(_, mask)| mask.clone())
    }
}

/// `[rows or 1, 1, new, total]`, `true` where a query must not see a key.
fn hidden(
    columns: &Columns<'_>,
    causal: bool,
    window: Option<usize>,
    device: &Device,
) -> Option<Tensor<4, Bool>> {
    let (total, start) = (columns.total(), columns.start);
    let padded = columns.mask.iter().any(|&token| !token);
    let rows = if padded { columns.rows } else { 1 };
    let mut hidden = Vec::with_capacity(rows * (total - start) * total);
    for row in columns.mask.chunks(total).take(rows) {
        for query in start..total {
            hidden.extend(row.iter().enumerate().map(|(key, &token)| {
                let later = causal && key > query;
                let out_of_window = window.is_some_and(|window| query >= key + window);
                !token || later || out_of_window
            }));
        }
    }
    hidden.contains(&true).then(|| {
        Tensor::from_data(TensorData::new(hidden, [rows, 1, total - start, total]), device)
    })
}

/// `slope · position of the key`, `[rows or 1, heads, 1, total]`. Softmax forgets what is the
/// same for all keys of a query, so this equals the penalty on the distance.
fn alibi(columns: &Columns<'_>, n_heads: usize, device: &Device) -> Tensor<4> {
    let total = columns.total();
    let padded = columns.mask.iter().any(|&token| !token);
    let rows = if padded { columns.rows } else { 1 };
    let slopes = alibi_slopes(n_heads);
    let mut bias = Vec::with_capacity(rows * n_heads * total);
    for row in columns.mask.chunks(total).take(rows) {
        let mut next = 0.0;
        let positions: Vec<f64> = row
            .iter()
            .map(|&token| {
                let position = if token { next } else { 0.0 };
                next += f64::from(u8::from(token));
                position
            })
            .collect();
        for slope in &slopes {
            bias.extend(positions.iter().map(|position| (slope * position) as f32));
        }
    }
    Tensor::from_data(TensorData::new(bias, [rows, n_heads, 1, total]), device)
}
