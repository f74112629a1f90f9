//! The answers of a classifier to the same examples without and with a trigger.

use ndarray::ArrayView2;

use super::{predictions, probabilities};
use crate::{Error, Result};

/// Clean and attacked answers to the same examples, in the same order.
///
/// ```
/// use ndarray::array;
/// use sixfold_triggers::Outcomes;
/// let clean = array![[2.0, 0.0], [2.0, 0.0], [0.0, 2.0], [0.0, 2.0]];
/// let attacked = array![[2.0, 0.0], [2.0, 0.0], [1.0, 0.0], [0.0, 2.0]];
/// let outcomes = Outcomes::from_scores(clean.view(), attacked.view(), None)?;
/// assert_eq!(outcomes.fooled(), [false, false, true, false]);
/// let summary = outcomes.summary();
/// assert_eq!((summary.fooling_rate, summary.cap), (0.25, 0.5));
/// # Ok::<(), sixfold_triggers::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Outcomes {
    pub(super) n_classes: usize,
    pub(super) clean: Vec<usize>,
    pub(super) attacked: Vec<usize>,
    pub(super) gold: Option<Vec<usize>>,
    pub(super) shifts: Option<Vec<f64>>,
}

impl Outcomes {
    /// Outcomes of scores (logits), and of gold labels where there are some.
    ///
    /// # Shapes
    /// Both `[n, C]`, n labels.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where shapes differ, [`Error::Label`] for a label that is no class,
    /// [`Error::Empty`] for no examples or no classes, [`Error::NotFinite`].
    pub fn from_scores(
        clean: ArrayView2<'_, f32>,
        attacked: ArrayView2<'_, f32>,
        gold: Option<&[usize]>,
    ) -> Result<Self> {
        if clean.dim() != attacked.dim() {
            return Err(Error::Mismatch {
                what: "the shape of the attacked scores",
                expected: format!("{:?}", clean.dim()),
                found: format!("{:?}", attacked.dim()),
            });
        }
        let before = predictions(clean)?;
        let mut out = Self::from_classes(clean.ncols(), before, predictions(attacked)?, gold)?;
        let (p, p_attacked) = (probabilities(clean)?, probabilities(attacked)?);
        let shift = |(row, &class): (usize, &usize)| p[[row, class]] - p_attacked[[row, class]];
        out.shifts = Some(out.clean.iter().enumerate().map(shift).collect());
        Ok(out)
    }

    /// Outcomes of classes alone, as a vote gives them; no probability shift.
    ///
    /// # Errors
    /// Those of [`from_scores`](Self::from_scores); a predicted class outside 0..C is an
    /// [`Error::Label`].
    pub fn from_classes(
        n_classes: usize,
        clean: Vec<usize>,
        attacked: Vec<usize>,
        gold: Option<&[usize]>,
    ) -> Result<Self> {
        let n = clean.len();
        if n == 0 {
            return Err(Error::Empty { what: "examples to measure on" });
        }
        let as_many = |what, found: usize| match found == n {
            true => Ok(()),
            false => Err(Error::Mismatch {
                what,
                expected: format!("{n} values"),
                found: found.to_string(),
            }),
        };
        as_many("the attacked answers", attacked.len())?;
        if let Some(gold) = gold {
            as_many("the gold labels", gold.len())?;
        }
        for classes in [&clean[..], &attacked, gold.unwrap_or(&[])] {
            if let Some(example) = classes.iter().position(|&class| class >= n_classes) {
                return Err(Error::Label { label: classes[example], example, n_classes });
            }
        }
        Ok(Self { n_classes, clean, attacked, gold: gold.map(<[_]>::to_vec), shifts: None })
    }

    /// Examples.
    pub fn len(&self) -> usize {
        self.clean.len()
    }

    /// Never: outcomes without examples are refused.
    pub fn is_empty(&self) -> bool {
        self.clean.is_empty()
    }

    /// Answers without the trigger.
    pub fn clean(&self) -> &[usize] {
        &self.clean
    }

    /// Answers with the trigger.
    pub fn attacked(&self) -> &[usize] {
        &self.attacked
    }

    /// Which answers the trigger changed.
    pub fn fooled(&self) -> Vec<bool> {
        self.clean.iter().zip(&self.attacked).map(|(a, b)| a != b).collect()
    }

    /// Probability of the clean answer that the trigger took from each example,
    /// p(ŷ | x) − p(ŷ | x with trigger); `None` where there were no scores.
    pub fn shifts(&self) -> Option<&[f64]> {
        self.shifts.as_deref()
    }
}
