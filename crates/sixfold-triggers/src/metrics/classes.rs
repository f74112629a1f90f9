//! From scores to classes and probabilities.

use ndarray::{Array2, ArrayView2, Axis};

use crate::{Error, Result};

/// The class of the highest score of every row; of equal scores that of the lower class.
///
/// # Shapes
/// `[n, C]` → n classes
///
/// # Errors
/// [`Error::Empty`] for scores without classes, [`Error::NotFinite`] for a NaN or an infinity.
///
/// ```
/// use ndarray::array;
/// let classes = sixfold_triggers::predictions(array![[0.1, 0.9], [0.5, 0.5]].view())?;
/// assert_eq!(classes, [1, 0]);
/// # Ok::<(), sixfold_triggers::Error>(())
/// ```
pub fn predictions(scores: ArrayView2<'_, f32>) -> Result<Vec<usize>> {
    check(scores)?;
    let highest = |row: ndarray::ArrayView1<'_, f32>| {
        row.iter().enumerate().fold(0, |best, (class, &x)| if x > row[best] { class } else { best })
    };
    Ok(scores.axis_iter(Axis(0)).map(highest).collect())
}

/// Softmax of every row: exp(s_c) / Σ_c' exp(s_c').
///
/// # Shapes
/// `[n, C]` → `[n, C]`
///
/// # Errors
/// Those of [`predictions`].
pub fn probabilities(scores: ArrayView2<'_, f32>) -> Result<Array2<f64>> {
    check(scores)?;
    let mut out = scores.mapv(f64::from);
    for mut row in out.rows_mut() {
        let top = row.fold(f64::NEG_INFINITY, |top, &x| top.max(x));
        row.mapv_inplace(|x| (x - top).exp());
        let sum = row.sum();
        row /= sum;
    }
    Ok(out)
}

fn check(scores: ArrayView2<'_, f32>) -> Result<()> {
    if scores.ncols() == 0 {
        return Err(Error::Empty { what: "classes in the scores" });
    }
    match scores.iter().position(|x| !x.is_finite()) {
        Some(index) => Err(Error::NotFinite { what: "a score", index }),
        None => Ok(()),
    }
}
