//! Files that are not as they should be: an error that says what and where, never a panic.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use safetensors::tensor::{Dtype, TensorView};
use sixfold_sparsegrad::{Adapter, Error, SaveOptions};

use super::{adapter, place};

const MODEL: &str = "adapter_model.safetensors";
const CONFIG: &str = "adapter_config.json";
const BASES: &str = r#"{"b":{"input":{"columns":[3,2]},"output":{"identity":4}}}"#;
const LAYERS: &str = r#"{"w":{"basis":"b","core":[2,4],"kept":3}}"#;

/// A tensor that the official writer writes.
#[derive(Clone)]
struct Tensor(&'static str, Dtype, Vec<usize>, Vec<u8>);

impl Tensor {
    fn floats(name: &'static str, shape: &[usize], values: &[f32]) -> Self {
        let bytes = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        Self(name, Dtype::F32, shape.to_vec(), bytes)
    }

    fn indices(values: &[u16]) -> Self {
        let bytes = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        Self("layers.w.indices", Dtype::U16, vec![values.len()], bytes)
    }
}

fn sound() -> Vec<Tensor> {
    vec![
        Tensor::floats("bases.b.input", &[3, 2], &[1.0, 0.0, 0.0, 1.0, 0.0, 0.0]),
        Tensor::floats("layers.w.values", &[3], &[1.0, 2.0, 3.0]),
        Tensor::indices(&[0, 5, 7]),
    ]
}

/// The sound tensors with one replaced or added.
fn with(tensor: Tensor) -> Vec<Tensor> {
    let mut tensors = sound();
    tensors.retain(|other| other.0 != tensor.0);
    tensors.push(tensor);
    tensors
}

fn without(name: &str) -> Vec<Tensor> {
    sound().into_iter().filter(|tensor| tensor.0 != name).collect()
}

fn file(metadata: &[(&str, &str)], tensors: &[Tensor]) -> Vec<u8> {
    let views = tensors.iter().map(|Tensor(name, dtype, shape, bytes)| {
        (*name, TensorView::new(*dtype, shape.clone(), bytes).unwrap())
    });
    let metadata = metadata.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    safetensors::serialize(views, Some(metadata)).unwrap()
}

fn usual(tensors: &[Tensor]) -> Vec<u8> {
    file(&[("format", "sixfold-sparsegrad/1"), ("bases", BASES), ("layers", LAYERS)], tensors)
}

/// A folder with sound settings.
fn folder(name: &str) -> std::path::PathBuf {
    let dir = place(name);
    fs::write(dir.join(CONFIG), r#"{"peft_type":"SPARSEGRAD","version":1}"#).unwrap();
    dir
}

/// The message of a refusal, which names the file.
fn refused(dir: &Path, file: &str) -> String {
    let error = Adapter::open(dir).unwrap_err();
    assert!(matches!(error, Error::Malformed { .. }), "{error:?}");
    let message = error.to_string();
    let path = dir.join(file).display().to_string();
    assert!(message.starts_with(&path), "{message} does not name {path}");
    message
}

#[test]
fn wrong_tensors_are_named() {
    let dir = folder("wrong-tensors");
    let nan = [1.0, f32::NAN, 3.0];
    let cases = [
        (without("bases.b.input"), "no tensor `bases.b.input`, found ["),
        (without("layers.w.values"), "no tensor `layers.w.values`, found ["),
        (without("layers.w.indices"), "no tensor `layers.w.indices`, found ["),
        (
            with(Tensor::floats("bases.b.input", &[2, 3], &[0.0; 6])),
            "tensor `bases.b.input` is [2, 3], expected [3, 2]",
        ),
        (
            with(Tensor::floats("layers.w.values", &[4], &[0.0; 4])),
            "tensor `layers.w.values` is [4], expected [3]",
        ),
        (
            with(Tensor::floats("layers.w.values", &[3], &nan)),
            "value 1 of tensor `layers.w.values` is NaN",
        ),
        (
            with(Tensor("layers.w.values", Dtype::BF16, vec![3], vec![0, 0, 0x80, 0x7f, 0, 0])),
            "value 1 of tensor `layers.w.values` is inf",
        ),
        (
            with(Tensor("layers.w.values", Dtype::I32, vec![3], vec![0; 12])),
            "tensor `layers.w.values` is I32, expected F32, F16 or BF16",
        ),
        (
            with(Tensor("bases.b.input", Dtype::F64, vec![3, 2], vec![0; 48])),
            "tensor `bases.b.input` is F64, expected F32, F16 or BF16",
        ),
        (with(Tensor::indices(&[0, 5, 5])), "index 5 of tensor `layers.w.indices` is there twice"),
        (
            with(Tensor::indices(&[0, 7, 5])),
            "index 5 of tensor `layers.w.indices` is not in ascending order",
        ),
        (with(Tensor::indices(&[0, 5, 8])), "index 8 of tensor `layers.w.indices` is not one of 8"),
        (with(Tensor::indices(&[0, 5])), "tensor `layers.w.indices` is U16 [2], expected U16 [3]"),
        (
            with(Tensor("layers.w.indices", Dtype::U32, vec![3], vec![0; 12])),
            "tensor `layers.w.indices` is U32 [3], expected U16 [3]",
        ),
        (
            with(Tensor::floats("layers.v.values", &[1], &[0.0])),
            "tensor `layers.v.values` belongs to no layer and no basis",
        ),
    ];
    fs::write(dir.join(MODEL), usual(&sound())).unwrap();
    let adapter = Adapter::open(&dir).unwrap();
    assert_eq!(adapter.layers()["w"].mask.indices(), Some(&[0, 5, 7][..]));
    for (tensors, expected) in cases {
        fs::write(dir.join(MODEL), usual(&tensors)).unwrap();
        let message = refused(&dir, MODEL);
        assert!(message.contains(expected), "{message}, expected {expected}");
    }
}

#[test]
fn wrong_metadata_are_named() {
    let dir = folder("wrong-metadata");
    let of = |format, bases, layers| {
        file(&[("format", format), ("bases", bases), ("layers", layers)], &sound())
    };
    const FORMAT: &str = "sixfold-sparsegrad/1";
    let cases = [
        (file(&[], &sound()), "no `format` in the metadata"),
        (file(&[("format", FORMAT)], &sound()), "no `layers` in the metadata"),
        (
            of("pt", BASES, LAYERS),
            "`format` in the metadata is `pt`, expected `sixfold-sparsegrad/1`",
        ),
        (of(FORMAT, "{", LAYERS), "`bases` in the metadata: "),
        (of(FORMAT, BASES, r#"{"w":{"basis":"b","core":[2,4]}}"#), "missing field `kept`"),
        (
            of(FORMAT, BASES, r#"{"w":{"basis":"c","core":[2,4],"kept":3}}"#),
            "layer `w` uses the basis `c`, which is not there",
        ),
        (
            of(FORMAT, BASES, r#"{"w":{"basis":"b","core":[3,4],"kept":3}}"#),
            "the core of `w` is [3, 4], expected [2, 4]",
        ),
        (
            of(FORMAT, BASES, r#"{"w":{"basis":"b","core":[2,4],"kept":9}}"#),
            "layer `w` keeps 9 entries of a core of [2, 4]",
        ),
        (
            of(FORMAT, BASES, r#"{"w":{"basis":"b","core":[4294967296,4294967296],"kept":3}}"#),
            "keeps 3 entries of a core of [4294967296, 4294967296]",
        ),
        (
            of(FORMAT, r#"{"b":{"input":{"rows":3},"output":{"identity":4}}}"#, LAYERS),
            "unknown variant `rows`",
        ),
        (Vec::new(), "truncated, or no safetensors file"),
        (b"<html>".to_vec(), "truncated, or no safetensors file"),
    ];
    for (bytes, expected) in cases {
        fs::write(dir.join(MODEL), bytes).unwrap();
        let message = refused(&dir, MODEL);
        assert!(message.contains(expected), "{message}, expected {expected}");
    }
}

#[test]
fn wrong_settings_are_named() {
    let dir = place("wrong-settings");
    fs::write(dir.join(MODEL), usual(&sound())).unwrap();
    let with = |more: &str| format!("{{\"peft_type\":\"SPARSEGRAD\",\"version\":1{more}}}");
    fs::write(dir.join(CONFIG), with(", \"rank\": 4")).unwrap();
    assert_eq!(Adapter::open(&dir).unwrap().config.rank, Some(4));
    for (text, expected) in [
        (with(", \"rnak\": 4"), "unknown key `rnak`, the nearest is `rank`"),
        (with(", \"target_module\": []"), "the nearest is `target_modules`"),
        (with(", \"scale\": \"large\""), "`scale` is \"large\": invalid type: string"),
        (with(", \"scale\": 1e60"), "`scale` is inf"),
        (with(", \"selection\": \"topk\""), "`selection` is \"topk\": unknown variant `topk`"),
        (with(", \"rank\": -1"), "`rank` is -1: invalid value"),
        ("{\"peft_type\":\"LORA\",\"version\":1,\"r\":8}".into(), "`peft_type` is \"LORA\""),
        ("{\"version\":1}".into(), "no key `peft_type`"),
        ("{\"peft_type\":\"SPARSEGRAD\"}".into(), "no key `version`"),
        ("{\"peft_type\":\"SPARSEGRAD\",\"version\":2}".into(), "`version` is 2, expected 1"),
        ("[]".into(), "truncated, or no JSON object"),
        (String::new(), "truncated, or no JSON object"),
    ] {
        fs::write(dir.join(CONFIG), text).unwrap();
        let message = refused(&dir, CONFIG);
        assert!(message.contains(expected), "{message}, expected {expected}");
    }
}

#[test]
fn files_that_end_too_early_or_too_late_are_refused() {
    let dir = place("truncated");
    adapter(1).save_with(&dir, &SaveOptions::default()).unwrap();
    for file in [MODEL, CONFIG] {
        let whole = fs::read(dir.join(file)).unwrap();
        // The last byte of the settings is a line's end.
        let end = whole.len() - usize::from(file == CONFIG);
        for n in 0..end {
            fs::write(dir.join(file), &whole[..n]).unwrap();
            let message = refused(&dir, file);
            assert!(message.contains("truncated"), "{n}: {message}");
        }
        fs::write(dir.join(file), [&whole[..], b"x"].concat()).unwrap();
        refused(&dir, file);
        fs::write(dir.join(file), whole).unwrap();
    }
    Adapter::open(&dir).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn damaged_files_never_panic(at in 0_usize..10_000, byte: u8) {
        let dir = folder("damaged");
        let mut bytes = usual(&sound());
        let at = at % bytes.len();
        bytes[at] = byte;
        fs::write(dir.join(MODEL), bytes).unwrap();
        match Adapter::open(&dir) {
            // Another value, or another name.
            Ok(adapter) => prop_assert!(adapter.layers().len() <= 1),
            Err(error) => prop_assert!(matches!(error, Error::Malformed { .. }), "{error:?}"),
        }
    }
}
