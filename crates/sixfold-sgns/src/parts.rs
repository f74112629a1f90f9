//! Files that are parts of one count.

use std::fmt::Write as _;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::container::Container;
use crate::corpus::{CorpusConfig, Shard};
use crate::{Error, Result};

/// What a part tells of itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Header {
    pub(crate) shard: u32,
    pub(crate) shards: u32,
    /// How many words the payload is about.
    pub(crate) words: u64,
    /// What all parts must agree on.
    pub(crate) options: Map<String, Value>,
}

impl Header {
    pub(crate) fn new(corpus: &CorpusConfig, shard: Shard, words: usize) -> Self {
        let mut options = Map::new();
        options.insert("files".into(), corpus.paths.len().into());
        options.insert("column".into(), corpus.column.into());
        options.insert("normalise".into(), format!("{:?}", corpus.normalise).into());
        options.insert("invalid_utf8".into(), format!("{:?}", corpus.invalid_utf8).into());
        options.insert("block_bytes".into(), corpus.block_bytes.into());
        Self { shard: shard.index, shards: shard.total, words: words as u64, options }
    }

    /// The option of that name.
    pub(crate) fn option<T: DeserializeOwned>(&self, path: &Path, name: &str) -> Result<T> {
        let value = self.options.get(name).cloned().unwrap_or_default();
        let what = |error| format!("option `{name}` of its header: {error}");
        serde_json::from_value(value).map_err(|error| Error::malformed(path, what(error)))
    }

    /// The header of the sum of all parts.
    pub(crate) fn whole(&self) -> Self {
        Self { shard: 0, shards: 1, ..self.clone() }
    }
}

/// Opens parts, and checks that they are all parts of one count, each once.
pub(crate) fn open(
    paths: &[impl AsRef<Path>],
    magic: &[u8; 8],
    kind: &str,
) -> Result<Vec<Container<Header>>> {
    let mut parts = Vec::<Container<Header>>::with_capacity(paths.len());
    for path in paths {
        let part = Container::<Header>::open(path.as_ref(), magic, kind)?;
        if let Some(first) = parts.first() {
            agree(first, &part)?;
        }
        let same = |other: &&Container<Header>| other.header.shard == part.header.shard;
        if let Some(other) = parts.iter().find(same) {
            let index = part.header.shard;
            let what = format!(
                "shard {index}, as {} is; expected every shard once",
                other.path().display()
            );
            return Err(Error::malformed(part.path(), what));
        }
        parts.push(part);
    }
    let Some(first) = parts.first() else {
        return Err(Error::Empty { what: "the list of shards", reason: "no file is named".into() });
    };
    let total = first.header.shards;
    let has = |index: &u32| parts.iter().any(|part| part.header.shard == *index);
    let absent: Vec<u32> = (0..total).filter(|index| !has(index)).collect();
    if !absent.is_empty() {
        let mut what = format!("one of {total} shards, of which are missing:");
        for index in absent.iter().take(20) {
            let _ = write!(what, " {index}");
        }
        if absent.len() > 20 {
            let _ = write!(what, " and {} more", absent.len() - 20);
        }
        return Err(Error::malformed(first.path(), what));
    }
    Ok(parts)
}

fn agree(first: &Container<Header>, part: &Container<Header>) -> Result<()> {
    let (one, other) = (&first.header, &part.header);
    let differ = |name: &str, found: &dyn std::fmt::Display, expected: &dyn std::fmt::Display| {
        let path = first.path().display();
        let what = format!("its {name} is {found}, and {expected} in {path}: not of one count");
        Err(Error::malformed(part.path(), what))
    };
    if one.shards != other.shards {
        return differ("number of shards", &other.shards, &one.shards);
    }
    for name in one.options.keys().chain(other.options.keys()) {
        let value = |header: &Header| header.options.get(name).cloned().unwrap_or_default();
        if value(one) != value(other) {
            return differ(name, &value(other), &value(one));
        }
    }
    Ok(())
}
