//! What stands on top of a transformer: language models and classifiers.

mod classifier;
mod lm;

pub use classifier::{ClassifierHead, ClassifierSpec, Pooling, SequenceClassifier, mean_pool};
pub use lm::{CausalLm, LmHead, LmHeadSpec, MaskedLm, next_token_labels};

/// A label that no loss sees, as in PyTorch.
pub const IGNORE: i32 = -100;

/// Splits labels into row-major positions that count and their targets.
///
/// # Errors
/// [`Error::Batch`](crate::Error::Batch) for a wrong number of labels or a target outside the
/// classes, [`Error::NoTargets`](crate::Error::NoTargets) where none counts.
pub(crate) fn targets(
    labels: &[i32],
    positions: usize,
    classes: usize,
) -> crate::Result<(Vec<u32>, Vec<u32>)> {
    if labels.len() != positions {
        return Err(crate::Error::Batch {
            what: "labels",
            expected: format!("{positions} values"),
            found: labels.len().to_string(),
        });
    }
    let (mut rows, mut ids) = (Vec::new(), Vec::new());
    for (i, &label) in labels.iter().enumerate() {
        if label == IGNORE {
            continue;
        }
        if usize::try_from(label).map_or(true, |label| label >= classes) {
            return Err(crate::Error::Batch {
                what: "a label",
                expected: format!("{IGNORE} or 0..{classes}"),
                found: label.to_string(),
            });
        }
        rows.push(i as u32);
        ids.push(label as u32);
    }
    if rows.is_empty() { Err(crate::Error::NoTargets) } else { Ok((rows, ids)) }
}
