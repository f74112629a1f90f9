//! Audits and defends a classifier that is no transformer: a sum of word weights. Needs no burn.

use std::ops::ControlFlow;

use ndarray::Array2;
use sixfold_triggers::{
    EraseVote, EraseVoteConfig, Example, Field, Placement, RandomControl, Result, Search,
    SearchConfig, Sequence, Victim,
};

/// Words that speak for class 1 (even ids) and for class 0 (odd ids), and one that outweighs them all.
struct Words;

impl Words {
    const COUNT: usize = 40;

    fn weight(id: u32) -> f32 {
        match id {
            33 => -9.0,
            id if id % 2 == 0 => 1.0,
            _ => -1.0,
        }
    }
}

impl Victim for Words {
    fn n_classes(&self) -> usize {
        2
    }

    fn vocab_size(&self) -> usize {
        Self::COUNT
    }

    fn max_tokens(&self) -> Option<usize> {
        None
    }

    fn scores(&self, sequences: &[Sequence]) -> Result<Array2<f32>> {
        Ok(Array2::from_shape_fn((sequences.len(), 2), |(i, class)| {
            let sum: f32 = sequences[i].ids.iter().map(|&id| Self::weight(id)).sum();
            if class == 1 { sum } else { -sum }
        }))
    }
}

#[expect(clippy::print_stdout, reason = "a program")]
fn main() -> Result<()> {
    let text = |i: u32| {
        let ids: Vec<u32> = (0..9).map(|j| (i * 7 + j * (2 + i % 3)) % 30).collect();
        let field = 0..ids.len();
        Example::new(Sequence { token_types: vec![0; ids.len()], ids }, vec![field])
    };
    let examples = (0..200).map(text).collect::<Result<Vec<_>>>()?;
    let config = SearchConfig { length: 1, updates: 20, ..SearchConfig::default() };
    let search = Search::new(config, &examples, vec![true; Words::COUNT], &Words)?;
    let go_on = |_: &_| ControlFlow::Continue(());
    let outcome = search.run(&mut search.start(), &mut RandomControl, go_on)?;
    let trigger = &outcome.trigger.ids;
    println!("{trigger:?} changes {:.1} % of the answers", 100.0 * outcome.rate.share());

    let vote = EraseVote::new(EraseVoteConfig { length: 1, ..EraseVoteConfig::default() })?;
    let attacked = |example: &Example| example.triggered(trigger, Field::First, Placement::Front);
    let attacked = examples.iter().map(attacked).collect::<Result<Vec<_>>>()?;
    let before = vote.predict(&Words, &examples)?.classes();
    let after = vote.predict(&Words, &attacked)?.classes();
    let changed = before.iter().zip(&after).filter(|(a, b)| a != b).count();
    let certified = vote.certify(&Words, &examples)?;
    let certified = certified.iter().filter(|certificate| certificate.holds_for(1)).count();
    let share = |n: usize| 100.0 * n as f64 / examples.len() as f64;
    println!("a vote over deletions: {:.1} % change", share(changed));
    println!("certified against every single token: {:.1} %", share(certified));
    Ok(())
}
