//! Generation against `transformers`, and the cache against no cache.

use sixfold_model::{
    Batch, CausalLm, Checkpoint, GenerateConfig, KvCache, LmHeadSpec, PaddingSide, Seed,
    TransformerSpec,
};
use sixfold_testkit::{Golden, fixtures, max_abs_error};

#[test]
fn greedy_generation_of_a_left_padded_batch() {
    let device = sixfold_model::device("flex").unwrap();
    let mut cases = 0;
    for case in ["llama-base", "gpt2-base", "bloom-base", "bloom-postres", "opt-base"] {
        let dir = fixtures("sixfold-model").join(case);
        let golden = Golden::open(dir.join("golden.safetensors"));
        let (shape, ids) = golden.i32("generate.input_ids");
        let mask = golden.i32("generate.attention_mask").1.into_iter().map(|m| m == 1).collect();
        let ids = ids.into_iter().map(|id| id as u32).collect();
        let prompt = Batch::from_parts(shape[0], ids, mask).unwrap();
        let (expected_shape, expected) = golden.i32("generate.ids");
        let model = Checkpoint::open(&dir).unwrap().causal_lm(&device).unwrap();
        // The reference returns prompt and continuation.
        let new = expected_shape[1] - if expected_shape[1] > shape[1] { shape[1] } else { 0 };
        let found = model.generate(&prompt, &GenerateConfig::greedy(new)).unwrap();
        for (row, expected) in found.iter().zip(expected.chunks(expected_shape[1])) {
            let expected = &expected[expected_shape[1] - new..];
            let found: Vec<i32> = row.iter().map(|&id| id as i32).collect();
            assert_eq!(found, expected, "{case}");
        }
        cases += 1;
    }
    assert_eq!(cases, 5);
}

#[test]
fn a_cache_changes_no_number() {
    let device = sixfold_model::device("flex").unwrap();
    let mut spec = TransformerSpec::decoder(50, 16, 3, 4);
    spec.attention.windows = vec![None, Some(3), None];
    let model = CausalLm::new(&spec, &LmHeadSpec::TIED, Seed::new(2), &device);
    let whole = Batch::pad(&[vec![7, 3, 9, 1, 4, 4, 2], vec![5, 8, 6]], 0, PaddingSide::Left);
    let expected: Vec<f32> = model.body.forward(&whole).unwrap().into_data().iter().collect();
    let mut cache = KvCache::default();
    let mut found = vec![0.0; expected.len()];
    let (rows, len, d) = (2, 7, 16);
    for columns in [0..4, 4..5, 5..7] {
        let pick = |values: &[u32]| -> Vec<u32> {
            values.chunks(len).flat_map(|row| row[columns.clone()].to_vec()).collect()
        };
        let mask = whole.mask().chunks(len).flat_map(|row| row[columns.clone()].to_vec()).collect();
        let step = Batch::from_parts(rows, pick(whole.ids()), mask).unwrap();
        let hidden = model.body.forward_cached(&step, &mut cache).unwrap();
        let values: Vec<f32> = hidden.into_data().iter().collect();
        for row in 0..rows {
            let n = columns.len() * d;
            let to = (row * len + columns.start) * d;
            found[to..to + n].copy_from_slice(&values[row * n..(row + 1) * n]);
        }
    }
    for (i, &token) in whole.mask().iter().enumerate() {
        if token {
            let at = i * d..(i + 1) * d;
            assert!(max_abs_error(&found[at.clone()], &expected[at]) < 1e-5, "position {i}");
        }
    }
    let fewer_rows = Batch::pad(&[vec![1]], 0, PaddingSide::Left);
    assert!(model.body.forward_cached(&fewer_rows, &mut cache).is_err());
}
