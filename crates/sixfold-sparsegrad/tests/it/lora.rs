//! LoRA of Hugging Face PEFT, written and read.

use std::fs;

use ndarray::Array2;
use proptest::prelude::*;
use serde_json::{Value, json};
use sixfold_sparsegrad::{
    Adapter, AdapterConfig, Error, LayerUpdate, Lora, LoraLayer, LoraRank, Precision,
};

use crate::adapter::{adapter, basis, error, oracle, place, random, update};

const MODEL: &str = "adapter_model.safetensors";
const CONFIG: &str = "adapter_config.json";

/// A name as Hugging Face's models have them.
fn hf(path: &str) -> String {
    format!("encoder.{path}.dense")
}

/// Hugging Face's product B·A·scaling, by loops in f64, in burn's layout.
fn merged(layer: &LoraLayer) -> Array2<f64> {
    let mut delta = Array2::zeros((layer.a.ncols(), layer.b.nrows()));
    for ((i, j), sum) in delta.indexed_iter_mut() {
        for r in 0..layer.a.nrows() {
            let (b, a) = (f64::from(layer.b[(j, r)]), f64::from(layer.a[(r, i)]));
            *sum += f64::from(layer.scaling) * b * a;
        }
    }
    delta
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn exports_are_exact(
        d_in in 1_usize..30,
        d_out in 1_usize..30,
        r_in in 0_usize..30,
        r_out in 0_usize..30,
        k in 1_usize..40,
        numerical: bool,
        seed in 0_u64..1_000,
    ) {
        let basis = basis([d_in, d_out], [r_in.min(d_in), r_out.min(d_out)], seed);
        let mut adapter =
            Adapter::new(AdapterConfig { scale: -0.6, ..AdapterConfig::default() });
        adapter.insert_basis("b", basis.clone()).unwrap();
        let update = update(("b", &basis), k, seed);
        adapter.insert("w", update.clone()).unwrap();
        let rank = if numerical { LoraRank::Numerical(1e-6) } else { LoraRank::Basis };
        let lora = adapter.to_lora(hf, rank).unwrap();
        let layer = lora.layer("encoder.w.dense").unwrap();
        prop_assert_eq!(layer.a.ncols(), d_in);
        prop_assert_eq!(layer.b.nrows(), d_out);
        let smaller = basis.input.rank().min(basis.output.rank());
        let least = if numerical { layer.rank().min(smaller) } else { smaller };
        prop_assert_eq!(layer.rank(), least);
        prop_assert!(layer.rank() <= k || !numerical);
        let expected = oracle(&update, &basis, -0.6);
        let found = merged(layer).mapv(|x| x as f32);
        prop_assert!(error(&found, &expected) < 1e-5);
        prop_assert!(error(&layer.delta(), &expected) < 1e-5);
        // And back.
        let back = Adapter::from_lora(&lora, |_| "w".to_owned()).unwrap();
        prop_assert!(error(&back.delta("w").unwrap(), &expected) < 1e-5);
    }
}

#[test]
fn the_numerical_rank_is_that_of_the_core() {
    let basis = basis([20, 16], [8, 8], 1);
    let mut adapter = Adapter::default();
    adapter.insert_basis("b", basis).unwrap();
    // Three entries in three rows and columns.
    let mask = sixfold_sparsegrad::Mask::new([8, 8], vec![0, 18, 45]).unwrap();
    for (values, rank) in [(vec![1.0, 2.0, 3.0], 3), (vec![0.0; 3], 1)] {
        let update = LayerUpdate { basis: "b".into(), mask: mask.clone(), values };
        adapter.insert("w", update).unwrap();
        let of = |rank| adapter.to_lora(hf, rank).unwrap().layers()["encoder.w.dense"].rank();
        assert_eq!((of(LoraRank::Numerical(1e-6)), of(LoraRank::Basis)), (rank, 8));
    }
}

#[test]
fn files_are_those_of_peft() {
    let dir = place("lora");
    let mut lora = adapter(1).to_lora(hf, LoraRank::Basis).unwrap();
    lora.fan_in_fan_out = true;
    lora.save(&dir).unwrap();
    assert_eq!(Lora::open(&dir).unwrap(), lora);
    let config: Value = serde_json::from_slice(&fs::read(dir.join(CONFIG)).unwrap()).unwrap();
    let expected = json!({
        "peft_type": "LORA",
        "task_type": null,
        "base_model_name_or_path": "some/model",
        "inference_mode": true,
        // Two layers of rank 5, two of rank 4: the smaller pair is the usual one.
        "r": 4,
        "lora_alpha": 4,
        "lora_dropout": 0.0,
        "target_modules": [
            "encoder.blocks.0.mlp.down.dense", "encoder.blocks.0.mlp.up.dense",
            "encoder.blocks.1.mlp.down.dense", "encoder.blocks.1.mlp.up.dense",
        ],
        "rank_pattern": {"encoder.blocks.0.mlp.up.dense": 5, "encoder.blocks.1.mlp.up.dense": 5},
        "alpha_pattern": {"encoder.blocks.0.mlp.up.dense": 5, "encoder.blocks.1.mlp.up.dense": 5},
        "bias": "none",
        "fan_in_fan_out": true,
        "use_rslora": false,
        "modules_to_save": null,
    });
    assert_eq!(config, expected);
    let bytes = fs::read(dir.join(MODEL)).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(tensors.len(), 8);
    let shape = |name: &str| tensors.tensor(name).unwrap().shape().to_vec();
    let module = "base_model.model.encoder.blocks.0.mlp.up.dense";
    assert_eq!(shape(&format!("{module}.lora_A.weight")), [5, 12]);
    assert_eq!(shape(&format!("{module}.lora_B.weight")), [30, 5]);

    lora.save_as(&dir, Precision::Bf16).unwrap();
    let found = Lora::open(&dir).unwrap();
    let rounded =
        lora.layers()["encoder.blocks.0.mlp.up.dense"].a.mapv(|x| half::bf16::from_f32(x).to_f32());
    assert_eq!(found.layers()["encoder.blocks.0.mlp.up.dense"].a, rounded);
    let error = Lora::default().save(&dir).unwrap_err();
    assert!(matches!(error, Error::Config { .. }), "{error:?}");
}

#[test]
fn names_have_to_be_different() {
    let error = adapter(1).to_lora(|_| "same".to_owned(), LoraRank::Basis).unwrap_err();
    assert!(error.to_string().contains("becomes `same`, and so does another"), "{error}");
    let lora = adapter(1).to_lora(hf, LoraRank::Basis).unwrap();
    let error = Adapter::from_lora(&lora, |_| "same".to_owned()).unwrap_err();
    assert!(error.to_string().contains("becomes `same`, and so does another"), "{error}");
}

#[test]
fn layers_that_do_not_fit_are_refused() {
    let mut lora = Lora::default();
    let layer = LoraLayer { a: random([2, 3], 0), b: random([4, 2], 1), scaling: 1.0 };
    let wrong = LoraLayer { b: random([4, 3], 1), ..layer.clone() };
    let error = lora.insert("up", wrong).unwrap_err().to_string();
    assert_eq!(error, "lora_B of `up` is [4, 3], expected [4, 2]");
    let mut nan = layer.clone();
    nan.b[(1, 1)] = f32::NAN;
    let error = lora.insert("up", nan).unwrap_err().to_string();
    assert_eq!(error, "lora_B of `up` is not finite at entry 3");
    lora.insert("up", layer).unwrap();
    assert!(matches!(lora.layer("down").unwrap_err(), Error::NoMatch { .. }));
}
