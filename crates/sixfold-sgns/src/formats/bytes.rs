//! Bytes of a file, read in order and never past the end.

/// What is wrong, and at which byte.
pub(super) type Problem = String;

/// A place among the bytes of a file.
#[derive(Clone, Debug)]
pub(super) struct Bytes<'a> {
    all: &'a [u8],
    at: usize,
}

impl<'a> Bytes<'a> {
    pub(super) fn new(all: &'a [u8]) -> Self {
        Self { all, at: 0 }
    }

    /// Bytes that were read.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// What is left.
    pub(super) fn rest(&self) -> &'a [u8] {
        &self.all[self.at..]
    }

    /// The next `n` bytes, which are `what`.
    pub(super) fn take(&mut self, n: usize, what: &str) -> Result<&'a [u8], Problem> {
        let (at, left) = (self.at, self.rest().len());
        let taken = self.rest().get(..n).ok_or_else(|| {
            format!("truncated: {what} at byte {at} takes {n} bytes, {left} are left")
        })?;
        self.at += n;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], Problem> {
        Ok(self.take(N, what)?.try_into().expect("N bytes were taken"))
    }

    pub(super) fn u8(&mut self, what: &str) -> Result<u8, Problem> {
        Ok(self.array::<1>(what)?[0])
    }

    pub(super) fn u32(&mut self, what: &str) -> Result<u32, Problem> {
        Ok(u32::from_le_bytes(self.array(what)?))
    }

    pub(super) fn u64(&mut self, what: &str) -> Result<u64, Problem> {
        Ok(u64::from_le_bytes(self.array(what)?))
    }

    pub(super) fn i32(&mut self, what: &str) -> Result<i32, Problem> {
        Ok(i32::from_le_bytes(self.array(what)?))
    }

    pub(super) fn i64(&mut self, what: &str) -> Result<i64, Problem> {
        Ok(i64::from_le_bytes(self.array(what)?))
    }

    /// The bytes before the next `end`, which is read too.
    pub(super) fn until(&mut self, end: u8, what: &str) -> Result<&'a [u8], Problem> {
        let (at, rest) = (self.at, self.rest());
        let length = memchr::memchr(end, rest)
            .ok_or_else(|| format!("truncated: {what} at byte {at} does not end"))?;
        self.at += length + 1;
        Ok(&rest[..length])
    }

    /// Skips a byte if it is there.
    pub(super) fn skip(&mut self, byte: u8) {
        self.at += usize::from(self.rest().first() == Some(&byte));
    }
}

/// The size of `rows` × `columns` values of `f32`, if it is a number.
pub(super) fn size(rows: usize, columns: usize) -> Option<usize> {
    rows.checked_mul(columns)?.checked_mul(size_of::<f32>())
}

/// Little-endian values.
pub(super) fn floats(bytes: &[u8]) -> impl ExactSizeIterator<Item = f32> {
    bytes.as_chunks().0.iter().map(|&chunk| f32::from_le_bytes(chunk))
}
