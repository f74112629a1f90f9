//! Files that are not as they should be: an error that says what and where, never a panic.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use safetensors::tensor::Dtype;
use sixfold_tensor_train::{Error, Order, QuantisedCores, TtShape, files};

use super::{Tensor, official, place};
use crate::common::random;

const SHAPE: &str = r#"{"vocab":5,"rows":[2,3],"columns":[2,2],"ranks":[1,2,1]}"#;
const METADATA: [(&str, &str); 3] =
    [("format", "sixfold-tensor-train/1"), ("values", "f32"), ("shape", SHAPE)];

/// The message of a refusal, which names the file.
fn refused(path: &Path, error: &Error) -> String {
    assert!(matches!(error, Error::Malformed { .. }), "{error:?}");
    let message = error.to_string();
    assert!(message.contains(path.to_str().unwrap()), "{message} does not name the file");
    message
}

fn tensors() -> Vec<Tensor> {
    vec![
        Tensor::f32("cores.0", &[2, 1, 2, 2], &[0.5; 8]),
        Tensor::f32("cores.1", &[3, 2, 2, 1], &[0.25; 12]),
    ]
}

#[test]
fn what_is_wrong_is_said() {
    let path = place("wrong.safetensors");
    let with = |key: &str, value: &'static str| {
        METADATA.map(|(k, v)| if k == key { (k, value) } else { (k, v) })
    };
    let replaced = |tensor: Tensor| {
        let mut tensors = tensors();
        tensors.retain(|other| other.name != tensor.name);
        tensors.push(tensor);
        tensors
    };
    let mut nan = [0.25; 12];
    nan[7] = f32::NAN;
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (b"<html>".to_vec(), "truncated, or no safetensors file"),
        (Vec::new(), "truncated, or no safetensors file"),
        (official(&[], &tensors()), "no `format` in the metadata"),
        (official(&METADATA[..1], &tensors()), "no `values` in the metadata"),
        (official(&METADATA[..2], &tensors()), "no `shape` in the metadata"),
        (
            official(&with("format", "sixfold-tensor-train/2"), &tensors()),
            "`format` in the metadata is `sixfold-tensor-train/2`, expected `sixfold-tensor-train/1`",
        ),
        (official(&with("format", "pt"), &tensors()), "`format` in the metadata is `pt`"),
        (
            official(&with("values", "f16"), &tensors()),
            "`values` in the metadata is `f16`, expected one of [\"f32\"]",
        ),
        (official(&with("shape", "{}"), &tensors()), "`shape` in the metadata: missing field"),
        (
            official(
                &with("shape", r#"{"vocab":7,"rows":[2,3],"columns":[2,2],"ranks":[1,2,1]}"#),
                &tensors(),
            ),
            "give 6 rows, fewer than the vocabulary's 7",
        ),
        (
            official(
                &with("shape", r#"{"vocab":5,"rows":[2,3],"columns":[2,2],"ranks":[1,3,1]}"#),
                &tensors(),
            ),
            "tensor `cores.0` is F32 [2, 1, 2, 2], expected F32 [2, 1, 2, 3]",
        ),
        (
            official(
                &with("shape", r#"{"vocab":5,"rows":[2,3],"columns":[2,2],"ranks":[1,9,1]}"#),
                &tensors(),
            ),
            "rank 9 between cores 1 and 2 cannot be reached",
        ),
        (official(&METADATA, &tensors()[..1]), "no tensor `cores.1`, found [\"cores.0\"]"),
        (
            official(
                &METADATA,
                &replaced(Tensor::new("cores.1", Dtype::F16, &[3, 2, 2, 1], vec![0; 24])),
            ),
            "tensor `cores.1` is F16 [3, 2, 2, 1], expected F32 [3, 2, 2, 1]",
        ),
        (
            official(&METADATA, &replaced(Tensor::f32("cores.1", &[3, 2, 2, 1], &nan))),
            "value 7 of tensor `cores.1` is NaN",
        ),
        (
            official(&METADATA, &replaced(Tensor::f32("cores.2", &[1], &[0.0]))),
            "tensor `cores.2` belongs to no table of 2 cores",
        ),
        (
            official(&METADATA, &replaced(Tensor::f32("scales.0", &[2], &[0.0; 2]))),
            "tensor `scales.0` belongs to no table",
        ),
        (
            official(&METADATA, &replaced(Tensor::u32("order", &[4], &[0, 1, 2, 3]))),
            "tensor `order` is U32 [4], expected U32 [5]",
        ),
        (
            official(&METADATA, &replaced(Tensor::u32("order", &[5], &[0, 1, 2, 4, 2]))),
            "tensor `order` is no permutation of 5 rows: id 4 has row 2",
        ),
        (
            official(&METADATA, &replaced(Tensor::u32("order", &[5], &[0, 5, 2, 4, 1]))),
            "id 1 has row 5",
        ),
    ];
    fs::write(&path, official(&METADATA, &tensors())).unwrap();
    assert_eq!(files::load(&path).unwrap().cores.core(1), [0.25; 12]);
    for (bytes, expected) in cases {
        fs::write(&path, bytes).unwrap();
        let message = refused(&path, &files::load(&path).unwrap_err());
        assert!(message.contains(expected), "{message}, expected {expected}");
    }
}

#[test]
fn what_is_wrong_with_quantised_cores_is_said() {
    let path = place("wrong-quantised.safetensors");
    let integers = |scale: f32, scales: usize| {
        let metadata = METADATA.map(|(k, v)| if k == "values" { (k, "int8") } else { (k, v) });
        let tensors = [
            Tensor::f32("scales.0", &[2], &[scale; 2]),
            Tensor::f32("scales.1", &[scales], &vec![1.0; scales]),
            Tensor::new("cores.0", Dtype::I8, &[2, 1, 2, 2], vec![255; 8]),
            Tensor::new("cores.1", Dtype::I8, &[3, 2, 2, 1], vec![2; 12]),
        ];
        official(&metadata, &tensors)
    };
    fs::write(&path, integers(0.5, 3)).unwrap();
    let cores = files::load_quantised(&path).unwrap().cores.dequantise();
    assert_eq!((cores.core(0), cores.core(1)), (&[-0.5; 8][..], &[2.0; 12][..]));
    let message = refused(&path, &files::load(&path).unwrap_err());
    assert!(message.contains("`values` in the metadata is `int8`, expected one of [\"f32\"]"));
    let infinite = [("values", "f16")].map(|_| {
        let metadata = METADATA.map(|(k, v)| if k == "values" { (k, "f16") } else { (k, v) });
        let first = Tensor::new("cores.0", Dtype::F16, &[2, 1, 2, 2], vec![0; 16]);
        let bytes = [0x3c00_u16.to_le_bytes(); 11].into_iter().chain([0x7c00_u16.to_le_bytes()]);
        let second = Tensor::new("cores.1", Dtype::F16, &[3, 2, 2, 1], bytes.flatten().collect());
        official(&metadata, &[first, second])
    });
    let [infinite] = infinite;
    for (bytes, expected) in [
        (official(&METADATA, &tensors()), "`values` in the metadata is `f32`, expected one of"),
        (integers(f32::INFINITY, 3), "value 0 of tensor `scales.0` is inf"),
        (integers(1.0, 4), "tensor `scales.1` is F32 [4], expected F32 [3]"),
        (infinite, "value 11 of tensor `cores.1` is inf"),
    ] {
        fs::write(&path, bytes).unwrap();
        let message = refused(&path, &files::load_quantised(&path).unwrap_err());
        assert!(message.contains(expected), "{message}, expected {expected}");
    }
}

#[test]
fn files_that_end_too_early_or_too_late_are_refused() {
    let path = place("truncated.safetensors");
    let shape = TtShape::train(5, [2, 3], [2, 2], 2).unwrap();
    let cores = random(shape, 1);
    let order = Order::from_permutation(vec![3, 4, 2, 0, 1]).unwrap();
    files::save(&path, &cores, Some(&order)).unwrap();
    let whole = fs::read(&path).unwrap();
    let mut others: Vec<Vec<u8>> = (0..whole.len()).map(|n| whole[..n].to_vec()).collect();
    others.push([&whole[..], &[0]].concat());
    for bytes in others {
        fs::write(&path, &bytes).unwrap();
        let message = refused(&path, &files::load(&path).unwrap_err());
        assert!(message.contains("truncated"), "{message}");
    }
    files::save_quantised(&path, &QuantisedCores::int8(&cores).unwrap(), None).unwrap();
    let whole = fs::read(&path).unwrap();
    for n in 0..whole.len() {
        fs::write(&path, &whole[..n]).unwrap();
        refused(&path, &files::load_quantised(&path).unwrap_err());
    }
    let gone = place("gone.safetensors");
    let error = files::load(&gone).unwrap_err();
    assert!(matches!(&error, Error::Io { path, .. } if *path == gone), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn damaged_headers_never_panic(at in 0_usize..10_000, byte: u8) {
        let path = place("damaged.safetensors");
        let mut bytes = official(&METADATA, &tensors());
        let header = u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize + 8;
        bytes[at % header] = byte;
        fs::write(&path, bytes).unwrap();
        match files::load(&path) {
            // A space for another, or a larger vocabulary that still fits.
            Ok(saved) => prop_assert!(saved.cores.shape().vocab_size() <= 6),
            Err(error) => prop_assert!(matches!(error, Error::Malformed { .. }), "{error:?}"),
        }
    }
}
