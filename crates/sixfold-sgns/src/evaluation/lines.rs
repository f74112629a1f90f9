//! Lines of a text file with their numbers.

/// Lines that say something: number from 1, and text. Empty ones do not, nor do those from `#`.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(i, line)| (i + 1, line.trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}
