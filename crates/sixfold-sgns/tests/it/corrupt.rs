//! Files that are not as they should be: an error that says what and where, never a panic, and no
//! memory for what a header only promises.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use sixfold_sgns::formats::{Format, ReadConfig};
use sixfold_sgns::{Error, WordVectors};
use tempfile::tempdir;

use crate::golden::{path, random};

/// The message of a refusal, which names the file.
fn refusal(path: &Path, format: Option<Format>) -> String {
    let config = ReadConfig { format, ..ReadConfig::default() };
    let error = WordVectors::open_with(path, &config).expect_err("refused");
    assert!(matches!(error, Error::Malformed { .. }), "{error:?}");
    let message = error.to_string();
    let name = path.file_stem().unwrap().to_str().unwrap();
    assert!(message.contains(name), "{message} does not name the file");
    message
}

fn int(values: &[i32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn long(values: &[i64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// A fastText model of one word and one dimension, in parts.
fn fasttext(version: i32, pruned: i64, quantised: u8, rows: i64) -> Vec<u8> {
    let mut file = int(&[793_712_314, version, 1, 5, 5, 1, 5, 1, 2, 1, 0, 3, 6, 100]);
    file.extend(0.1_f64.to_le_bytes());
    file.extend(int(&[1, 1, 0]));
    file.extend(long(&[7, pruned]));
    file.extend(b"cat\0");
    file.extend(long(&[7]));
    file.push(0);
    file.push(quantised);
    file.extend(long(&[rows, 1]));
    file.extend(1.5_f32.to_le_bytes());
    file.push(0);
    file.extend(long(&[0, 1]));
    file
}

#[test]
fn what_is_wrong_is_said() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("x");
    let text = |text: &str| text.as_bytes().to_vec();
    let chunk = |id: u32, content: &[u8]| {
        [&b"FiFu"[..], &[0; 8], &id.to_le_bytes(), &(content.len() as u64).to_le_bytes(), content]
            .concat()
    };
    let many = [&(1_u64 << 60).to_le_bytes()[..], &[1, 0, 0, 0, b'a']].concat();
    let wide =
        [&(1_u64 << 60).to_le_bytes()[..], &300_u32.to_le_bytes(), &10_u32.to_le_bytes(), &[0; 9]]
            .concat();
    let cases: Vec<(Vec<u8>, Option<Format>, &str)> = vec![
        (text(""), None, "empty: expected word vectors"),
        (text("\n\n"), None, "expected word vectors: a first line"),
        (text("<html>\n<body>"), None, "expected word vectors: a first line"),
        // Text.
        (text("3 2\na 1 2\nb 3 4\n"), None, "line 1 says 3 words, found 2"),
        (text("1 2\na 1 2\nb 3 4\n"), None, "line 1 says 1 words, found 2"),
        (text("2 2\na 1 2\nb 3\n"), None, "line 3: expected a word and 2 numbers, found 1"),
        (text("2 2\na 1 2\nb 3 4 5\n"), None, "line 3: expected a word and 2 numbers, found 3"),
        (text("2 2\na 1 2\nb 3 x\n"), None, "line 3: expected a number, found `x`"),
        (text("2 2\na 1 2\nb 3 nan\n"), None, "line 3: value 2 is not finite"),
        (text("2 2\na 1 2\nb inf 4\n"), None, "line 3: value 1 is not finite"),
        (text("2 2\na 1 2\n\nb 3 4\n"), None, "line 3: expected a word and 2 numbers, found 0"),
        (text("2 2\na 1 2\na 3 4\n"), None, "line 3: the word `a` again, it is at line 2 already"),
        (text("a 1 2\nb 3 4\na 3 4"), None, "line 3: the word `a` again, it is at line 1 already"),
        (text("2 2\na 1 x\nb 3 4\n"), None, "line 2: expected a number, found `x`"),
        (text("2 3\na 1 2\nb 3 4\n"), None, "line 2: expected a word and 3 numbers, found 2"),
        (text(". . . 1 2\nb 3\n"), None, "line 2: expected a word and 2 numbers"),
        (text("a 1 2\nb 3\n"), None, "line 2: expected a word and 2 numbers"),
        (
            text("a b\n"),
            Some(Format::Word2VecText),
            "line 1: expected `words dimensions`, found `a b`",
        ),
        (
            text("9 99999999999999\na 1\n"),
            Some(Format::Word2VecText),
            "99999999999999 dimensions in a file",
        ),
        (text("0 2\n"), Some(Format::Word2VecText), "2 dimensions in a file of 4 bytes"),
        (text("a\n"), Some(Format::GloVe), "0 dimensions"),
        (
            b"2 1\na 1\n\xff\xfe 2\n".to_vec(),
            None,
            "line 3: the word `\u{fffd}\u{fffd}` is not UTF-8",
        ),
        // Binary.
        (text("3 1\na \0\0\0\0\nb \0\0\0"), None, "which 12 bytes do not hold"),
        (text("18446744073709551615 9\na \0\0"), None, "which 4 bytes do not hold"),
        (text("9 18446744073709551615\na \0\0"), None, "which 4 bytes do not hold"),
        (text("1 1\na \0\0\0\0\nb"), None, "too long: 1 words end at byte 11, 1 bytes follow"),
        (text("1 1\nabcdefgh\0"), None, "truncated: word 0 at byte 4 does not end"),
        (
            text("1 1\nabcdefgh \0\0\0"),
            None,
            "truncated: a vector at byte 13 takes 4 bytes, 3 are left",
        ),
        (
            text("2 1\na \0\0\0\0a \0\0\0\0"),
            None,
            "byte 10: the word `a` again, it is at byte 4 already",
        ),
        (b"1 1\na \0\0\xc0\x7f".to_vec(), None, "byte 4: value 1 is not finite"),
        (b"1 1\n\xff \0\0\0\0".to_vec(), None, "byte 4: the word `\u{fffd}` is not UTF-8"),
        (text("1 1\n \0\0\0\0\n"), None, "byte 4: an empty word"),
        // finalfusion.
        (b"FiFu\x01\0\0\0".to_vec(), None, "has version 1, expected 0"),
        (b"FiFu\0\0\0\0\xff\xff\xff\xff".to_vec(), None, "truncated: the list of chunks"),
        (b"FiFu\0\0\0\0\0\0\0\0".to_vec(), None, "no vocabulary"),
        (chunk(1, &[0; 8]), None, "no array"),
        (chunk(1, &many), None, "1152921504606846976 words in a chunk of 5 bytes"),
        (chunk(2, &wide), None, "1152921504606846976 × 300 values, which are not"),
        (chunk(3, &[]), None, "a vocabulary with sub-words"),
        (chunk(4, &[]), None, "a quantised array"),
        (
            [chunk(1, &[0; 8]), chunk(1, &[0; 8])[12..].to_vec()].concat(),
            None,
            "a second chunk of kind 1",
        ),
        (chunk(77, &[]), None, "a chunk of kind 77"),
        // fastText.
        (fasttext(11, -1, 0, 1), None, "has version 11, expected 12"),
        (fasttext(12, 5, 0, 1), None, "a quantised model"),
        (fasttext(12, -1, 1, 1), None, "the vectors are quantised, expected f32"),
        (fasttext(12, -1, 0, i64::MAX), None, "more than any file holds"),
        (fasttext(12, -1, 0, 1 << 40), None, "truncated: the vectors at byte"),
        (fasttext(12, -1, 0, -1), None, "the vectors of shape -1 × 1"),
        (fasttext(12, -1, 0, 0), None, "expected (1, 1) of words and buckets"),
    ];
    let last = cases.len() - 1;
    for (i, (bytes, format, part)) in cases.into_iter().enumerate() {
        fs::write(&path, &bytes).unwrap();
        let message = refusal(&path, format);
        // A model without vectors has its bytes elsewhere, so that another check may come first.
        let other = i == last && message.contains("the output");
        assert!(message.contains(part) || other, "case {i}: expected `{part}`, found `{message}`");
    }
    fs::write(&path, fasttext(12, -1, 0, 1)).unwrap();
    assert_eq!(
        WordVectors::open(&path).unwrap().matrix()[(0, 0)],
        1.5,
        "the model is sound otherwise"
    );

    let error = WordVectors::open(dir.path().join("absent")).unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error:?}");
    let none = ReadConfig { limit: Some(0), ..ReadConfig::default() };
    let error = WordVectors::open_with(&path, &none).unwrap_err();
    assert!(error.to_string().contains("limit is 0"), "{error}");
}

#[test]
fn arrays_and_words_must_fit() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("x.npy");
    let words = dir.path().join("x.vocab");
    random(3, 2).save(&path, Format::Npy).unwrap();
    for (text, part) in [
        ("a 1\nb 2\n", "2 lines, but"),
        ("a 1\nb 2\nc 3\nd 4\n", "4 lines, but"),
        ("a 1\nb 2\na 3\n", "line 3: the word `a` again"),
        ("a 1\nb two\nc 3\n", "line 2: expected a word and its count, found `b two`"),
        ("a 1\n\nc 3\n", "line 2: an empty word"),
    ] {
        fs::write(&words, text).unwrap();
        let message = refusal(&path, None);
        assert!(message.contains("x.vocab") && message.contains(part), "{message}");
    }
    fs::write(&words, "a\nb\nc\n").unwrap();
    assert_eq!(WordVectors::open(&path).unwrap().vocabulary().count(2), 0, "counts may be absent");
    fs::remove_file(&words).unwrap();
    let error = WordVectors::open(&path).unwrap_err();
    assert!(matches!(&error, Error::Io { path, .. } if *path == words), "{error:?}");
}

#[test]
fn no_part_of_a_binary_file_passes_for_a_whole() {
    let dir = tempdir().unwrap();
    let ours = dir.path().join("ours.safetensors");
    random(4, 3).save(&ours, Format::SafeTensors).unwrap();
    let formats = [
        (path("gensim.bin"), Format::Word2VecBinary),
        (path("plain.fifu"), Format::FinalFusion),
        (path("fasttext-words.bin"), Format::FastText),
        (ours, Format::SafeTensors),
    ];
    for (name, format) in formats {
        let whole = fs::read(&name).unwrap();
        let part = dir.path().join("part");
        // The last byte of gensim's file may be the end of a line.
        for length in 0..whole.len() - 1 {
            fs::write(&part, &whole[..length]).unwrap();
            refusal(&part, Some(format));
        }
    }
}

proptest! {
    #[test]
    fn a_damaged_file_is_read_or_refused(
        at in 0_usize..4024, value: u8, cut in 0_usize..4024,
    ) {
        let dir = tempdir().unwrap();
        let damaged = dir.path().join("damaged");
        for name in ["gensim.txt", "gensim.bin", "norms.fifu", "fasttext-subwords.bin"] {
            let mut bytes = fs::read(path(name)).unwrap();
            let at = at % bytes.len();
            bytes[at] = value;
            if cut % 3 == 0 {
                bytes.truncate(cut);
            }
            fs::write(&damaged, &bytes).unwrap();
            if let Ok(vectors) = WordVectors::open(&damaged) {
                prop_assert_eq!(vectors.matrix().nrows(), vectors.vocabulary().len());
            }
        }
    }
}
