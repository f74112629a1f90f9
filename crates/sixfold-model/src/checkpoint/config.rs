//! Reading `config.json` so that no key is silently ignored.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::{Activation, Error, Result};

/// Keys that never change what a model computes from given weights and tokens: bookkeeping,
/// initialisation, generation defaults, training-only and output-only settings.
const HARMLESS: &[&str] = &[
    "_attn_implementation_autoset",
    "_commit_hash",
    "_name_or_path",
    "architectures",
    "attention_probs_dropout_prob",
    "auto_map",
    "bad_words_ids",
    "begin_suppress_tokens",
    "bos_token_id",
    "cls_token_id",
    "decoder_start_token_id",
    "directionality",
    "diversity_penalty",
    "do_sample",
    "dtype",
    "early_stopping",
    "encoder_no_repeat_ngram_size",
    "eos_token_id",
    "exponential_decay_length_penalty",
    "finetuning_task",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "gradient_checkpointing",
    "id2label",
    "initializer_range",
    "label2id",
    "length_penalty",
    "mask_token_id",
    "max_length",
    "min_length",
    "model_type",
    "no_repeat_ngram_size",
    "num_beam_groups",
    "num_beams",
    "num_labels",
    "num_return_sequences",
    "output_attentions",
    "output_hidden_states",
    "output_past",
    "output_scores",
    "pooler_fc_size",
    "pooler_num_attention_heads",
    "pooler_num_fc_layers",
    "pooler_size_per_head",
    "pooler_type",
    "prefix",
    "pretraining_tp",
    "problem_type",
    "quantization_config_note",
    "remove_invalid_values",
    "repetition_penalty",
    "return_dict",
    "return_dict_in_generate",
    "sep_token_id",
    "suppress_tokens",
    "task_specific_params",
    "temperature",
    "tie_weights_",
    "tokenizer_class",
    "top_k",
    "top_p",
    "torch_dtype",
    "torchscript",
    "transformers_version",
    "typical_p",
    "unk_token_id",
    "use_bfloat16",
    "use_cache",
    "vocab_file",
];

/// A `config.json` that remembers which keys were asked for.
///
/// A family reads what it supports; [`finish`](Self::finish) then refuses any key that nobody
/// read and that is not known to be harmless.
#[derive(Debug)]
pub(crate) struct ConfigReader<'a> {
    path: PathBuf,
    values: &'a Map<String, Value>,
    read: RefCell<BTreeSet<String>>,
}

impl<'a> ConfigReader<'a> {
    pub(crate) fn new(path: &Path, values: &'a Map<String, Value>) -> Self {
        Self { path: path.to_owned(), values, read: RefCell::default() }
    }

    /// The value of a key; `None` where it is absent or null.
    pub(crate) fn value(&self, key: &str) -> Option<&'a Value> {
        self.read.borrow_mut().insert(key.to_owned());
        self.values.get(key).filter(|value| !value.is_null())
    }

    /// Whether a key is there, be it null.
    pub(crate) fn is_given(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// An error about a key.
    pub(crate) fn error(&self, key: &str, expected: impl Into<String>) -> Error {
        let found = match self.values.get(key) {
            None => "(absent)".to_owned(),
            Some(value) => value.to_string(),
        };
        Error::Config {
            path: self.path.clone(),
            key: key.to_owned(),
            found,
            expected: expected.into(),
        }
    }

    /// A positive count that must be there.
    pub(crate) fn count(&self, key: &str) -> Result<usize> {
        self.count_opt(key)?.ok_or_else(|| self.error(key, "expected a positive integer"))
    }

    /// A positive count, where given.
    pub(crate) fn count_opt(&self, key: &str) -> Result<Option<usize>> {
        match self.value(key) {
            None => Ok(None),
            Some(value) => match value.as_u64() {
                Some(n) if n > 0 => Ok(Some(n as usize)),
                _ => Err(self.error(key, "expected a positive integer")),
            },
        }
    }

    /// A token id, where given.
    pub(crate) fn token_opt(&self, key: &str) -> Result<Option<u32>> {
        match self.value(key) {
            None => Ok(None),
            // Some configs use −1 for "none", and lists for several ends.
            Some(value) if value.as_i64() == Some(-1) || value.is_array() => Ok(None),
            Some(value) => value
                .as_u64()
                .and_then(|id| u32::try_from(id).ok())
                .map(Some)
                .ok_or_else(|| self.error(key, "expected a token id")),
        }
    }

    /// A finite number, or its default.
    pub(crate) fn number(&self, key: &str, default: f64) -> Result<f64> {
        match self.value(key) {
            None => Ok(default),
            Some(value) => value
                .as_f64()
                .filter(|number| number.is_finite())
                .ok_or_else(|| self.error(key, "expected a finite number")),
        }
    }

    /// A switch, or its default.
    pub(crate) fn flag(&self, key: &str, default: bool) -> Result<bool> {
        match self.value(key) {
            None => Ok(default),
            Some(value) => value.as_bool().ok_or_else(|| self.error(key, "expected true or false")),
        }
    }

    /// A word, or its default.
    pub(crate) fn word(&self, key: &str, default: &'a str) -> Result<&'a str> {
        match self.value(key) {
            None => Ok(default),
            Some(value) => value.as_str().ok_or_else(|| self.error(key, "expected a string")),
        }
    }

    /// A probability below 1, or its default.
    pub(crate) fn probability(&self, key: &str, default: f64) -> Result<f64> {
        let p = self.number(key, default)?;
        if (0.0..1.0).contains(&p) {
            Ok(p)
        } else {
            Err(self.error(key, "expected a number in [0, 1)"))
        }
    }

    /// Refuses the key unless it is absent or has the only value that is supported.
    pub(crate) fn only(&self, key: &str, supported: &Value) -> Result<()> {
        match self.value(key) {
            Some(value) if value != supported => {
                Err(self.error(key, format!("only {supported} is supported")))
            }
            _ => Ok(()),
        }
    }

    /// Marks keys as known to change nothing.
    pub(crate) fn ignore(&self, keys: &[&str]) {
        self.read.borrow_mut().extend(keys.iter().map(|&key| key.to_owned()));
    }

    /// An activation.
    pub(crate) fn activation(&self, key: &str, default: &'a str) -> Result<Activation> {
        match self.word(key, default)? {
            "gelu" | "gelu_python" => Ok(Activation::Gelu),
            "gelu_new" | "gelu_fast" | "gelu_pytorch_tanh" | "gelu_python_tanh"
            | "gelu_accurate" => Ok(Activation::GeluTanh),
            "quick_gelu" => Ok(Activation::QuickGelu),
            "relu" => Ok(Activation::Relu),
            "silu" | "swish" => Ok(Activation::Silu),
            "tanh" => Ok(Activation::Tanh),
            _ => Err(self.error(
                key,
                "supported: gelu, gelu_new, gelu_fast, gelu_pytorch_tanh, quick_gelu, relu, silu, tanh",
            )),
        }
    }

    /// How many classes a classifier of this config has.
    pub(crate) fn classes(&self) -> Result<usize> {
        self.ignore(&["num_labels", "id2label"]);
        match (self.values.get("num_labels"), self.values.get("id2label")) {
            (Some(_), _) => self.count("num_labels"),
            (None, Some(Value::Object(labels))) => Ok(labels.len()),
            _ => Ok(2),
        }
    }

    /// Refuses keys that nobody read.
    pub(crate) fn finish(&self, ignored: &[String]) -> Result<()> {
        let read = self.read.borrow();
        let unread = self.values.iter().find(|(key, value)| {
            !value.is_null()
                && !read.contains(*key)
                && !HARMLESS.contains(&key.as_str())
                && !ignored.contains(key)
        });
        match unread {
            None => Ok(()),
            Some((key, _)) => Err(self.error(
                key,
                "not a key that Sixfold knows for this family; if it changes nothing, name it in \
                 `LoadOptions::ignore_keys`",
            )),
        }
    }
}
