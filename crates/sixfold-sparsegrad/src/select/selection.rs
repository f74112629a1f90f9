//! Policies that choose the entries.

use ndarray::ArrayView2;
use rand::SeedableRng;
use rand::seq::index;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::basis::{Basis, Side};
use crate::select::{Budget, top_k};
use crate::{Error, Mask, Result};

/// How the trained entries of a core are chosen.
///
/// A policy is static: it is resolved once, or once per refresh. The core is that of the basis, so that
/// `top-k` within the leading r×r corner is `top-k` with a basis of r coordinates a side; the budget counts
/// against the full matrix all the same.
///
/// In files: `{ "kind": "top-k", "budget": { "fraction": 0.012 } }`.
///
/// ```
/// use ndarray::array;
/// use sixfold_sparsegrad::{Basis, select::{Budget, Scores, Selection}};
/// let selection = Selection::TopK { budget: Budget::Entries(2) };
/// let saliency = array![[1.0, 5.0], [4.0, 2.0]];
/// let scores = Scores::of_saliency(saliency.view());
/// let mask = selection.resolve(&Basis::identity(2, 2), &scores)?;
/// assert_eq!(mask.indices(), Some(&[1, 2][..]));
/// # Ok::<(), sixfold_sparsegrad::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Selection {
    /// The entries of the largest saliency: the gradient seen in calibration, in the basis. With features
    /// themselves as the basis this is SIFT.
    TopK {
        /// How many.
        #[serde(default)]
        budget: Budget,
    },
    /// The leading corner, a small dense matrix without indices to store.
    Corner {
        /// Rows and columns; without it the largest square that the budget allows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        r: Option<usize>,
        /// How many entries, where `r` is not given.
        #[serde(default)]
        budget: Budget,
    },
    /// Whole rows of the core: those of the most energy where there is a saliency, else the first.
    Strip {
        /// How many; without it as many as the budget allows, and at least one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rows: Option<usize>,
        /// How many entries, where `rows` is not given.
        #[serde(default)]
        budget: Budget,
    },
    /// Entries drawn at random; with features themselves as the basis this is SHiRA.
    Random {
        /// How many.
        #[serde(default)]
        budget: Budget,
        /// Seed of the draw.
        #[serde(default)]
        seed: u64,
    },
    /// The largest weights. Their magnitude says something of features only: there must be no basis.
    Magnitude {
        /// How many.
        #[serde(default)]
        budget: Budget,
    },
    /// The whole core.
    All,
}

impl Default for Selection {
    /// The largest saliencies, 1.2 % of the matrix.
    fn default() -> Self {
        Self::TopK { budget: Budget::default() }
    }
}

/// What a selection goes by.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scores<'a> {
    /// Saliency of each entry of the core, `[r_in, r_out]`; its magnitude counts.
    pub saliency: Option<ArrayView2<'a, f32>>,
    /// The weights, `[d_in, d_out]`.
    pub weights: Option<ArrayView2<'a, f32>>,
}

impl<'a> Scores<'a> {
    /// A saliency alone.
    pub fn of_saliency(saliency: ArrayView2<'a, f32>) -> Self {
        Self { saliency: Some(saliency), weights: None }
    }

    /// Weights alone.
    pub fn of_weights(weights: ArrayView2<'a, f32>) -> Self {
        Self { saliency: None, weights: Some(weights) }
    }
}

impl Selection {
    /// Checks all settings.
    ///
    /// # Errors
    /// [`Error::Config`] with all problems.
    pub fn validate(&self) -> Result<()> {
        let problem = match self {
            Self::Corner { r: Some(0), .. } => Some("r is 0, expected at least 1".to_owned()),
            Self::Strip { rows: Some(0), .. } => Some("rows is 0, expected at least 1".to_owned()),
            Self::All | Self::Corner { r: Some(_), .. } | Self::Strip { rows: Some(_), .. } => None,
            Self::TopK { budget }
            | Self::Corner { budget, .. }
            | Self::Strip { budget, .. }
            | Self::Random { budget, .. }
            | Self::Magnitude { budget } => budget.problem(),
        };
        problem.map_or(Ok(()), |problem| Err(Error::Config { problems: vec![problem] }))
    }

    /// Whether it cannot be resolved without a saliency.
    pub fn needs_saliency(&self) -> bool {
        matches!(self, Self::TopK { .. })
    }

    /// The entries of a matrix with this basis.
    ///
    /// # Errors
    /// Those of [`Self::validate`]; [`Error::Config`] where the scores it goes by are missing, and for the
    /// magnitude of weights in another basis than the features; [`Error::Shape`] for scores of another
    /// shape; [`Error::TooMany`] for a core smaller than the budget; [`Error::NotFinite`].
    pub fn resolve(&self, basis: &Basis, scores: &Scores<'_>) -> Result<Mask> {
        self.validate()?;
        let core = basis.core();
        let size = core[0] * core[1];
        let of = |budget: &Budget| budget.entries(basis.weights());
        let problem = |what: &str| Err(Error::Config { problems: vec![what.to_owned()] });
        match self {
            Self::All => Ok(Mask::all(core)),
            Self::TopK { budget } => match scores.saliency {
                Some(saliency) => largest("saliency", saliency, core, of(budget)),
                None => problem("top-k goes by a saliency, and there is none"),
            },
            Self::Magnitude { budget } => match (scores.weights, basis) {
                (Some(weights), Basis { input: Side::Identity(_), output: Side::Identity(_) }) => {
                    largest("weights", weights, core, of(budget))
                }
                (None, _) => problem("magnitude goes by weights, and there are none"),
                _ => problem("magnitude goes by the weights of features, and this is a basis"),
            },
            Self::Random { budget, seed } => {
                let k = of(budget);
                if k > size {
                    return Err(Error::TooMany { k, size });
                }
                let mut generator = ChaCha8Rng::seed_from_u64(*seed);
                let drawn = index::sample(&mut generator, size, k);
                Mask::new(core, drawn.into_iter().map(|i| i as u32).collect())
            }
            Self::Corner { r, budget } => {
                let [rows, columns] = match r {
                    Some(r) => [*r, *r],
                    None => corner(of(budget), core),
                };
                if rows > core[0] || columns > core[1] {
                    return Err(Error::TooMany { k: rows * columns, size });
                }
                block(core, &(0..rows).collect::<Vec<_>>(), columns)
            }
            Self::Strip { rows, budget } => {
                let rows = rows.unwrap_or_else(|| (of(budget) / core[1]).max(1));
                if rows > core[0] {
                    return Err(Error::TooMany { k: rows * core[1], size });
                }
                let kept = match scores.saliency {
                    Some(saliency) => strongest(saliency, core, rows)?,
                    None => (0..rows).collect(),
                };
                block(core, &kept, core[1])
            }
        }
    }
}

fn largest(
    what: &'static str,
    scores: ArrayView2<'_, f32>,
    core: [usize; 2],
    k: usize,
) -> Result<Mask> {
    crate::error::same_shape(what, core, [scores.nrows(), scores.ncols()])?;
    let scores = scores.as_standard_layout();
    Mask::new(core, top_k(scores.as_slice().unwrap_or_default(), k)?)
}

/// The largest square of at most k entries, or a longer rectangle where a side is too short for it.
fn corner(k: usize, core: [usize; 2]) -> [usize; 2] {
    let side = k.isqrt().max(1);
    let shorter = side.min(core[0]).min(core[1]);
    let longer = |most: usize| if side > shorter { (k / shorter).min(most) } else { side };
    if core[0] <= core[1] { [shorter, longer(core[1])] } else { [longer(core[0]), shorter] }
}

/// The rows of the largest norm, ascending.
fn strongest(saliency: ArrayView2<'_, f32>, core: [usize; 2], rows: usize) -> Result<Vec<usize>> {
    crate::error::same_shape("saliency", core, [saliency.nrows(), saliency.ncols()])?;
    let norm = |row: ndarray::ArrayView1<'_, f32>| {
        row.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt() as f32
    };
    let norms: Vec<f32> = saliency.rows().into_iter().map(norm).collect();
    Ok(top_k(&norms, rows)?.into_iter().map(|row| row as usize).collect())
}

/// The first `columns` entries of some rows.
fn block(core: [usize; 2], rows: &[usize], columns: usize) -> Result<Mask> {
    let entries = rows.iter().flat_map(|row| row * core[1]..row * core[1] + columns);
    Mask::new(core, entries.map(|i| i as u32).collect())
}
