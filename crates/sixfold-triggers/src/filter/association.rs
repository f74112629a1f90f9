//! Which tokens go with which class.

use ndarray::Array2;

use crate::{Error, Example, Result};

/// How often each token stands in the texts of each class.
///
/// Classes are the model's own answers without a trigger: no gold labels.
///
/// ```
/// use sixfold_triggers::filter::ClassCounts;
/// use sixfold_triggers::{Example, Sequence};
///
/// let text = |ids: [u32; 2]| {
///     Example::new(Sequence { ids: ids.to_vec(), token_types: vec![0; 2] }, vec![0..2])
/// };
/// let examples = [text([1, 2])?, text([1, 3])?];
/// let counts = ClassCounts::of(&examples, &[0, 1], 2, 4)?;
/// assert_eq!(counts.occurrences(1), 2);
/// assert!(counts.log_odds(1, 1.0).abs() < 1e-12 && counts.log_odds(2, 1.0) > 1.0);
/// # Ok::<(), sixfold_triggers::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassCounts {
    /// `[vocab, classes]`
    counts: Array2<u64>,
    /// Tokens of each class.
    totals: Vec<u64>,
}

impl ClassCounts {
    /// Counts the tokens of all texts of all examples, by the class of the example.
    ///
    /// # Errors
    /// [`Error::Empty`] without examples; [`Error::Mismatch`] for classes that are not as many, or for a token outside
    /// of the vocabulary; [`Error::Label`] for a class that is none.
    pub fn of(
        examples: &[Example],
        classes: &[usize],
        n_classes: usize,
        vocab: usize,
    ) -> Result<Self> {
        if examples.is_empty() {
            return Err(Error::Empty { what: "text to count tokens in" });
        }
        let mismatch =
            |what, expected: String, found: String| Err(Error::Mismatch { what, expected, found });
        let (n, found) = (examples.len(), classes.len());
        if n != found {
            return mismatch("the number of classes", n.to_string(), found.to_string());
        }
        let mut counts = Array2::zeros((vocab, n_classes));
        let mut totals = vec![0; n_classes];
        for (index, (example, class)) in examples.iter().zip(classes).enumerate() {
            if *class >= n_classes {
                return Err(Error::Label { label: *class, example: index, n_classes });
            }
            for id in example.fields().iter().flat_map(|field| &example.clean().ids[field.clone()])
            {
                match counts.get_mut((*id as usize, *class)) {
                    Some(count) => *count += 1,
                    None => return mismatch("a token", format!("below {vocab}"), id.to_string()),
                }
                totals[*class] += 1;
            }
        }
        Ok(Self { counts, totals })
    }

    /// How often a token stands in all texts.
    ///
    /// # Panics
    /// If there is no such token.
    pub fn occurrences(&self, id: u32) -> u64 {
        self.counts.row(id as usize).sum()
    }

    /// The largest magnitude, over classes c, of a token's log-odds ratio
    /// log ((n_c + a) / (N_c − n_c + a)) − log ((n_r + a) / (N_r − n_r + a)),
    /// where n_c of the N_c tokens of class c and n_r of the N_r tokens of all other classes are this one, and a is
    /// the smoothing.
    ///
    /// 0 where fewer than two classes have texts: nothing can be told then.
    ///
    /// # Panics
    /// If there is no such token.
    pub fn log_odds(&self, id: u32, smoothing: f64) -> f64 {
        let row = self.counts.row(id as usize);
        let (n, total) = (row.sum(), self.totals.iter().sum::<u64>());
        let log_odds =
            |n: u64, of: u64| ((n as f64 + smoothing) / ((of - n) as f64 + smoothing)).ln();
        let classes = row.iter().zip(&self.totals);
        let seen = classes.filter(|(_, of)| **of > 0 && **of < total);
        seen.map(|(here, of)| (log_odds(*here, *of) - log_odds(n - here, total - of)).abs())
            .fold(0.0, f64::max)
    }

    /// Tokens counted for.
    pub fn vocab_size(&self) -> usize {
        self.counts.nrows()
    }
}
