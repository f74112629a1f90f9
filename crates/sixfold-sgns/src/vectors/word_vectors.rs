//! A matrix with a word for each row.

use std::ops::RangeInclusive;

use ndarray::{Array2, ArrayView1, ArrayView2, Axis};
use rayon::prelude::*;

use super::index::{Index, Similar};
use crate::{Error, Result, Vocabulary};

/// How the norm of a row must come out, for the row to be taken as it is.
const UNIT: RangeInclusive<f64> = 1.0 - 1e-7..=1.0 + 1e-7;

/// One vector for each word.
///
/// ```
/// use ndarray::array;
/// use sixfold_sgns::{Vocabulary, WordVectors};
/// let words = Vocabulary::new([("cat", 5), ("dog", 4), ("rain", 1)])?;
/// let vectors = WordVectors::new(words, array![[2.0, 0.0], [1.0, 1.0], [0.0, 3.0]])?;
/// assert_eq!(vectors.neighbours("cat", 1)?[0].word, "dog");
/// assert!(vectors.similarity("cat", "rain")?.abs() < 1e-6);
/// # Ok::<(), sixfold_sgns::Error>(())
/// ```
#[derive(Clone, Debug)]
#[doc(alias = "KeyedVectors")]
pub struct WordVectors {
    vocabulary: Vocabulary,
    matrix: Array2<f32>,
}

impl WordVectors {
    /// Words and their vectors.
    ///
    /// # Shapes
    /// `matrix` is `[n, d]` for a vocabulary of n words.
    ///
    /// # Errors
    /// [`Error::Empty`] without words or columns; [`Error::ShapeMismatch`]; [`Error::NotFinite`].
    pub fn new(vocabulary: Vocabulary, matrix: Array2<f32>) -> Result<Self> {
        let (rows, columns) = matrix.dim();
        if vocabulary.is_empty() || columns == 0 {
            let reason = format!("{} words, {columns} columns", vocabulary.len());
            return Err(Error::Empty { what: "the matrix of word vectors", reason });
        }
        if rows != vocabulary.len() {
            let (expected, found) = ([vocabulary.len(), columns], [rows, columns]);
            return Err(Error::ShapeMismatch {
                what: "the matrix of word vectors",
                expected,
                found,
            });
        }
        finite("word vectors", matrix.view())?;
        Ok(Self { vocabulary, matrix: matrix.as_standard_layout().into_owned() })
    }

    /// The words.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// All vectors, `[n, d]`.
    pub fn matrix(&self) -> ArrayView2<'_, f32> {
        self.matrix.view()
    }

    /// How many words there are; at least one.
    #[expect(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> usize {
        self.matrix.nrows()
    }

    /// The length d of a vector.
    pub fn dim(&self) -> usize {
        self.matrix.ncols()
    }

    /// The parts it is made of.
    pub fn into_parts(self) -> (Vocabulary, Array2<f32>) {
        (self.vocabulary, self.matrix)
    }

    /// The vector of a word, `[d]`.
    ///
    /// # Errors
    /// [`Error::UnknownWord`].
    pub fn vector(&self, word: &str) -> Result<ArrayView1<'_, f32>> {
        Ok(self.matrix.row(self.known(word)?))
    }

    /// The same words with vectors of length 1; a zero vector stays as it is.
    #[must_use]
    pub fn normalised(&self) -> Self {
        Self { vocabulary: self.vocabulary.clone(), matrix: unit_rows(self.matrix.clone()) }
    }

    /// The cosine of the angle between the vectors of two words, in f64; 0 for a zero vector.
    ///
    /// # Errors
    /// [`Error::UnknownWord`].
    pub fn similarity(&self, a: &str, b: &str) -> Result<f64> {
        Ok(cosine(self.matrix.row(self.known(a)?), self.matrix.row(self.known(b)?)))
    }

    /// What answers many questions: it holds a normalised copy of the vectors.
    ///
    /// # Complexity
    /// n·d operations and 4·n·d bytes.
    pub fn index(&self) -> Index<'_> {
        Index::new(self)
    }

    /// The `k` words whose vectors have the largest cosines with that of `word`, which is not among
    /// them. For many questions make an [`index`](Self::index).
    ///
    /// # Errors
    /// [`Error::UnknownWord`].
    pub fn neighbours(&self, word: &str, k: usize) -> Result<Vec<Similar<'_>>> {
        self.index().neighbours(word, k)
    }

    /// [`Index::most_similar`] of an index that is made for this question.
    ///
    /// # Errors
    /// Those of [`Index::most_similar`].
    pub fn most_similar(
        &self,
        positive: &[&str],
        negative: &[&str],
        k: usize,
    ) -> Result<Vec<Similar<'_>>> {
        self.index().most_similar(positive, negative, k)
    }

    /// [`Index::most_similar_cosmul`] of an index that is made for this question.
    ///
    /// # Errors
    /// Those of [`Index::most_similar_cosmul`].
    pub fn most_similar_cosmul(
        &self,
        positive: &[&str],
        negative: &[&str],
        k: usize,
    ) -> Result<Vec<Similar<'_>>> {
        self.index().most_similar_cosmul(positive, negative, k)
    }

    /// [`Index::doesnt_match`] of an index that is made for this question.
    ///
    /// # Errors
    /// Those of [`Index::doesnt_match`].
    pub fn doesnt_match<'w>(&self, words: &[&'w str]) -> Result<&'w str> {
        self.index().doesnt_match(words)
    }

    fn known(&self, word: &str) -> Result<usize> {
        known(&self.vocabulary, word)
    }
}

/// The id of a word that has to be there.
pub(super) fn known(vocabulary: &Vocabulary, word: &str) -> Result<usize> {
    vocabulary.id(word).ok_or_else(|| Error::UnknownWord { word: word.to_owned() })
}

/// Checks that all values are finite.
pub(super) fn finite(what: &'static str, x: ArrayView2<'_, f32>) -> Result<()> {
    match sixfold_linalg::ensure_finite(what, x) {
        Err(sixfold_linalg::Error::NotFinite { what, row, col }) => {
            Err(Error::NotFinite { what, row, column: col })
        }
        other => Ok(other?),
    }
}

/// The cosine of two vectors, summed in f64; 0 if one of them is zero.
pub(crate) fn cosine(a: ArrayView1<'_, f32>, b: ArrayView1<'_, f32>) -> f64 {
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (&a, &b) in a.iter().zip(b) {
        let (a, b) = (f64::from(a), f64::from(b));
        ab += a * b;
        aa += a * a;
        bb += b * b;
    }
    let norms = (aa * bb).sqrt();
    if norms > 0.0 { (ab / norms).clamp(-1.0, 1.0) } else { 0.0 }
}

/// The norm of a vector, summed in f64, so that no finite vector overflows.
pub(crate) fn norm(x: ArrayView1<'_, f32>) -> f64 {
    x.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt()
}

/// Rows divided by their norms; zero rows stay, and so do rows that are normalised already.
pub(crate) fn unit_rows(mut matrix: Array2<f32>) -> Array2<f32> {
    matrix.axis_iter_mut(Axis(0)).into_par_iter().for_each(|mut row| {
        let norm = norm(row.view());
        if norm > 0.0 && !UNIT.contains(&norm) {
            row.mapv_inplace(|x| (f64::from(x) / norm) as f32);
        }
    });
    matrix
}
