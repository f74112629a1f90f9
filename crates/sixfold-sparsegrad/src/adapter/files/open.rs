//! Adapters are read.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use sixfold_linalg::files::map_file;

use super::read::Tensors;
use super::{
    BasisRecord, FORMAT, LayerRecord, Records, SideRecord, config_file, index_type, indices_name,
    model_file, values_name,
};
use crate::adapter::{Adapter, AdapterConfig, FORMAT_VERSION, LayerUpdate, PEFT_TYPE, hash_basis};
use crate::{Basis, Error, Mask, Result, Side, json};

impl Adapter {
    /// Reads what [`save`](Self::save) wrote.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Malformed`], naming the file and the key or the tensor;
    /// [`Error::Hash`] if the file has only hashes of its bases: [`open_with`](Self::open_with).
    pub fn open(dir: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(dir, &BTreeMap::new())
    }

    /// [`open`](Self::open) with bases that the file may have only the hashes of.
    ///
    /// # Errors
    /// Those of [`open`](Self::open), and [`Error::Hash`] for a basis that is another than that of the
    /// training.
    pub fn open_with(dir: impl AsRef<Path>, bases: &BTreeMap<String, Arc<Basis>>) -> Result<Self> {
        let dir = dir.as_ref();
        let mut adapter = Self::new(read_config(&config_file(dir))?);
        let path = model_file(dir);
        let file = map_file(&path)?;
        let tensors = Tensors::new(&path, &file)?;
        let format = tensors.word("format")?;
        if format != FORMAT {
            let what = format!("`format` in the metadata is `{format}`, expected `{FORMAT}`");
            return Err(tensors.malformed(what));
        }
        let layers: Records<String, LayerRecord> = records(&tensors, "layers")?;
        let mut used = Vec::new();
        for (name, record) in records::<BasisRecord>(&tensors, "bases")? {
            let basis = match &record.hash {
                Some(expected) => given(&path, &name, expected, &record, bases)?,
                None => Arc::new(Basis {
                    input: side(&tensors, format!("bases.{name}.input"), &record.input, &mut used)?,
                    output: side(
                        &tensors,
                        format!("bases.{name}.output"),
                        &record.output,
                        &mut used,
                    )?,
                }),
            };
            adapter.bases.insert(name, basis);
        }
        for (layer, record) in &layers {
            let update = update(&tensors, layer, record, &mut used)?;
            let Some(basis) = adapter.bases.get(&update.basis) else {
                let what = format!(
                    "layer `{layer}` uses the basis `{}`, which is not there",
                    update.basis
                );
                return Err(tensors.malformed(what));
            };
            // Values are known to be sound, so that this is about shapes only.
            update.check(layer, basis).map_err(|error| tensors.malformed(error.to_string()))?;
            adapter.layers.insert(layer.clone(), update);
        }
        used.sort_unstable();
        match tensors.names().into_iter().find(|name| used.binary_search(name).is_err()) {
            Some(name) => {
                Err(tensors.malformed(format!("tensor `{name}` belongs to no layer and no basis")))
            }
            None => Ok(adapter),
        }
    }
}

fn read_config(path: &Path) -> Result<AdapterConfig> {
    let keys = json::read_object(path)?;
    for key in ["peft_type", "version"] {
        if !keys.contains_key(key) {
            return Err(Error::malformed(path, format!("no key `{key}`")));
        }
    }
    // Those of other methods have other keys: the type comes first.
    let found = &keys["peft_type"];
    if found != PEFT_TYPE {
        let what = format!("`peft_type` is {found}, expected \"{PEFT_TYPE}\"");
        return Err(Error::malformed(path, what));
    }
    let config: AdapterConfig = json::read(path)?;
    if config.version != FORMAT_VERSION {
        let what = format!("`version` is {}, expected {FORMAT_VERSION}", config.version);
        return Err(Error::malformed(path, what));
    }
    if !config.scale.is_finite() {
        return Err(Error::malformed(path, format!("`scale` is {}", config.scale)));
    }
    Ok(config)
}

fn records<T: DeserializeOwned>(tensors: &Tensors<'_>, key: &str) -> Result<Records<String, T>> {
    serde_json::from_str(tensors.word(key)?)
        .map_err(|error| tensors.malformed(format!("`{key}` in the metadata: {error}")))
}

fn side(
    tensors: &Tensors<'_>,
    name: String,
    record: &SideRecord,
    used: &mut Vec<String>,
) -> Result<Side> {
    match record {
        SideRecord::Identity(d) => Ok(Side::Identity(*d)),
        SideRecord::Columns(shape) => {
            let columns = tensors.matrix(&name, Some(*shape))?;
            used.push(name);
            Ok(Side::Columns(columns))
        }
    }
}

/// The basis of that name among those that the caller brought.
fn given(
    path: &Path,
    name: &str,
    expected: &str,
    record: &BasisRecord,
    bases: &BTreeMap<String, Arc<Basis>>,
) -> Result<Arc<Basis>> {
    let wrong = |found: String| Error::Hash {
        path: path.to_owned(),
        what: "basis",
        expected: format!("`{name}` {expected}"),
        found,
    };
    let Some(basis) = bases.get(name) else { return Err(wrong("none of that name".to_owned())) };
    let found = hash_basis(basis);
    if found != expected {
        return Err(wrong(found));
    }
    // The hash is of what was stored; the shapes beside it could be of something else.
    for (record, side) in [(&record.input, &basis.input), (&record.output, &basis.output)] {
        let same = match record {
            SideRecord::Identity(d) => *side == Side::Identity(*d),
            SideRecord::Columns(shape) => side.columns().is_some_and(|x| x.shape() == shape),
        };
        if !same {
            return Err(Error::malformed(
                path,
                format!("basis `{name}` has another shape than its hash"),
            ));
        }
    }
    Ok(basis.clone())
}

fn update(
    tensors: &Tensors<'_>,
    path: &str,
    record: &LayerRecord,
    used: &mut Vec<String>,
) -> Result<LayerUpdate> {
    let LayerRecord { basis, core, kept } = record;
    let size = record.size().filter(|size| kept <= size).ok_or_else(|| {
        tensors.malformed(format!("layer `{path}` keeps {kept} entries of a core of {core:?}"))
    })?;
    let name = values_name(path);
    let values = tensors.vector(&name, *kept)?;
    used.push(name);
    let mask = if *kept == size {
        Mask::all(*core)
    } else {
        let name = indices_name(path);
        let indices = tensors.indices(&name, index_type(size), *kept, size)?;
        used.push(name);
        Mask::new(*core, indices)?
    };
    Ok(LayerUpdate { basis: basis.clone(), mask, values })
}
