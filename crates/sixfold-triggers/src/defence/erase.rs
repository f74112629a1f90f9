//! Majority over deletions.

use ndarray::Array2;

use super::tally::Tally;
use super::{Certificate, EraseVoteConfig};
use crate::{Example, Forwards, Placement, Result, Sequence, Victim, predictions};

/// A classifier that answers by a vote over deletions of the first tokens of a text.
///
/// With c_k the answer after k content tokens are deleted (all where there are fewer):
///
/// ```text
/// answer = majority of c_0, c_1, …, c_2L
/// ```
///
/// **Ties.** 2L + 1 votes of two classes never tie. Of more classes, several can have the most
/// votes; then the class wins that comes first among c_L, c_L+1, …, c_2L, c_L−1, …, c_0. The
/// votes of L and more deletions contain no token of a trigger of at most L, and c_L of these
/// deletes the least of the text. The certificate does not depend on ties: a certified class
/// is strictly ahead of every other.
///
/// **Cost.** At most 2L + 1 forwards an example, L + 1 where these agree: voting stops as soon
/// as no vote to come can change the answer, which is the same as that of all votes.
///
/// ```
/// use ndarray::Array2;
/// use sixfold_triggers::{EraseVote, EraseVoteConfig, Example, Field, Placement, Result, Sequence, Victim};
///
/// /// Class 1 where token 9 leads.
/// struct Led;
/// impl Victim for Led {
///     fn n_classes(&self) -> usize { 2 }
///     fn vocab_size(&self) -> usize { 10 }
///     fn max_tokens(&self) -> Option<usize> { None }
///     fn scores(&self, sequences: &[Sequence]) -> Result<Array2<f32>> {
///         let led = |i: usize| sequences[i].ids.first() == Some(&9);
///         Ok(Array2::from_shape_fn((sequences.len(), 2), |(i, c)| f32::from(led(i) == (c == 1))))
///     }
/// }
///
/// let text = Sequence { ids: vec![1, 2, 3, 4, 5, 6, 7], token_types: vec![0; 7] };
/// let example = Example::new(text, vec![0..7])?;
/// let attacked = example.triggered(&[9], Field::First, Placement::Front)?;
/// let vote = EraseVote::new(EraseVoteConfig::default())?;
/// assert_eq!(vote.predict(&Led, &[attacked])?.classes(), [0]);
/// assert!(vote.certify(&Led, &[example])?[0].holds_for(3));
/// # Ok::<(), sixfold_triggers::Error>(())
/// ```
#[doc(alias = "erase_and_check")]
#[derive(Clone, Copy, Debug)]
pub struct EraseVote {
    config: EraseVoteConfig,
}

/// The answer of a vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The class that won.
    pub class: usize,
    /// Votes that were cast before it was decided.
    pub cast: usize,
    /// How many of them were for it.
    pub agreeing: usize,
}

/// Verdicts on examples, in their order, and what they cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdicts {
    /// One an example.
    pub verdicts: Vec<Verdict>,
    /// Sequences that the model read.
    pub cost: Forwards,
}

impl Verdicts {
    /// The classes alone.
    pub fn classes(&self) -> Vec<usize> {
        self.verdicts.iter().map(|verdict| verdict.class).collect()
    }
}

/// One example while it is voted on.
struct Ballot {
    tally: Tally,
    /// Answers by tokens deleted, none of them asked twice.
    answers: Vec<Option<usize>>,
}

impl EraseVote {
    /// A vote of these options.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config).
    pub fn new(config: EraseVoteConfig) -> Result<Self> {
        config.validate()?;
        Ok(Self { config })
    }

    /// Its options.
    pub fn config(&self) -> &EraseVoteConfig {
        &self.config
    }

    /// The answer to every example.
    ///
    /// # Errors
    /// [`Error::Mismatch`](crate::Error::Mismatch) for an example without the defended field,
    /// those of the victim.
    pub fn predict<V>(&self, victim: &V, examples: &[Example]) -> Result<Verdicts>
    where
        V: Victim + ?Sized,
    {
        let order = self.order();
        let total = order.len();
        let ballot = |example: &Example| {
            let tally = Tally::new(victim.n_classes(), total);
            Ok(Ballot { tally, answers: vec![None; self.erasable(example)? + 1] })
        };
        let mut ballots = examples.iter().map(ballot).collect::<Result<Vec<_>>>()?;
        let mut cost = Forwards::default();
        loop {
            let mut asked = Vec::new();
            for (index, ballot) in ballots.iter().enumerate() {
                if ballot.tally.decided().is_some() {
                    continue;
                }
                let next = ballot.tally.cast()..ballot.tally.cast() + ballot.tally.wanted();
                for &k in &order[next] {
                    let k = k.min(ballot.answers.len() - 1);
                    if ballot.answers[k].is_none() && asked.last() != Some(&(index, k)) {
                        asked.push((index, k));
                    }
                }
            }
            for (&(index, k), class) in asked.iter().zip(self.ask(victim, examples, &asked)?) {
                ballots[index].answers[k] = Some(class);
            }
            cost += Forwards(asked.len() as f64);
            let mut open = false;
            for Ballot { tally, answers } in &mut ballots {
                while tally.decided().is_none() {
                    let k = order[tally.cast()].min(answers.len() - 1);
                    let Some(class) = answers[k] else { break };
                    tally.add(class);
                }
                open |= tally.decided().is_none();
            }
            if !open {
                break;
            }
        }
        let verdict = |Ballot { tally, .. }: &Ballot| {
            let (class, agreeing) = tally.decided()?;
            Some(Verdict { class, cast: tally.cast(), agreeing })
        };
        Ok(Verdicts { verdicts: ballots.iter().filter_map(verdict).collect(), cost })
    }

    /// All 2L + 1 votes c_0, …, c_2L of every example, whatever they decide.
    ///
    /// # Shapes
    /// `[n, 2·L + 1]`
    ///
    /// # Errors
    /// Those of [`predict`](Self::predict).
    pub fn votes<V>(&self, victim: &V, examples: &[Example]) -> Result<Array2<usize>>
    where
        V: Victim + ?Sized,
    {
        let mut asked = Vec::new();
        let mut places = Vec::with_capacity(examples.len());
        for (index, example) in examples.iter().enumerate() {
            places.push(asked.len());
            asked.extend((0..=self.erasable(example)?).map(|k| (index, k)));
        }
        let classes = self.ask(victim, examples, &asked)?;
        let ends = places.iter().skip(1).copied().chain([asked.len()]);
        let last: Vec<usize> = ends.map(|end| end.saturating_sub(1)).collect();
        let vote = |(index, k): (usize, usize)| classes[(places[index] + k).min(last[index])];
        Ok(Array2::from_shape_fn((examples.len(), self.config.votes()), vote))
    }

    /// What is certain about the answer to every example, given without a trigger.
    ///
    /// # Errors
    /// Those of [`predict`](Self::predict).
    pub fn certify<V>(&self, victim: &V, examples: &[Example]) -> Result<Vec<Certificate>>
    where
        V: Victim + ?Sized,
    {
        let votes = self.votes(victim, examples)?;
        let certificate = |row: ndarray::ArrayView1<'_, usize>| {
            Certificate::of(&row.to_vec(), victim.n_classes(), &self.order())
        };
        Ok(votes.rows().into_iter().map(certificate).collect())
    }

    /// Numbers of deletions in the order of trust.
    fn order(&self) -> Vec<usize> {
        let l = self.config.length;
        (l..=2 * l).chain((0..l).rev()).collect()
    }

    /// The most tokens that are deleted from an example.
    fn erasable(&self, example: &Example) -> Result<usize> {
        let start = example.seat(self.config.field, Placement::Front)?;
        let end = example.seat(self.config.field, Placement::End)?;
        Ok((end - start).min(2 * self.config.length))
    }

    fn ask<V>(
        &self,
        victim: &V,
        examples: &[Example],
        asked: &[(usize, usize)],
    ) -> Result<Vec<usize>>
    where
        V: Victim + ?Sized,
    {
        if asked.is_empty() {
            return Ok(Vec::new());
        }
        let EraseVoteConfig { field, side, .. } = self.config;
        let erased = |&(index, k): &(usize, usize)| examples[index].erased(field, side, k);
        let sequences = asked.iter().map(erased).collect::<Result<Vec<Sequence>>>()?;
        predictions(victim.scores(&sequences)?.view())
    }
}
