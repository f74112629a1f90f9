//! LoRA that PEFT wrote: what is followed, and what is refused.

use std::fs;
use std::path::Path;

use ndarray::{Array2, array};
use safetensors::tensor::{Dtype, TensorView};
use serde_json::{Value, json};
use sixfold_sparsegrad::{Error, Lora, LoraLayer};

use crate::adapter::place;

const MODEL: &str = "adapter_model.safetensors";
const CONFIG: &str = "adapter_config.json";

/// A folder with modules of the ranks, settings that are the usual ones but for some.
fn folder(dir: &Path, modules: &[(&str, usize)], more: Value, dtype: Dtype) {
    let width = dtype.bitsize() / 8;
    let bytes = |len: usize| -> Vec<u8> {
        (0..len)
            .flat_map(|i| {
                let value = i as f32 / 4.0;
                match dtype {
                    Dtype::F16 => half::f16::from_f32(value).to_le_bytes().to_vec(),
                    Dtype::BF16 => half::bf16::from_f32(value).to_le_bytes().to_vec(),
                    _ => value.to_le_bytes().to_vec(),
                }
            })
            .collect()
    };
    let tensors: Vec<(String, Vec<usize>, Vec<u8>)> = modules
        .iter()
        .flat_map(|(name, rank)| {
            let a =
                (format!("base_model.model.{name}.lora_A.weight"), vec![*rank, 3], bytes(3 * rank));
            let b =
                (format!("base_model.model.{name}.lora_B.weight"), vec![2, *rank], bytes(2 * rank));
            [a, b]
        })
        .collect();
    assert!(tensors.iter().all(|(_, shape, bytes)| bytes.len() == width * shape[0] * shape[1]));
    let views = tensors
        .iter()
        .map(|(name, shape, bytes)| (name, TensorView::new(dtype, shape.clone(), bytes).unwrap()));
    fs::write(dir.join(MODEL), safetensors::serialize(views, None).unwrap()).unwrap();
    let mut config =
        json!({"peft_type": "LORA", "r": 4, "lora_alpha": 8, "target_modules": "all-linear"});
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    fs::write(dir.join(CONFIG), config.to_string()).unwrap();
}

#[test]
fn scalings_are_those_of_peft() {
    let dir = place("scalings");
    let modules = [("layers.1.up", 4), ("layers.11.up", 4), ("down", 4), ("x.down", 4)];
    let scalings = |more: Value| {
        folder(&dir, &modules, more, Dtype::F32);
        let lora = Lora::open(&dir).unwrap();
        let scaling = |(name, _): &(&str, usize)| lora.layers()[*name].scaling;
        modules.iter().map(scaling).collect::<Vec<f32>>()
    };
    assert_eq!(scalings(json!({})), [2.0; 4]);
    assert_eq!(scalings(json!({"use_rslora": true})), [4.0; 4]);
    assert_eq!(scalings(json!({"alpha_pattern": {"1.up": 4}})), [1.0, 2.0, 2.0, 2.0]);
    assert_eq!(scalings(json!({"alpha_pattern": {"^down": 16}})), [2.0, 2.0, 4.0, 2.0]);
    assert_eq!(
        scalings(json!({"alpha_pattern": {"x\\.down": 4, "down": 16}})),
        [2.0, 2.0, 4.0, 1.0]
    );
    let modules = [("up", 4), ("down", 2)];
    folder(&dir, &modules, json!({"rank_pattern": {"down": 2}}), Dtype::F32);
    let lora = Lora::open(&dir).unwrap();
    assert_eq!((lora.layers()["up"].scaling, lora.layers()["down"].scaling), (2.0, 4.0));
}

#[test]
fn halves_are_read() {
    let dir = place("lora-halves");
    for dtype in [Dtype::F32, Dtype::F16, Dtype::BF16] {
        folder(&dir, &[("up", 4)], json!({}), dtype);
        let lora = Lora::open(&dir).unwrap();
        let LoraLayer { a, b, .. } = lora.layer("up").unwrap();
        assert_eq!(a, &Array2::from_shape_fn((4, 3), |(i, j)| (3 * i + j) as f32 / 4.0));
        assert_eq!(b, &array![[0.0, 0.25, 0.5, 0.75], [1.0, 1.25, 1.5, 1.75]]);
    }
}

#[test]
fn options_that_change_the_update_are_refused() {
    let dir = place("lora-options");
    let refused = |more: Value, expected: &str| {
        folder(&dir, &[("up", 4)], more, Dtype::F32);
        let error = Lora::open(&dir).unwrap_err();
        assert!(matches!(error, Error::Malformed { .. }), "{error:?}");
        let message = error.to_string();
        assert!(message.contains(CONFIG) && message.contains(expected), "{message}, {expected}");
    };
    for (more, expected) in [
        (json!({"use_dora": true}), "the option `use_dora` is true, which is not supported"),
        (json!({"modules_to_save": ["classifier"]}), "the option `modules_to_save` is"),
        (json!({"bias": "all"}), "the option `bias` is \"all\""),
        (json!({"init_lora_weights": "pissa"}), "the option `init_lora_weights` is \"pissa\""),
        (json!({"layer_replication": [[0, 2]]}), "`layer_replication`"),
        (json!({"trainable_token_indices": [1]}), "`trainable_token_indices`"),
        (json!({"lora_bias": true}), "`lora_bias`"),
        (json!({"what_is_to_come": true}), "`what_is_to_come`"),
        (json!({"peft_type": "VERA"}), "`peft_type` is \"VERA\", expected \"LORA\""),
        (json!({"r": "four"}), "`r` is \"four\", expected a whole number"),
        (json!({"lora_alpha": null}), "`lora_alpha` is null, expected a number"),
        (json!({"use_rslora": 1}), "`use_rslora` is 1, expected true or false"),
        (json!({"rank_pattern": {"layers.*": 4}}), "no regular expressions"),
        (json!({"alpha_pattern": {"up": "8"}}), "expected numbers by names"),
    ] {
        refused(more, expected);
    }
    let harmless = json!({
        "use_dora": false, "modules_to_save": null, "bias": "none", "init_lora_weights": true,
        "peft_version": "0.21.2", "loftq_config": {}, "qalora_group_size": 16, "lora_dropout": 0.1,
        "target_modules": ["up"], "task_type": "SEQ_CLS", "auto_mapping": {"a": "b"},
    });
    folder(&dir, &[("up", 4)], harmless, Dtype::F32);
    Lora::open(&dir).unwrap();
}

#[test]
fn tensors_that_do_not_fit_are_refused() {
    let dir = place("lora-tensors");
    let refused = |names: &[(&str, [usize; 2])], expected: &str| {
        let zeros = [0_u8; 64];
        let views = names.iter().map(|(name, shape)| {
            let bytes = &zeros[..4 * shape[0] * shape[1]];
            (*name, TensorView::new(Dtype::F32, shape.to_vec(), bytes).unwrap())
        });
        fs::write(dir.join(MODEL), safetensors::serialize(views, None).unwrap()).unwrap();
        let error = Lora::open(&dir).unwrap_err();
        assert!(matches!(error, Error::Malformed { .. }), "{error:?}");
        let message = error.to_string();
        assert!(message.contains(MODEL) && message.contains(expected), "{message}, {expected}");
    };
    folder(&dir, &[("up", 4)], json!({}), Dtype::F32);
    let (a, b) = ("base_model.model.up.lora_A.weight", "base_model.model.up.lora_B.weight");
    refused(&[(a, [4, 2])], "no tensor `base_model.model.up.lora_B.weight`");
    refused(&[(b, [2, 4])], "no tensor `base_model.model.up.lora_A.weight`, but `");
    refused(&[(a, [4, 2]), (b, [2, 3])], "rank 4 in lora_A, 3 in lora_B and Some(4)");
    refused(&[(a, [2, 2]), (b, [2, 2])], "rank 2 in lora_A, 2 in lora_B and Some(4)");
    let magnitude = "base_model.model.up.lora_magnitude_vector";
    refused(&[(a, [4, 2]), (b, [2, 4]), (magnitude, [1, 2])], "lora_magnitude_vector` is none of");
    refused(&[("up.lora_A.weight", [4, 2])], "tensor `up.lora_A.weight` is none of LoRA");
    refused(&[(a, [0, 2]), (b, [2, 0])], "[0, 2], expected rows and columns");
}
