//! Checkpoints: forms, errors, round trips.

use std::fs;
use std::path::{Path, PathBuf};

use sixfold_model::{
    Batch, CausalLm, Checkpoint, Error, HeadKind, LoadOptions, PaddingSide, Seed, Transformer,
    WeightType, device,
};
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
    let options =
        LoadOptions { ignore_keys: vec!["a_new_switch".to_owned()], ..LoadOptions::default() };
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

/// Half weights give what f32 weights give that were rounded the same way.
#[test]
fn half_weights_run_with_f32_arithmetic() {
    let device = device("flex").unwrap();
    let dir = fixtures("models/stories260k");
    let batch = Batch::pad(&[vec![1, 403, 407, 261, 378], vec![1, 410]], 0, PaddingSide::Right);
    for weights in [WeightType::F16, WeightType::Bf16] {
        let options = LoadOptions { weights, ..LoadOptions::default() };
        let half = Checkpoint::open_with(&dir, &options).unwrap().causal_lm(&device).unwrap();
        assert_eq!(half.body.blocks.len(), 5);
        let table = half.body.embed.tokens.weight.val();
        assert_eq!(table.dtype().size(), 2);
        let rounded = WeightType::F32.apply(half.clone()).unwrap();
        let values = |model: &CausalLm| {
            let logits = model.forward(&batch).unwrap();
            assert_eq!(logits.dtype(), burn::tensor::DType::F32);
            logits.into_data().iter::<f32>().collect::<Vec<_>>()
        };
        let error = max_abs_error(&values(&half), &values(&rounded));
        assert!(error < 1e-5, "{weights:?}: {error:e}");
        let whole = Checkpoint::open(&dir).unwrap().causal_lm(&device).unwrap();
        let error = max_abs_error(&values(&half), &values(&whole));
        assert!(error > 1e-6 && error < 0.3, "{weights:?}: {error:e}");
    }
}

#[cfg(feature = "ndarray")]
#[test]
fn a_device_without_the_type_says_so() {
    let device = device("ndarray").unwrap();
    let options = LoadOptions { weights: WeightType::Bf16, ..LoadOptions::default() };
    let dir = fixtures("models/stories260k");
    let error = Checkpoint::open_with(&dir, &options).unwrap().causal_lm(&device).unwrap_err();
    assert!(matches!(error, Error::WeightType { .. }), "{error}");
    assert!(error.to_string().contains("BF16"), "{error}");
}
