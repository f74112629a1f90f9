//! The text as ids, kept between the pass that finds the words and the one that counts pairs.

use std::path::PathBuf;

use crate::Result;
use crate::spill::Spill;

/// The ids of a block.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    /// Names the block within the text.
    pub(crate) block: u64,
    /// Words, and [`super::END`] behind documents.
    pub(crate) ids: Vec<u32>,
}

/// All blocks of a text: in memory up to a limit, on disk beyond it.
#[derive(Debug)]
pub(crate) struct Store {
    limit: u64,
    dir: Option<PathBuf>,
    blocks: Vec<(u64, Place)>,
    spill: Option<Spill>,
}

#[derive(Debug)]
enum Place {
    Memory(Vec<u32>),
    Disk { offset: u64, len: usize },
}

impl Store {
    pub(crate) fn new(limit: u64, dir: Option<&PathBuf>) -> Self {
        Self { limit, dir: dir.cloned(), blocks: Vec::new(), spill: None }
    }

    pub(crate) fn push(&mut self, tokens: Tokens) -> Result<()> {
        let bytes = size_of_val(tokens.ids.as_slice()) as u64;
        let place = if bytes <= self.limit {
            self.limit -= bytes;
            let mut ids = tokens.ids;
            ids.shrink_to_fit();
            Place::Memory(ids)
        } else {
            // Nothing goes to memory behind what went to disk.
            self.limit = 0;
            let spill = match &mut self.spill {
                Some(spill) => spill,
                none => none.insert(Spill::new(self.dir.as_ref())?),
            };
            let offset = spill.append(bytemuck::cast_slice(&tokens.ids))?;
            Place::Disk { offset, len: tokens.ids.len() }
        };
        self.blocks.push((tokens.block, place));
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        self.blocks.len()
    }

    /// Takes a block out.
    pub(crate) fn take(&mut self, at: usize) -> Result<Tokens> {
        let (block, place) = &mut self.blocks[at];
        if let Place::Memory(ids) = place {
            return Ok(Tokens { block: *block, ids: std::mem::take(ids) });
        }
        self.read(at)
    }

    /// A copy of a block.
    pub(crate) fn read(&self, at: usize) -> Result<Tokens> {
        let (block, place) = &self.blocks[at];
        let ids = match place {
            Place::Memory(ids) => ids.clone(),
            Place::Disk { offset, len } => {
                let mut ids = vec![0; *len];
                if let Some(spill) = &self.spill {
                    spill.read(*offset, bytemuck::cast_slice_mut(&mut ids))?;
                }
                ids
            }
        };
        Ok(Tokens { block: *block, ids })
    }
}
