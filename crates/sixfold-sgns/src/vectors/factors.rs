//! The singular value decomposition that a method leaves, and vectors from it.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, s};

use super::word_vectors::{WordVectors, finite, unit_rows};
use crate::{Error, Result, Vocabulary};

/// How far Uᵀ·U may be from the identity: what f32 gives with room to spare.
const ORTHONORMAL: f32 = 1e-3;

/// The fitted matrix of rank d as its SVD, X = U·diag(Σ)·Vᵀ.
///
/// ```
/// use ndarray::{Array2, array};
/// use sixfold_sgns::{Factors, VectorsConfig, Vocabulary};
/// let words = Vocabulary::new([("a", 2), ("b", 1)])?;
/// let factors = Factors::new(words, Array2::eye(2), array![9.0, 4.0], Array2::eye(2))?;
/// let config = VectorsConfig { normalise: false, ..VectorsConfig::default() };
/// // W = U·Σ^½
/// assert_eq!(factors.vectors(&config)?.matrix(), array![[3.0, 0.0], [0.0, 2.0]]);
/// # Ok::<(), sixfold_sgns::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Factors {
    vocabulary: Vocabulary,
    u: Array2<f32>,
    s: Array1<f32>,
    v: Array2<f32>,
}

/// How word vectors are made of a factorisation.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorsConfig {
    /// The power p of Σ in W = U·Σ^p: 0.5 shares the singular values between words and contexts, 0
    /// leaves them out.
    pub power: f64,
    /// How many of the leading components to leave out.
    pub drop_leading: usize,
    /// W + C instead of W, with C = V·Σ^p; words and contexts must be the same.
    pub add_contexts: bool,
    /// Vectors of length 1 in the end.
    pub normalise: bool,
}

impl Default for VectorsConfig {
    /// W = U·√Σ with rows of length 1 (Levy, Goldberg, Dagan 2015, section 3.3).
    fn default() -> Self {
        Self { power: 0.5, drop_leading: 0, add_contexts: false, normalise: true }
    }
}

impl VectorsConfig {
    /// Whether the options fit a factorisation of n words, m contexts and rank d.
    ///
    /// # Errors
    /// [`Error::Hyperparameters`] with all problems.
    pub fn validate(&self, n: usize, m: usize, d: usize) -> Result<()> {
        let mut problems = Vec::new();
        if !self.power.is_finite() {
            problems.push(format!("power {} is not finite", self.power));
        }
        if self.drop_leading >= d {
            problems
                .push(format!("drop_leading {} leaves none of {d} components", self.drop_leading));
        }
        if self.add_contexts && n != m {
            problems.push(format!("add_contexts needs as many contexts as words, not {m} and {n}"));
        }
        if problems.is_empty() { Ok(()) } else { Err(Error::Hyperparameters { problems }) }
    }
}

impl Factors {
    /// The parts of a decomposition.
    ///
    /// # Shapes
    /// `u` is `[n, d]` for n words, `s` is `[d]`, `v` is `[m, d]`.
    ///
    /// # Errors
    /// [`Error::Empty`]; [`Error::ShapeMismatch`]; [`Error::NotFinite`]; [`Error::InvalidParameter`]
    /// where singular values rise or are negative, or columns of `u` or `v` are not orthonormal
    /// within 1e-3.
    pub fn new(
        vocabulary: Vocabulary,
        u: Array2<f32>,
        s: Array1<f32>,
        v: Array2<f32>,
    ) -> Result<Self> {
        let (n, d) = (vocabulary.len(), s.len());
        if n == 0 || d == 0 || v.nrows() == 0 {
            let reason = format!("{n} words, {} contexts, rank {d}", v.nrows());
            return Err(Error::Empty { what: "the factorisation", reason });
        }
        for (what, found, expected) in [("U", u.dim(), (n, d)), ("V", v.dim(), (v.nrows(), d))] {
            if found != expected {
                let (found, expected) = (found.into(), expected.into());
                return Err(Error::ShapeMismatch { what, expected, found });
            }
        }
        finite("U", u.view())?;
        finite("Σ", s.view().insert_axis(Axis(1)))?;
        finite("V", v.view())?;
        for (i, &value) in s.iter().enumerate() {
            if value < 0.0 || i > 0 && value > s[i - 1] {
                let (name, expected) = ("a singular value", "0 or more, and no more than the last");
                return Err(Error::InvalidParameter { name, found: value.into(), expected });
            }
        }
        for (name, x) in [("the loss of orthogonality of U", &u), ("that of V", &v)] {
            let gram = sixfold_linalg::gram(x.view());
            let loss =
                (gram - Array2::<f32>::eye(d)).iter().fold(0.0_f32, |max, x| max.max(x.abs()));
            if loss > ORTHONORMAL {
                let expected = "at most 0.001: columns are orthonormal";
                return Err(Error::InvalidParameter { name, found: loss.into(), expected });
            }
        }
        Ok(Self { vocabulary, u, s, v })
    }

    /// The words.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// Left singular vectors, `[n, d]`.
    pub fn u(&self) -> ArrayView2<'_, f32> {
        self.u.view()
    }

    /// Singular values, `[d]`, the largest first.
    pub fn s(&self) -> ArrayView1<'_, f32> {
        self.s.view()
    }

    /// Right singular vectors, `[m, d]`.
    pub fn v(&self) -> ArrayView2<'_, f32> {
        self.v.view()
    }

    /// Word vectors W = U·Σ^p, or W + C.
    ///
    /// # Errors
    /// Those of [`VectorsConfig::validate`]; [`Error::NotFinite`] if a singular value is zero and its
    /// power is not.
    ///
    /// # References
    /// Levy, Goldberg, Dagan 2015, sections 3.3 (the power, W + C).
    pub fn vectors(&self, config: &VectorsConfig) -> Result<WordVectors> {
        let (n, m, d) = (self.u.nrows(), self.v.nrows(), self.s.len());
        config.validate(n, m, d)?;
        let kept = s![.., config.drop_leading..];
        let mut w = self.u.slice(kept).to_owned();
        if config.add_contexts {
            w += &self.v.slice(kept);
        }
        let powers = self.s.mapv(|value| f64::from(value).powf(config.power) as f32);
        w *= &powers.slice(s![config.drop_leading..]);
        finite("word vectors", w.view())?;
        let w = if config.normalise { unit_rows(w) } else { w };
        WordVectors::new(self.vocabulary.clone(), w)
    }
}
