//! Parts of a count add up to the whole.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use sixfold_sgns::corpus::{CorpusConfig, Normalise, Shard, WordCounts, count_words};
use sixfold_sgns::counting::{
    CountConfig, CountsFile, Subsample, SubsampleMode, count, count_shard, import_counts,
    merge_shards,
};
use sixfold_sgns::{Error, Vocabulary};

const MEMORY: u64 = 1 << 30;

fn corpus(dir: &Path, block_bytes: usize) -> CorpusConfig {
    let path = sixfold_testkit::fixtures("text").join("shakespeare.txt");
    let all = std::fs::read_to_string(path).unwrap();
    let (first, second) = (dir.join("0.txt"), dir.join("1.txt"));
    std::fs::write(&first, &all[..60_000]).unwrap();
    std::fs::write(&second, &all[60_000..150_000]).unwrap();
    let corpus = CorpusConfig::new([first, second]);
    CorpusConfig { normalise: Normalise::Letters, block_bytes, ..corpus }
}

fn shards(total: u32) -> impl Iterator<Item = Shard> {
    (0..total).map(move |index| Shard::new(index, total).unwrap())
}

/// Both steps of a cluster, in `total` parts: the vocabulary and the file of counts.
fn counted(
    dir: &Path,
    corpus: &CorpusConfig,
    config: &CountConfig,
    total: u32,
) -> (Vocabulary, PathBuf) {
    let words = |shard: Shard| {
        let path = dir.join(format!("words-{}-{total}", shard.index));
        let counts = count_words(corpus, shard, MEMORY).unwrap();
        counts.save_shard(&path, corpus, shard).unwrap();
        path
    };
    let words: Vec<PathBuf> = shards(total).map(words).collect();
    let words = WordCounts::load_shards(&words).unwrap();
    let vocabulary = words.into_vocabulary(config.min_count, config.top_n).unwrap();
    let saved = dir.join("vocabulary.tsv");
    vocabulary.save(&saved).unwrap();
    let vocabulary = Vocabulary::load(&saved).unwrap();
    let pairs = |shard: Shard| {
        let path = dir.join(format!("pairs-{}-{total}", shard.index));
        count_shard(corpus, shard, &vocabulary, config, &path).unwrap();
        path
    };
    let mut parts: Vec<PathBuf> = shards(total).map(pairs).collect();
    parts.reverse();
    let merged = dir.join(format!("merged-{total}"));
    merge_shards(&parts, &merged).unwrap();
    (vocabulary, merged)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn shards_add_up_to_the_last_bit(
        total in 2u32..7,
        block_bytes in 1_000usize..60_000,
        dynamic: bool,
        mode in prop_oneof![
            Just(SubsampleMode::Expected),
            Just(SubsampleMode::Clean { seed: 1 }),
            Just(SubsampleMode::Dirty { seed: 2 }),
        ],
    ) {
        let dir = tempfile::tempdir().unwrap();
        let corpus = corpus(dir.path(), block_bytes);
        let subsample = Some(Subsample { mode, ..Subsample::new(1e-3) });
        let config = CountConfig { dynamic, subsample, ..CountConfig::default() };
        let (vocabulary, merged) = counted(dir.path(), &corpus, &config, total);
        let (_, whole) = counted(dir.path(), &corpus, &config, 1);
        prop_assert!(std::fs::read(&merged).unwrap() == std::fs::read(&whole).unwrap());
        let (expected_words, expected) = count(&corpus, &config).unwrap();
        prop_assert!(vocabulary.iter().eq(expected_words.iter()));
        let file = CountsFile::open(&merged, &vocabulary).unwrap();
        prop_assert!(file.counts().unwrap() == expected);
        let records = dir.path().join("records");
        file.export(&records).unwrap();
        prop_assert_eq!(
            std::fs::metadata(&records).unwrap().len(),
            16 * expected.non_zeros() as u64
        );
        prop_assert!(import_counts(&records, vocabulary.len()).unwrap() == expected);
    }
}

#[test]
fn shards_that_do_not_belong_together_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let corpus = corpus(dir.path(), 10_000);
    let config = CountConfig::default();
    let words = count_words(&corpus, Shard::WHOLE, MEMORY).unwrap();
    let vocabulary = words.clone().into_vocabulary(5, None).unwrap();
    let fewer = words.clone().into_vocabulary(9, None).unwrap();
    let path = |name: &str| dir.path().join(name);
    let write = |name: &str, index, vocabulary: &Vocabulary, config: &CountConfig| {
        let shard = Shard::new(index, 3).unwrap();
        count_shard(&corpus, shard, vocabulary, config, path(name)).unwrap();
    };
    for (index, name) in ["a", "b", "c"].into_iter().enumerate() {
        write(name, index as u32, &vocabulary, &config);
    }
    write("again", 1, &vocabulary, &config);
    write("fewer", 2, &fewer, &config);
    write("narrow", 2, &vocabulary, &CountConfig { window: 2, ..config.clone() });
    count_shard(&corpus, Shard::new(3, 4).unwrap(), &vocabulary, &config, path("four")).unwrap();
    let merged = path("merged");
    std::fs::write(&merged, "old").unwrap();
    let refused = |names: &[&str]| {
        let names: Vec<PathBuf> = names.iter().map(|name| path(name)).collect();
        let error = merge_shards(&names, &merged).unwrap_err();
        assert_eq!(std::fs::read(&merged).unwrap(), b"old");
        error.to_string()
    };
    let says = |error: String, parts: &[&str]| {
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    };
    says(refused(&[]), &["no file is named"]);
    says(refused(&["b"]), &["one of 3 shards, of which are missing: 0 2"]);
    says(refused(&["a", "b", "again"]), &["again: shard 1, as", "b is; expected every shard once"]);
    says(refused(&["a", "b", "fewer"]), &["fewer: its vocabulary is"]);
    says(refused(&["a", "b", "narrow"]), &["narrow: its window is 2, and 5 in", "a: not of one"]);
    says(refused(&["a", "b", "four"]), &["four: its number of shards is 4, and 3 in"]);
    says(refused(&["a", "b", "absent"]), &["absent"]);
    says(refused(&["a", "b", "0.txt"]), &["0.txt: expected a file of pair counts", "another kind"]);
    words.save_shard(path("words"), &corpus, Shard::WHOLE).unwrap();
    says(refused(&["words"]), &["words: expected a file of pair counts"]);
    let error = CountsFile::open(path("a"), &vocabulary).unwrap_err().to_string();
    says(error, &["a: shard 0 of 3; merge them first"]);
    merge_shards(&[path("a"), path("b"), path("c")], &merged).unwrap();
    let error = CountsFile::open(&merged, &fewer).unwrap_err().to_string();
    says(error, &["merged: counted with another vocabulary"]);
    assert!(Shard::new(3, 3).is_err());
}

#[test]
fn damaged_files_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("text");
    std::fs::write(&path, "a b c a b\n").unwrap();
    let corpus = CorpusConfig::new([path]);
    let words = count_words(&corpus, Shard::WHOLE, MEMORY).unwrap();
    let vocabulary = words.clone().into_vocabulary(1, None).unwrap();
    let file = dir.path().join("file");
    let check = |load: &dyn Fn() -> Option<Error>| {
        let good = std::fs::read(&file).unwrap();
        for len in 0..good.len() {
            std::fs::write(&file, &good[..len]).unwrap();
            let error = load().unwrap();
            assert!(matches!(&error, Error::Malformed { path, .. } if *path == file), "{error}");
            assert!(len < 8 || error.to_string().contains(&format!("byte {len}, expected")));
        }
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            std::fs::write(&file, &bad).unwrap();
            let error = load().unwrap();
            assert!(matches!(&error, Error::Malformed { path, .. } if *path == file), "{error}");
        }
        std::fs::write(&file, [&good[..], b"x"].concat()).unwrap();
        assert!(load().unwrap().to_string().contains("too long"));
        std::fs::write(&file, &good).unwrap();
        assert!(load().is_none());
    };
    count_shard(&corpus, Shard::WHOLE, &vocabulary, &CountConfig::default(), &file).unwrap();
    check(&|| CountsFile::open(&file, &vocabulary).and_then(|file| file.counts()).err());
    check(&|| merge_shards(&[&file], dir.path().join("merged")).err());
    words.save_shard(&file, &corpus, Shard::WHOLE).unwrap();
    check(&|| WordCounts::load_shards(&[&file]).err());
}

#[test]
fn vocabularies_and_records_are_checked() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    let load = |text: &[u8]| {
        std::fs::write(&file, text).unwrap();
        Vocabulary::load(&file).unwrap_err().to_string()
    };
    assert!(load(b"").contains("has no lines"));
    assert!(load(b"a\t1\nb 1\n").contains("line 2: expected a word, a tab and a count"));
    assert!(load(b"a\t1\nb\t-1\n").contains("line 2"));
    assert!(load(b"a\t1\nb\t1\na\t1\n").contains("line 3 repeats a word"));
    assert!(load(b"a\t1\n\xff\t1\n").contains("line 2: expected UTF-8"));
    let record = |w: u32, c: u32, count: f64| {
        [&w.to_le_bytes()[..], &c.to_le_bytes(), &count.to_le_bytes()].concat()
    };
    let import = |records: &[Vec<u8>]| {
        std::fs::write(&file, records.concat()).unwrap();
        import_counts(&file, 2).unwrap_err().to_string()
    };
    assert!(import(&[]).contains("the matrix of counts is empty"));
    assert!(import(&[record(0, 1, 1.0), vec![0; 3]]).contains("record at byte 16: it is cut"));
    assert!(import(&[record(0, 2, 1.0)]).contains("byte 0: an id"));
    assert!(import(&[record(0, 1, 1.0), record(0, 1, 1.0)]).contains("byte 16: expected rising"));
    assert!(import(&[record(0, 1, f64::NAN)]).contains("a finite count"));
}
