//! A training on disk: written so that a crash at any point leaves the last whole state.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::TensorData;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::archive::{self, Archive};
use super::buffers::ParamState;
use super::state::same_settings;
use super::{AdamW, Optimizer, TrainState, parameters};
use crate::{Error, Result};

/// The file that names the folder of the last whole state.
const LATEST: &str = "latest";
/// The folder that is being written.
const PARTIAL: &str = ".partial";
const STATE: &str = "state.json";
const PARAMETERS: &str = "parameters.safetensors";
const OPTIMIZER: &str = "optimizer.safetensors";
const FORMAT: u32 = 1;

/// The last state of a training that a directory holds.
///
/// ```text
/// latest                      names the folder that counts
/// step-1200/state.json        step, epoch, position, metrics; the settings
///          /parameters.safetensors
///          /optimizer.safetensors
/// ```
///
/// A state is written under another name and renamed when the disk has all of it; then `latest`
/// is replaced, and only then the state before it is removed.
#[derive(Clone, Debug)]
pub struct TrainCheckpoint {
    folder: PathBuf,
    state: TrainState,
    settings: Value,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StateFile {
    format: u32,
    state: TrainState,
    settings: Value,
}

impl TrainCheckpoint {
    /// Opens the last state; `None` where the directory has none.
    ///
    /// # Errors
    /// A file that cannot be read, or is not what it should be.
    pub fn open(dir: impl AsRef<Path>) -> Result<Option<Self>> {
        let dir = dir.as_ref();
        let Some(name) = latest(dir)? else { return Ok(None) };
        let folder = dir.join(name);
        let path = folder.join(STATE);
        let malformed = |what: String| Error::Malformed { path: path.clone(), what };
        let text = fs::read_to_string(&path).map_err(io(&path))?;
        let file: StateFile =
            serde_json::from_str(&text).map_err(|error| malformed(error.to_string()))?;
        if file.format != FORMAT {
            return Err(malformed(format!(
                "key `format` = {}: this version reads {FORMAT}",
                file.format
            )));
        }
        Ok(Some(Self { folder, state: file.state, settings: file.settings }))
    }

    /// Where the training stood.
    pub fn state(&self) -> &TrainState {
        &self.state
    }

    /// The model with the parameters of the checkpoint, bit for bit and in its types, whatever
    /// their values were before. Integer and Boolean parameters are among them.
    ///
    /// # Errors
    /// A file that is truncated, or whose tensors are not those of the model.
    pub fn load_parameters<M: Module>(&self, model: M) -> Result<M> {
        parameters::load(model, Archive::open(&self.folder.join(PARAMETERS))?)
    }

    /// The state of the optimiser, by parameter path, and what it keeps besides.
    pub(super) fn load_moments<M: Module>(
        &self,
        model: &M,
    ) -> Result<(BTreeMap<String, ParamState>, BTreeMap<String, TensorData>)> {
        let mut archive = Archive::open(&self.folder.join(OPTIMIZER))?;
        let extra = parameters::load_extra(&mut archive)?;
        Ok((parameters::load_moments(model, archive)?, extra))
    }

    /// Gives an optimiser back what it keeps besides moments of parameters.
    pub(super) fn restore<M: Module>(
        &self,
        optimizer: &mut impl Optimizer<M>,
        extra: BTreeMap<String, TensorData>,
    ) -> Result<()> {
        let path = self.folder.join(OPTIMIZER);
        optimizer.restore(extra).map_err(|what| Error::Malformed { path, what })
    }

    /// Refuses settings other than those it was saved under.
    pub(super) fn check_settings(&self, current: &Value) -> Result<()> {
        same_settings(&self.folder.join(STATE), &self.settings, current)
    }

    /// Writes a state and makes it the last one.
    pub(super) fn save<M: Module>(
        dir: &Path,
        model: &M,
        optimizer: &AdamW,
        extra: &BTreeMap<String, TensorData>,
        state: &TrainState,
        settings: &Value,
    ) -> Result<()> {
        fs::create_dir_all(dir).map_err(io(dir))?;
        let partial = dir.join(PARTIAL);
        if partial.exists() {
            fs::remove_dir_all(&partial).map_err(io(&partial))?;
        }
        fs::create_dir(&partial).map_err(io(&partial))?;
        archive::write(&partial.join(PARAMETERS), parameters::stored(model))?;
        archive::write(&partial.join(OPTIMIZER), parameters::stored_moments(optimizer, extra))?;
        let path = partial.join(STATE);
        let file = StateFile { format: FORMAT, state: state.clone(), settings: settings.clone() };
        let text = serde_json::to_string_pretty(&file)
            .map_err(|error| Error::Malformed { path: path.clone(), what: error.to_string() })?;
        let write = |path: &Path| {
            let mut file = File::create(path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()
        };
        write(&path).map_err(io(&path))?;
        sync(&partial)?;

        // A crash may have left a folder of this step that nobody names.
        let mut names = (0..).map(|n| match n {
            0 => format!("step-{}", state.step),
            _ => format!("step-{}.{n}", state.step),
        });
        let name = names.find(|name| !dir.join(name).exists()).unwrap_or_default();
        fs::rename(&partial, dir.join(&name)).map_err(io(&partial))?;
        sync(dir)?;
        point_to(dir, &name)?;
        remove_others(dir, &name)
    }
}

/// The folder that `latest` names.
fn latest(dir: &Path) -> Result<Option<String>> {
    let path = dir.join(LATEST);
    let name = match fs::read_to_string(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(io(&path))?,
    };
    let name = name.trim();
    if !is_state(name) {
        let what = format!("names `{name}`, which is no folder of a state");
        return Err(Error::Malformed { path, what });
    }
    Ok(Some(name.to_owned()))
}

/// Whether a name is one of ours: `step-` and a number, perhaps with a second one.
fn is_state(name: &str) -> bool {
    name.strip_prefix("step-").is_some_and(|rest| {
        rest.split('.').all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    })
}

fn point_to(dir: &Path, name: &str) -> Result<()> {
    let path = dir.join(LATEST);
    let mut file = tempfile::NamedTempFile::new_in(dir).map_err(io(&path))?;
    writeln!(file, "{name}").and_then(|()| file.as_file().sync_all()).map_err(io(&path))?;
    file.persist(&path).map_err(|error| io(&path)(error.error))?;
    sync(dir)
}

/// Removes the states before the last one.
fn remove_others(dir: &Path, keep: &str) -> Result<()> {
    for entry in fs::read_dir(dir).map_err(io(dir))? {
        let entry = entry.map_err(io(dir))?;
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| is_state(name) && name != keep) {
            fs::remove_dir_all(entry.path()).map_err(io(&entry.path()))?;
        }
    }
    Ok(())
}

/// Waits until the disk has the names of a directory; only Unix lets a directory be opened.
fn sync(dir: &Path) -> Result<()> {
    if cfg!(unix) {
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(io(dir))?;
    }
    Ok(())
}

fn io(path: &Path) -> impl Fn(std::io::Error) -> Error + '_ {
    |source| Error::Io { path: path.to_owned(), source }
}
