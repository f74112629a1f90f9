//! The nearest valid name to a wrong one.

/// The candidate closest to `name`, if one is close enough to be meant.
///
/// ```
/// use sixfold_lab::config::nearest;
///
/// assert_eq!(nearest("max_token", ["path", "max_tokens"]), Some("max_tokens"));
/// assert_eq!(nearest("colour", ["path", "max_tokens"]), None);
/// ```
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let last = |key: &'a str| key.rsplit('.').next().unwrap_or(key);
    candidates
        .into_iter()
        .map(|candidate| {
            let whole = strsim::damerau_levenshtein(name, candidate);
            // `max_tokens` is meant as `text.max_tokens`: a forgotten table counts as one edit.
            let leaf = strsim::damerau_levenshtein(name, last(candidate)) + 1;
            (whole.min(leaf), candidate)
        })
        .filter(|(distance, _)| *distance <= 1 + name.chars().count() / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
