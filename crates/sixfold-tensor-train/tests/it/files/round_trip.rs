//! What was saved comes back (oracle 12).

use std::fs;

use safetensors::SafeTensors;
use sixfold_linalg::files::{Matrix, MatrixFile};
use sixfold_tensor_train::{
    Cores, Error, Initializer, Order, Precision, QuantisedCores, TtShape, files,
};

use super::place;
use crate::common::{random, shapes};

/// A permutation that is none of the usual ones: multiples of a number without a common factor.
fn order(vocab: usize) -> Order {
    let factor = |a: usize, b: usize| (2..=a).any(|p| a.is_multiple_of(p) && b.is_multiple_of(p));
    let step = (2..).find(|step| !factor(*step, vocab)).unwrap();
    let ids = (0..vocab).map(|i| ((i * step + 1) % vocab) as u32).collect();
    Order::from_permutation(ids).unwrap()
}

fn bits(cores: &Cores) -> Vec<u32> {
    cores.values().iter().map(|x| x.to_bits()).collect()
}

#[test]
fn cores_come_back_bit_by_bit() {
    let path = place("round-trip.safetensors");
    for (seed, shape) in shapes().into_iter().enumerate() {
        let mut cores = random(shape, seed as u64);
        // What a detour by decimals or by flushing would lose.
        let edges = [-0.0, f32::MIN_POSITIVE / 2.0, f32::MAX, f32::from_bits(1)];
        cores.values_mut()[..4].copy_from_slice(&edges);
        for order in [None, Some(order(cores.shape().vocab_size()))] {
            files::save(&path, &cores, order.as_ref()).unwrap();
            let saved = files::load(&path).unwrap();
            assert_eq!(saved.cores.shape(), cores.shape());
            assert_eq!(bits(&saved.cores), bits(&cores));
            assert_eq!(saved.order, order);
            let once = fs::read(&path).unwrap();
            files::save(&path, &saved.cores, order.as_ref()).unwrap();
            assert_eq!(fs::read(&path).unwrap(), once, "the same bytes each time");
        }
    }
}

#[test]
fn quantised_cores_come_back_and_give_the_same_rows() {
    let path = place("quantised.safetensors");
    for (seed, shape) in shapes().into_iter().enumerate() {
        let cores = random(shape, seed as u64);
        for precision in [Precision::Int8, Precision::F16, Precision::Bf16] {
            let small = QuantisedCores::new(&cores, precision).unwrap();
            let order = order(cores.shape().vocab_size());
            files::save_quantised(&path, &small, Some(&order)).unwrap();
            let saved = files::load_quantised(&path).unwrap();
            assert_eq!(saved.cores, small);
            assert_eq!(saved.order, Some(order));
            assert_eq!(saved.cores.rows(&[3, 0, 7]).unwrap(), small.rows(&[3, 0, 7]).unwrap());
        }
    }
    let (bytes, small) = (fs::metadata(&path).unwrap().len(), shapes().pop().unwrap());
    assert!(bytes < 3_000 + 2 * small.parameters() as u64);
}

#[test]
fn files_say_what_they_hold_and_are_aligned() {
    let path = place("described.safetensors");
    let shape = TtShape::ring(23, [2, 3, 4], [1, 3, 2], 3).unwrap();
    let cores = random(shape.clone(), 5);
    let order = order(23);
    files::save(&path, &cores, Some(&order)).unwrap();
    let bytes = fs::read(&path).unwrap();
    let (header, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    assert_eq!(header % 8, 0);
    let words = metadata.metadata().as_ref().unwrap();
    assert_eq!(words["format"], "sixfold-tensor-train/1");
    assert_eq!(words["values"], "f32");
    let described = r#"{"vocab":23,"rows":[2,3,4],"columns":[1,3,2],"ranks":[3,3,3,3]}"#;
    assert_eq!(words["shape"], described);
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(metadata.offset_keys(), ["order", "cores.0", "cores.1", "cores.2"]);
    // The row of each id.
    let rows: Vec<u8> = order.positions().iter().flat_map(|row| row.to_le_bytes()).collect();
    assert_eq!(tensors.tensor("order").unwrap().data(), rows);
    assert_ne!(order.positions(), order.ids());
    for k in 0..3 {
        let core = tensors.tensor(&format!("cores.{k}")).unwrap();
        assert_eq!(core.shape(), shape.core(k));
        let first = f32::from_le_bytes(*core.data().first_chunk().unwrap());
        assert_eq!(first.to_bits(), cores.core(k)[0].to_bits());
    }
}

#[test]
fn the_dense_table_is_written_in_blocks() {
    let path = place("dense.safetensors");
    // 4.5 million numbers: two blocks.
    let shape = TtShape::train(1_100, [10, 10, 11], [16, 16, 16], 4).unwrap();
    let cores = Cores::init(shape, &Initializer::Std(0.1), 1).unwrap();
    let table = cores.to_dense();
    let order = order(1_100);
    for order in [None, Some(&order)] {
        files::export_dense(&path, &cores, order, "wörter.weight").unwrap();
        let file = MatrixFile::open(&path).unwrap();
        assert_eq!(file.names(), ["wörter.weight"]);
        let Matrix::F32(found) = file.matrix().unwrap() else { panic!("f32") };
        assert_eq!(found.dim(), (1_100, 4_096));
        for (id, row) in found.rows().into_iter().enumerate() {
            assert_eq!(row, table.row(order.map_or(id, |order| order.position(id))));
        }
    }
    let bytes = fs::read(&path).unwrap();
    let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    assert_eq!(metadata.metadata().as_ref().unwrap()["format"], "pt");
}

#[test]
fn what_cannot_be_saved_leaves_the_old_file() {
    let path = place("kept.safetensors");
    let shape = TtShape::train(23, [2, 3, 4], [1, 3, 2], 3).unwrap();
    let sound = random(shape.clone(), 5);
    files::save(&path, &sound, None).unwrap();
    let mut broken = sound.clone();
    broken.values_mut()[shape.core_len(0) + 20] = f32::NAN;
    // Core 2 has slices of 2·3·3 values.
    let refusals = [
        files::save(&path, &broken, None),
        files::export_dense(&path, &broken, None, "weight"),
        QuantisedCores::int8(&broken).map(|_| ()),
    ];
    for refusal in refusals {
        let error = refusal.unwrap_err();
        let found = matches!(error, Error::NotFinite { what: "core 2", row: 1, column: 2 });
        assert!(found, "{error}");
    }
    let small = QuantisedCores::int8(&sound).unwrap();
    let other = order(22);
    let refusals = [
        files::save(&path, &sound, Some(&other)),
        files::save_quantised(&path, &small, Some(&other)),
        files::export_dense(&path, &sound, Some(&other), "weight"),
    ];
    for refusal in refusals {
        let error = refusal.unwrap_err();
        let found = matches!(error, Error::Length { what: "the order", expected: 23, found: 22 });
        assert!(found, "{error}");
    }
    assert!(files::export_dense(&path, &sound, None, "__metadata__").is_err());
    assert_eq!(files::load(&path).unwrap().cores, sound);
    let nowhere = place("no-such-folder").join("x.safetensors");
    let error = files::save(&nowhere, &sound, None).unwrap_err();
    assert!(matches!(&error, Error::Io { path, .. } if *path == nowhere), "{error}");
}
