//! Phrases against gensim's (`fixtures/sixfold-sgns/make_phrases.py`).

use sixfold_sgns::Error;
use sixfold_sgns::corpus::{CorpusConfig, Normalise};
use sixfold_sgns::phrases::{Phrases, PhrasesConfig, Scorer};

fn corpus() -> CorpusConfig {
    let path = sixfold_testkit::fixtures("text").join("shakespeare.txt");
    CorpusConfig { normalise: Normalise::Ascii, ..CorpusConfig::new([path]) }
}

#[test]
fn phrases_are_those_of_gensim() {
    let path = sixfold_testkit::fixtures("sixfold-sgns").join("phrases.json");
    let settings: Vec<serde_json::Value> =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(settings.len(), 4);
    for setting in settings {
        let connectors = setting["connector_words"].as_array().unwrap();
        let config = PhrasesConfig {
            scorer: match setting["scoring"].as_str().unwrap() {
                "npmi" => Scorer::Npmi,
                _ => Scorer::Gensim,
            },
            threshold: setting["threshold"].as_f64().unwrap(),
            min_count: setting["min_count"].as_u64().unwrap(),
            connectors: connectors.iter().map(|word| word.as_str().unwrap().into()).collect(),
            ..PhrasesConfig::default()
        };
        let phrases = Phrases::learn(&corpus(), &config).unwrap();
        let expected = setting["phrases"].as_array().unwrap();
        assert!(expected.len() > 20);
        // The golden list names what gensim joined somewhere; a phrase that always loses its first
        // word to the phrase before it is not in it.
        let found = phrases.list();
        for phrase in expected {
            let (name, score) = (phrase[0].as_str().unwrap(), phrase[1].as_f64().unwrap());
            let (_, ours) = found.iter().find(|(joined, _)| joined == name).unwrap();
            assert!((ours / score - 1.0).abs() < 1e-12, "{name}: {ours}, expected {score}");
        }
        let dir = tempfile::tempdir().unwrap();
        let joined = dir.path().join("joined");
        phrases.rewrite(&corpus(), &joined).unwrap();
        let mut crc = flate2::Crc::new();
        crc.update(&std::fs::read(joined).unwrap());
        assert_eq!(u64::from(crc.sum()), setting["crc32"].as_u64().unwrap(), "{config:?}");
    }
}

#[test]
fn the_original_score_counts_words_of_the_text() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("text");
    std::fs::write(&path, "x y a\na x y\nx b y\n").unwrap();
    let learn = |scorer| {
        let config = PhrasesConfig { scorer, min_count: 1, threshold: 0.5, ..Default::default() };
        Phrases::learn(&CorpusConfig::new([&path]), &config).unwrap().list()
    };
    // #(x y) = 2, #(x) = #(y) = 3; nine words, of which four are different, and five pairs.
    let expected = [("x_y".to_owned(), (2.0 - 1.0) / 3.0 / 3.0 * 9.0)];
    assert_eq!(learn(Scorer::Word2phrase), expected);
    assert_eq!(learn(Scorer::Gensim), expected);
}

#[test]
fn what_cannot_be_learnt_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("text");
    std::fs::write(&path, "\n").unwrap();
    let error = Phrases::learn(&CorpusConfig::new([&path]), &PhrasesConfig::default());
    assert!(matches!(error, Err(Error::Empty { what: "the corpus", .. })));
    let config = PhrasesConfig { memory: 1 << 20, ..PhrasesConfig::default() };
    let error = Phrases::learn(&corpus(), &config).unwrap_err().to_string();
    assert!(error.contains("memory is 1048576, expected room"), "{error}");
}
