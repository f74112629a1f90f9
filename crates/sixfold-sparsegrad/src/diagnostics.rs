//! What a mask sees and what an update does.

use ndarray::ArrayView2;
use sixfold_linalg::svdvals;

use crate::select::top_k;
use crate::{Error, Mask, Result};

/// The share of the energy ‖C‖² that the `k` largest entries of a core hold, from 0 to 1.
///
/// 1 for a core of zeros: nothing is left out.
///
/// # Errors
/// Those of [`top_k`].
///
/// # References
/// SparseGrad, figure 2; the share of the top 1 % tells one basis from another.
///
/// ```
/// let core = ndarray::array![[3.0, 0.0], [0.0, 4.0]];
/// let share = sixfold_sparsegrad::diagnostics::energy(core.view(), 1)?;
/// assert!((share - 0.64).abs() < 1e-12);
/// # Ok::<(), sixfold_sparsegrad::Error>(())
/// ```
pub fn energy(core: ArrayView2<'_, f32>, k: usize) -> Result<f64> {
    let core = core.as_standard_layout();
    let values = core.as_slice().unwrap_or_default();
    let kept = top_k(values, k)?;
    Ok(share(kept.iter().map(|i| values[*i as usize]), values))
}

/// The share of the energy ‖C‖² that the entries of a mask hold.
///
/// # Errors
/// [`Error::Shape`] for a mask of another core.
pub fn energy_of(core: ArrayView2<'_, f32>, mask: &Mask) -> Result<f64> {
    crate::error::same_shape("mask", [core.nrows(), core.ncols()], mask.shape())?;
    let core = core.as_standard_layout();
    let values = core.as_slice().unwrap_or_default();
    Ok(match mask.indices() {
        None => 1.0,
        Some(indices) => share(indices.iter().map(|i| values[*i as usize]), values),
    })
}

fn share(kept: impl Iterator<Item = f32>, all: &[f32]) -> f64 {
    let energy = |values: &mut dyn Iterator<Item = f32>| -> f64 {
        values.map(|x| f64::from(x).powi(2)).sum()
    };
    let total = energy(&mut all.iter().copied());
    if total > 0.0 { energy(&mut { kept }) / total } else { 1.0 }
}

/// Jaccard similarity of two masks, |A ∩ B|/|A ∪ B|.
///
/// # Errors
/// [`Error::Shape`] for masks of different cores.
pub fn jaccard(a: &Mask, b: &Mask) -> Result<f64> {
    crate::error::same_shape("mask", a.shape(), b.shape())?;
    let common = match (a.indices(), b.indices()) {
        (None, _) => b.len(),
        (_, None) => a.len(),
        (Some(a), Some(b)) => common(a, b),
    };
    let union = a.len() + b.len() - common;
    Ok(if union == 0 { 1.0 } else { common as f64 / union as f64 })
}

/// Numbers that two ascending lists share.
fn common(a: &[u32], b: &[u32]) -> usize {
    let (mut at, mut common) = (0, 0);
    for x in a {
        at += b[at..].partition_point(|y| y < x);
        common += usize::from(b.get(at) == Some(x));
    }
    common
}

/// Rows and columns of the core that a mask touches.
pub fn touched(mask: &Mask) -> [usize; 2] {
    let [rows, columns] = mask.shape();
    let Some(indices) = mask.indices() else { return [rows, columns] };
    let mut seen = [vec![false; rows], vec![false; columns]];
    for index in indices {
        seen[0][*index as usize / columns] = true;
        seen[1][*index as usize % columns] = true;
    }
    seen.map(|seen| seen.into_iter().filter(|seen| *seen).count())
}

/// All entries that the masks of a training have touched so far.
///
/// # Complexity
/// One bit for each entry of the core.
///
/// ```
/// use sixfold_sparsegrad::{Mask, diagnostics::Union};
/// let mut union = Union::new([2, 3]);
/// assert_eq!(union.add(&Mask::new([2, 3], vec![0, 4])?)?, 2);
/// assert_eq!(union.add(&Mask::new([2, 3], vec![4, 5])?)?, 1);
/// assert_eq!(union.len(), 3);
/// # Ok::<(), sixfold_sparsegrad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Union {
    shape: [usize; 2],
    seen: Vec<u64>,
    len: usize,
}

impl Union {
    /// Starts with nothing touched.
    pub fn new(shape: [usize; 2]) -> Self {
        Self { shape, seen: vec![0; (shape[0] * shape[1]).div_ceil(64)], len: 0 }
    }

    /// Adds a mask; the number of entries that are new.
    ///
    /// # Errors
    /// [`Error::Shape`] for a mask of another core.
    pub fn add(&mut self, mask: &Mask) -> Result<usize> {
        crate::error::same_shape("mask", self.shape, mask.shape())?;
        let before = self.len;
        match mask.indices() {
            Some(indices) => indices.iter().for_each(|index| self.touch(*index as usize)),
            None => (0..self.shape[0] * self.shape[1]).for_each(|index| self.touch(index)),
        }
        Ok(self.len - before)
    }

    fn touch(&mut self, index: usize) {
        let bit = 1 << (index % 64);
        let word = &mut self.seen[index / 64];
        self.len += usize::from(*word & bit == 0);
        *word |= bit;
    }

    /// Entries touched.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The share of the core that is touched.
    pub fn share(&self) -> f64 {
        self.len as f64 / (self.shape[0] * self.shape[1]).max(1) as f64
    }
}

/// Effective rank of an update, exp(−Σ p·ln p) with p = σ/Σσ; 0 for an update of zeros.
///
/// The core has the singular values of U·S·Vᵀ itself, and is smaller.
///
/// # Errors
/// [`Error::Linalg`] for values that are not finite.
///
/// # Complexity
/// Singular values of the matrix: 8/3·m·n² operations for m ≥ n.
///
/// # References
/// Roy and Vetterli 2007, *The effective rank*, definition 1.
pub fn effective_rank(update: ArrayView2<'_, f32>) -> Result<f64> {
    if update.is_empty() {
        return Ok(0.0);
    }
    let values = svdvals(update).map_err(Error::from)?;
    let sum: f64 = values.iter().map(|x| f64::from(*x)).sum();
    if sum <= 0.0 {
        return Ok(0.0);
    }
    let entropy = |x: &f32| {
        let p = f64::from(*x) / sum;
        if p > 0.0 { -p * p.ln() } else { 0.0 }
    };
    Ok(values.iter().map(entropy).sum::<f64>().exp())
}
