//! Agreement of cosines with the similarity that people see.

use super::bootstrap::bootstrap_interval;
use super::lookup::Lookup;
use super::pairs::WordPairs;
use super::rank::{pearson, spearman};
use crate::vectors::cosine;
use crate::{Error, Result, WordVectors};

/// What becomes of a pair of which a word has no vector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownPairs {
    /// It is left out, as in gensim.
    #[default]
    Drop,
    /// It is given the similarity 0, as in hyperwords; so vectors of few words cannot gain by it.
    Zero,
}

/// How pairs are scored.
#[derive(Clone, Debug, PartialEq)]
pub struct PairsConfig {
    /// Pairs with unknown words.
    pub out_of_vocabulary: UnknownPairs,
    /// Without regard to case: of words that differ in it alone the first one counts.
    pub lowercase: bool,
    /// Draws of the bootstrap.
    pub draws: usize,
    /// Its seed.
    pub seed: u64,
}

impl Default for PairsConfig {
    fn default() -> Self {
        Self { out_of_vocabulary: UnknownPairs::Drop, lowercase: true, draws: 1000, seed: 0 }
    }
}

/// How well vectors agree with a list of pairs.
#[derive(Clone, Debug, PartialEq)]
pub struct PairsScore {
    /// Spearman's correlation of cosines and gold scores.
    pub spearman: f64,
    /// Pearson's correlation.
    pub pearson: f64,
    /// Pairs of the list.
    pub pairs: usize,
    /// Pairs of which both words have vectors.
    pub found: usize,
    /// The 95 % interval of `spearman` over pairs, by percentiles of the bootstrap.
    pub interval: (f64, f64),
    /// The cosine of each pair of the list, `None` for one that was left out.
    pub cosines: Vec<Option<f64>>,
}

/// Correlates the cosines of pairs with their gold scores.
///
/// # Errors
/// [`Error::Empty`] with fewer than two pairs to score; [`Error::InvalidParameter`] where all cosines
/// or all gold scores are equal; [`Error::Hyperparameters`] for 0 draws.
///
/// # Complexity
/// O(pairs · (d + draws · log pairs)), in parallel; the same for any number of threads.
///
/// ```
/// use ndarray::array;
/// use sixfold_sgns::evaluation::{PairsConfig, WordPairs, evaluate_pairs};
/// use sixfold_sgns::{Vocabulary, WordVectors};
/// let words = Vocabulary::new([("cat", 0), ("dog", 0), ("rain", 0), ("snow", 0)])?;
/// let matrix = array![[1.0, 0.0], [0.9, 0.3], [-0.2, 1.0], [0.1, 1.0]];
/// let vectors = WordVectors::new(words, matrix)?;
/// let pairs = WordPairs::parse("cat dog 9\nrain snow 8\ncat snow 1\ndog fog 2")?;
/// let score = evaluate_pairs(&vectors, &pairs, &PairsConfig::default())?;
/// assert_eq!((score.found, score.pairs), (3, 4));
/// assert!(score.spearman > 0.4);
/// # Ok::<(), sixfold_sgns::Error>(())
/// ```
pub fn evaluate_pairs(
    vectors: &WordVectors,
    pairs: &WordPairs,
    config: &PairsConfig,
) -> Result<PairsScore> {
    let lookup = Lookup::new(vectors.vocabulary(), config.lowercase, usize::MAX);
    let matrix = vectors.matrix();
    let mut found = 0;
    let cosines: Vec<Option<f64>> = pairs
        .pairs()
        .iter()
        .map(|pair| match (lookup.id(&pair.a), lookup.id(&pair.b)) {
            (Some(a), Some(b)) => {
                found += 1;
                Some(cosine(matrix.row(a), matrix.row(b)))
            }
            _ => (config.out_of_vocabulary == UnknownPairs::Zero).then_some(0.0),
        })
        .collect();
    let scored = pairs.pairs().iter().zip(&cosines);
    let (x, gold): (Vec<f64>, Vec<f64>) =
        scored.filter_map(|(pair, cosine)| cosine.map(|cosine| (cosine, pair.score))).unzip();
    if x.len() < 2 || found == 0 {
        let reason = format!("of {} pairs {found} have vectors for both words", cosines.len());
        return Err(Error::Empty { what: "the list of known word pairs", reason });
    }
    let rho = spearman(&x, &gold);
    if rho.is_nan() {
        let (name, expected) = ("the variance of cosines or of gold scores", "more than 0");
        return Err(Error::InvalidParameter { name, found: 0.0, expected });
    }
    let interval = bootstrap_interval(x.len(), config.draws, config.seed, |drawn| {
        let pick = |list: &[f64]| drawn.iter().map(|&i| list[i]).collect::<Vec<_>>();
        spearman(&pick(&x), &pick(&gold))
    })?;
    let pearson = pearson(&x, &gold);
    Ok(PairsScore { spearman: rho, pearson, pairs: cosines.len(), found, interval, cosines })
}
