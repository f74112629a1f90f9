//! The tree of prefixes that a plan's ids share, for devices that compute it level by level.

use crate::TtShape;
use crate::lookup::Plan;

/// The nodes (i_1 … i_k) of one length, in ascending order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Level {
    /// i_k of each node.
    pub(super) digits: Vec<i32>,
    /// The node of length k − 1 that each begins with; empty for k = 1.
    pub(super) parents: Vec<i32>,
}

impl Level {
    /// Nodes of this length.
    pub(super) fn len(&self) -> usize {
        self.digits.len()
    }

    /// Where the nodes that begin with each of `parents` nodes start among these, and where the last end.
    #[cfg(any(feature = "cube", test))]
    pub(super) fn children(&self, parents: usize) -> Vec<i32> {
        let first = |parent: usize| self.parents.partition_point(|p| (*p as usize) < parent) as i32;
        (0..=parents).map(first).collect()
    }
}

/// Members of groups, one group after the other.
#[cfg(any(feature = "cube", test))]
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Groups {
    /// Where each group starts, and where the last one ends.
    pub(super) offsets: Vec<i32>,
    pub(super) members: Vec<i32>,
}

#[cfg(any(feature = "cube", test))]
impl Groups {
    /// Nodes by their last digit, of which there are `digits`.
    pub(super) fn by_digit(level: &Level, digits: usize) -> Self {
        let mut members: Vec<i32> = (0..level.len() as i32).collect();
        members.sort_by_key(|node| level.digits[*node as usize]);
        let first = |digit: usize| {
            members.partition_point(|node| (level.digits[*node as usize] as usize) < digit) as i32
        };
        Self { offsets: (0..=digits).map(first).collect(), members }
    }

    /// Positions of a batch by their id.
    pub(super) fn of_positions(plan: &Plan) -> Self {
        let ids = plan.unique().len();
        let mut offsets = vec![0];
        let mut members = Vec::with_capacity(plan.len());
        for place in 0..ids {
            members.extend(plan.positions(place).iter().map(|position| *position as i32));
            offsets.push(members.len() as i32);
        }
        Self { offsets, members }
    }

    /// Groups.
    pub(super) fn len(&self) -> usize {
        self.offsets.len() - 1
    }
}

/// The nodes of lengths 1 … d; those of length d are the different ids.
pub(super) fn levels(shape: &TtShape, plan: &Plan) -> Vec<Level> {
    let d = shape.cores();
    let mut levels = vec![Level::default(); d];
    let mut before = None;
    for &id in plan.unique() {
        let mut digits = shape.digits(id as usize);
        let same =
            |before: &Vec<usize>| digits.iter().zip(before).take_while(|(a, b)| a == b).count();
        let shared = before.as_ref().map_or(0, same);
        for k in shared..d {
            if k > 0 {
                let parent = levels[k - 1].len() - 1;
                levels[k].parents.push(parent as i32);
            }
            levels[k].digits.push(digits[k] as i32);
        }
        before = Some(std::mem::take(&mut digits));
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_shared_and_nothing_else() {
        let shape = TtShape::train(24, [2, 3, 4], [1, 1, 1], 1).unwrap();
        let levels = levels(&shape, &Plan::new(&shape, &[23, 4, 5, 0, 5]));
        let level = |digits: &[i32], parents: &[i32]| Level {
            digits: digits.to_vec(),
            parents: parents.to_vec(),
        };
        assert_eq!(levels[0], level(&[0, 1], &[]));
        assert_eq!(levels[1], level(&[0, 1, 2], &[0, 0, 1]));
        assert_eq!(levels[2], level(&[0, 0, 1, 3], &[0, 1, 1, 2]));
        assert_eq!(levels[2].children(3), [0, 1, 3, 4]);
        let groups = Groups::by_digit(&levels[2], 4);
        assert_eq!(groups, Groups { offsets: vec![0, 2, 3, 3, 4], members: vec![0, 1, 2, 3] });
        assert_eq!(groups.len(), 4);
    }
}
