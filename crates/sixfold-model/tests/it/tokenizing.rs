//! Tokenizers and the batches they make, with the embedded model's BPE.

use sixfold_model::{EncodeOptions, Error, PaddingSide, Tokenizer};
use sixfold_testkit::fixtures;

fn tokenizer() -> Tokenizer {
    Tokenizer::from_dir(fixtures("models").join("stories260k")).unwrap()
}

#[test]
fn text_survives_the_round_trip_and_offsets_point_into_it() {
    let text = "Once upon a time, there was a café.";
    let encoding = tokenizer().encode(text, &EncodeOptions::default()).unwrap();
    assert_eq!(tokenizer().decode(&encoding.ids).unwrap().trim_start(), text);
    let end = encoding.offsets.iter().map(|&(_, end)| end).max().unwrap();
    assert_eq!(end, text.len());
    assert!(encoding.ids.iter().all(|&id| (id as usize) < tokenizer().vocab_size()));
}

#[test]
fn batches_are_padded_on_either_side_and_truncated() {
    let texts = ["One day", "Lily went to the park with her mom and her dog."];
    let options = |side, max_tokens| EncodeOptions {
        side,
        max_tokens,
        pad_id: Some(0),
        ..EncodeOptions::default()
    };
    let right = tokenizer().batch(&texts, &options(PaddingSide::Right, None)).unwrap();
    let left = tokenizer().batch(&texts, &options(PaddingSide::Left, None)).unwrap();
    let short = right.mask()[..right.len()].iter().filter(|&&token| token).count();
    assert!(short < right.len());
    assert_eq!(right.row(0)[..short], left.row(0)[left.len() - short..]);
    assert!(!right.mask()[right.len() - 1] && !left.mask()[0]);
    assert_eq!(right.row(1), left.row(1));

    let cut = tokenizer().batch(&texts, &options(PaddingSide::Right, Some(5))).unwrap();
    assert_eq!((cut.rows(), cut.len()), (2, 5));
    assert_eq!(cut.row(1), &right.row(1)[..5]);
}

#[test]
fn bucketing_wastes_less_than_one_batch_and_loses_nothing() {
    let long = "Tom and Lily played in the big red car. ".repeat(12);
    let texts: Vec<&str> = (0..24).map(|i| if i % 3 == 0 { &long[..] } else { "A cat." }).collect();
    let options = EncodeOptions { pad_id: Some(0), ..EncodeOptions::default() };
    let buckets = tokenizer().bucketed(&texts, &options, 1024).unwrap();
    let one = tokenizer().batch(&texts, &options).unwrap();
    let positions: usize = buckets.iter().map(|(_, batch)| batch.rows() * batch.len()).sum();
    let tokens: usize = buckets.iter().map(|(_, batch)| batch.n_tokens()).sum();
    assert_eq!(tokens, one.n_tokens());
    assert!(positions * 5 < one.rows() * one.len() * 3, "{positions}");
    let mut rows: Vec<usize> = buckets.iter().flat_map(|(rows, _)| rows.clone()).collect();
    rows.sort_unstable();
    assert_eq!(rows, (0..24).collect::<Vec<_>>());
    for (rows, batch) in &buckets {
        assert!(batch.rows() == 1 || batch.rows() * batch.len() <= 1024);
        let alone = tokenizer().batch(&[texts[rows[0]]], &options).unwrap();
        assert_eq!(&batch.row(0)[..alone.len()], alone.row(0));
    }
}

#[test]
fn bad_files_and_empty_texts_are_errors() {
    let error = Tokenizer::from_dir("no/such/dir").unwrap_err();
    assert!(error.to_string().contains("tokenizer.json"), "{error}");
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("tokenizer.json"), "{\"model\":").unwrap();
    assert!(matches!(Tokenizer::from_dir(dir.path()), Err(Error::Tokenizer { .. })));
    let plain = EncodeOptions { special_tokens: false, ..EncodeOptions::default() };
    assert!(matches!(tokenizer().batch(&[""], &plain), Err(Error::Batch { .. })));
}

#[test]
fn a_learned_vocabulary_is_small_whole_and_the_same_each_time() {
    let texts = ["Zwei Männer fahren.", "Two men ride.", "Zwei Männer und two men."];
    let learn = || Tokenizer::train_bpe(&texts, 280, &["<pad>", "<end>"]).unwrap();
    let (one, other) = (learn(), learn());
    assert!((259..=280).contains(&one.vocab_size()), "{}", one.vocab_size());
    assert_eq!((one.token_id("<pad>"), one.token_id("<end>")), (Some(0), Some(1)));
    // Signs that no text had are bytes.
    for text in texts.iter().copied().chain(["Grüße & ein 猫!"]) {
        let ids = one.encode(text, &EncodeOptions::default()).unwrap().ids;
        assert_eq!(one.decode(&ids).unwrap().trim_start(), text);
        assert_eq!(other.encode(text, &EncodeOptions::default()).unwrap().ids, ids);
        assert!(ids.iter().all(|id| *id >= 2), "texts have no special tokens");
    }
    let merged = one.encode("Zwei Männer", &EncodeOptions::default()).unwrap().ids;
    assert!(merged.len() < "Zwei Männer".len() / 2, "{merged:?}");
}
