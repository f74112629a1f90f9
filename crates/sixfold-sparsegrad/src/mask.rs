//! Which entries of a core are trained.

use crate::{Error, Result};

/// The trained entries of a core `[rows, columns]`, ascending, counted row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    shape: [usize; 2],
    /// `None` for all entries.
    indices: Option<Vec<u32>>,
}

impl Mask {
    /// All entries of a core.
    pub fn all(shape: [usize; 2]) -> Self {
        Self { shape, indices: None }
    }

    /// Some entries of a core, in any order.
    ///
    /// # Errors
    /// [`Error::Config`] for an index outside the core or one that stands there twice, and for a core of more than
    /// 2³² entries.
    pub fn new(shape: [usize; 2], mut indices: Vec<u32>) -> Result<Self> {
        let size = shape[0] * shape[1];
        let problem = |what: String| Err(Error::Config { problems: vec![what] });
        if u32::try_from(size).is_err() {
            return problem(format!("a core of {} × {} entries is too large", shape[0], shape[1]));
        }
        indices.sort_unstable();
        if let Some(last) = indices.last().filter(|&&last| last as usize >= size) {
            return problem(format!("entry {last} is not one of {size}"));
        }
        if let Some(pair) = indices.windows(2).find(|pair| pair[0] == pair[1]) {
            return problem(format!("entry {} stands there twice", pair[0]));
        }
        Ok(Self { shape, indices: (indices.len() < size).then_some(indices) })
    }

    /// Shape of the core, `[r_in, r_out]`.
    pub fn shape(&self) -> [usize; 2] {
        self.shape
    }

    /// Entries that are trained, k.
    #[expect(clippy::len_without_is_empty, reason = "a mask of nothing is of no use")]
    pub fn len(&self) -> usize {
        self.indices.as_ref().map_or(self.shape[0] * self.shape[1], Vec::len)
    }

    /// The entries, ascending; `None` for all.
    pub fn indices(&self) -> Option<&[u32]> {
        self.indices.as_deref()
    }
}
