//! The settings of a fine-tuning.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Ranks are multiples of this: what the products of bases like.
const RANK_STEP: usize = 16;

/// What is adapted, in which coordinates, and how much of it.
///
/// ```
/// use sixfold_sparsegrad::SparseGradConfig;
///
/// let config = SparseGradConfig::default();
/// config.validate()?;
/// // BERT-base: a corner of 192 × 192, and 28 312 entries in it, 1.2 % of the matrix.
/// assert_eq!(config.r_of(768, 3072), 192);
/// assert_eq!(config.k_of(768, 3072), 28_312);
/// # Ok::<(), sixfold_sparsegrad::Error>(())
/// ```
///
/// # References
/// SparseGrad (EMNLP 2024), §4 and tables 11 and 12 for the fraction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SparseGradConfig {
    /// Patterns of the matrices that are adapted: `["**.mlp.*"]`.
    pub targets: Vec<String>,
    /// Patterns of matrices that are not, although they match.
    pub exclude: Vec<String>,
    /// Numbers of the only blocks that are adapted; all where absent.
    pub layers_to_transform: Option<Vec<usize>>,
    /// Where the coordinates come from.
    pub basis: BasisKind,
    /// Whether the matrices of a type, such as `blocks.*.mlp.up`, share their coordinates.
    pub shared_bases: bool,
    /// Batches that show the gradients; weights stay as they are: 30.
    pub calibration_batches: usize,
    /// Coordinates kept of each side; min(d_in, d_out)/4 rounded to a multiple of 16 where absent. A side that has
    /// fewer keeps all.
    pub rank: Option<usize>,
    /// Entries trained, of all entries of the full matrix: 1.2 %.
    pub fraction: f64,
    /// Which entries those are.
    pub selection: Policy,
    /// Steps after which they are chosen anew, by the gradient of that step, and the moments of others forgotten;
    /// never where absent.
    pub refresh_every: Option<usize>,
    /// Patterns of parameters that are trained besides, such as `head.**`; in the paper's modes all are.
    pub modules_to_save: Vec<String>,
    /// Where the update is kept during training.
    pub realisation: Realisation,
    /// Whose method it is.
    pub mode: Mode,
    /// Seed of what is drawn.
    pub seed: u64,
}

impl Default for SparseGradConfig {
    fn default() -> Self {
        Self {
            targets: vec!["**.mlp.*".to_owned()],
            exclude: Vec::new(),
            layers_to_transform: None,
            basis: BasisKind::Gradients,
            shared_bases: true,
            calibration_batches: 30,
            rank: None,
            fraction: 0.012,
            selection: Policy::TopK,
            refresh_every: None,
            modules_to_save: Vec::new(),
            realisation: Realisation::Adapter,
            mode: Mode::Default,
            seed: 0,
        }
    }
}

/// Where the coordinates of a matrix come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BasisKind {
    /// Leading directions of calibration gradients, the paper's HOSVD.
    #[default]
    Gradients,
    /// Singular vectors of the weights, as in LoRA-XS.
    Weights,
    /// Random orthonormal directions: a control.
    Random,
    /// The features themselves: a control, and what MeProp, SIFT and SHiRA use.
    Identity,
}

/// Which entries of a core are trained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// The largest of the calibration gradients, the same ones throughout.
    #[default]
    TopK,
    /// The largest of each step's gradient, as in the paper.
    Dynamic,
    /// A leading square corner with that many entries.
    Corner,
    /// Whole leading rows.
    Strip,
    /// Random ones, as in SHiRA: a control.
    Random,
    /// The largest weights, in the basis of the features.
    Magnitude,
    /// All of the truncated core.
    All,
}

/// Where the update is kept during training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Realisation {
    /// Beside the weights, y = x·W + ((x·U)·S)·Vᵀ: the weights may be frozen in half precision.
    #[default]
    Adapter,
    /// In the weights, W ← W + U·ΔS·Vᵀ at each step: a forward pass costs nothing more.
    InPlace,
}

/// Whose method it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Truncated coordinates, entries chosen once, all else frozen.
    #[default]
    Default,
    /// As the paper says: full coordinates, entries chosen at each step, all else trained densely.
    Paper,
    /// As the reference code does: [`Paper`](Self::Paper) with its transposed input basis, for
    /// replications.
    Reference,
}

impl SparseGradConfig {
    /// That values are in their ranges and fit together.
    ///
    /// # Errors
    /// [`Error::Config`], with all that is wrong.
    pub fn validate(&self) -> Result<()> {
        let mut problems = Vec::new();
        let mut wrong = |is_wrong: bool, problem: String| {
            if is_wrong {
                problems.push(problem);
            }
        };
        wrong(self.targets.is_empty(), "targets is empty, expected a pattern".into());
        for (key, patterns) in [("targets", &self.targets), ("exclude", &self.exclude)] {
            let empty = patterns.iter().any(|pattern| pattern.is_empty());
            wrong(empty, format!("{key} has an empty pattern"));
        }
        let none = self.layers_to_transform.as_ref().is_some_and(Vec::is_empty);
        wrong(
            none,
            "layers-to-transform is empty, expected numbers of blocks or no such key".into(),
        );
        let fraction = self.fraction;
        let within = fraction > 0.0 && fraction <= 1.0;
        wrong(!within, format!("fraction is {fraction}, expected above 0 and at most 1"));
        wrong(self.rank == Some(0), "rank is 0, expected at least 1".into());
        wrong(self.refresh_every == Some(0), "refresh-every is 0, expected at least 1 step".into());
        let dynamic = self.is_dynamic();
        wrong(
            self.refresh_every.is_some() && self.selection != Policy::TopK,
            "refresh-every is for selection = \"top-k\", whose entries it chooses anew".into(),
        );
        wrong(
            dynamic && self.realisation == Realisation::Adapter,
            "entries that change during training need realisation = \"in-place\"".into(),
        );
        let calibrated = self.basis == BasisKind::Gradients || self.selection == Policy::TopK;
        wrong(
            calibrated && self.calibration_batches == 0,
            "calibration-batches is 0, but the basis or the selection is made of gradients".into(),
        );
        let original = self.mode != Mode::Default;
        wrong(
            original && self.rank.is_some(),
            "rank is of no use in the paper's modes: their bases are full".into(),
        );
        wrong(
            self.mode == Mode::Reference && self.basis != BasisKind::Gradients,
            "the reference has no basis but \"gradients\"".into(),
        );
        wrong(
            self.selection == Policy::Magnitude && self.basis != BasisKind::Identity,
            "selection \"magnitude\" is of weights, and needs basis = \"identity\"".into(),
        );
        if problems.is_empty() { Ok(()) } else { Err(Error::Config { problems }) }
    }

    /// Whether cores are of the size of the matrices.
    pub fn is_full(&self) -> bool {
        self.mode != Mode::Default || self.basis == BasisKind::Identity
    }

    /// Whether entries change during training: at each step, or where they are chosen anew now and then.
    pub fn is_dynamic(&self) -> bool {
        self.mode != Mode::Default
            || self.selection == Policy::Dynamic
            || self.refresh_every.is_some()
    }

    /// Coordinates kept of each side of a matrix, r: all of the smaller side in the paper's modes and
    /// in an identity basis, which are not truncated.
    ///
    /// Otherwise [`rank`](Self::rank), or d/4 to the nearest multiple of 16 with d = min(d_in, d_out);
    /// never more than d.
    pub fn r_of(&self, d_in: usize, d_out: usize) -> usize {
        let d = d_in.min(d_out);
        if self.is_full() {
            return d;
        }
        let usual = (d / 4 + RANK_STEP / 2) / RANK_STEP * RANK_STEP;
        self.rank.unwrap_or(usual.max(RANK_STEP)).min(d)
    }

    /// Shape of the core of a matrix, `[r_in, r_out]`.
    ///
    /// A [`rank`](Self::rank) above the smaller side leaves more of the larger one, so that one above both leaves
    /// all of the matrix; but a basis of the weights has no more than their singular vectors.
    pub fn core_of(&self, d_in: usize, d_out: usize) -> [usize; 2] {
        match self.rank {
            _ if self.is_full() => [d_in, d_out],
            Some(rank) if self.basis != BasisKind::Weights => [rank.min(d_in), rank.min(d_out)],
            _ => [self.r_of(d_in, d_out); 2],
        }
    }

    /// Entries trained of a matrix, k: round([`fraction`](Self::fraction)·d_in·d_out), at least 1 and
    /// at most what the core has.
    pub fn k_of(&self, d_in: usize, d_out: usize) -> usize {
        let core = self.core_of(d_in, d_out).into_iter().product::<usize>();
        let k = (self.fraction * (d_in as f64) * (d_out as f64)).round() as usize;
        if self.selection == Policy::All && !self.is_dynamic() {
            core
        } else {
            k.clamp(1, core.max(1))
        }
    }
}
