//! The format of a file, from its first bytes.

use super::{Format, fasttext, fifu, text};

/// How many bytes tell text from binary.
const LOOKED_AT: usize = 4096;

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
        // A mistake in a text is for the reader of texts to tell.
        Some((_, d)) if text::is_vector(second, Some(d)) || is_text(rest) => {
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

/// Whether bytes begin as text: numbers in binary soon have control characters among them, or bytes
/// that are no UTF-8.
fn is_text(bytes: &[u8]) -> bool {
    let bytes = &bytes[..bytes.len().min(LOOKED_AT)];
    let controls = |byte: &u8| byte.is_ascii_control() && !byte.is_ascii_whitespace();
    let utf_8 = match std::str::from_utf8(bytes) {
        Ok(_) => true,
        // A character that the last byte cuts has no error of its own.
        Err(error) => error.error_len().is_none(),
    };
    utf_8 && !bytes.iter().any(controls)
}
