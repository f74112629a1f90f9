//! How well a score separates attacked from clean.

use serde::{Deserialize, Serialize};

use crate::{BootstrapConfig, Error, Interval, Result, bootstrap};

/// The receiver operating characteristic of scores: higher is more suspicious.
///
/// A text is flagged where its score is above the threshold.
///
/// ```
/// use sixfold_triggers::Roc;
/// let roc = Roc::new(vec![0.1, 0.2, 0.3, 0.4], vec![0.35, 0.8])?;
/// assert_eq!(roc.auroc(), 7.0 / 8.0);
/// assert_eq!(roc.at_fpr(0.25)?.tpr, 1.0);
/// assert_eq!(roc.at_fpr(0.05)?.tpr, 0.5);
/// # Ok::<(), sixfold_triggers::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Roc {
    clean: Vec<f64>,
    attacked: Vec<f64>,
}

/// A point of the curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Operating {
    /// What is above it is flagged.
    pub threshold: f64,
    /// Share of clean texts that are flagged.
    pub fpr: f64,
    /// Share of attacked texts that are flagged.
    pub tpr: f64,
}

impl Roc {
    /// The curve of these scores.
    ///
    /// # Errors
    /// [`Error::Empty`] where either list is, [`Error::NotFinite`].
    pub fn new(clean: Vec<f64>, attacked: Vec<f64>) -> Result<Self> {
        for (scores, none, what) in [
            (&clean, "clean scores", "a clean score"),
            (&attacked, "attacked scores", "an attacked score"),
        ] {
            if scores.is_empty() {
                return Err(Error::Empty { what: none });
            }
            if let Some(index) = scores.iter().position(|x| !x.is_finite()) {
                return Err(Error::NotFinite { what, index });
            }
        }
        Ok(Self { clean, attacked })
    }

    /// Area under the curve: the share of pairs in which the attacked text scores higher than
    /// the clean one, ties counted half (the Mann–Whitney statistic over their number).
    pub fn auroc(&self) -> f64 {
        auroc(sorted(self.clean.iter().copied()), sorted(self.attacked.iter().copied()))
    }

    /// [`auroc`](Self::auroc) with its interval, clean and attacked texts drawn apart.
    ///
    /// # Errors
    /// Those of [`bootstrap`].
    pub fn auroc_interval(&self, config: &BootstrapConfig) -> Result<Interval> {
        self.interval(config, auroc)
    }

    /// The point of the lowest threshold at which at most a share `fpr` of the clean texts is
    /// flagged.
    ///
    /// No interpolation: among equal clean scores either all or none are flagged, so the true
    /// share can be less than asked.
    ///
    /// # Errors
    /// [`Error::Config`] for a share outside 0..=1.
    #[doc(alias = "tpr_at_fpr")]
    pub fn at_fpr(&self, fpr: f64) -> Result<Operating> {
        share(fpr)?;
        let clean = sorted(self.clean.iter().copied());
        let lowest = self.clean.iter().chain(&self.attacked).copied().fold(f64::MAX, f64::min);
        let threshold = threshold(&clean, fpr).max(lowest.next_down());
        Ok(Operating {
            threshold,
            fpr: above(&self.clean, threshold),
            tpr: above(&self.attacked, threshold),
        })
    }

    /// The true positive rate of [`at_fpr`](Self::at_fpr) with its interval; every resample
    /// takes its own threshold from its clean texts.
    ///
    /// # Errors
    /// Those of [`bootstrap`] and of [`at_fpr`](Self::at_fpr).
    pub fn tpr_interval(&self, fpr: f64, config: &BootstrapConfig) -> Result<Interval> {
        share(fpr)?;
        self.interval(config, |clean, attacked| above(&attacked, threshold(&clean, fpr)))
    }

    /// All points, one a different score, from none flagged to all.
    pub fn curve(&self) -> Vec<Operating> {
        let clean = sorted(self.clean.iter().copied());
        let attacked = sorted(self.attacked.iter().copied());
        let mut thresholds = sorted(clean.iter().chain(&attacked).copied());
        thresholds.dedup();
        let beyond = |scores: &[f64], threshold: f64| {
            let up_to = scores.partition_point(|&x| x <= threshold);
            (scores.len() - up_to) as f64 / scores.len() as f64
        };
        let point = |threshold: f64| Operating {
            threshold,
            fpr: beyond(&clean, threshold),
            tpr: beyond(&attacked, threshold),
        };
        // Below every score all are flagged.
        let lowest = thresholds[0].next_down();
        thresholds.iter().rev().copied().chain([lowest]).map(point).collect()
    }

    fn interval(
        &self,
        config: &BootstrapConfig,
        statistic: impl Fn(Vec<f64>, Vec<f64>) -> f64 + Sync,
    ) -> Result<Interval> {
        bootstrap(&[self.clean.len(), self.attacked.len()], config, |drawn| {
            let clean = drawn[0].iter().map(|&i| self.clean[i]);
            let attacked = drawn[1].iter().map(|&i| self.attacked[i]);
            statistic(sorted(clean), sorted(attacked))
        })
    }
}

/// Zeros of both signs are equal scores, so the negative one is made positive before the sort
/// that would part them.
fn sorted(scores: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut scores: Vec<f64> = scores.map(|x| x + 0.0).collect();
    scores.sort_unstable_by(f64::total_cmp);
    scores
}

/// Of sorted scores.
fn auroc(clean: Vec<f64>, attacked: Vec<f64>) -> f64 {
    let (mut below, mut up_to, mut halves) = (0, 0, 0_u64);
    for &score in &attacked {
        while below < clean.len() && clean[below] < score {
            below += 1;
        }
        while up_to < clean.len() && clean[up_to] <= score {
            up_to += 1;
        }
        halves += (below + up_to) as u64;
    }
    halves as f64 / (2.0 * clean.len() as f64 * attacked.len() as f64)
}

/// The lowest score of sorted clean ones above which lies at most the share; −∞ for all.
fn threshold(clean: &[f64], fpr: f64) -> f64 {
    // The margin keeps 0.05 · 20 from being 0 for a rounding error.
    let allowed = (fpr * clean.len() as f64 + 1e-9).floor() as usize;
    match allowed >= clean.len() {
        true => f64::NEG_INFINITY,
        false => clean[clean.len() - 1 - allowed],
    }
}

fn above(scores: &[f64], threshold: f64) -> f64 {
    scores.iter().filter(|&&x| x > threshold).count() as f64 / scores.len() as f64
}

fn share(fpr: f64) -> Result<()> {
    match (0.0..=1.0).contains(&fpr) {
        true => Ok(()),
        false => {
            let problem = format!("the false positive rate is {fpr}, expected 0 to 1");
            Err(Error::Config { problems: vec![problem] })
        }
    }
}
