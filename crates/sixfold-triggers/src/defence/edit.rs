//! Examples with tokens put in or taken out.

use crate::{Example, Field, Placement, Result, Sequence};

use super::Side;

impl Example {
    /// The example with a trigger in one of its texts, which then covers the trigger too.
    ///
    /// # Errors
    /// [`Error::Mismatch`](crate::Error::Mismatch) where the example has no such field.
    ///
    /// ```
    /// use sixfold_triggers::{Example, Field, Placement, Sequence};
    /// let sequence = Sequence { ids: vec![101, 7, 8, 102], token_types: vec![0; 4] };
    /// let example = Example::new(sequence, vec![1..3])?;
    /// let attacked = example.triggered(&[5, 6], Field::First, Placement::Front)?;
    /// assert_eq!(attacked.clean().ids, [101, 5, 6, 7, 8, 102]);
    /// assert_eq!(attacked.fields(), [1..5]);
    /// # Ok::<(), sixfold_triggers::Error>(())
    /// ```
    pub fn triggered(&self, trigger: &[u32], field: Field, placement: Placement) -> Result<Self> {
        let seat = self.seat(field, placement)?;
        let m = trigger.len();
        let mut fields = self.fields().to_vec();
        for (index, range) in fields.iter_mut().enumerate() {
            if index == field.index() {
                range.end += m;
                continue;
            }
            let (start, end) = (range.start, range.end);
            range.start += if start >= seat { m } else { 0 };
            range.end += if end > seat || start >= seat { m } else { 0 };
        }
        Self::new(self.with_trigger(trigger, seat), fields)
    }

    /// The sequence without the first (or last) `count` tokens of one of its texts, or without
    /// all of them where there are fewer. Special tokens and the other text stay.
    ///
    /// # Errors
    /// [`Error::Mismatch`](crate::Error::Mismatch) where the example has no such field.
    pub fn erased(&self, field: Field, side: Side, count: usize) -> Result<Sequence> {
        let start = self.seat(field, Placement::Front)?;
        let end = self.seat(field, Placement::End)?;
        let count = count.min(end - start);
        let gone = match side {
            Side::Front => start..start + count,
            Side::End => end - count..end,
        };
        let mut out = self.clean().clone();
        out.ids.drain(gone.clone());
        out.token_types.drain(gone);
        Ok(out)
    }
}

impl Field {
    /// The place of the text among those of an example.
    pub(crate) fn index(self) -> usize {
        match self {
            Self::First => 0,
            Self::Second => 1,
        }
    }
}
