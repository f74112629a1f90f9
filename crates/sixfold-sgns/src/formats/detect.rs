//! The format of a file, from its first bytes.

use super::{Format, fasttext, fifu, text};

/// The format, or what was expected.
pub(super) fn format(file: &[u8]) -> Result<Format, String> {
    if file.is_empty() {
        return Err("empty: expected word vectors".into());
    }
    if file.starts_with(fifu::MAGIC) {
        return Ok(Format::FinalFusion);
    }
    if file.starts_with(b"\x93NUMPY") {
        return Ok(Format::Npy);
    }
    if file.starts_with(&fasttext::MAGIC) {
        return Ok(Format::FastText);
    }
    // The length of a JSON object, and its beginning.
    if file.len() > 8 && file[8] == b'{' && file[4..8] == [0; 4] {
        return Ok(Format::SafeTensors);
    }
    let (first, rest) = text::line(file);
    let second = text::line(rest).0;
    match text::header(first) {
        Some((_, d)) if text::is_vector(second, Some(d)) || rest.is_empty() => {
            Ok(Format::Word2VecText)
        }
        Some(_) => Ok(Format::Word2VecBinary),
        None if text::is_vector(first, None) => Ok(Format::GloVe),
        None => {
            Err("expected word vectors: a first line `words dimensions` (word2vec), a word and \
                     numbers (GloVe), or a finalfusion, safetensors, .npy or fastText file"
                .into())
        }
    }
}
