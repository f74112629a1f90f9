//! Model files from the Hugging Face hub (feature `hub`).

use std::path::{Path, PathBuf};

use hf_hub::{HFClientBuilder, HFClientSync, HFError};

use crate::checkpoint::shards;
use crate::{Error, Result};

/// A repository at a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelId {
    /// `owner/name`.
    pub repo: String,
    /// Branch, tag or commit; a full commit hash that is in the cache asks no network.
    pub revision: String,
}

/// Where and how the hub is asked. The default reads `HF_ENDPOINT`, `HF_HOME`, `HF_TOKEN` and
/// their kin, as Python's client does, and `HF_HUB_OFFLINE`.
#[derive(Clone, Debug, Default)]
pub struct HubOptions {
    /// Another endpoint, such as a mirror.
    pub endpoint: Option<String>,
    /// Another cache directory.
    pub cache_dir: Option<PathBuf>,
    /// Use cached files only; also on where `HF_HUB_OFFLINE` is set to a true value.
    pub offline: bool,
}

/// Files that a model may have besides its weights.
const OPTIONAL: &[&str] = &[
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "generation_config.json",
];

/// Downloads config, tokenizer and weights of a model, and returns the directory that holds
/// them, ready for [`Checkpoint::open`](crate::Checkpoint::open). Files in the cache are not
/// downloaded again.
///
/// # Errors
/// [`Error::Hub`], which names repository, revision and file: not found, no network, or not in
/// the cache when offline.
pub fn fetch(model: &ModelId, options: &HubOptions) -> Result<PathBuf> {
    let hub = Hub::new(model, options)?;
    let config = hub.file("config.json")?;
    for name in OPTIONAL {
        hub.optional(name)?;
    }
    if hub.optional("model.safetensors")?.is_none() {
        let index = hub.file("model.safetensors.index.json")?;
        for shard in shards(&index)?.keys() {
            hub.file(shard)?;
        }
    }
    Ok(config.parent().map(Path::to_owned).unwrap_or_default())
}

struct Hub<'a> {
    model: &'a ModelId,
    client: HFClientSync,
    owner: &'a str,
    name: &'a str,
    offline: bool,
}

impl<'a> Hub<'a> {
    fn new(model: &'a ModelId, options: &HubOptions) -> Result<Self> {
        let mut builder = HFClientBuilder::new();
        if let Some(endpoint) = &options.endpoint {
            builder = builder.endpoint(endpoint);
        }
        if let Some(dir) = &options.cache_dir {
            builder = builder.cache_dir(dir);
        }
        let client = builder.build_sync().map_err(|error| failed(model, "config.json", error))?;
        // Old models live at the root of the hub, without an owner.
        let (owner, name) = model.repo.split_once('/').unwrap_or(("", &model.repo));
        Ok(Self {
            model,
            client,
            owner,
            name,
            offline: options.offline || offline_by_environment(),
        })
    }

    fn file(&self, name: &str) -> Result<PathBuf> {
        tracing::info!(repo = self.model.repo, revision = self.model.revision, file = name, "hub");
        self.get(name).map_err(|error| failed(self.model, name, error))
    }

    fn optional(&self, name: &str) -> Result<Option<PathBuf>> {
        match self.get(name) {
            Ok(path) => Ok(Some(path)),
            Err(HFError::EntryNotFound { .. }) => Ok(None),
            // The cache does not say whether the hub has such a file.
            Err(HFError::LocalEntryNotFound { .. }) if self.offline => Ok(None),
            Err(error) => Err(failed(self.model, name, error)),
        }
    }

    fn get(&self, name: &str) -> Result<PathBuf, HFError> {
        self.client
            .model(self.owner, self.name)
            .download_file()
            .filename(name)
            .revision(&self.model.revision)
            .local_files_only(self.offline)
            .send()
    }
}

fn failed(model: &ModelId, file: &str, error: HFError) -> Error {
    Error::Hub {
        repo: model.repo.clone(),
        revision: model.revision.clone(),
        file: file.to_owned(),
        source: Box::new(error),
    }
}

/// `HF_HUB_OFFLINE`, read as Python's client reads it. `hf-hub` itself does not look.
fn offline_by_environment() -> bool {
    std::env::var("HF_HUB_OFFLINE")
        .is_ok_and(|value| ["1", "ON", "YES", "TRUE"].contains(&value.to_uppercase().as_str()))
}
