//! Does the answer hang on the first tokens?

/// Share of the answers to deletions of leading tokens that differ from the answer to the whole
/// text: mean over k = 1, …, 2L of 1[c_k ≠ c_0].
///
/// `votes` are c_0, …, c_2L as [`EraseVote::votes`](crate::EraseVote::votes) gives them. 0
/// where nothing is deleted.
///
/// ```
/// use sixfold_triggers::detect::deletion_disagreement;
/// assert_eq!(deletion_disagreement(&[1, 1, 0, 0, 0]), 0.75);
/// assert_eq!(deletion_disagreement(&[1, 1, 1, 1, 1]), 0.0);
/// ```
#[doc(alias = "deletion_consistency")]
pub fn deletion_disagreement(votes: &[usize]) -> f64 {
    let Some((whole, deleted)) = votes.split_first().filter(|(_, deleted)| !deleted.is_empty())
    else {
        return 0.0;
    };
    deleted.iter().filter(|vote| *vote != whole).count() as f64 / deleted.len() as f64
}
