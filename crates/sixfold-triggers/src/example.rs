//! Texts in tokens, and where a trigger goes.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// A token sequence as a model reads it, special tokens included, padding not.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sequence {
    /// Token ids.
    pub ids: Vec<u32>,
    /// Token types, one for each id.
    pub token_types: Vec<u32>,
}

/// A text, or a pair of texts, in tokens, before a trigger is put into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    sequence: Sequence,
    fields: Vec<Range<usize>>,
}

/// Which text of a pair takes the trigger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Field {
    /// The first text: sentence 1, the question, the premise.
    #[default]
    First,
    /// The second text of a pair.
    Second,
}

/// Where in the text the trigger goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Placement {
    /// Before its first token.
    #[default]
    Front,
    /// Before its token ⌊n/2⌋.
    Middle,
    /// After its last token.
    End,
}

impl Example {
    /// An example of ids and token types, with the range of ids that each text covers.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where the types are not as many as the ids, or a range leaves them.
    pub fn new(sequence: Sequence, fields: Vec<Range<usize>>) -> Result<Self> {
        let n = sequence.ids.len();
        let mismatch =
            |what, expected: String, found: String| Err(Error::Mismatch { what, expected, found });
        if sequence.token_types.len() != n {
            return mismatch(
                "token types",
                format!("{n} values"),
                sequence.token_types.len().to_string(),
            );
        }
        if let Some(field) = fields.iter().find(|field| field.start > field.end || field.end > n) {
            return mismatch("a field", format!("a range within 0..{n}"), format!("{field:?}"));
        }
        if fields.is_empty() {
            return Err(Error::Empty { what: "text in an example" });
        }
        Ok(Self { sequence, fields })
    }

    /// The sequence without a trigger.
    pub fn clean(&self) -> &Sequence {
        &self.sequence
    }

    /// The range of ids of each text.
    pub fn fields(&self) -> &[Range<usize>] {
        &self.fields
    }

    /// The position that the first token of a trigger takes.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where the example has no such field.
    pub fn seat(&self, field: Field, placement: Placement) -> Result<usize> {
        let index = match field {
            Field::First => 0,
            Field::Second => 1,
        };
        let range = self.fields.get(index).ok_or_else(|| Error::Mismatch {
            what: "the field of the trigger",
            expected: format!("one of {}", self.fields.len()),
            found: format!("{field:?}").to_lowercase(),
        })?;
        Ok(match placement {
            Placement::Front => range.start,
            Placement::Middle => range.start + range.len() / 2,
            Placement::End => range.end,
        })
    }

    /// The sequence with the trigger inserted at `seat`. Its tokens take the type of the token
    /// before which they stand; at the end of a field, that of its last token.
    ///
    /// # Panics
    /// If `seat` lies behind the sequence.
    pub fn with_trigger(&self, trigger: &[u32], seat: usize) -> Sequence {
        let Sequence { ids, token_types } = &self.sequence;
        let ends_field = self.fields.iter().any(|field| field.end == seat && !field.is_empty());
        let token_type = match ends_field {
            true => token_types[seat - 1],
            false => token_types.get(seat).or(token_types.last()).copied().unwrap_or(0),
        };
        let mut out = Sequence {
            ids: Vec::with_capacity(ids.len() + trigger.len()),
            token_types: Vec::with_capacity(ids.len() + trigger.len()),
        };
        out.ids.extend_from_slice(&ids[..seat]);
        out.ids.extend_from_slice(trigger);
        out.ids.extend_from_slice(&ids[seat..]);
        out.token_types.extend_from_slice(&token_types[..seat]);
        out.token_types.extend(std::iter::repeat_n(token_type, trigger.len()));
        out.token_types.extend_from_slice(&token_types[seat..]);
        out
    }
}
