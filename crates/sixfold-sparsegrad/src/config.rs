//! The settings of a fine-tuning.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Ranks that are a share of the width are multiples of this: what the products of bases like.
const RANK_STEP: usize = 16;

/// What is adapted, in which coordinates, and how much of it.
///
/// ```
/// use sixfold_sparsegrad::SparseGradConfig;
///
/// let config = SparseGradConfig::default();
/// config.validate()?;
/// // BERT-base: a core of 168 × 168, 1.2 % of the matrix.
/// assert_eq!(config.core_of(768, 3072), [168, 168]);
/// assert_eq!(config.k_of(768, 3072), 28_224);
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
    /// Which matrices share coordinates: those of two neighbouring blocks. In the paper's modes, all of a type.
    pub sharing: Sharing,
    /// Batches that show the gradients; weights stay as they are: 30.
    pub calibration_batches: usize,
    /// Coordinates kept of each side. Where absent, as few as [`fraction`](Self::fraction) needs for
    /// [`Policy::All`], and min(d_in, d_out)/4 rounded to a multiple of 16 where entries are chosen among more. A side
    /// that has fewer keeps all.
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
            sharing: Sharing::default(),
            calibration_batches: 30,
            rank: None,
            fraction: 0.012,
            selection: Policy::All,
            refresh_every: None,
            modules_to_save: Vec::new(),
            realisation: Realisation::Adapter,
            mode: Mode::Default,
            seed: 0,
        }
    }
}

/// Which matrices have the same coordinates.
///
/// The more share them, the less memory they take, and the less they fit each of them: on MiniLM, coordinates of two
/// blocks fit a task several times better than those of all six (the tables are in the crate's README).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sharing {
    /// All matrices of a type, such as `blocks.*.mlp.up`, as in the paper.
    Type,
    /// Those of a type in so many neighbouring blocks; with 1, each has its own.
    Blocks(usize),
}

impl Default for Sharing {
    fn default() -> Self {
        Self::Blocks(2)
    }
}

impl Sharing {
    /// The name of the coordinates of the matrix at a path.
    ///
    /// ```
    /// use sixfold_sparsegrad::config::Sharing;
    ///
    /// let path = "body.blocks.5.mlp.up";
    /// assert_eq!(Sharing::Type.name(path), "body.blocks.*.mlp.up");
    /// assert_eq!(Sharing::Blocks(2).name(path), "body.blocks.4-5.mlp.up");
    /// assert_eq!(Sharing::Blocks(1).name(path), path);
    /// ```
    pub fn name(self, path: &str) -> String {
        let mut after_blocks = false;
        let parts = path.split('.').map(|part| {
            let number = std::mem::replace(&mut after_blocks, part == "blocks");
            match (part.parse::<usize>(), self) {
                (Ok(_), Self::Type) if number => "*".to_owned(),
                (Ok(block), Self::Blocks(n)) if number && n > 1 => {
                    let first = block / n * n;
                    format!("{first}-{}", first + n - 1)
                }
                _ => part.to_owned(),
            }
        });
        parts.collect::<Vec<_>>().join(".")
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
    /// All of the truncated core.
    #[default]
    All,
    /// The largest of the calibration gradients, the same ones throughout.
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
        wrong(
            self.sharing == Sharing::Blocks(0),
            "sharing is by 0 blocks, expected at least 1".into(),
        );
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
            self.basis == BasisKind::Identity && self.selection == Policy::All && !original,
            "selection \"all\" in the basis \"identity\" is all of the matrix, expected another"
                .into(),
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

    /// Which matrices share coordinates, the mode considered.
    pub fn sharing(&self) -> Sharing {
        if self.mode == Mode::Default { self.sharing } else { Sharing::Type }
    }

    /// Shape of the core of a matrix, `[r_in, r_out]`: that of the matrix in the paper's modes and in an identity basis,
    /// which are not truncated.
    ///
    /// Otherwise [`rank`](Self::rank) for both sides. Where it is absent and all of the core is trained, a square with
    /// nearest to [`fraction`](Self::fraction)·d_in·d_out entries; else d/4 to the nearest multiple of 16 with
    /// d = min(d_in, d_out). A rank above the smaller side leaves more of the larger one, so that one above both leaves
    /// all of the matrix; but a basis of the weights has no more than their singular vectors.
    pub fn core_of(&self, d_in: usize, d_out: usize) -> [usize; 2] {
        if self.is_full() {
            return [d_in, d_out];
        }
        let d = d_in.min(d_out);
        let singular = self.basis == BasisKind::Weights;
        let within = |rank: usize, side: usize| rank.min(if singular { d } else { side });
        match (self.rank, self.selection) {
            (Some(rank), _) => [within(rank, d_in), within(rank, d_out)],
            (None, Policy::All) => {
                let entries = self.fraction * d_in as f64 * d_out as f64;
                let smaller = (entries.sqrt().round() as usize).clamp(1, d);
                // A square, unless that is more than the smaller side has.
                let larger =
                    if smaller < d { smaller } else { (entries / d as f64).round() as usize };
                if d_in <= d_out {
                    [smaller, within(larger.max(1), d_out)]
                } else {
                    [within(larger.max(1), d_in), smaller]
                }
            }
            (None, _) => {
                let usual = (d / 4 + RANK_STEP / 2) / RANK_STEP * RANK_STEP;
                [usual.max(RANK_STEP).min(d); 2]
            }
        }
    }

    /// Entries trained of a matrix, k: all of its core, or round([`fraction`](Self::fraction)·d_in·d_out) where they are
    /// chosen among more, at least 1 and at most what the core has.
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
