//! Hugging Face model directories: reading, building, writing.

mod archive;
mod config;
mod load;
mod naming;
mod save;
mod small;
mod surgery;
mod weights;

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use serde_json::{Map, Value};

use crate::families::{FAMILIES, Family, ModelSpec};
use crate::{
    CausalLm, ClassifierSpec, Error, LmHeadSpec, MaskedLm, Result, Seed, SequenceClassifier,
    Transformer, TransformerSpec,
};

#[cfg(feature = "hub")]
pub(crate) use archive::shards;
pub(crate) use config::ConfigReader;
pub(crate) use naming::{
    Entry, Naming, conv1d, conv1d_part, head_part, linear, norm, plain, source, table,
};
pub use save::{NamedTensors, SaveModel};
pub use small::EncoderSizes;
pub use weights::WeightType;

/// A model directory in Hugging Face's form: `config.json` and safetensors.
///
/// Opening reads the config only. Each method that returns a model reads the tensors it needs,
/// one after the other, into f32 or what [`LoadOptions::weights`] says.
///
/// ```no_run
/// use sixfold_model::Checkpoint;
///
/// let device = sixfold_model::device("flex")?;
/// let checkpoint = Checkpoint::open("models/gpt2")?;
/// let model = checkpoint.causal_lm(&device)?;
/// println!("{} layers of {}", model.body.n_layers(), checkpoint.family());
/// # Ok::<(), sixfold_model::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Checkpoint {
    dir: PathBuf,
    config: Map<String, Value>,
    family: &'static Family,
    spec: ModelSpec,
    weights: WeightType,
}

/// How a checkpoint is opened.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// Keys of `config.json` that Sixfold does not know and that change nothing.
    pub ignore_keys: Vec<String>,
    /// The type in which matrices are kept, whatever the file has.
    pub weights: WeightType,
}

/// The head of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadKind {
    /// None: the bare transformer.
    None,
    /// A causal or masked language model.
    LanguageModel,
    /// A sequence classifier.
    Classifier,
}

impl Checkpoint {
    /// Opens a directory.
    ///
    /// # Errors
    /// An unreadable or malformed `config.json`, a family that is not supported, and any key
    /// whose value is not supported or whose meaning is not known.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(dir, &LoadOptions::default())
    }

    /// As [`open`](Self::open), with options.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(dir: impl AsRef<Path>, options: &LoadOptions) -> Result<Self> {
        let dir = dir.as_ref().to_owned();
        let path = dir.join("config.json");
        let text = std::fs::read_to_string(&path)
            .map_err(|source| Error::Io { path: path.clone(), source })?;
        let config = serde_json::from_str(&text)
            .map_err(|error| Error::Malformed { path: path.clone(), what: error.to_string() })?;
        Self::from_config(dir, config, options)
    }

    /// A checkpoint of the given config without files: what its models load is what `dir`
    /// holds, if anything; [`init_causal_lm`](Self::init_causal_lm) and its sisters need none.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_config(
        dir: impl Into<PathBuf>,
        config: Map<String, Value>,
        options: &LoadOptions,
    ) -> Result<Self> {
        let dir = dir.into();
        let path = dir.join("config.json");
        let reader = ConfigReader::new(&path, &config);
        let model_type = surgery::family_name(reader.word("model_type", "")?);
        let Some(family) = FAMILIES.iter().find(|family| family.name == model_type) else {
            let names: Vec<_> = crate::families().collect();
            return Err(reader.error("model_type", format!("supported: {}", names.join(", "))));
        };
        let mut spec = (family.spec)(&reader)?;
        surgery::read(&reader, &mut spec.body)?;
        reader.finish(&options.ignore_keys)?;
        let problems = spec.body.problems();
        if !problems.is_empty() {
            return Err(Error::Malformed { path, what: problems.join("; ") });
        }
        Ok(Self { dir, config, family, spec, weights: options.weights })
    }

    /// The same checkpoint, whose models have no dropout.
    pub fn without_dropout(mut self) -> Self {
        self.spec.body.dropout = 0.0;
        self.spec.body.attention.dropout = 0.0;
        self.spec.classifier.dropout = 0.0;
        self
    }

    /// The same checkpoint, whose classifiers have another number of classes: how a task of one's
    /// own begins. [`save`](Self::save) writes it into the config.
    pub fn with_classes(mut self, n_classes: usize) -> Self {
        self.spec.classifier.n_classes = n_classes;
        self.config.retain(|key, _| !matches!(key.as_str(), "id2label" | "label2id"));
        self.config.insert("num_labels".to_owned(), n_classes.into());
        self
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The family, as `model_type` names it.
    pub fn family(&self) -> &'static str {
        self.family.name
    }

    /// The config as read.
    pub fn config(&self) -> &Map<String, Value> {
        &self.config
    }

    /// The transformer.
    pub fn spec(&self) -> &TransformerSpec {
        &self.spec.body
    }

    /// The language-model head.
    pub fn lm_spec(&self) -> &LmHeadSpec {
        &self.spec.lm
    }

    /// The classification head.
    pub fn classifier_spec(&self) -> &ClassifierSpec {
        &self.spec.classifier
    }

    /// The padding token, where the config names one.
    pub fn pad_token(&self) -> Option<u32> {
        self.spec.pad_token
    }

    /// The token that begins a text, where the config names one.
    pub fn bos_token(&self) -> Option<u32> {
        self.spec.bos_token
    }

    /// The token that ends a text, where the config names one.
    pub fn eos_token(&self) -> Option<u32> {
        self.spec.eos_token
    }

    /// The head that the config's `architectures` names, if it is one that Sixfold has.
    pub fn head(&self) -> Option<HeadKind> {
        let name = self.config.get("architectures")?.get(0)?.as_str()?;
        let at = self.family.architectures.iter().position(|known| *known == name)?;
        [HeadKind::None, HeadKind::LanguageModel, HeadKind::Classifier].get(at).copied()
    }

    /// The transformer without a head.
    ///
    /// # Errors
    /// Missing, unexpected or misshapen tensors; a truncated or malformed file.
    pub fn transformer(&self, device: &Device) -> Result<Transformer> {
        self.load(self.init_transformer(Seed::new(0), device), HeadKind::None)
    }

    /// The causal language model.
    ///
    /// # Errors
    /// As [`transformer`](Self::transformer).
    pub fn causal_lm(&self, device: &Device) -> Result<CausalLm> {
        self.load(self.init_causal_lm(Seed::new(0), device), HeadKind::LanguageModel)
    }

    /// The masked language model.
    ///
    /// # Errors
    /// As [`transformer`](Self::transformer).
    pub fn masked_lm(&self, device: &Device) -> Result<MaskedLm> {
        self.load(self.init_masked_lm(Seed::new(0), device), HeadKind::LanguageModel)
    }

    /// The sequence classifier. A checkpoint without any tensor of the head gives it a new one,
    /// drawn from `seed`, which is how fine-tuning starts; a part of a head is an error.
    ///
    /// # Errors
    /// As [`transformer`](Self::transformer).
    pub fn classifier(&self, seed: Seed, device: &Device) -> Result<SequenceClassifier> {
        self.load(self.init_classifier(seed, device), HeadKind::Classifier)
    }

    /// A transformer of this description with random weights.
    pub fn init_transformer(&self, seed: Seed, device: &Device) -> Transformer {
        Transformer::new(&self.spec.body, seed, device)
    }

    /// A causal language model of this description with random weights.
    pub fn init_causal_lm(&self, seed: Seed, device: &Device) -> CausalLm {
        CausalLm::new(&self.spec.body, &self.spec.lm, seed, device)
    }

    /// A masked language model of this description with random weights.
    pub fn init_masked_lm(&self, seed: Seed, device: &Device) -> MaskedLm {
        MaskedLm::new(&self.spec.body, &self.spec.lm, seed, device)
    }

    /// A classifier of this description with random weights.
    pub fn init_classifier(&self, seed: Seed, device: &Device) -> SequenceClassifier {
        SequenceClassifier::new(&self.spec.body, &self.spec.classifier, seed, device)
    }

    /// Hugging Face's name of the tensor behind a parameter path such as
    /// `body.blocks.0.mlp.up.weight`, for those who export adapters. Fused tensors have one name
    /// for several paths.
    ///
    /// ```no_run
    /// # use sixfold_model::{Checkpoint, HeadKind};
    /// let checkpoint = Checkpoint::open("models/llama")?;
    /// assert_eq!(
    ///     checkpoint.hf_name("body.blocks.3.mlp.up.weight", HeadKind::LanguageModel).as_deref(),
    ///     Some("model.layers.3.mlp.up_proj.weight"),
    /// );
    /// # Ok::<(), sixfold_model::Error>(())
    /// ```
    pub fn hf_name(&self, path: &str, head: HeadKind) -> Option<String> {
        let prefix = if head == HeadKind::None { "" } else { self.family.prefixes[0] };
        self.source(&self.naming(prefix), path, head).map(|source| source.name)
    }

    fn naming(&self, prefix: &str) -> Naming {
        Naming {
            prefix: prefix.to_owned(),
            d_head: self.spec.body.attention.d_head,
            group: self.spec.group,
        }
    }

    /// Where the parameter at `path` of a model with that head is stored.
    fn source(&self, naming: &Naming, path: &str, head: HeadKind) -> Option<naming::Source> {
        let body = path.strip_prefix("body.");
        if let Some(source) = surgery::source(body.unwrap_or(path)) {
            return Some(source);
        }
        match (head, body) {
            (HeadKind::None, _) => source(self.family.body, naming, path),
            (_, Some(path)) => source(self.family.body, naming, path),
            (HeadKind::LanguageModel, None) => source(self.family.lm, naming, path),
            (HeadKind::Classifier, None) => source(self.family.classifier, naming, path),
        }
    }
}
