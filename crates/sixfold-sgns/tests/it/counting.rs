//! Counts against a count that is as simple as can be.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use sixfold_sgns::corpus::{CorpusConfig, InvalidUtf8, Normalise, Shard, count_words};
use sixfold_sgns::counting::{
    CountConfig, Keep, Sides, Subsample, SubsampleMode, Unknown, count, count_with,
};
use sixfold_sgns::{Counts, Error, Vocabulary};

/// The first documents of the embedded text, one paragraph a line.
fn text(bytes: usize) -> String {
    let path = sixfold_testkit::fixtures("text").join("shakespeare.txt");
    let all = std::fs::read_to_string(path).unwrap();
    all[..bytes].split("\n\n").map(|speech| speech.replace('\n', " ") + "\n").collect()
}

fn write(dir: &Path, text: &str) -> CorpusConfig {
    let path: PathBuf = dir.join("text.txt");
    std::fs::write(&path, text).unwrap();
    CorpusConfig { normalise: Normalise::Ascii, ..CorpusConfig::new([path]) }
}

/// Documents as the documentation of [`Normalise::Ascii`] has them.
fn documents(text: &str) -> Vec<Vec<String>> {
    let lower = text.to_ascii_lowercase();
    let words = |line: &str| {
        let words = line.split(|c: char| !c.is_ascii_lowercase());
        words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    lower.lines().map(words).collect()
}

fn vocabulary(documents: &[Vec<String>], config: &CountConfig) -> Vec<(String, u64)> {
    let mut counts = BTreeMap::<&String, u64>::new();
    for word in documents.iter().flatten() {
        *counts.entry(word).or_default() += 1;
    }
    let mut words: Vec<_> = counts.into_iter().map(|(word, n)| (word.clone(), n)).collect();
    words.retain(|(_, n)| *n >= config.min_count);
    words.sort_by(|(a, m), (b, n)| n.cmp(m).then(a.cmp(b)));
    words.truncate(config.top_n.unwrap_or(usize::MAX));
    words
}

/// All pairs of all windows, one after the other. No draws here: see `draws_*` below.
fn brute(
    documents: &[Vec<String>],
    words: &[(String, u64)],
    config: &CountConfig,
) -> BTreeMap<(u32, u32), f64> {
    let total: u64 = words.iter().map(|(_, n)| n).sum();
    let keep: Vec<f64> = words
        .iter()
        .map(|(_, n)| config.subsample.map_or(1.0, |s| s.probability(*n as f64 / total as f64)))
        .collect();
    let id = |word: &String| words.iter().position(|(known, _)| known == word).map(|id| id as u32);
    let mut sums = BTreeMap::<(u32, u32), f64>::new();
    let ids: BTreeMap<&String, Option<u32>> =
        documents.iter().flatten().map(|word| (word, id(word))).collect();
    for document in documents {
        let mut places: Vec<Option<u32>> = document.iter().map(|word| ids[word]).collect();
        if config.unknown == Unknown::Remove {
            places.retain(Option::is_some);
        }
        for (p, w) in places.iter().enumerate() {
            for (q, c) in places.iter().enumerate() {
                let distance = p.abs_diff(q);
                let side = match config.sides {
                    Sides::Both => p != q,
                    Sides::Left => q < p,
                    Sides::Right => q > p,
                };
                if let (Some(w), Some(c)) = (w, c)
                    && side
                    && distance <= config.window
                {
                    let weight = if config.dynamic { config.window - distance + 1 } else { 1 };
                    *sums.entry((*w, *c)).or_default() += weight as f64;
                }
            }
        }
    }
    let unit = if config.dynamic { config.window as f64 } else { 1.0 };
    for ((w, c), sum) in &mut sums {
        *sum = *sum / unit * (keep[*w as usize] * keep[*c as usize]);
    }
    sums
}

fn assert_equals(counts: &Counts, expected: &BTreeMap<(u32, u32), f64>, n: usize) {
    assert_eq!(counts.dim(), (n, n));
    assert_eq!(counts.non_zeros(), expected.len());
    let mut rows = vec![0.0; n];
    let mut columns = vec![0.0; n];
    for ((w, c), value) in expected {
        let (found, values) = counts.row(*w as usize);
        let at = found.binary_search(c).unwrap();
        assert_eq!(values[at], *value as f32, "({w}, {c})");
        rows[*w as usize] += value;
        columns[*c as usize] += value;
    }
    assert_eq!(counts.row_sums(), rows);
    assert_eq!(counts.column_sums(), columns);
}

fn configs() -> impl Strategy<Value = CountConfig> {
    let vocabulary = (1u64..6, prop_oneof![Just(None), (2usize..400).prop_map(Some)]);
    let sides = prop_oneof![Just(Sides::Both), Just(Sides::Left), Just(Sides::Right)];
    let keep = prop_oneof![Just(Keep::Word2vec), Just(Keep::Paper)];
    let subsample = prop_oneof![
        Just(None),
        (1e-4..1e-1, keep).prop_map(|(threshold, keep)| {
            Some(Subsample { threshold, keep, mode: SubsampleMode::Expected })
        })
    ];
    let unknown = prop_oneof![Just(Unknown::Remove), Just(Unknown::KeepPosition)];
    (vocabulary, 1usize..12, any::<bool>(), subsample, unknown, sides).prop_map(
        |((min_count, top_n), window, dynamic, subsample, unknown, sides)| CountConfig {
            min_count,
            top_n,
            window,
            dynamic,
            subsample,
            unknown,
            sides,
            memory: 1 << 20,
            temporary: None,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn counts_are_those_of_brute_force(
        config in configs(),
        bytes in 3_000usize..40_000,
        block_bytes in 200usize..5_000,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let text = text(bytes);
        let corpus = CorpusConfig { block_bytes, ..write(dir.path(), &text) };
        let documents = documents(&text);
        let words = vocabulary(&documents, &config);
        let (vocabulary, counts) = count(&corpus, &config).unwrap();
        let found: Vec<_> = vocabulary.iter().map(|(word, n)| (word.to_owned(), n)).collect();
        prop_assert_eq!(&found, &words);
        let expected = brute(&documents, &words, &config);
        assert_equals(&counts, &expected, words.len());
        prop_assert_eq!(counts.is_symmetric(), config.sides == Sides::Both);
        prop_assert_eq!(count_with(&corpus, &vocabulary, &config).unwrap(), counts);
    }
}

fn with_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

fn modes() -> [Option<Subsample>; 4] {
    let with = |mode| Some(Subsample { mode, ..Subsample::new(1e-3) });
    [
        None,
        with(SubsampleMode::Expected),
        with(SubsampleMode::Clean { seed: 3 }),
        with(SubsampleMode::Dirty { seed: 3 }),
    ]
}

#[test]
fn threads_and_memory_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let corpus = CorpusConfig { block_bytes: 10_000, ..write(dir.path(), &text(1_000_000)) };
    for subsample in modes() {
        // A chunk of the least memory has 49,152 places: four chunks, of which most are spilled.
        let config = |memory| CountConfig { subsample, memory, ..CountConfig::default() };
        let expected = with_threads(1, || count(&corpus, &config(1 << 30)).unwrap().1);
        for (threads, memory) in [(1, 1 << 21), (2, 1 << 30), (3, 1 << 21), (2, 3 << 20)] {
            let found = with_threads(threads, || count(&corpus, &config(memory)).unwrap().1);
            assert!(found == expected, "{threads} threads, {memory} bytes, {subsample:?}");
        }
    }
}

#[test]
fn draws_keep_the_share_that_they_should() {
    let dir = tempfile::tempdir().unwrap();
    let text = text(400_000);
    let corpus = write(dir.path(), &text);
    let total = |subsample, unknown, window| {
        let config = CountConfig { subsample, unknown, window, ..CountConfig::default() };
        count(&corpus, &config).unwrap().1.total()
    };
    let [_, expected, clean, dirty] = modes();
    let mean = total(expected, Unknown::Remove, 5);
    let drawn = total(clean, Unknown::Remove, 5);
    // 40,000 kept words of about 6 contexts each: the standard error is below 1 %.
    assert!((drawn / mean - 1.0).abs() < 0.04, "{drawn} against {mean}");
    // Windows that close up hold more.
    assert!(total(dirty, Unknown::Remove, 5) > 1.2 * drawn);
    // Another seed is another draw.
    let other = Subsample { mode: SubsampleMode::Clean { seed: 4 }, ..Subsample::new(1e-3) };
    assert!(total(Some(other), Unknown::Remove, 5) != drawn);
}

/// hyperwords: `del` closes the gaps that unknown and drawn words leave, and without it they stay.
#[test]
fn gaps_close_or_stay() {
    let dir = tempfile::tempdir().unwrap();
    let corpus = write(dir.path(), "a x b\na x b\n");
    let config = |unknown| CountConfig {
        top_n: Some(2),
        min_count: 1,
        window: 1,
        subsample: None,
        unknown,
        ..CountConfig::default()
    };
    let vocabulary = Vocabulary::new([("a", 2), ("b", 2)]).unwrap();
    let counts = count_with(&corpus, &vocabulary, &config(Unknown::Remove)).unwrap();
    assert_eq!(counts.row(0), (&[1][..], &[2.0][..]));
    let error = count_with(&corpus, &vocabulary, &config(Unknown::KeepPosition)).unwrap_err();
    assert!(matches!(error, Error::Empty { what: "the matrix of counts", .. }), "{error}");
}

#[test]
fn what_leaves_nothing_says_what_to_change() {
    let dir = tempfile::tempdir().unwrap();
    let failed = |text: &str, config: &CountConfig| {
        count(&write(dir.path(), text), config).unwrap_err().to_string()
    };
    let config = CountConfig::default();
    let all = CountConfig { min_count: 1, ..CountConfig::default() };
    assert!(failed("", &config).contains("the corpus is empty"));
    assert!(failed("\n 1 2\n", &config).contains("the corpus is empty: it has no words"));
    let error = failed("a b c\n", &config);
    assert!(error.contains("0 of 3 words") && error.contains("lower min_count"), "{error}");
    let error = failed("a a a a\n", &all);
    assert!(error.contains("1 of 1 words (4 occurrences) left with min_count 1"), "{error}");
    let error = failed("a\nb\n", &all);
    assert!(error.contains("no two known words stand in one window"), "{error}");
    let error = count(&CorpusConfig::new([dir.path().join("absent")]), &config).unwrap_err();
    assert!(matches!(&error, Error::Io { path, .. } if path.ends_with("absent")), "{error}");
    let error = count(&CorpusConfig::new([""; 0]), &config).unwrap_err().to_string();
    assert!(error.contains("no file is named"), "{error}");
    for config in [
        CountConfig { window: 0, ..all.clone() },
        CountConfig { window: 1001, ..all.clone() },
        CountConfig { memory: 10, ..all.clone() },
        CountConfig { subsample: Some(Subsample::new(f64::NAN)), ..all.clone() },
    ] {
        let error = count(&write(dir.path(), "a b\n"), &config).unwrap_err();
        assert!(matches!(error, Error::InvalidParameter { .. }), "{error}");
    }
    // A vocabulary read from vectors tells no counts.
    let unknown = Vocabulary::new([("a", 0), ("b", 0)]).unwrap();
    let error = count_with(&write(dir.path(), "a b\n"), &unknown, &all).unwrap_err().to_string();
    assert!(error.contains("for sub-sampling"), "{error}");
    let plain = CountConfig { subsample: None, ..all };
    assert_eq!(count_with(&write(dir.path(), "a b\n"), &unknown, &plain).unwrap().total(), 2.0);
}

#[test]
fn bytes_that_are_not_utf8_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("latin1.txt");
    std::fs::write(&path, b"caf\xe9 au lait au lait\nau lait\n").unwrap();
    let mut corpus = CorpusConfig { block_bytes: 10, ..CorpusConfig::new([path]) };
    let config = CountConfig { min_count: 2, ..CountConfig::default() };
    let error = count(&corpus, &config).unwrap_err().to_string();
    assert!(error.contains("latin1.txt: byte 3 is not UTF-8"), "{error}");
    corpus.invalid_utf8 = InvalidUtf8::Replace;
    assert_eq!(count(&corpus, &config).unwrap().0.len(), 2);
}

#[test]
fn words_beyond_the_memory_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let text: String = (0..20_000).map(|i| format!("w{i} ")).collect();
    let path = dir.path().join("text.txt");
    std::fs::write(&path, text).unwrap();
    let corpus = CorpusConfig::new([path]);
    let config = CountConfig { memory: 1 << 20, ..CountConfig::default() };
    let error = count(&corpus, &config).unwrap_err().to_string();
    assert!(error.contains("raise the cap") && error.contains("vocab --shard"), "{error}");
    let words = count_words(&corpus, Shard::WHOLE, 1 << 30).unwrap();
    assert_eq!((words.len(), words.total()), (20_000, 20_000));
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let corpus = write(dir.path(), &text(1_000_000));
    let temporary = Some(dir.path().join("absent"));
    let config = CountConfig { memory: 2 << 20, temporary, ..CountConfig::default() };
    let error = count(&corpus, &config).unwrap_err();
    assert!(matches!(&error, Error::Io { path, .. } if path.ends_with("absent")), "{error}");
}
