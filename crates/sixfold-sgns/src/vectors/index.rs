//! Questions about neighbours.

use ndarray::{Array1, Array2, ArrayView2, Axis};

use super::search::{Hit, largest_of, nearest, products};
use super::word_vectors::{WordVectors, known, unit_rows};
use crate::{Error, Result, Vocabulary};

/// Keeps the quotient of [`Index::most_similar_cosmul`] finite, as in the paper.
pub(crate) const EPSILON: f32 = 1e-3;

/// A word found by a question.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Similar<'a> {
    /// Its id.
    pub id: usize,
    /// The word.
    pub word: &'a str,
    /// The cosine, or what the question is scored by.
    pub score: f32,
}

/// Vectors of length 1, normalised once for any number of questions.
///
/// Scores are the same for any number of threads; of words with equal scores the one with the
/// smaller id comes first.
///
/// # Complexity
/// 2·n·d operations a question; several at once run at the rate of a matrix product.
///
/// ```
/// use ndarray::array;
/// use sixfold_sgns::{Vocabulary, WordVectors};
/// let words = Vocabulary::new([("man", 9), ("king", 4), ("woman", 8), ("queen", 3), ("tree", 1)])?;
/// let matrix = array![[1., 0., 0.], [1., 0., 1.], [0., 1., 0.], [0., 1., 1.], [-1., 1., -1.]];
/// let vectors = WordVectors::new(words, matrix)?;
/// let index = vectors.index();
/// assert_eq!(index.most_similar(&["king", "woman"], &["man"], 1)?[0].word, "queen");
/// assert_eq!(index.doesnt_match(&["king", "tree", "queen"])?, "tree");
/// # Ok::<(), sixfold_sgns::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Index<'a> {
    vocabulary: &'a Vocabulary,
    unit: Array2<f32>,
}

impl<'a> Index<'a> {
    pub(super) fn new(vectors: &'a WordVectors) -> Self {
        let unit = unit_rows(vectors.matrix().to_owned());
        Self { vocabulary: vectors.vocabulary(), unit }
    }

    /// The vectors, each of length 1 or 0, `[n, d]`.
    pub fn unit(&self) -> ArrayView2<'_, f32> {
        self.unit.view()
    }

    /// The words.
    pub fn vocabulary(&self) -> &'a Vocabulary {
        self.vocabulary
    }

    /// The `k` words with the largest cosines, without the word itself; fewer if there are fewer.
    ///
    /// # Errors
    /// [`Error::UnknownWord`].
    pub fn neighbours(&self, word: &str, k: usize) -> Result<Vec<Similar<'a>>> {
        self.neighbours_of(&[word], k).map(|mut all| all.swap_remove(0))
    }

    /// [`neighbours`](Self::neighbours) of several words at once, in their order.
    ///
    /// # Errors
    /// [`Error::UnknownWord`] for the first that is not there.
    pub fn neighbours_of(&self, words: &[&str], k: usize) -> Result<Vec<Vec<Similar<'a>>>> {
        let ids = self.ids(words)?;
        let excluded: Vec<Vec<usize>> = ids.iter().map(|id| vec![*id]).collect();
        let queries = self.unit.select(Axis(0), &ids);
        let found = nearest(self.unit.view(), queries.view(), &excluded, k);
        Ok(found.into_iter().map(|hits| self.named(hits)).collect())
    }

    /// The `k` words nearest to vectors that need not be those of words, for each.
    ///
    /// # Shapes
    /// `queries` is `[q, d]`, of any norms.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`]; [`Error::NotFinite`].
    pub fn nearest(&self, queries: ArrayView2<'_, f32>, k: usize) -> Result<Vec<Vec<Similar<'a>>>> {
        let (q, d) = queries.dim();
        if d != self.unit.ncols() {
            let (expected, found) = ([q, self.unit.ncols()], [q, d]);
            return Err(Error::ShapeMismatch { what: "the queries", expected, found });
        }
        super::word_vectors::finite("queries", queries)?;
        let queries = unit_rows(queries.as_standard_layout().into_owned());
        let found = nearest(self.unit.view(), queries.view(), &vec![Vec::new(); q], k);
        Ok(found.into_iter().map(|hits| self.named(hits)).collect())
    }

    /// 3CosAdd: the words x with the largest cos(x, Σ positive − Σ negative), over vectors of length
    /// 1. The words of the question are not among the answers.
    ///
    /// # Errors
    /// [`Error::UnknownWord`]; [`Error::Empty`] for a question without words.
    ///
    /// # References
    /// Mikolov, Yih, Zweig 2013; equation 2 of Levy & Goldberg 2014 for its form.
    #[doc(alias = "analogy")]
    pub fn most_similar(
        &self,
        positive: &[&str],
        negative: &[&str],
        k: usize,
    ) -> Result<Vec<Similar<'a>>> {
        let (positive, negative) = self.question(positive, negative)?;
        let mut query = Array1::<f64>::zeros(self.unit.ncols());
        for (ids, sign) in [(&positive, 1.0), (&negative, -1.0)] {
            for &id in ids {
                query.zip_mut_with(&self.unit.row(id), |sum, x| *sum += sign * f64::from(*x));
            }
        }
        let norm = query.dot(&query).sqrt();
        let scale = if norm > 0.0 { 1.0 / norm } else { 0.0 };
        let query = query.mapv(|x| (x * scale) as f32).insert_axis(Axis(0));
        let excluded = [[positive, negative].concat()];
        let mut found = nearest(self.unit.view(), query.view(), &excluded, k);
        Ok(self.named(found.swap_remove(0)))
    }

    /// 3CosMul: the words x with the largest Π cos′(x, positive) / Π (cos′(x, negative) + ε), where
    /// cos′ = (cos + 1)/2 and ε = 0.001.
    ///
    /// # Errors
    /// [`Error::UnknownWord`]; [`Error::Empty`] for a question without words.
    ///
    /// # References
    /// Levy & Goldberg 2014, equation 4 and footnote 7.
    pub fn most_similar_cosmul(
        &self,
        positive: &[&str],
        negative: &[&str],
        k: usize,
    ) -> Result<Vec<Similar<'a>>> {
        let (positive, negative) = self.question(positive, negative)?;
        let asked = [&positive[..], &negative].concat();
        let cosines = products(self.unit.view(), self.unit.select(Axis(0), &asked).view());
        let mut scores = vec![1.0_f32; self.unit.nrows()];
        for (i, row) in cosines.outer_iter().enumerate() {
            for (score, cosine) in scores.iter_mut().zip(row) {
                let shifted = (cosine + 1.0) / 2.0;
                if i < positive.len() {
                    *score *= shifted;
                } else {
                    *score /= shifted + EPSILON;
                }
            }
        }
        Ok(self.named(largest_of(&mut scores, &asked, k)))
    }

    /// The word that goes least with the others: whose vector has the smallest cosine with the mean
    /// of all. Of equal ones the first of the list.
    ///
    /// # Errors
    /// [`Error::UnknownWord`]; [`Error::Empty`] without words.
    pub fn doesnt_match<'w>(&self, words: &[&'w str]) -> Result<&'w str> {
        let (ids, _) = self.question(words, &[])?;
        let mut sum = Array1::<f64>::zeros(self.unit.ncols());
        for &id in &ids {
            sum.zip_mut_with(&self.unit.row(id), |sum, x| *sum += f64::from(*x));
        }
        let with_sum = |id: &usize| -> f64 {
            self.unit.row(*id).iter().zip(&sum).map(|(x, y)| f64::from(*x) * y).sum()
        };
        let scores: Vec<f64> = ids.iter().map(with_sum).collect();
        let least = (0..words.len()).min_by(|&a, &b| scores[a].total_cmp(&scores[b]));
        // A question without words was refused.
        Ok(words[least.unwrap_or(0)])
    }

    fn question(&self, positive: &[&str], negative: &[&str]) -> Result<(Vec<usize>, Vec<usize>)> {
        if positive.is_empty() && negative.is_empty() {
            let reason = "give at least one word".to_owned();
            return Err(Error::Empty { what: "the question", reason });
        }
        Ok((self.ids(positive)?, self.ids(negative)?))
    }

    fn ids(&self, words: &[&str]) -> Result<Vec<usize>> {
        words.iter().map(|word| known(self.vocabulary, word)).collect()
    }

    fn named(&self, hits: Vec<Hit>) -> Vec<Similar<'a>> {
        let named = |(id, score)| Similar { id, word: self.vocabulary.word(id), score };
        hits.into_iter().map(named).collect()
    }
}
