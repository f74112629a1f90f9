//! What must not change a number: the cache, padding, company in a batch, beams of one source.

use sixfold_model::{Batch, BlockForm, GenerateConfig, KvCache, PaddingSide, Seq2Seq, Seq2SeqSpec};
use sixfold_testkit::max_abs_error;

use super::{lively, small_spec, values};

/// Both forms of blocks, grouped heads, a decoder with a window.
fn specs() -> [Seq2SeqSpec; 2] {
    let mut pre = small_spec(30);
    pre.shared_table = false;
    pre.encoder.vocab_size = 25;
    for body in [&mut pre.encoder, &mut pre.decoder] {
        body.block = BlockForm::PreNorm;
        body.final_norm = true;
        body.attention.n_kv_heads = 2;
    }
    pre.decoder.attention.windows = vec![Some(2), None];
    [small_spec(30), pre]
}

fn models() -> impl Iterator<Item = Seq2Seq> {
    let device = sixfold_model::device("flex").unwrap();
    specs().into_iter().map(move |spec| lively(&spec, 3, &device))
}

fn batch(rows: &[&[u32]], side: PaddingSide) -> Batch {
    Batch::pad(&rows.iter().map(|row| row.to_vec()).collect::<Vec<_>>(), 0, side)
}

#[test]
fn a_cache_changes_no_number() {
    let source = batch(&[&[5, 9, 7, 11], &[4, 3]], PaddingSide::Right);
    let inputs = batch(&[&[0, 8, 3, 20, 6], &[0, 1, 2, 9, 9]], PaddingSide::Right);
    for model in models() {
        let memory = model.encode(&source).unwrap();
        let whole = values(model.decode(&inputs, &memory).unwrap());
        assert_eq!(values(model.forward(&source, &inputs).unwrap()), whole);
        let mut cache = KvCache::from(memory);
        let (len, vocab) = (5, 30);
        for columns in [0..1, 1..3, 3..5] {
            let ids = (0..2).flat_map(|row| inputs.row(row)[columns.clone()].to_vec()).collect();
            let step = Batch::from_parts(2, ids, vec![true; 2 * columns.len()]).unwrap();
            let found = values(model.decode_cached(&step, &mut cache).unwrap());
            for (row, found) in found.chunks(columns.len() * vocab).enumerate() {
                let at = (row * len + columns.start) * vocab;
                let expected = &whole[at..at + columns.len() * vocab];
                assert!(max_abs_error(found, expected) < 1e-4, "row {row}, {columns:?}");
            }
        }
    }
}

#[test]
fn neither_padding_nor_company_changes_a_source() {
    let rows: [&[u32]; 3] = [&[5, 9, 7, 11, 2], &[4, 2], &[17, 3, 2]];
    let inputs = |n: usize| {
        let ids = [0, 8, 3].repeat(n);
        Batch::from_parts(n, ids, vec![true; 3 * n]).unwrap()
    };
    let config = GenerateConfig::greedy(6);
    for model in models() {
        let alone: Vec<(Vec<f32>, Vec<u32>)> = rows
            .iter()
            .map(|row| {
                let source = batch(&[row], PaddingSide::Right);
                let scores = values(model.forward(&source, &inputs(1)).unwrap());
                (scores, model.generate(&source, &config).unwrap().remove(0))
            })
            .collect();
        assert_ne!(alone[0].1, alone[1].1, "the source matters");
        for side in [PaddingSide::Left, PaddingSide::Right] {
            let source = batch(&rows, side);
            let scores = values(model.forward(&source, &inputs(3)).unwrap());
            let written = model.generate(&source, &config).unwrap();
            for ((found, written), (expected, alone)) in
                scores.chunks(3 * 30).zip(&written).zip(&alone)
            {
                assert!(max_abs_error(found, expected) < 1e-4, "{side:?}");
                assert_eq!(written, alone, "{side:?}");
            }
        }
    }
}

#[test]
fn rows_of_one_source_share_its_memory() {
    let source = batch(&[&[5, 9, 7], &[4, 3]], PaddingSide::Right);
    let twice = batch(&[&[5, 9, 7], &[5, 9, 7], &[4, 3], &[4, 3]], PaddingSide::Right);
    let inputs = batch(&[&[0, 8], &[0, 3], &[0, 8], &[0, 1]], PaddingSide::Right);
    for model in models() {
        let memory = model.encode(&source).unwrap();
        assert_eq!(memory.sources(), 2);
        let shared = values(model.decode(&inputs, &memory).unwrap());
        let repeated = values(model.forward(&twice, &inputs).unwrap());
        assert!(max_abs_error(&shared, &repeated) < 1e-4);
    }
}

#[test]
fn a_cache_goes_on_with_any_rows() {
    let sources: [&[u32]; 3] = [&[5, 9, 7], &[4, 3], &[12, 13, 14]];
    let first: [u32; 3] = [8, 3, 20];
    // Twice each, one left out, out of order, unequal shares.
    for rows in [vec![0, 0, 1, 1, 2, 2], vec![0, 2], vec![2, 0, 1], vec![1, 1, 0], vec![0, 1, 2]] {
        for model in models() {
            let memory = model.encode(&batch(&sources, PaddingSide::Left)).unwrap();
            let mut cache = KvCache::from(memory);
            let step = Batch::from_parts(3, first.to_vec(), vec![true; 3]).unwrap();
            model.decode_cached(&step, &mut cache).unwrap();
            cache.select(&rows);
            let next: Vec<u32> = (0..rows.len() as u32).map(|i| i + 15).collect();
            let step = Batch::from_parts(rows.len(), next.clone(), vec![true; rows.len()]).unwrap();
            let found = values(model.decode_cached(&step, &mut cache).unwrap());
            for (i, &row) in rows.iter().enumerate() {
                let inputs = batch(&[&[first[row], next[i]]], PaddingSide::Right);
                let source = batch(&[sources[row]], PaddingSide::Right);
                let alone = values(model.forward(&source, &inputs).unwrap());
                let error = max_abs_error(&found[i * 30..(i + 1) * 30], &alone[30..]);
                assert!(error < 1e-4, "{rows:?}, row {i}: {error:e}");
            }
        }
    }
}
