//! Batches of token sequences, kept on the host until a model asks for them.

use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::{Error, Result};

/// On which side short sequences are filled up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PaddingSide {
    /// Padding before the tokens: what batched generation needs.
    Left,
    /// Padding after the tokens.
    #[default]
    Right,
}

/// A rectangle of token ids with its mask: `[rows, len]`, on the host.
///
/// Ids stay on the host because kernels on GPUs do not check indices: the model compares them
/// with its vocabulary before it sends them to its device.
///
/// ```
/// use sixfold_model::{Batch, PaddingSide};
///
/// let batch = Batch::pad(&[vec![5, 6, 7], vec![8]], 0, PaddingSide::Right);
/// assert_eq!((batch.rows(), batch.len()), (2, 3));
/// assert_eq!(batch.n_tokens(), 4);
/// assert_eq!(batch.row(1), [8, 0, 0]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    ids: Vec<u32>,
    mask: Vec<bool>,
    token_types: Option<Vec<u32>>,
    rows: usize,
    len: usize,
}

impl Batch {
    /// Fills the sequences up to the longest with `pad_id`, and masks what was filled.
    ///
    /// # Panics
    /// Without any sequence, or when all are empty.
    pub fn pad(sequences: &[Vec<u32>], pad_id: u32, side: PaddingSide) -> Self {
        let len = sequences.iter().map(Vec::len).max().unwrap_or(0);
        assert!(len > 0, "a batch needs at least one token");
        let mut ids = Vec::with_capacity(sequences.len() * len);
        let mut mask = Vec::with_capacity(sequences.len() * len);
        for sequence in sequences {
            let fill = len - sequence.len();
            if side == PaddingSide::Left {
                ids.extend(std::iter::repeat_n(pad_id, fill));
                mask.extend(std::iter::repeat_n(false, fill));
            }
            ids.extend_from_slice(sequence);
            mask.extend(std::iter::repeat_n(true, sequence.len()));
            if side == PaddingSide::Right {
                ids.extend(std::iter::repeat_n(pad_id, fill));
                mask.extend(std::iter::repeat_n(false, fill));
            }
        }
        Self { ids, mask, token_types: None, rows: sequences.len(), len }
    }

    /// A batch of parts laid out row by row.
    ///
    /// # Errors
    /// [`Error::Batch`] where the parts are not `rows` times some length.
    pub fn from_parts(rows: usize, ids: Vec<u32>, mask: Vec<bool>) -> Result<Self> {
        if rows == 0 || ids.is_empty() || !ids.len().is_multiple_of(rows) {
            return Err(Error::Batch {
                what: "token ids",
                expected: format!("a positive multiple of {rows} rows"),
                found: ids.len().to_string(),
            });
        }
        same_length("attention mask", ids.len(), mask.len())?;
        Ok(Self { len: ids.len() / rows, ids, mask, token_types: None, rows })
    }

    /// The same batch with a token type (segment) for each position.
    ///
    /// # Errors
    /// [`Error::Batch`] where there is not one for each.
    pub fn with_token_types(mut self, token_types: Vec<u32>) -> Result<Self> {
        same_length("token types", self.ids.len(), token_types.len())?;
        self.token_types = Some(token_types);
        Ok(self)
    }

    /// Sequences.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Positions of each sequence, padding included.
    #[expect(clippy::len_without_is_empty, reason = "a batch is never empty")]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Tokens that are not padding.
    pub fn n_tokens(&self) -> usize {
        self.mask.iter().filter(|&&kept| kept).count()
    }

    /// All ids, row by row.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// The ids of one sequence, padding included.
    ///
    /// # Panics
    /// Where there is no such row.
    pub fn row(&self, row: usize) -> &[u32] {
        &self.ids[row * self.len..(row + 1) * self.len]
    }

    /// `true` for tokens, `false` for padding, row by row.
    pub fn mask(&self) -> &[bool] {
        &self.mask
    }

    /// Token types, where given.
    pub fn token_types(&self) -> Option<&[u32]> {
        self.token_types.as_deref()
    }

    /// Row-major indices of the tokens that are not padding.
    pub fn token_indices(&self) -> Vec<usize> {
        (0..self.ids.len()).filter(|&i| self.mask[i]).collect()
    }

    /// Position of each token within its sequence, counted without padding; 0 on padding.
    pub fn positions(&self) -> Vec<u32> {
        let mut positions = Vec::with_capacity(self.ids.len());
        for row in self.mask.chunks(self.len) {
            let mut next = 0;
            for &kept in row {
                positions.push(if kept { next } else { 0 });
                next += u32::from(kept);
            }
        }
        positions
    }

    /// Checks every id against the size of the vocabulary.
    ///
    /// # Errors
    /// [`Error::TokenOutOfRange`] for the first that is too large.
    pub fn check_vocabulary(&self, vocab_size: usize) -> Result<()> {
        match self.ids.iter().position(|&id| id as usize >= vocab_size) {
            None => Ok(()),
            Some(at) => Err(Error::TokenOutOfRange {
                id: self.ids[at],
                row: at / self.len,
                position: at % self.len,
                vocab_size,
            }),
        }
    }

    /// Checks every token type against the number of types.
    ///
    /// # Errors
    /// [`Error::TokenTypeOutOfRange`] for the first that is too large.
    pub fn check_token_types(&self, token_types: usize) -> Result<()> {
        let Some(types) = &self.token_types else { return Ok(()) };
        match types.iter().position(|&id| id as usize >= token_types) {
            None => Ok(()),
            Some(at) => Err(Error::TokenTypeOutOfRange {
                id: types[at],
                row: at / self.len,
                position: at % self.len,
                token_types,
            }),
        }
    }

    /// The ids on a device, `[rows, len]`.
    pub fn ids_on(&self, device: &Device) -> Tensor<2, Int> {
        indices(&self.ids, [self.rows, self.len], device)
    }
}

fn same_length(what: &'static str, expected: usize, found: usize) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    Err(Error::Batch { what, expected: format!("{expected} values"), found: found.to_string() })
}

/// Sends indices to a device, in its own integer type.
pub(crate) fn indices<const D: usize>(
    values: &[u32],
    shape: [usize; D],
    device: &Device,
) -> Tensor<D, Int> {
    let values: Vec<i32> = values.iter().map(|&v| v as i32).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}
