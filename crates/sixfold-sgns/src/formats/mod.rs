//! Word vectors in files: what word2vec, GloVe, fastText and finalfusion write, and two plain ones.
//!
//! | format | extension | read | written |
//! |---|---|---|---|
//! | word2vec text, with a line `n d` before the vectors | `.txt`, `.vec` | yes | yes |
//! | word2vec binary | `.bin` | yes | yes |
//! | GloVe text, word2vec's without the first line | `.glove` | yes | yes |
//! | finalfusion, plain vocabulary and array | `.fifu` | yes | yes |
//! | safetensors: vectors, words and counts, or [`Factors`](crate::Factors) | `.safetensors` | yes | yes |
//! | NumPy array, with the words in a text file of extension `.vocab` | `.npy` | yes | yes |
//! | fastText model, with sub-words | `.bin` | yes | no |
//!
//! [`WordVectors::open`] tells them apart by their first bytes. Files are mapped; what a header
//! promises is compared with the size of the file before memory is taken. Files are written whole or
//! not at all.
//!
//! **Safetensors.** `vectors` is f32 `[n, d]`, `words` the UTF-8 bytes of all words one after the
//! other as u8, `word_offsets` is i64 `[n + 1]`, so that word i is `words[word_offsets[i] ..
//! word_offsets[i + 1]]`, and `counts` is i64 `[n]`. Factors have `u`, `s` and `v` instead of
//! `vectors`.

mod bytes;
mod detect;
mod fasttext;
mod fifu;
mod npy;
mod tensors;
mod text;
mod word2vec;
mod words;

use std::path::Path;

use sixfold_linalg::files::map_file;

pub use crate::corpus::InvalidUtf8;
use crate::{Error, Result, WordVectors};
use words::Words;

/// The layout of a file of word vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Text with a first line `n d`, as word2vec, gensim and fastText (`.vec`) write it.
    Word2VecText,
    /// Binary as word2vec and gensim write it.
    Word2VecBinary,
    /// Text without a first line.
    GloVe,
    /// finalfusion with a plain vocabulary, an array and norms.
    FinalFusion,
    /// Safetensors with vectors, words and counts.
    SafeTensors,
    /// A NumPy array, and a text file of words and counts beside it.
    Npy,
    /// A fastText model that is not quantised. It is read, not written.
    FastText,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 7] = [
        Self::Word2VecText,
        Self::Word2VecBinary,
        Self::GloVe,
        Self::FinalFusion,
        Self::SafeTensors,
        Self::Npy,
        Self::FastText,
    ];

    /// Its name in lower case, as [`from_name`](Self::from_name) takes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Word2VecText => "word2vec-text",
            Self::Word2VecBinary => "word2vec-binary",
            Self::GloVe => "glove",
            Self::FinalFusion => "finalfusion",
            Self::SafeTensors => "safetensors",
            Self::Npy => "npy",
            Self::FastText => "fasttext",
        }
    }

    /// The format of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// The format in which a file of that extension is to be written.
    pub fn from_extension(path: impl AsRef<Path>) -> Option<Self> {
        Some(match path.as_ref().extension()?.to_str()? {
            "txt" | "vec" => Self::Word2VecText,
            "bin" => Self::Word2VecBinary,
            "glove" => Self::GloVe,
            "fifu" => Self::FinalFusion,
            "safetensors" => Self::SafeTensors,
            "npy" => Self::Npy,
            _ => return None,
        })
    }
}

/// How a file of word vectors is read.
#[derive(Clone, Debug, Default)]
pub struct ReadConfig {
    /// Only the first words; in most files they are the most frequent ones.
    pub limit: Option<usize>,
    /// What to do with words that are no UTF-8; word2vec cuts long words in the middle of a
    /// character.
    pub invalid_utf8: InvalidUtf8,
    /// The format, where the content shall not decide.
    pub format: Option<Format>,
}

impl WordVectors {
    /// Reads a file of any [`Format`], told by its content.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Malformed`], with the line or byte and what was expected there.
    ///
    /// ```
    /// use sixfold_sgns::WordVectors;
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("vectors.txt");
    /// std::fs::write(&path, "2 3\ncat 1 0 0.5\ndog 1 0 0.25\n")?;
    /// let vectors = WordVectors::open(&path)?;
    /// assert_eq!(vectors.vector("dog")?[2], 0.25);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "load")]
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(path, &ReadConfig::default())
    }

    /// [`open`](Self::open) with options.
    ///
    /// # Errors
    /// Those of [`open`](Self::open); [`Error::Hyperparameters`] for a limit of 0 words.
    pub fn open_with(path: impl AsRef<Path>, config: &ReadConfig) -> Result<Self> {
        let path = path.as_ref();
        if config.limit == Some(0) {
            return Err(Error::Hyperparameters { problems: vec!["limit is 0 words".into()] });
        }
        let file = map_file(path)?;
        let format = match config.format {
            Some(format) => format,
            None => detect::format(&file).map_err(|what| Error::malformed(path, what))?,
        };
        let words = Words::new(path, config);
        match format {
            Format::Word2VecText => text::read(&file, true, words),
            Format::GloVe => text::read(&file, false, words),
            Format::Word2VecBinary => word2vec::read(&file, words),
            Format::FinalFusion => fifu::read(&file, words),
            Format::SafeTensors => tensors::read_vectors(&file, words),
            Format::Npy => npy::read(words),
            Format::FastText => fasttext::read(&file, words),
        }
    }

    /// Writes a file, under a temporary name that is then renamed. Counts are kept by
    /// [`Format::Npy`] and [`Format::SafeTensors`] alone.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Malformed`] for a word that the format cannot hold, such as one with a
    /// space where spaces separate, and for [`Format::FastText`]. What was there is then still there.
    pub fn save(&self, path: impl AsRef<Path>, format: Format) -> Result<()> {
        let path = path.as_ref();
        match format {
            Format::Word2VecText => text::write(self, path, true),
            Format::GloVe => text::write(self, path, false),
            Format::Word2VecBinary => word2vec::write(self, path),
            Format::FinalFusion => fifu::write(self, path),
            Format::SafeTensors => tensors::write_vectors(self, path),
            Format::Npy => npy::write(self, path),
            Format::FastText => {
                Err(Error::malformed(path, "fastText models are read, not written"))
            }
        }
    }
}
