//! Writing a model as a directory that `transformers` loads.

use std::collections::BTreeMap;
use std::path::Path;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use safetensors::tensor::{Dtype, TensorView, serialize};
use serde_json::Value;

use super::archive::stored_shape;
use super::naming::{Naming, Source};
use super::{Checkpoint, HeadKind, surgery};
use crate::{
    CausalLm, Error, MaskedLm, PathTracker, Result, SequenceClassifier, Transformer,
    TransformerSpec,
};

/// A model that a checkpoint can write.
pub trait SaveModel: Module {
    /// Its head.
    const HEAD: HeadKind;

    /// The description of its transformer, layer surgery included.
    fn spec(&self) -> &TransformerSpec;
}

impl SaveModel for Transformer {
    const HEAD: HeadKind = HeadKind::None;

    fn spec(&self) -> &TransformerSpec {
        self.spec()
    }
}

impl SaveModel for CausalLm {
    const HEAD: HeadKind = HeadKind::LanguageModel;

    fn spec(&self) -> &TransformerSpec {
        self.body.spec()
    }
}

impl SaveModel for MaskedLm {
    const HEAD: HeadKind = HeadKind::LanguageModel;

    fn spec(&self) -> &TransformerSpec {
        self.body.spec()
    }
}

impl SaveModel for SequenceClassifier {
    const HEAD: HeadKind = HeadKind::Classifier;

    fn spec(&self) -> &TransformerSpec {
        self.body.spec()
    }
}

/// Files of a tokenizer, copied beside the model.
const TOKENIZER_FILES: &[&str] = &[
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
];

impl Checkpoint {
    /// Writes `model` with this checkpoint's config as a directory that `transformers` and
    /// [`Checkpoint::open`] load: `config.json`, `model.safetensors` in f32, and the tokenizer's
    /// files where this checkpoint has them. Each file is written under a temporary name and
    /// renamed, the config last.
    ///
    /// After layer surgery a model whose remaining layers are a plain stack of full blocks stays in
    /// the family's form. Any other is written with keys of our own, and with a `model_type` that
    /// `transformers` does not know, so that it cannot load half of it.
    ///
    /// # Errors
    /// A file that cannot be written, named; a block that the family's form has no place for.
    pub fn save<M: SaveModel>(&self, model: &M, dir: impl AsRef<Path>) -> Result<()> {
        let dir = dir.as_ref();
        std::fs::create_dir_all(dir)
            .map_err(|source| Error::Io { path: dir.to_owned(), source })?;
        let tensors = self.tensors(model)?;
        let path = dir.join("model.safetensors");
        let bytes: Vec<Vec<u8>> = tensors
            .values()
            .map(|(_, values)| values.iter().flat_map(|value| value.to_le_bytes()).collect())
            .collect();
        let malformed = |error: &dyn std::fmt::Display| Error::Malformed {
            path: path.clone(),
            what: error.to_string(),
        };
        let mut views = Vec::with_capacity(tensors.len());
        for ((name, (shape, _)), bytes) in tensors.iter().zip(&bytes) {
            let view = TensorView::new(Dtype::F32, shape.clone(), bytes);
            views.push((name, view.map_err(|error| malformed(&error))?));
        }
        let metadata = [("format".to_owned(), "pt".to_owned())].into();
        let file = serialize(views, Some(metadata)).map_err(|error| malformed(&error))?;
        write_file(&path, &file)?;
        for name in TOKENIZER_FILES {
            let from = self.dir.join(name);
            if from.is_file() && self.dir != dir {
                let text =
                    std::fs::read(&from).map_err(|source| Error::Io { path: from, source })?;
                write_file(&dir.join(name), &text)?;
            }
        }
        let mut config = self.config.clone();
        let at = M::HEAD as usize;
        config.insert("architectures".to_owned(), vec![self.family.architectures[at]].into());
        config.insert("torch_dtype".to_owned(), "float32".into());
        config.remove("dtype");
        surgery::write(&mut config, &self.spec.body, model.spec());
        let text = format!("{:#}\n", Value::Object(config));
        write_file(&dir.join("config.json"), text.as_bytes())
    }

    /// The parameters of `model` under Hugging Face's names and in their layout: name, shape and
    /// values. A module that holds gradients in place of its values gives gradients.
    ///
    /// # Errors
    /// A parameter that the family's form has no place for, such as a block that layer surgery
    /// replaced.
    pub fn tensors<M: SaveModel>(&self, model: &M) -> Result<NamedTensors> {
        let prefix = if M::HEAD == HeadKind::None { "" } else { self.family.prefixes[0] };
        let mut collector = Collector {
            checkpoint: self,
            naming: self.naming(prefix),
            head: M::HEAD,
            tracker: PathTracker::default(),
            tensors: BTreeMap::new(),
            unknown: None,
        };
        model.visit(&mut collector);
        match collector.unknown {
            None => Ok(collector.tensors),
            Some(path) => Err(Error::Malformed {
                path: self.dir.clone(),
                what: format!("the family `{}` has no place for `{path}`", self.family.name),
            }),
        }
    }
}

/// Tensors by name: shape, and values in row-major order.
pub type NamedTensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// Writes under a temporary name in the same directory, then renames.
fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let io = |source| Error::Io { path: path.to_owned(), source };
    let dir = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(dir).map_err(io)?;
    std::io::Write::write_all(&mut file, bytes).map_err(io)?;
    file.as_file().sync_all().map_err(io)?;
    file.persist(path).map_err(|error| io(error.error))?;
    Ok(())
}

/// Gathers parameters into the tensors of the family's form.
struct Collector<'a> {
    checkpoint: &'a Checkpoint,
    naming: Naming,
    head: HeadKind,
    tracker: PathTracker,
    tensors: NamedTensors,
    unknown: Option<String>,
}

impl Collector<'_> {
    fn put(&mut self, source: &Source, shape: &[usize], values: &[f32]) {
        let stored = stored_shape(source, shape);
        let n: usize = stored.iter().product();
        let (_, whole) =
            self.tensors.entry(source.name.clone()).or_insert_with(|| (stored, vec![0.0; n]));
        match *shape {
            [n] => {
                for (o, value) in values.iter().enumerate() {
                    whole[source.part.stored(o, n)] = *value;
                }
            }
            [d_in, d_out] => {
                let width = source.part.stored_len(d_out);
                for (at, value) in values.iter().enumerate() {
                    let (i, o) = (at / d_out, source.part.stored(at % d_out, d_out));
                    whole[if source.transposed { o * d_in + i } else { i * width + o }] = *value;
                }
            }
            _ => whole.copy_from_slice(values),
        }
    }
}

impl ModuleVisitor for Collector<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.tracker.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, container: &str) {
        self.tracker.exit(container);
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let path = self.tracker.path();
        match self.checkpoint.source(&self.naming, &path, self.head) {
            None => self.unknown = self.unknown.take().or(Some(path)),
            Some(source) => {
                let tensor = param.val();
                let shape = tensor.dims();
                let values: Vec<f32> = tensor.into_data().iter::<f32>().collect();
                self.put(&source, &shape, &values);
            }
        }
    }
}
