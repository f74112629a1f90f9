//! What was saved comes back.

use std::collections::BTreeMap;
use std::fs;

use half::bf16;
use safetensors::{Dtype, SafeTensors};
use sixfold_sparsegrad::adapter::hash_basis;
use sixfold_sparsegrad::{
    Adapter, AdapterConfig, Error, LayerUpdate, Mask, Precision, SaveOptions, Side, StoredBases,
};

use super::{adapter, basis, place};

const MODEL: &str = "adapter_model.safetensors";

#[test]
fn nothing_is_lost() {
    let dir = place("round-trip");
    let mut adapter = adapter(1);
    // What a detour by decimals or by flushing would lose.
    let mut update = adapter.layers()["blocks.0.mlp.up"].clone();
    update.values[..4].copy_from_slice(&[-0.0, f32::MIN_POSITIVE / 2.0, f32::MAX, 1e-45]);
    adapter.insert("blocks.0.mlp.up", update.clone()).unwrap();
    adapter.config.scale = f32::from_bits(0x3e99_9999);
    adapter.save(&dir).unwrap();
    let found = Adapter::open(&dir).unwrap();
    assert_eq!(found, adapter);
    let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&found.layers()["blocks.0.mlp.up"].values), bits(&update.values));
    assert_eq!(found.config.scale.to_bits(), 0x3e99_9999);
    // The same bytes each time, and no temporary files.
    let once = fs::read(dir.join(MODEL)).unwrap();
    found.save(&dir).unwrap();
    assert_eq!(fs::read(dir.join(MODEL)).unwrap(), once);
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 2);
}

#[test]
fn files_hold_what_they_say() {
    let dir = place("described");
    let adapter = adapter(2);
    adapter.save(&dir).unwrap();
    let bytes = fs::read(dir.join(MODEL)).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let mut names = tensors.names();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "bases.mlp.down.input",
            "bases.mlp.up.input",
            "bases.mlp.up.output",
            "layers.blocks.0.mlp.down.values",
            "layers.blocks.0.mlp.up.indices",
            "layers.blocks.0.mlp.up.values",
            "layers.blocks.1.mlp.down.values",
            "layers.blocks.1.mlp.up.indices",
            "layers.blocks.1.mlp.up.values",
        ]
    );
    let indices = tensors.tensor("layers.blocks.0.mlp.up.indices").unwrap();
    assert_eq!((indices.dtype(), indices.shape()), (Dtype::U16, &[11][..]));
    let config = fs::read_to_string(dir.join("adapter_config.json")).unwrap();
    for line in [
        "\"peft_type\": \"SPARSEGRAD\"",
        "\"base_model_hash\": \"00ff\"",
        "\"selection\": \"all\"",
        "\"basis\": \"gradients\"",
        "\"scale\": 0.3",
    ] {
        assert!(config.contains(line), "{config}");
    }
}

#[test]
fn indices_have_the_width_that_the_core_needs() {
    for (shape, expected) in [([256, 256], Dtype::U16), ([256, 257], Dtype::U32)] {
        let dir = place("width");
        let mut adapter = Adapter::default();
        let identities = basis(shape, [0, 0], 0);
        adapter.insert_basis("b", identities).unwrap();
        let last = (shape[0] * shape[1] - 1) as u32;
        let mask = Mask::new(shape, vec![0, 5, last]).unwrap();
        let update = LayerUpdate { basis: "b".into(), mask, values: vec![1.0, 2.0, 3.0] };
        adapter.insert("w", update).unwrap();
        adapter.save(&dir).unwrap();
        let bytes = fs::read(dir.join(MODEL)).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(tensors.tensor("layers.w.indices").unwrap().dtype(), expected);
        assert_eq!(Adapter::open(&dir).unwrap(), adapter);
    }
}

#[test]
fn halves_are_rounded() {
    let dir = place("halves");
    let adapter = adapter(3);
    let options =
        SaveOptions { values: Precision::Bf16, bases: StoredBases::Values(Precision::Bf16) };
    adapter.save_with(&dir, &options).unwrap();
    let found = Adapter::open(&dir).unwrap();
    let rounded = |x: &f32| bf16::from_f32(*x).to_f32();
    for (path, update) in adapter.layers() {
        let expected: Vec<f32> = update.values.iter().map(rounded).collect();
        assert_ne!(expected, update.values);
        assert_eq!(found.layers()[path].values, expected);
        assert_eq!(found.layers()[path].mask, update.mask);
    }
    let columns = |adapter: &Adapter| match &adapter.bases()["mlp.up"].output {
        Side::Columns(columns) => columns.clone(),
        Side::Identity(_) => unreachable!("columns were made"),
    };
    assert_eq!(columns(&found), columns(&adapter).map(rounded));
}

#[test]
fn bases_by_hash_have_to_be_brought() {
    let dir = place("hash");
    let adapter = adapter(4);
    let options = SaveOptions { bases: StoredBases::Hash, ..SaveOptions::default() };
    adapter.save_with(&dir, &options).unwrap();
    assert_eq!(Adapter::open_with(&dir, adapter.bases()).unwrap(), adapter);
    let file = dir.join(MODEL).display().to_string();

    let error = Adapter::open(&dir).unwrap_err();
    assert!(matches!(&error, Error::Hash { what: "basis", .. }), "{error:?}");
    let message = error.to_string();
    let hash = hash_basis(&adapter.bases()["mlp.down"]);
    assert!(message.contains(&file) && message.contains(&hash), "{message}");
    assert!(message.contains("`mlp.down`") && message.contains("none of that name"), "{message}");

    let mut others: BTreeMap<_, _> = adapter.bases().clone();
    let other = basis([12, 30], [5, 7], 99);
    let wrong = hash_basis(&other);
    others.insert("mlp.up".into(), other.into());
    let error = Adapter::open_with(&dir, &others).unwrap_err();
    assert!(
        matches!(&error, Error::Hash { what: "basis", found, .. } if *found == wrong),
        "{error:?}"
    );
}

#[test]
fn what_cannot_be_stored_leaves_the_old_files() {
    let dir = place("kept");
    let mut adapter = adapter(5);
    adapter.save(&dir).unwrap();
    let sound = adapter.clone();
    // Finite, but not in bf16.
    let mut update = adapter.layers()["blocks.1.mlp.up"].clone();
    update.values[3] = f32::MAX;
    adapter.insert("blocks.1.mlp.up", update).unwrap();
    let options = SaveOptions { values: Precision::Bf16, ..SaveOptions::default() };
    let error = adapter.save_with(&dir, &options).unwrap_err();
    assert!(
        matches!(&error, Error::NotFinite { path, index: 3, .. } if path == "blocks.1.mlp.up"),
        "{error:?}"
    );
    adapter.config.scale = f32::NAN;
    let error = adapter.save(&dir).unwrap_err();
    assert!(matches!(error, Error::NotFinite { what: "the scale", .. }), "{error:?}");
    assert_eq!(Adapter::open(&dir).unwrap(), sound);
    let file = dir.join("file");
    fs::write(&file, "").unwrap();
    let error = sound.save(file.join("below")).unwrap_err();
    assert!(matches!(&error, Error::Io { path, .. } if path.starts_with(&file)), "{error:?}");
    let gone = dir.join("gone");
    let error = Adapter::open(&gone).unwrap_err();
    assert!(matches!(&error, Error::Io { path, .. } if path.starts_with(&gone)), "{error:?}");
}

#[test]
fn an_adapter_of_nothing_is_saved_as_well() {
    let dir = place("nothing");
    let adapter = Adapter::new(AdapterConfig::default());
    adapter.save(&dir).unwrap();
    assert_eq!(Adapter::open(&dir).unwrap(), adapter);
}
