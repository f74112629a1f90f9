//! Devices by name, and seeds.

use sixfold_model::{Error, Seed, Transformer, TransformerSpec, available_devices, device};

#[test]
fn an_unknown_device_lists_the_known_ones() {
    for name in ["tpu", "cuda:x", "flex:0", "wgpu:1", ""] {
        let error = device(name).unwrap_err();
        assert!(matches!(error, Error::UnknownDevice { .. }), "{name}: {error}");
        assert!(error.to_string().contains("compiled in: flex"), "{error}");
    }
}

#[test]
fn a_device_that_is_not_compiled_names_its_feature() {
    for name in ["flex", "ndarray", "cuda", "cuda:3", "wgpu"] {
        let kind = name.split(':').next().unwrap_or(name);
        if available_devices().contains(&kind) {
            continue;
        }
        let error = device(name).unwrap_err().to_string();
        assert!(error.contains(&format!("--features {kind}")), "{error}");
    }
}

#[test]
fn the_same_seed_gives_the_same_weights_on_every_cpu_device() {
    let spec = TransformerSpec::decoder(20, 8, 1, 2);
    let weights = |name: &str, seed| {
        let model = Transformer::new(&spec, Seed::new(seed), &device(name).unwrap());
        let table = model.embed.tokens.weight.val();
        table.into_data().iter::<f32>().collect::<Vec<_>>()
    };
    let first = weights("flex", 1);
    for name in available_devices().into_iter().filter(|name| ["flex", "ndarray"].contains(name)) {
        assert_eq!(weights(name, 1), first, "{name}");
    }
    assert_ne!(weights("flex", 2), first);
    let mean = first.iter().sum::<f32>() / first.len() as f32;
    assert!(mean.abs() < 0.01, "{mean}");
}
