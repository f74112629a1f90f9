//! Settings of a search.

use serde::{Deserialize, Serialize};

use crate::{Error, Field, Forwards, Placement, Result};

/// The longest trigger that is searched for.
pub(crate) const MAX_LENGTH: usize = 8;

/// How a trigger is searched for.
///
/// # References
/// Layerwise universal adversarial attack (ACL Findings 2023), defaults of the published code; racing, the monitor
/// and the kept incumbent are ours.
///
/// ```
/// use sixfold_triggers::SearchConfig;
///
/// let config = SearchConfig { length: 2, init: vec![7], ..SearchConfig::default() };
/// config.validate()?;
/// let wrong = SearchConfig { length: 9, beam: 0, ..config };
/// let message = wrong.validate().unwrap_err().to_string();
/// assert!(message.contains("length is 9") && message.contains("beam is 0"));
/// # Ok::<(), sixfold_triggers::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SearchConfig {
    /// Tokens of the trigger, 1 to 8: 3.
    pub length: usize,
    /// Tokens that are tried at each place: 10.
    pub top_k: usize,
    /// Triggers that are kept from place to place: 1.
    pub beam: usize,
    /// Examples of an update: 128. All of them where there are fewer.
    pub batch: usize,
    /// Updates at most: 50.
    pub updates: usize,
    /// Updates without a better best trigger that are borne; the next one ends the search: 10.
    pub patience: usize,
    /// Where the trigger goes.
    pub placement: Placement,
    /// Which text of a pair takes it.
    pub field: Field,
    /// Whether the present trigger stays unless another one fools more of the batch.
    pub keep_incumbent: bool,
    /// How candidates drop out early; all are tried on all examples where absent.
    pub racing: Option<RacingConfig>,
    /// Fixed examples on which triggers that won their batch are compared: 256.
    pub monitor: usize,
    /// The most that all of it may cost, the pseudo-labels apart; unbounded where absent.
    pub budget: Option<Forwards>,
    /// Of all that is drawn.
    pub seed: u64,
    /// The first trigger: one token for all places or one for each. The lowest allowed token where empty.
    pub init: Vec<u32>,
    /// Tokens at most in one call of the victim, if more than one sequence.
    pub positions: usize,
    /// Whether to follow the published code: the incumbent is never kept, ties go to the higher score, no racing, all
    /// examples after every update, the best of all updates. `keep-incumbent`, `racing` and `monitor` do not apply.
    pub paper_compat: bool,
}

/// How candidates drop out early: after the first `examples[i]` of a batch only the best `keep[i]` go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct RacingConfig {
    /// Examples after which some drop out, increasing: 32, 64.
    pub examples: Vec<usize>,
    /// How many go on, decreasing: 4, 2.
    pub keep: Vec<usize>,
}

impl Default for RacingConfig {
    fn default() -> Self {
        Self { examples: vec![32, 64], keep: vec![4, 2] }
    }
}

impl Default for SearchConfig {
    fn default() -> Self {
        Self {
            length: 3,
            top_k: 10,
            beam: 1,
            batch: 128,
            updates: 50,
            patience: 10,
            placement: Placement::Front,
            field: Field::First,
            keep_incumbent: true,
            racing: Some(RacingConfig::default()),
            monitor: 256,
            budget: None,
            seed: 0,
            init: Vec::new(),
            positions: 1 << 18,
            paper_compat: false,
        }
    }
}

impl SearchConfig {
    /// Whether the settings fit each other.
    ///
    /// # Errors
    /// [`Error::Config`] with all problems.
    pub fn validate(&self) -> Result<()> {
        let mut problems = Vec::new();
        let mut wrong = |is_wrong: bool, problem: String| {
            if is_wrong {
                problems.push(problem);
            }
        };
        let length = self.length;
        wrong(
            !(1..=MAX_LENGTH).contains(&length),
            format!("length is {length}, expected 1 to {MAX_LENGTH}"),
        );
        let positive = [
            ("top-k", self.top_k),
            ("beam", self.beam),
            ("batch", self.batch),
            ("updates", self.updates),
            ("monitor", self.monitor),
            ("positions", self.positions),
        ];
        for (key, value) in positive {
            wrong(value == 0, format!("{key} is 0, expected at least 1"));
        }
        let init = self.init.len();
        wrong(
            init > 1 && init != length,
            format!("init has {init} tokens, expected one, {length} or none"),
        );
        if let Some(Forwards(budget)) = self.budget {
            let bounded = budget.is_finite() && budget > 0.0;
            wrong(!bounded, format!("budget is {budget}, expected a number above 0"));
        }
        if let Some(racing) = &self.racing {
            racing.check(self.beam, &mut wrong);
        }
        if problems.is_empty() { Ok(()) } else { Err(Error::Config { problems }) }
    }
}

impl RacingConfig {
    fn check(&self, beam: usize, wrong: &mut impl FnMut(bool, String)) {
        let Self { examples, keep } = self;
        wrong(
            examples.len() != keep.len(),
            format!(
                "racing.keep has {} numbers, expected {}, one for each of racing.examples",
                keep.len(),
                examples.len()
            ),
        );
        let increasing = examples.first() != Some(&0) && examples.is_sorted_by(|a, b| a < b);
        wrong(
            !increasing,
            format!("racing.examples is {examples:?}, expected increasing numbers above 0"),
        );
        let decreasing = keep.is_sorted_by(|a, b| a > b) && keep.iter().all(|keep| *keep >= beam);
        wrong(
            !decreasing,
            format!(
                "racing.keep is {keep:?}, expected decreasing numbers, none below beam = {beam}"
            ),
        );
    }
}
