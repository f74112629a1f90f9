//! Files of counts: what they hold is said in front, and checked behind.
//!
//! All numbers are little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 8 | magic, with the version in its last byte |
//! | 8 | p, the bytes of the payload |
//! | 4 | h, the bytes of the header |
//! | h | the header, JSON |
//! | p | the payload |
//! | 4 | CRC-32 of header and payload |

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use memmap2::Mmap;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sixfold_linalg::files::{map_file, try_write_atomically};

use crate::{Error, Result};

const FRONT: usize = 20;

/// What is written behind the header, and its checksum.
pub(crate) struct Payload<'a, 'f> {
    path: &'a Path,
    file: &'a mut BufWriter<&'f File>,
    crc: flate2::Crc,
    len: u64,
}

impl Payload<'_, '_> {
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.crc.update(bytes);
        self.len += bytes.len() as u64;
        self.file.write_all(bytes).map_err(Error::io(self.path))
    }
}

/// Writes a file; it appears whole or not at all.
pub(crate) fn write(
    path: &Path,
    magic: &[u8; 8],
    header: &impl Serialize,
    payload: impl FnOnce(&mut Payload<'_, '_>) -> Result<()>,
) -> Result<()> {
    let header = serde_json::to_vec(header).map_err(|error| Error::io(path)(error.into()))?;
    try_write_atomically(path, |file| {
        let mut front = Vec::from(magic);
        front.extend(0u64.to_le_bytes());
        front.extend((header.len() as u32).to_le_bytes());
        file.write_all(&front).map_err(Error::io(path))?;
        let mut out = Payload { path, file: &mut *file, crc: flate2::Crc::new(), len: 0 };
        out.write(&header)?;
        payload(&mut out)?;
        let (crc, len) = (out.crc.sum(), out.len - header.len() as u64);
        let mut end = || {
            file.write_all(&crc.to_le_bytes())?;
            file.seek(SeekFrom::Start(magic.len() as u64))?;
            file.write_all(&len.to_le_bytes())
        };
        end().map_err(Error::io(path))
    })
}

/// A file that is whole.
#[derive(Debug)]
pub(crate) struct Container<H> {
    path: PathBuf,
    bytes: Mmap,
    start: usize,
    pub(crate) header: H,
}

impl<H: DeserializeOwned> Container<H> {
    /// Maps a file and checks it.
    pub(crate) fn open(path: &Path, magic: &[u8; 8], kind: &str) -> Result<Self> {
        let malformed = |what: String| Error::malformed(path, what);
        let bytes = map_file(path)?;
        if bytes.get(..7) != Some(&magic[..7]) {
            return Err(malformed(format!("expected {kind}, found another kind of file")));
        }
        if bytes.get(7) != Some(&magic[7]) {
            let what = format!("version {:?} of {kind}, expected {:?}", bytes.get(7), magic[7]);
            return Err(malformed(what));
        }
        let ends = |at: u64| format!("truncated: it ends at byte {}, expected {at}", bytes.len());
        let Some((payload, header)) = bytes.get(8..FRONT).and_then(|front| {
            let (payload, header) = front.split_first_chunk::<8>()?;
            let header = header.first_chunk::<4>()?;
            Some((u64::from_le_bytes(*payload), u32::from_le_bytes(*header)))
        }) else {
            return Err(malformed(ends(FRONT as u64)));
        };
        let start = FRONT as u64 + u64::from(header);
        let end = start.saturating_add(payload).saturating_add(4);
        if bytes.len() as u64 != end {
            let what = match (bytes.len() as u64) < end {
                true => ends(end),
                false => format!("too long: byte {end} should be its end, not {}", bytes.len()),
            };
            return Err(malformed(what));
        }
        let (start, end) = (start as usize, end as usize - 4);
        let mut crc = flate2::Crc::new();
        crc.update(&bytes[FRONT..end]);
        if crc.sum().to_le_bytes() != bytes[end..] {
            let what = format!("damaged: bytes {FRONT} to {end} do not have the checksum there");
            return Err(malformed(what));
        }
        let header = serde_json::from_slice(&bytes[FRONT..start])
            .map_err(|error| malformed(format!("header at byte {FRONT}: {error}")))?;
        Ok(Self { path: path.to_owned(), bytes, start, header })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn payload(&self) -> &[u8] {
        &self.bytes[self.start..self.bytes.len() - 4]
    }

    /// The payload is not what the header says, from where `left` is left.
    pub(crate) fn malformed(&self, left: &[u8], what: &str) -> Error {
        let at = self.bytes.len() - 4 - left.len();
        Error::malformed(&self.path, format!("{what} at byte {at}"))
    }
}
