//! Adapters are written.

use std::path::Path;

use serde::Serialize;

use super::write::{Output, Values, write};
use super::{
    BasisRecord, FORMAT, LayerRecord, Records, SaveOptions, SideRecord, StoredBases, config_file,
    index_type, indices_name, model_file, sides, values_name,
};
use crate::adapter::{Adapter, hash_basis};
use crate::{Error, Result, json};

impl Adapter {
    /// Writes a folder with `adapter_config.json` and `adapter_model.safetensors`; nothing is lost.
    ///
    /// ```
    /// use sixfold_sparsegrad::{Adapter, AdapterConfig};
    /// # let dir = std::env::temp_dir().join(format!("sixfold-adapter-{}", std::process::id()));
    ///
    /// let adapter = Adapter::new(AdapterConfig::default());
    /// adapter.save(&dir)?;
    /// assert_eq!(Adapter::open(&dir)?, adapter);
    /// # std::fs::remove_dir_all(&dir).unwrap();
    /// # Ok::<(), sixfold_sparsegrad::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Io`], naming the file; [`Error::NotFinite`] for what no reader would take: a scale that
    /// is no number, or a value that its type cannot hold. Each file appears whole or not at all, the settings last.
    pub fn save(&self, dir: impl AsRef<Path>) -> Result<()> {
        self.save_with(dir, &SaveOptions::default())
    }

    /// [`save`](Self::save) in fewer bytes: see [`SaveOptions`].
    ///
    /// # Errors
    /// Those of [`save`](Self::save).
    pub fn save_with(&self, dir: impl AsRef<Path>, options: &SaveOptions) -> Result<()> {
        self.check_storable(options)?;
        let dir = dir.as_ref();
        std::fs::create_dir_all(dir).map_err(Error::io(dir))?;
        let (mut bases, mut layers, mut tensors) = (Records::new(), Records::new(), Vec::new());
        for (name, basis) in &self.bases {
            let [input, output] = [SideRecord::of(&basis.input), SideRecord::of(&basis.output)];
            let hash = (options.bases == StoredBases::Hash).then(|| hash_basis(basis));
            bases.insert(name, BasisRecord { input, output, hash });
            let StoredBases::Values(precision) = options.bases else { continue };
            for (name, side) in sides(name, basis) {
                if let Some(columns) = side.columns() {
                    tensors
                        .push(Output { name, values: Values::Matrix(columns.view(), precision) });
                }
            }
        }
        for (path, update) in &self.layers {
            let (core, kept) = (update.mask.shape(), update.mask.len());
            layers.insert(path, LayerRecord { basis: update.basis.clone(), core, kept });
            let values = Values::Vector(&update.values, options.values);
            tensors.push(Output { name: values_name(path), values });
            if let Some(indices) = update.mask.indices() {
                let values = Values::Indices(indices, index_type(core[0] * core[1]));
                tensors.push(Output { name: indices_name(path), values });
            }
        }
        let file = model_file(dir);
        let (bases, layers) = (text(&file, &bases)?, text(&file, &layers)?);
        write(&file, &[("format", FORMAT), ("bases", &bases), ("layers", &layers)], tensors)?;
        json::write(&config_file(dir), &self.config)
    }
}

impl Adapter {
    fn check_storable(&self, options: &SaveOptions) -> Result<()> {
        let error = |path: &str, what, index| {
            let path = path.to_owned();
            Err(Error::NotFinite { path, what, index })
        };
        if !self.config.scale.is_finite() {
            return error("", "the scale", 0);
        }
        for (path, update) in &self.layers {
            if let Some(index) = update.values.iter().position(|x| !options.values.holds(*x)) {
                return error(path, "the core as it is stored", index);
            }
        }
        let StoredBases::Values(precision) = options.bases else { return Ok(()) };
        for (name, basis) in &self.bases {
            for columns in [&basis.input, &basis.output].into_iter().filter_map(|x| x.columns()) {
                if let Some(index) = columns.iter().position(|x| !precision.holds(*x)) {
                    return error(name, "the basis as it is stored", index);
                }
            }
        }
        Ok(())
    }
}

fn text(path: &Path, records: &impl Serialize) -> Result<String> {
    serde_json::to_string(records).map_err(|error| Error::io(path)(error.into()))
}
