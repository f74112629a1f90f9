//! A text as blocks that begin and end with a document.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::config::{CorpusConfig, Shard};
use crate::{Error, Result};

/// Documents that lie together.
#[derive(Debug, Default)]
pub(crate) struct Block {
    /// Place of its file in the list of files.
    pub(crate) file: usize,
    /// Block k of a file holds the documents whose first bytes lie in [k·b, (k + 1)·b).
    pub(crate) index: u64,
    /// Where it begins in the (unpacked) file.
    pub(crate) offset: u64,
    /// Its bytes.
    pub(crate) text: Vec<u8>,
}

/// The blocks of a shard, in the order of the text.
pub(crate) struct Blocks<'a> {
    corpus: &'a CorpusConfig,
    shard: Shard,
    file: usize,
    open: Option<Open>,
}

impl<'a> Blocks<'a> {
    pub(crate) fn new(corpus: &'a CorpusConfig, shard: Shard) -> Self {
        Self { corpus, shard, file: 0, open: None }
    }

    /// The next block, or `None` behind the last.
    pub(crate) fn next(&mut self) -> Result<Option<Block>> {
        while let Some(path) = self.corpus.paths.get(self.file) {
            if self.open.is_none() {
                self.open = Some(Open::new(path).map_err(Error::io(path))?);
            }
            let Some(open) = &mut self.open else { continue };
            let size = self.corpus.block_bytes as u64;
            let found = open.next(self.file, size, self.shard).map_err(Error::io(path))?;
            match found {
                Some(block) => return Ok(Some(block)),
                None => (self.open, self.file) = (None, self.file + 1),
            }
        }
        Ok(None)
    }
}

/// A file that is being read.
struct Open {
    source: Source,
    /// What was read and not yet given out; it begins with a document.
    buffer: Vec<u8>,
    /// Where the buffer begins.
    offset: u64,
    ended: bool,
}

enum Source {
    Plain(File),
    Stream(Box<dyn Read + Send>),
}

impl Source {
    fn read(&mut self) -> &mut dyn Read {
        match self {
            Self::Plain(file) => file,
            Self::Stream(stream) => stream,
        }
    }
}

impl Open {
    fn new(path: &Path) -> io::Result<Self> {
        let source = if path == Path::new("-") {
            Source::Stream(Box::new(io::stdin()))
        } else {
            let file = File::open(path)?;
            let plain = file.metadata()?.is_file();
            match path.extension().is_some_and(|end| end.eq_ignore_ascii_case("gz")) {
                true => Source::Stream(Box::new(MultiGzDecoder::new(io::BufReader::new(file)))),
                false if plain => Source::Plain(file),
                false => Source::Stream(Box::new(file)),
            }
        };
        Ok(Self { source, buffer: Vec::new(), offset: 0, ended: false })
    }

    /// The next block that belongs to the shard.
    fn next(&mut self, file: usize, size: u64, shard: Shard) -> io::Result<Option<Block>> {
        loop {
            let mut index = self.offset / size;
            if let Source::Plain(_) = self.source
                && !shard.owns(file, index)
            {
                while !shard.owns(file, index) {
                    index += 1;
                }
                self.seek(index * size)?;
                index = self.offset / size;
            }
            // The block ends behind the first line end at or behind the last byte of its range.
            let last = (index + 1) * size - 1 - self.offset;
            let Some(end) = self.line_end(last)? else { return Ok(None) };
            let mut rest = Vec::with_capacity(size as usize + (1 << 16));
            rest.extend_from_slice(&self.buffer[end..]);
            let mut text = std::mem::replace(&mut self.buffer, rest);
            text.truncate(end);
            let offset = self.offset;
            self.offset += end as u64;
            if shard.owns(file, index) {
                if offset == 0 && text.starts_with(b"\xef\xbb\xbf") {
                    // As spaces, so that places in the text stay what they are.
                    text[..3].fill(b' ');
                }
                return Ok(Some(Block { file, index, offset, text }));
            }
        }
    }

    /// Goes to the first document that begins at or behind a place.
    fn seek(&mut self, to: u64) -> io::Result<()> {
        let within = to - 1 - self.offset;
        if within >= self.buffer.len() as u64 {
            if let Source::Plain(file) = &mut self.source {
                let size = file.metadata()?.len();
                self.offset = (to - 1).min(size);
                file.seek(SeekFrom::Start(self.offset))?;
                self.buffer.clear();
                self.ended = false;
            }
        } else {
            self.buffer.drain(..within as usize);
            self.offset += within;
        }
        let end = self.line_end(0)?.unwrap_or(0);
        self.buffer.drain(..end);
        self.offset += end as u64;
        Ok(())
    }

    /// Behind the first line end at or behind `from` in the buffer, or behind the last byte of the
    /// file; `None` if nothing is left.
    fn line_end(&mut self, from: u64) -> io::Result<Option<usize>> {
        const STEP: u64 = 1 << 18;
        let mut searched = from as usize;
        loop {
            if searched < self.buffer.len() {
                if let Some(at) = memchr::memchr(b'\n', &self.buffer[searched..]) {
                    return Ok(Some(searched + at + 1));
                }
                searched = self.buffer.len();
            }
            if self.ended {
                return Ok((!self.buffer.is_empty()).then_some(self.buffer.len()));
            }
            let wanted = (from.saturating_sub(self.buffer.len() as u64)).clamp(1 << 12, STEP);
            let read = self.source.read().take(wanted).read_to_end(&mut self.buffer)?;
            self.ended = read == 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    fn documents(corpus: &CorpusConfig, shard: Shard) -> Vec<(usize, u64, Vec<u8>)> {
        let mut blocks = Blocks::new(corpus, shard);
        let mut found = Vec::new();
        while let Some(block) = blocks.next().unwrap() {
            assert_eq!(block.index, block.offset / corpus.block_bytes as u64);
            let mut offset = block.offset;
            for line in block.text.split_inclusive(|byte| *byte == b'\n') {
                found.push((block.file, offset, line.to_vec()));
                offset += line.len() as u64;
            }
        }
        found
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn every_document_is_in_one_shard(
            text in "[a-c \n]{0,300}",
            block_bytes in 1usize..80,
            total in 1u32..6,
            packed: bool,
        ) {
            let dir = tempfile::tempdir().unwrap();
            let name = if packed { "text.gz" } else { "text.txt" };
            let paths = [dir.path().join("0.txt"), dir.path().join(name)];
            std::fs::write(&paths[0], &text).unwrap();
            let file = File::create(&paths[1]).unwrap();
            if packed {
                let mut file = flate2::write::GzEncoder::new(file, Default::default());
                file.write_all(text.as_bytes()).unwrap();
                file.finish().unwrap();
            } else {
                let mut file = file;
                file.write_all(text.as_bytes()).unwrap();
            }
            let corpus = CorpusConfig { block_bytes, ..CorpusConfig::new(paths) };
            let whole = documents(&corpus, Shard::WHOLE);
            let read: Vec<u8> = whole.iter().flat_map(|(_, _, line)| line.clone()).collect();
            prop_assert_eq!(read, format!("{text}{text}").into_bytes());
            let mut parts: Vec<_> =
                (0..total).flat_map(|index| documents(&corpus, Shard { index, total })).collect();
            parts.sort();
            prop_assert_eq!(parts, whole);
        }
    }
}
