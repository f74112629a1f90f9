//! Checkpoints: forms, errors, round trips.

use std::fs;
use std::path::{Path, PathBuf};

use sixfold_model::{Checkpoint, Error, HeadKind, LoadOptions, Seed, Transformer, device};
use sixfold_testkit::{Golden, fixtures, max_abs_error};

fn case(name: &str) -> PathBuf {
    fixtures("sixfold-model").join(name)
}

/// A scratch copy of a case, removed at the end.
struct Copy(PathBuf);

impl Copy {
    fn of(name: &str, test: &str) -> Self {
        let to = std::env::temp_dir().join(format!("sixfold-{}-{test}", std::process::id()));
        fs::create_dir_all(&to).unwrap();
        for entry in fs::read_dir(case(name)).unwrap() {
            let from = entry.unwrap().path();
            fs::copy(&from, to.join(from.file_name().unwrap())).unwrap();
        }
        Self(to)
    }

    fn weights(&self) -> PathBuf {
        self.0.join("model.safetensors")
    }

    fn set(&self, key: &str, value: serde_json::Value) {
        let path = self.0.join("config.json");
        let text = fs::read_to_string(&path).unwrap();
        let mut config: serde_json::Value = serde_json::from_str(&text).unwrap();
        config[key] = value;
        fs::write(path, config.to_string()).unwrap();
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn load(dir: &Path) -> Result<Transformer, Error> {
    Checkpoint::open(dir)?.transformer(&device("flex").unwrap())
}

fn message(result: Result<Transformer, Error>) -> String {
    let mut error: &dyn std::error::Error = &result.expect_err("an error");
    let mut message = error.to_string();
    while let Some(source) = error.source() {
        message += &format!(": {source}");
        error = source;
    }
    message
}

#[test]
fn saved_directories_load_again_bit_for_bit() {
    let device = device("flex").unwrap();
    for name in
        ["bert-base", "gpt2-base", "bloom-base", "albert-inner", "opt-postnorm", "phi-qknorm"]
    {
        let checkpoint = Checkpoint::open(case(name)).unwrap();
        let out = Copy::of(name, &format!("saved-{name}"));
        let before = if checkpoint.spec().causal {
            let model = checkpoint.causal_lm(&device).unwrap();
            checkpoint.save(&model, &out.0).unwrap();
            checkpoint.tensors(&model).unwrap()
        } else {
            let model = checkpoint.masked_lm(&device).unwrap();
            checkpoint.save(&model, &out.0).unwrap();
            checkpoint.tensors(&model).unwrap()
        };
        let written = Golden::open(out.weights());
        let original = Golden::open(case(name).join("model.safetensors"));
        assert_eq!(before.len(), original.names().len(), "{name}: {:?}", before.keys());
        for (tensor, (shape, values)) in &before {
            assert_eq!((shape.clone(), values.clone()), written.f32(tensor), "{name} {tensor}");
            assert_eq!((shape.clone(), values.clone()), original.f32(tensor), "{name} {tensor}");
        }
        assert_eq!(Checkpoint::open(&out.0).unwrap().head(), Some(HeadKind::LanguageModel));
    }
}

#[test]
fn half_precision_and_shards_hold_the_same_model() {
    let whole = Checkpoint::open(case("llama-base")).unwrap();
    let model = whole.causal_lm(&device("flex").unwrap()).unwrap();
    let whole = whole.tensors(&model).unwrap();
    for (name, tolerance) in [("llama-sharded", 0.0), ("llama-f16", 1e-3), ("llama-bf16", 8e-3)] {
        let checkpoint = Checkpoint::open(case(name)).unwrap();
        let model = checkpoint.causal_lm(&device("flex").unwrap()).unwrap();
        for (tensor, (_, values)) in checkpoint.tensors(&model).unwrap() {
            let scale = values.iter().fold(1.0_f32, |scale, value| scale.max(value.abs()));
            let error = max_abs_error(&values, &whole[&tensor].1) / f64::from(scale);
            assert!(error <= tolerance, "{name} {tensor}: {error}");
        }
    }
}

#[test]
fn an_unsupported_value_names_its_key() {
    for (key, value) in [
        ("position_embedding_type", "relative_key".into()),
        ("hidden_act", "mish".into()),
        ("num_attention_heads", 5.into()),
        ("layer_norm_eps", "small".into()),
        ("a_new_switch", true.into()),
        ("model_type", "mamba".into()),
    ] {
        let copy = Copy::of("bert-base", key);
        copy.set(key, value);
        let message = message(load(&copy.0));
        assert!(message.contains("config.json") && message.contains(key), "{message}");
    }
}

#[test]
fn a_key_that_changes_nothing_can_be_allowed() {
    let copy = Copy::of("bert-base", "allowed");
    copy.set("a_new_switch", true.into());
    let options = LoadOptions { ignore_keys: vec!["a_new_switch".to_owned()] };
    assert!(Checkpoint::open_with(&copy.0, &options).is_ok());
}

#[test]
fn rope_scaling_that_is_not_supported_is_an_error() {
    let copy = Copy::of("llama-base", "dynamic");
    copy.set("rope_scaling", serde_json::json!({"rope_type": "dynamic", "factor": 2.0}));
    let message = message(load(&copy.0));
    assert!(message.contains("rope_scaling") && message.contains("yarn"), "{message}");
}

#[test]
fn a_truncated_file_is_named() {
    let copy = Copy::of("bert-base", "truncated");
    let bytes = fs::read(copy.weights()).unwrap();
    for keep in [4, 100, bytes.len() / 2, bytes.len() - 1] {
        fs::write(copy.weights(), &bytes[..keep]).unwrap();
        let message = message(load(&copy.0));
        assert!(message.contains("model.safetensors"), "{keep} bytes: {message}");
    }
}

#[test]
fn tensors_that_do_not_fit_are_listed() {
    let copy = Copy::of("bert-base", "misfit");
    copy.set("intermediate_size", 24.into());
    copy.set("num_hidden_layers", 9.into());
    let message = message(load(&copy.0));
    assert!(message.contains("missing: bert.encoder.layer."), "{message}");
    assert!(message.contains(", …") && message.contains("of another shape"), "{message}");
    assert!(message.contains("expected [24,"), "{message}");

    let copy = Copy::of("bert-base", "extra");
    copy.set("num_hidden_layers", 1.into());
    let message = self::message(load(&copy.0));
    assert!(message.contains("tensors unexpected: bert.encoder.layer.1."), "{message}");
}

#[test]
fn a_pickle_says_how_to_convert_it() {
    let copy = Copy::of("bert-base", "pickle");
    fs::rename(copy.weights(), copy.0.join("pytorch_model.bin")).unwrap();
    let message = message(load(&copy.0));
    assert!(
        message.contains("pytorch_model.bin") && message.contains("save_pretrained"),
        "{message}"
    );
}

#[test]
fn a_missing_shard_is_named() {
    let copy = Copy::of("llama-sharded", "shard");
    let shard = fs::read_dir(&copy.0)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_string_lossy().contains("-00002-of-"))
        .unwrap();
    fs::remove_file(&shard).unwrap();
    let message = message(load(&copy.0));
    assert!(message.contains("-00002-of-"), "{message}");
}

#[test]
fn a_base_checkpoint_gets_a_new_classifier_but_half_a_head_is_an_error() {
    let device = device("flex").unwrap();
    let base = Checkpoint::open(case("roberta-base")).unwrap();
    assert!(base.classifier(Seed::new(1), &device).is_ok());

    let whole = Checkpoint::open(case("roberta-classify")).unwrap();
    let model = whole.classifier(Seed::new(1), &device).unwrap();
    let copy = Copy::of("roberta-classify", "half");
    let mut tensors = whole.tensors(&model).unwrap();
    tensors.remove("classifier.out_proj.bias");
    let bytes: Vec<(String, Vec<usize>, Vec<u8>)> = tensors
        .into_iter()
        .map(|(name, (shape, values))| {
            (name, shape, values.iter().flat_map(|v| v.to_le_bytes()).collect())
        })
        .collect();
    let views = bytes.iter().map(|(name, shape, bytes)| {
        let dtype = safetensors::Dtype::F32;
        (name, safetensors::tensor::TensorView::new(dtype, shape.clone(), bytes).unwrap())
    });
    fs::write(copy.weights(), safetensors::serialize(views, None).unwrap()).unwrap();
    let error = Checkpoint::open(&copy.0)
        .and_then(|checkpoint| checkpoint.classifier(Seed::new(1), &device))
        .expect_err("half a head");
    assert!(error.to_string().contains("classifier.out_proj.bias"), "{error}");
}
