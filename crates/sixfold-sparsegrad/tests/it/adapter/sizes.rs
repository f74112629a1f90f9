//! A8: sizes of files, on the shapes of BERT-base with K = 672 000 trained entries.

use std::fs;

use sixfold_sparsegrad::{Adapter, Basis, LayerUpdate, Mask, Precision, SaveOptions, StoredBases};

use super::{basis, place, side};

const MIB: f64 = (1 << 20) as f64;

/// 12 blocks of two matrices in groups with these bases; masks of the shape of a core.
fn bert(bases: [Basis; 2], mask: impl Fn([usize; 2]) -> Mask) -> Adapter {
    let mut adapter = Adapter::default();
    for (name, basis) in ["mlp.up", "mlp.down"].into_iter().zip(bases) {
        let core = [basis.input.rank(), basis.output.rank()];
        adapter.insert_basis(name, basis).unwrap();
        for block in 0..12 {
            let mask = mask(core);
            let values = vec![0.25; mask.len()];
            let update = LayerUpdate { basis: name.to_owned(), mask, values };
            adapter.insert(format!("blocks.{block}.{name}"), update).unwrap();
        }
    }
    adapter
}

fn corners(rank: usize) -> [Basis; 2] {
    [basis([768, 3072], [rank, rank], 1), basis([3072, 768], [rank, rank], 2)]
}

/// What a saved adapter takes beside what one without layers takes, and that one, in MiB.
fn sizes(name: &str, adapter: &Adapter, options: &SaveOptions) -> [f64; 2] {
    let dir = place(name);
    let size = |adapter: &Adapter| {
        adapter.save_with(&dir, options).unwrap();
        fs::read_dir(&dir).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum::<u64>()
    };
    let all = size(adapter);
    let opened = Adapter::open_with(&dir, adapter.bases()).unwrap();
    assert_eq!(opened.layers(), adapter.layers());
    let mut bare = Adapter::default();
    for (name, basis) in adapter.bases() {
        bare.insert_basis(name.clone(), basis.clone()).unwrap();
    }
    let bases = size(&bare);
    [(all - bases) as f64 / MIB, bases as f64 / MIB]
}

#[test]
fn a_dense_corner_is_below_2_6_mib() {
    let adapter = bert(corners(167), Mask::all);
    assert_eq!(adapter.parameters(), 24 * 167 * 167);
    let [layers, _] = sizes("corner", &adapter, &SaveOptions::default());
    assert!(layers <= 2.6, "{layers} MiB");
}

#[test]
fn entries_of_a_corner_are_below_3_9_mib_and_its_bases_below_3_8() {
    let entries = |core| Mask::new(core, (0..28_000).map(|i| 2 * i).collect()).unwrap();
    let adapter = bert(corners(256), entries);
    assert_eq!(adapter.parameters(), 672_000);
    let bases = StoredBases::Values(Precision::Bf16);
    let options = SaveOptions { bases, ..SaveOptions::default() };
    let [layers, bases] = sizes("entries", &adapter, &options);
    assert!(layers <= 3.9, "{layers} MiB");
    assert!(bases <= 3.8, "{bases} MiB");
}

#[test]
fn entries_of_a_full_core_are_below_5_2_mib_without_the_bases() {
    // Full on the smaller side is enough for indices of 32 bits; the file has no bases anyway.
    let narrow = side(768, 768, 1);
    let up = Basis { input: narrow.clone(), output: side(3072, 0, 0) };
    let down = Basis { input: side(3072, 0, 0), output: narrow };
    let entries = |core| Mask::new(core, (0..28_000).map(|i| 84 * i).collect()).unwrap();
    let adapter = bert([up, down], entries);
    assert_eq!(adapter.parameters(), 672_000);
    let options = SaveOptions { bases: StoredBases::Hash, ..SaveOptions::default() };
    let [layers, bases] = sizes("full", &adapter, &options);
    assert!(layers <= 5.2, "{layers} MiB");
    assert!(bases <= 0.01, "{bases} MiB");
}
