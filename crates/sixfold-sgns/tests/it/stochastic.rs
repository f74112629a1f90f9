//! Stochastic training on texts whose structure is known.

use std::ops::ControlFlow;
use std::path::Path;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sixfold_sgns::corpus::{CorpusConfig, Shard, count_words};
use sixfold_sgns::counting::{CountConfig, Unknown, count_with};
use sixfold_sgns::stochastic::{Sgd, SgdConfig, SgdFit, SgdStep};
use sixfold_sgns::sweep::{DenseSweep, HostSweep, Sweep};
use sixfold_sgns::{Error, Objective, ObjectiveConfig, Vocabulary};

const TOPICS: usize = 3;

/// Documents of ten words, nine of which are of the document's topic, and the last of any.
fn planted(dir: &Path, documents: usize) -> (CorpusConfig, Vocabulary) {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut text = String::new();
    for _ in 0..documents {
        let topic = random.random_range(0..TOPICS);
        for at in 0..10 {
            let topic = if at < 9 { topic } else { random.random_range(0..TOPICS) };
            text += &format!("t{topic}w{} ", random.random_range(0..12));
        }
        text += "\n";
    }
    let path = dir.join("text.txt");
    std::fs::write(&path, text).unwrap();
    let corpus = CorpusConfig { block_bytes: 1 << 16, ..CorpusConfig::new([path]) };
    let words = count_words(&corpus, Shard::WHOLE, 1 << 30).unwrap();
    (corpus, words.into_vocabulary(1, None).unwrap())
}

fn on(_: SgdStep) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Of the eleven nearest neighbours of all words, the share that is of the word's topic.
fn purity(fit: &SgdFit, words: &Vocabulary) -> f64 {
    let vectors = fit.vectors(words.clone()).unwrap();
    let (mut right, mut all) = (0, 0);
    for (word, _) in words.iter() {
        for found in vectors.neighbours(word, 11).unwrap() {
            right += usize::from(found.word[..2] == word[..2]);
            all += 1;
        }
    }
    f64::from(right as u32) / f64::from(all)
}

#[test]
fn words_of_a_topic_become_neighbours() {
    let dir = tempfile::tempdir().unwrap();
    let (corpus, words) = planted(dir.path(), 8000);
    let config = SgdConfig { dim: 20, ..SgdConfig::word2vec() };
    let sgd = Sgd::new(&corpus, &words, &config).unwrap();
    let fit = sgd.train(on).unwrap();
    let found = purity(&fit, &words);
    assert!(found > 0.95, "{found}");
    // To the last bit, also where the text is on disk.
    let mut small = config.clone();
    small.pairs.memory = 1 << 20;
    assert_eq!(Sgd::new(&corpus, &words, &small).unwrap().train(on).unwrap(), fit);
    assert_eq!(sgd.train(on).unwrap(), fit);
    let other = SgdConfig { seed: 2, ..config.clone() };
    assert_ne!(Sgd::new(&corpus, &words, &other).unwrap().train(on).unwrap(), fit);
    let two = SgdConfig { threads: 3, ..config };
    let found = purity(&Sgd::new(&corpus, &words, &two).unwrap().train(on).unwrap(), &words);
    assert!(found > 0.95, "{found} with three threads");
}

/// With matched options the very objective of the counts rises, far from where it begins.
#[test]
fn matched_training_maximises_the_objective() {
    let dir = tempfile::tempdir().unwrap();
    let (corpus, words) = planted(dir.path(), 8000);
    let counts = CountConfig {
        window: 2,
        dynamic: false,
        subsample: None,
        unknown: Unknown::KeepPosition,
        ..CountConfig::default()
    };
    for smoothing in [1.0, 0.75] {
        let objective = ObjectiveConfig { negatives: 3.0, smoothing };
        let config = SgdConfig::matched(&counts, &objective).unwrap();
        assert_eq!((config.negatives, config.smoothing), (3, smoothing));
        let config = SgdConfig { dim: 20, epochs: 10, ..config };
        let fit = Sgd::new(&corpus, &words, &config).unwrap().train(on).unwrap();
        let counts = count_with(&corpus, &words, &counts).unwrap();
        let objective = Objective::new(counts, &objective).unwrap();
        let x = fit.words.dot(&fit.contexts.t());
        let (value, gradient) = DenseSweep::new(&objective).gradient(x.mapv(f64::from).view());
        assert!(value < objective.bound());
        let gap = objective.gap_ratio(value);
        assert!(gap > 0.9, "smoothing {smoothing}: gap ratio {gap}");
        // Another constant on all of x does not do better: negatives weigh what they should.
        let along = gradient.sum() / objective.counts().total();
        assert!(along.abs() < 0.02, "smoothing {smoothing}: {along}");
        let point = fit.point().unwrap();
        let us = point.u().dot(&point.s());
        let sweep = HostSweep::new(&objective);
        let (same, _) = sweep.rows(us.view(), point.v(), point.v()).unwrap();
        assert!((same / value - 1.0).abs() < 1e-5, "{same}, {value}");
    }
}

#[test]
fn what_cannot_be_trained_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let (corpus, words) = planted(dir.path(), 50);
    let good = SgdConfig { dim: 5, ..SgdConfig::word2vec() };
    let new = |words: &Vocabulary, config: &SgdConfig| Sgd::new(&corpus, words, config);
    let one = Vocabulary::new([("t0w1", 3)]).unwrap();
    assert!(matches!(new(&one, &good), Err(Error::Empty { what: "the vocabulary", .. })));
    let others = Vocabulary::new([("x", 3), ("y", 2)]).unwrap();
    assert!(matches!(new(&others, &good), Err(Error::Empty { what: "the corpus", .. })));
    let uncounted = Vocabulary::new([("t0w1", 0), ("t0w2", 0)]).unwrap();
    let mut plain = good.clone();
    plain.pairs.subsample = None;
    let what = "the distribution of negative samples";
    let error = new(&uncounted, &plain).unwrap_err();
    assert!(matches!(error, Error::Empty { what: found, .. } if found == what), "{error}");
    let bad = SgdConfig { dim: 0, epochs: 0, learning_rate: f64::NAN, ..good.clone() };
    let Err(Error::Hyperparameters { problems }) = new(&words, &bad) else { panic!("accepted") };
    assert_eq!(problems.len(), 4, "{problems:?}");
    let wild = SgdConfig { learning_rate: 1e30, min_learning_rate: 1e30, ..good };
    let error = new(&words, &wild).unwrap().train(on).unwrap_err();
    assert!(matches!(error, Error::Diverged { .. }), "{error}");
    let objective = ObjectiveConfig { negatives: 2.5, smoothing: 1.0 };
    let error = SgdConfig::matched(&CountConfig::default(), &objective).unwrap_err();
    assert!(matches!(error, Error::InvalidParameter { name: "negatives", .. }), "{error}");
}
