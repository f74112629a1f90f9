//! LoRA adapters in folders, as PEFT has them.

use std::path::Path;

use sixfold_linalg::files::map_file;

use super::{Lora, LoraLayer, config};
use crate::adapter::Precision;
use crate::adapter::files::read::Tensors;
use crate::adapter::files::write::{Output, Values, write};
use crate::adapter::files::{config_file, model_file};
use crate::{Error, Result, json};

/// What PEFT puts in front of the name of a module.
const PREFIX: &str = "base_model.model.";
const A: &str = ".lora_A.weight";
const B: &str = ".lora_B.weight";

impl Lora {
    /// Writes a folder that PEFT reads: `adapter_config.json` and `adapter_model.safetensors`.
    ///
    /// Layers whose rank differs from most others' are in `rank_pattern`, and alike with α.
    ///
    /// # Errors
    /// [`Error::Config`] for no layers, which PEFT refuses; [`Error::NotFinite`] for a value that its type
    /// cannot hold; [`Error::Io`].
    pub fn save(&self, dir: impl AsRef<Path>) -> Result<()> {
        self.save_as(dir, Precision::F32)
    }

    /// [`save`](Self::save) with values of another type.
    ///
    /// # Errors
    /// Those of [`save`](Self::save).
    pub fn save_as(&self, dir: impl AsRef<Path>, precision: Precision) -> Result<()> {
        if self.layers.is_empty() {
            return Err(Error::Config { problems: vec!["the adapter has no layers".to_owned()] });
        }
        for (path, layer) in &self.layers {
            for (what, values) in [("lora_A", &layer.a), ("lora_B", &layer.b)] {
                if let Some(index) = values.iter().position(|value| !precision.holds(*value)) {
                    return Err(Error::NotFinite { path: path.clone(), what, index });
                }
            }
        }
        let dir = dir.as_ref();
        std::fs::create_dir_all(dir).map_err(Error::io(dir))?;
        let tensors = self.layers.iter().flat_map(|(module, layer)| {
            [(A, &layer.a), (B, &layer.b)].map(|(end, values)| Output {
                name: format!("{PREFIX}{module}{end}"),
                values: Values::Matrix(values.view(), precision),
            })
        });
        write(&model_file(dir), &[("format", "pt")], tensors.collect())?;
        json::write(&config_file(dir), &config::written(self))
    }

    /// Reads a folder of PEFT.
    ///
    /// Values may be f32, f16 or bf16; `use_rslora`, `rank_pattern` and `alpha_pattern` are followed.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Malformed`], naming the file and the key or the tensor: also for options
    /// that change the update in other ways, such as `use_dora` or `modules_to_save`.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self> {
        let dir = dir.as_ref();
        let config = config::LoraConfig::read(&config_file(dir))?;
        let path = model_file(dir);
        let file = map_file(&path)?;
        let tensors = Tensors::new(&path, &file)?;
        let mut lora = Self {
            base_model_name_or_path: config.base_model_name_or_path.clone(),
            fan_in_fan_out: config.fan_in_fan_out,
            ..Self::default()
        };
        for name in tensors.names() {
            let inner = name.strip_prefix(PREFIX);
            let Some(module) = inner.and_then(|name| name.strip_suffix(A)) else {
                // Each B is read with its A: one without is an error as well.
                let module = inner.and_then(|name| name.strip_suffix(B));
                match module.map(|module| format!("{PREFIX}{module}{A}")) {
                    Some(partner) if tensors.names().binary_search(&partner).is_ok() => continue,
                    Some(partner) => {
                        return Err(
                            tensors.malformed(format!("no tensor `{partner}`, but `{name}`"))
                        );
                    }
                    None => {
                        let what =
                            format!("tensor `{name}` is none of LoRA: `{PREFIX}…{A}` or `…{B}`");
                        return Err(tensors.malformed(what));
                    }
                }
            };
            let a = tensors.matrix(&name, None)?;
            let b = tensors.matrix(&format!("{PREFIX}{module}{B}"), None)?;
            let rank = a.nrows();
            if config.rank(module).is_some_and(|expected| expected != rank as u64)
                || b.ncols() != rank
            {
                let (b, expected) = (b.ncols(), config.rank(module));
                let what = format!(
                    "module `{module}` has rank {rank} in lora_A, {b} in lora_B and {expected:?} in the settings"
                );
                return Err(tensors.malformed(what));
            }
            let scaling = config.scaling(module, rank);
            lora.insert(module, LoraLayer { a, b, scaling })?;
        }
        Ok(lora)
    }
}
