//! Files that we write, and files that others wrote.

use std::fs;

use ndarray::{Array1, Array2, array, s};
use proptest::prelude::*;
use sixfold_linalg::files::write_npy;
use sixfold_sgns::formats::{Format, InvalidUtf8, ReadConfig};
use sixfold_sgns::{Error, Factors, Vocabulary, WordVectors};
use tempfile::tempdir;

use crate::golden::{golden, names, numbers, path, random, vectors, words};

const WRITTEN: [Format; 6] = [
    Format::Word2VecText,
    Format::Word2VecBinary,
    Format::GloVe,
    Format::FinalFusion,
    Format::SafeTensors,
    Format::Npy,
];

/// Largest difference relative to the norm of a row.
fn error(found: &WordVectors, expected: &WordVectors) -> f32 {
    assert_eq!(names(found), names(expected));
    let (found, expected) = (found.matrix(), expected.matrix());
    let rows = found.outer_iter().zip(expected.outer_iter()).map(|(x, y)| {
        let norm = y.dot(&y).sqrt().max(1e-6);
        (&x - &y).iter().fold(0.0_f32, |max, x| max.max(x.abs())) / norm
    });
    rows.fold(0.0, f32::max)
}

#[test]
fn what_others_wrote_is_read() {
    let expected = vectors();
    for (name, tolerance) in
        [("gensim.txt", 0.0), ("gensim.bin", 0.0), ("plain.fifu", 0.0), ("norms.fifu", 1e-6)]
    {
        let found = WordVectors::open(path(name)).unwrap();
        let error = error(&found, &expected);
        assert!(error <= tolerance, "{name}: {error}");
    }
}

#[test]
fn fasttext_models_give_the_vectors_that_gensim_gives() {
    let golden = golden();
    for name in ["subwords", "words"] {
        let golden = &golden["fasttext"][name];
        let found = WordVectors::open(path(&format!("fasttext-{name}.bin"))).unwrap();
        assert_eq!(names(&found), words(&golden["words"]));
        let counts: Vec<f64> = found.vocabulary().iter().map(|(_, count)| count as f64).collect();
        assert_eq!(counts, numbers(&golden["counts"]));
        let rows = golden["vectors"].as_array().unwrap();
        for (row, expected) in found.matrix().outer_iter().zip(rows) {
            for (x, y) in row.iter().zip(numbers(expected)) {
                assert!((f64::from(*x) - y).abs() < 1e-6, "{name}: {x} {y}");
            }
        }
    }
}

#[test]
fn every_format_gives_back_what_was_written() {
    let dir = tempdir().unwrap();
    let expected = random(300, 7);
    for format in WRITTEN {
        let path = dir.path().join(format.name());
        expected.save(&path, format).unwrap();
        // The format is told by the content, for nothing else says it.
        let found = WordVectors::open(&path).unwrap();
        let tolerance = if format == Format::FinalFusion { 1e-6 } else { 0.0 };
        assert!(error(&found, &expected) <= tolerance, "{format:?}");
        let counts = matches!(format, Format::SafeTensors | Format::Npy);
        assert_eq!(found.vocabulary().count(0), if counts { 300 } else { 0 }, "{format:?}");

        let limited = ReadConfig { limit: Some(20), ..ReadConfig::default() };
        let first = WordVectors::open_with(&path, &limited).unwrap();
        assert_eq!(first.matrix(), found.matrix().slice(s![..20, ..]), "{format:?}");
        assert_eq!(first.vocabulary().word(19), "w19");
    }
    let mut files: Vec<_> = dir
        .path()
        .read_dir()
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let mut expected: Vec<_> = WRITTEN.iter().map(|format| format.name()).collect();
    expected.push("npy.vocab");
    expected.sort_unstable();
    assert_eq!(files, expected, "nothing else stays");
}

#[test]
fn text_of_many_chunks_is_read_in_order_on_any_number_of_threads() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("long.txt");
    let expected = random(20_000, 25);
    expected.save(&path, Format::Word2VecText).unwrap();
    assert!(fs::metadata(&path).unwrap().len() > 4 << 20, "several chunks");
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let found = pool.install(|| WordVectors::open(&path)).unwrap();
        assert_eq!(error(&found, &expected), 0.0);
    }
    // A mistake far inside is found in its line.
    let mut text = fs::read_to_string(&path).unwrap();
    let at = text.match_indices('\n').nth(15_000).unwrap().0;
    text.insert_str(at, " 1.5");
    fs::write(&path, text).unwrap();
    let message = WordVectors::open(&path).unwrap_err().to_string();
    assert!(message.contains("line 15001: expected a word and 25 numbers, found 26"), "{message}");
}

#[test]
fn separators_and_ends_of_lines_may_differ() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("x");
    for text in [
        "2 3\r\ncat 1 2 3\r\n. . . 4 5 6\r\n",
        "2 3\ncat 1 2 3 \n. . . 4 5 6 \n\n",
        "2\t3\ncat\t1\t2  3\n. . .\t4\t5\t6",
        "cat 1 2 3\n. . . 4 5e0 6\n",
        "cat +1 2.0 3\n. . . 4 5 6",
    ] {
        fs::write(&path, text).unwrap();
        let found = WordVectors::open(&path).unwrap();
        assert_eq!(found.matrix(), array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], "{text:?}");
        assert_eq!(names(&found), ["cat", ". . ."], "{text:?}");
    }
    // Binary files with the end of a line after each vector, and without.
    let values: Vec<u8> = [1.0_f32, 2.0].iter().flat_map(|x| x.to_le_bytes()).collect();
    for end in ["", "\n"] {
        let mut bytes = b"2 2\n".to_vec();
        for word in ["a", "ß"] {
            bytes.extend([word.as_bytes(), b" ", &values, end.as_bytes()].concat());
        }
        fs::write(&path, bytes).unwrap();
        let found = WordVectors::open(&path).unwrap();
        assert_eq!(names(&found), ["a", "ß"]);
        assert_eq!(found.matrix(), array![[1.0, 2.0], [1.0, 2.0]]);
    }
}

#[test]
fn words_that_are_no_utf_8_are_refused_or_replaced() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("x.txt");
    fs::write(&path, b"2 2\ncat 1 2\nd\xffg 3 4\n").unwrap();
    let message = WordVectors::open(&path).unwrap_err().to_string();
    assert!(message.contains("line 3") && message.contains("not UTF-8"), "{message}");
    let config = ReadConfig { invalid_utf8: InvalidUtf8::Replace, ..ReadConfig::default() };
    let found = WordVectors::open_with(&path, &config).unwrap();
    assert_eq!(names(&found), ["cat", "d\u{fffd}g"]);
}

#[test]
fn a_word_that_a_format_cannot_hold_is_refused_and_nothing_lost() {
    let dir = tempdir().unwrap();
    let spaced = WordVectors::new(
        Vocabulary::new([("new york", 3), ("", 1)]).unwrap(),
        array![[1.0, 2.0], [0.0, 0.0]],
    )
    .unwrap();
    for format in WRITTEN {
        let path = dir.path().join(format.name());
        fs::write(&path, "before").unwrap();
        match format {
            Format::SafeTensors | Format::FinalFusion => {
                spaced.save(&path, format).unwrap();
                assert_eq!(names(&WordVectors::open(&path).unwrap()), ["new york", ""]);
            }
            _ => {
                let error = spaced.save(&path, format).unwrap_err();
                assert!(matches!(error, Error::Malformed { .. }), "{error:?}");
                assert!(error.to_string().contains("\"new york\""), "{error}");
                assert_eq!(fs::read(&path).unwrap(), b"before", "{format:?}");
            }
        }
    }
    let path = dir.path().join("x.bin");
    let error = spaced.save(&path, Format::FastText).unwrap_err();
    assert!(error.to_string().contains("read, not written"), "{error}");
    let nowhere = dir.path().join("absent").join("x");
    for format in WRITTEN {
        let error = random(2, 2).save(&nowhere, format).unwrap_err();
        assert!(matches!(error, Error::Io { .. }), "{format:?}: {error:?}");
    }
}

#[test]
fn zero_vectors_survive() {
    let dir = tempdir().unwrap();
    let words = Vocabulary::new([("a", 0), ("zero", 0)]).unwrap();
    let expected = WordVectors::new(words, array![[3.0, 4.0], [0.0, 0.0]]).unwrap();
    for format in WRITTEN {
        let path = dir.path().join(format.name());
        expected.save(&path, format).unwrap();
        assert!(error(&WordVectors::open(&path).unwrap(), &expected) <= 1e-6, "{format:?}");
    }
}

#[test]
fn a_norm_that_is_no_f32_is_not_split_off() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("x.fifu");
    let words = Vocabulary::new([("a", 0)]).unwrap();
    let large = WordVectors::new(words, array![[3e38, 3e38]]).unwrap();
    let error = large.save(&path, Format::FinalFusion).unwrap_err();
    assert!(error.to_string().contains("word 0 has norm"), "{error}");
    assert!(!path.exists());
}

#[test]
fn arrays_of_doubles_are_narrowed() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("x.npy");
    write_npy(&path, array![[0.5_f64, 2.0], [1e300, 0.0]].view()).unwrap();
    fs::write(dir.path().join("x.vocab"), "a 2\nb 1\n").unwrap();
    let message = WordVectors::open(&path).unwrap_err().to_string();
    assert!(message.contains("row 1 is not finite"), "{message}");
    let first = ReadConfig { limit: Some(1), ..ReadConfig::default() };
    assert_eq!(WordVectors::open_with(&path, &first).unwrap().matrix(), array![[0.5, 2.0]]);
}

#[cfg(unix)]
#[test]
fn all_files_have_the_usual_permissions() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempdir().unwrap();
    let usual = dir.path().join("usual");
    fs::write(&usual, "").unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode();
    for format in WRITTEN {
        let path = dir.path().join(format.name());
        random(2, 2).save(&path, format).unwrap();
        assert_eq!(mode(&path), mode(&usual), "{format:?}");
    }
}

#[test]
fn factors_are_kept_with_their_words() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("factors.safetensors");
    let words = Vocabulary::new([("a", 9), ("ß", 5), ("c", 1)]).unwrap();
    let u = Array2::eye(3).slice(s![.., ..2]).to_owned();
    let v = Array2::eye(4).slice(s![.., 2..]).to_owned();
    let factors = Factors::new(words, u, Array1::from(vec![2.0, 0.5]), v).unwrap();
    factors.save(&path).unwrap();
    let found = Factors::open(&path).unwrap();
    assert_eq!((found.u(), found.s(), found.v()), (factors.u(), factors.s(), factors.v()));
    let counted: Vec<_> = found.vocabulary().iter().collect();
    assert_eq!(counted, [("a", 9), ("ß", 5), ("c", 1)]);
    let message = WordVectors::open(&path).unwrap_err().to_string();
    assert!(message.contains("no tensor `vectors`"), "{message}");
    random(3, 2).save(&path, Format::SafeTensors).unwrap();
    let message = Factors::open(&path).unwrap_err().to_string();
    assert!(message.contains("no tensor `u`"), "{message}");
}

#[test]
fn names_and_extensions_lead_to_formats() {
    for format in Format::ALL {
        assert_eq!(Format::from_name(format.name()), Some(format));
    }
    assert_eq!(Format::from_name("word2vec"), None);
    assert_eq!(Format::from_extension("a/b.fifu"), Some(Format::FinalFusion));
    assert_eq!(Format::from_extension("vectors"), None);
}

proptest! {
    #[test]
    fn any_word_and_any_finite_number_survive(
        words in proptest::collection::btree_set("[^ \t\r\n\u{0}]{1,8}", 1..6),
        bits in proptest::collection::vec(any::<u32>(), 18),
    ) {
        // Words of digits alone could stand for numbers, or for the first line.
        let words: Vec<String> = words.into_iter().map(|word| format!("w{word}")).collect();
        let value = |bits: &u32| Some(f32::from_bits(*bits)).filter(|x| x.is_finite()).unwrap_or(-0.0);
        let values: Vec<f32> = bits.iter().take(words.len() * 3).map(value).collect();
        let matrix = Array2::from_shape_vec((words.len(), 3), values).unwrap();
        let vocabulary = Vocabulary::new(words.iter().map(|word| (word.as_str(), 0))).unwrap();
        let expected = WordVectors::new(vocabulary, matrix).unwrap();
        let dir = tempdir().unwrap();
        for format in WRITTEN {
            if format == Format::FinalFusion {
                continue;
            }
            let path = dir.path().join(format.name());
            expected.save(&path, format).unwrap();
            let config = ReadConfig { format: Some(format), ..ReadConfig::default() };
            let found = WordVectors::open_with(&path, &config).unwrap();
            prop_assert_eq!(names(&found), names(&expected));
            let bits = |x: &WordVectors| x.matrix().iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&found), bits(&expected));
        }
    }
}
