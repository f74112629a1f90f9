//! Oracle A7: updates go into weights and out again.

use sixfold_model::{Batch, PaddingSide};
use sixfold_sparsegrad::config::{Policy, Realisation};
use sixfold_sparsegrad::{
    Adaptable, Adapted, AdaptedModel, Basis, Error, LoraLinear, SparseAdamConfig, SparseGradConfig,
    adapter_of, attach, calibrate, merge, unload, with_adapter,
};

use crate::generator;
use crate::{Tuned, classifier, devices, distance, examples, loss, numbers};
use rand::RngExt;

fn config(realisation: Realisation) -> SparseGradConfig {
    SparseGradConfig {
        calibration_batches: 3,
        rank: Some(8),
        fraction: 0.05,
        selection: Policy::TopK,
        realisation,
        modules_to_save: vec!["head.**".to_owned()],
        ..SparseGradConfig::default()
    }
}

fn batch() -> Batch {
    Batch::pad(&examples(6).0, 0, PaddingSide::Right)
}

/// Draws values for all trained entries.
fn moved(model: Tuned) -> Tuned {
    let mut generator = generator(4);
    model.map_adapted(&mut |_, adapted| match adapted {
        Adapted::Sparse(sparse) => {
            let n = sparse.mask().len();
            let values: Vec<f32> = (0..n).map(|_| generator.random_range(-0.1..0.1)).collect();
            Adapted::Sparse(sparse.with_values(&values))
        }
        other => other,
    })
}

#[test]
fn merged_unmerged_saved_and_loaded_models_are_the_same() {
    let data = examples(24);
    for device in devices() {
        let device = device.autodiff();
        for (realisation, selection) in [
            (Realisation::InPlace, Policy::TopK),
            (Realisation::InPlace, Policy::All),
            (Realisation::Adapter, Policy::TopK),
            (Realisation::Adapter, Policy::All),
        ] {
            let model = classifier(&device);
            let config = SparseGradConfig { selection, ..config(realisation) };
            let found = calibrate(&model, &config, |model, i| {
                loss(model, &data, &[3 * i, 3 * i + 1, 3 * i + 2])
            })
            .unwrap();
            assert_eq!(found.bases.len(), 2, "both blocks share them");
            assert_eq!(found.masks.len(), 4);
            let tuned = attach(model.clone(), &config, &found, &SparseAdamConfig::default());
            let tuned = tuned.unwrap();
            let settings = tuned.adapter.clone();
            let tuned = moved(tuned.model);
            let outputs = numbers(tuned.forward(&batch()).unwrap());
            let plain = numbers(model.forward(&batch()).unwrap());
            assert!(distance(&outputs, &plain) > 1e-3, "the update changes something");

            let merged = merge(tuned.clone());
            let error = distance(&numbers(merged.forward(&batch()).unwrap()), &outputs);
            assert!(error <= 1e-5, "{realisation:?}: {error}");
            let unloaded = unload(tuned.clone());
            let error = distance(&numbers(unloaded.forward(&batch()).unwrap()), &plain);
            assert!(error <= 1e-6, "{realisation:?}: {error}");

            let dir = tempfile::tempdir().unwrap();
            let adapter = adapter_of(&tuned, &settings).unwrap();
            adapter.save(dir.path()).unwrap();
            let opened = sixfold_sparsegrad::Adapter::open(dir.path()).unwrap();
            for realisation in [Realisation::InPlace, Realisation::Adapter] {
                let again = with_adapter(model.clone(), &opened, realisation).unwrap();
                let error = distance(&numbers(again.forward(&batch()).unwrap()), &outputs);
                assert!(error <= 1e-5, "{realisation:?}: {error}");
            }
            let other = sixfold_model::SequenceClassifier::new(
                model.body.spec(),
                model.head.spec(),
                sixfold_model::Seed::new(77),
                &device,
            );
            let error = with_adapter(other, &opened, Realisation::Adapter).unwrap_err();
            assert!(matches!(error, Error::Hash { .. }), "{error}");
        }
    }
}

#[test]
fn lora_goes_into_the_weights() {
    for device in devices() {
        let model = classifier(&device);
        let tuned = model.clone().adapt(&mut |_, linear| {
            let mut lora = LoraLinear::new(linear, 4, 0.5, sixfold_model::Seed::new(1));
            lora.b = lora.b.map(|b| b.random_like(burn::tensor::Distribution::Uniform(-0.2, 0.2)));
            Adapted::Lora(lora)
        });
        let outputs = numbers(tuned.forward(&batch()).unwrap());
        let merged = numbers(merge(tuned.clone()).forward(&batch()).unwrap());
        assert!(distance(&merged, &outputs) <= 1e-5);
        let plain = numbers(model.forward(&batch()).unwrap());
        assert_eq!(numbers(unload(tuned).forward(&batch()).unwrap()), plain);
    }
}

#[test]
fn two_adapters_in_turns_do_not_drift() {
    let device = sixfold_model::device("flex").unwrap();
    let model = classifier(&device);
    let adapter = |seed: u64| {
        let mut adapter = sixfold_sparsegrad::Adapter::default();
        let basis = Basis::random(16, 64, 8, 8, seed).unwrap();
        adapter.insert_basis("up", basis).unwrap();
        let mut generator = generator(seed);
        for block in 0..2 {
            let values = (0..64).map(|_| generator.random_range(-0.1..0.1)).collect();
            let mask = sixfold_sparsegrad::Mask::all([8, 8]);
            let update = sixfold_sparsegrad::LayerUpdate { basis: "up".into(), mask, values };
            adapter.insert(format!("body.blocks.{block}.mlp.up"), update).unwrap();
        }
        adapter
    };
    let adapters = [adapter(1), adapter(2)];
    let outputs = |model: &Tuned| numbers(model.forward(&batch()).unwrap());
    let first = adapters
        .each_ref()
        .map(|a| outputs(&with_adapter(model.clone(), a, Realisation::Adapter).unwrap()));
    assert!(distance(&first[0], &first[1]) > 1e-3);
    let mut plain = model;
    for turn in 0..1000 {
        let with = with_adapter(plain, &adapters[turn % 2], Realisation::Adapter).unwrap();
        if turn >= 998 {
            assert_eq!(outputs(&with), first[turn % 2], "after {turn} turns");
        }
        plain = unload(with);
    }
}

#[test]
fn entries_are_chosen_anew_in_bases_at_hand() {
    let device = sixfold_model::device("flex").unwrap().autodiff();
    let (model, data) = (classifier(&device), examples(24));
    let batch = |model: &Tuned, i: usize| loss(model, &data, &[3 * i, 3 * i + 1, 3 * i + 2]);
    let whole = SparseGradConfig { rank: Some(999), ..config(Realisation::InPlace) };
    let mut found = calibrate(&model, &whole, batch).unwrap();
    let path = "body.blocks.0.mlp.up";
    assert_eq!(found.masks[path].shape(), [16, 64], "all of both sides");
    let before = found.masks.clone();
    found.choose(&model, &whole, batch).unwrap();
    assert_eq!(found.masks, before, "the same bases and batches");
    for basis in found.bases.values_mut() {
        *basis = basis.transposed_input().unwrap();
    }
    found.choose(&model, &whole, batch).unwrap();
    assert_eq!(found.masks[path].len(), before[path].len());
    assert_ne!(found.masks[path], before[path]);
    found.bases.clear();
    let error = found.choose(&model, &whole, batch).unwrap_err();
    assert!(error.to_string().contains("no basis `body.blocks.0-1.mlp"), "{error}");
}

#[test]
fn what_cannot_be_adapted_is_an_error() {
    let device = sixfold_model::device("flex").unwrap().autodiff();
    let model = classifier(&device);
    let data = examples(24);
    let calibrated = |config: &SparseGradConfig| {
        calibrate(&model, config, |model, i| loss(model, &data, &[3 * i, 3 * i + 1]))
    };
    let mut wrong = config(Realisation::Adapter);
    wrong.targets.push("**.mlp.sideways".to_owned());
    let error = calibrated(&wrong).unwrap_err();
    assert!(matches!(&error, Error::NoMatch { pattern, .. } if pattern == "**.mlp.sideways"));
    assert!(error.to_string().contains("body.blocks.0.mlp.up"), "{error}");

    let mut wrong = config(Realisation::Adapter);
    wrong.layers_to_transform = Some(vec![7]);
    assert!(matches!(calibrated(&wrong).unwrap_err(), Error::NoMatch { .. }));

    let mut wrong = config(Realisation::Adapter);
    (wrong.fraction, wrong.selection) = (0.9, Policy::TopK);
    // Of a truncated core no more than all can be kept.
    assert_eq!(calibrated(&wrong).unwrap().masks["body.blocks.0.mlp.up"].len(), 64);

    let mut broken = model.clone();
    broken.head.output.weight = broken.head.output.weight.map(|w| w * f32::NAN);
    let config = config(Realisation::Adapter);
    let error = calibrate(&broken, &config, |model, i| loss(model, &data, &[i])).unwrap_err();
    assert!(matches!(&error, Error::NotFinite { path, .. } if path.contains("mlp")), "{error}");
}
