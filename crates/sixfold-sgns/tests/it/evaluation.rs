//! Evaluation against gensim and SciPy.

use std::time::Instant;

use sixfold_sgns::evaluation::{
    Analogies, AnalogyConfig, AnalogyMethod, PairsConfig, UnknownPairs, UnknownQuestions,
    WordPairs, evaluate_analogies, evaluate_pairs, paired_accuracy, paired_difference, pearson,
    ranks, spearman,
};
use sixfold_sgns::formats::{Format, ReadConfig};
use sixfold_sgns::{Error, WordVectors};
use tempfile::tempdir;

use crate::golden::{golden, numbers, path, random, vectors};

#[test]
fn correlations_are_scipys() {
    for case in golden()["correlations"].as_array().unwrap() {
        let (x, y) = (numbers(&case["x"]), numbers(&case["y"]));
        assert!((spearman(&x, &y) - case["spearman"].as_f64().unwrap()).abs() < 1e-12);
        assert!((pearson(&x, &y) - case["pearson"].as_f64().unwrap()).abs() < 1e-12);
    }
    assert_eq!(ranks(&[3.0, 1.0, 3.0, -2.0]), [3.5, 2.0, 3.5, 1.0]);
    assert!(spearman(&[1.0, 1.0], &[1.0, 2.0]).is_nan());
}

#[test]
fn pairs_are_scored_as_gensim_does() {
    let (vectors, pairs) = (vectors(), WordPairs::open(path("pairs.tsv")).unwrap());
    for case in golden()["pairs"].as_array().unwrap() {
        let zero = case["zero"].as_bool().unwrap();
        let config = PairsConfig {
            out_of_vocabulary: if zero { UnknownPairs::Zero } else { UnknownPairs::Drop },
            lowercase: case["lowercase"].as_bool().unwrap(),
            ..PairsConfig::default()
        };
        let score = evaluate_pairs(&vectors, &pairs, &config).unwrap();
        assert!((score.spearman - case["spearman"].as_f64().unwrap()).abs() < 1e-9, "{case}");
        assert!((score.pearson - case["pearson"].as_f64().unwrap()).abs() < 1e-6, "{case}");
        let oov = 100.0 * (1.0 - score.found as f64 / score.pairs as f64);
        assert!((oov - case["oov"].as_f64().unwrap()).abs() < 1e-9, "{case}");
        assert!(score.interval.0 < score.spearman && score.spearman < score.interval.1);
        let left = score.cosines.iter().filter(|cosine| cosine.is_none()).count();
        assert_eq!(left, if zero { 0 } else { score.pairs - score.found });
        assert_eq!(evaluate_pairs(&vectors, &pairs, &config).unwrap(), score);
    }
}

#[test]
fn analogies_are_counted_as_gensim_does() {
    let (vectors, questions) = (vectors(), Analogies::open(path("analogies.txt")).unwrap());
    for case in golden()["analogies"].as_array().unwrap() {
        let wrong = case["wrong"].as_bool().unwrap();
        let config = AnalogyConfig {
            restrict: Some(case["restrict"].as_u64().unwrap() as usize),
            lowercase: case["lowercase"].as_bool().unwrap(),
            out_of_vocabulary: match wrong {
                true => UnknownQuestions::CountAsWrong,
                false => UnknownQuestions::Skip,
            },
            ..AnalogyConfig::default()
        };
        let score = evaluate_analogies(&vectors, &questions, &config).unwrap();
        let found: Vec<Vec<f64>> = [&score.sections[0], &score.sections[1], &score.all]
            .map(|section| vec![section.correct as f64, section.asked as f64])
            .into();
        let expected: Vec<_> = case["counts"].as_array().unwrap().iter().map(numbers).collect();
        assert_eq!(found, expected, "{case}");
        assert_eq!(score.syntactic.correct, score.sections[1].correct);
        assert_eq!(score.semantic.correct, score.sections[0].correct);
        assert_eq!(score.answers.iter().flatten().count(), score.all.asked);
        assert_eq!(score.answers.iter().filter(|x| **x == Some(true)).count(), score.all.correct);
    }
    let none = AnalogyConfig { restrict: Some(0), ..AnalogyConfig::default() };
    assert!(evaluate_analogies(&vectors, &questions, &none).is_err());
}

#[test]
fn cosmul_answers_are_those_of_double_precision() {
    let (vectors, questions) = (vectors(), Analogies::open(path("analogies.txt")).unwrap());
    let config =
        AnalogyConfig { method: AnalogyMethod::Mul, lowercase: false, ..AnalogyConfig::default() };
    let score = evaluate_analogies(&vectors, &questions, &config).unwrap();
    let answers: Vec<bool> = score.answers.iter().flatten().copied().collect();
    let golden = golden();
    let expected: Vec<bool> =
        golden["cosmul"].as_array().unwrap().iter().map(|x| x.as_bool().unwrap()).collect();
    assert_eq!(answers, expected);
}

/// Random questions on more words than a block has.
fn questions(n: usize, q: usize) -> Analogies {
    let word = |i: usize| format!("w{}", i * 7919 % n);
    let lines = (0..q)
        .map(|i| format!("{} {} {} {}\n", word(i), word(i * 3 + 1), word(i * 5 + 2), word(i + 4)));
    Analogies::parse(&format!(": all\n{}", lines.collect::<String>())).unwrap()
}

#[test]
fn answers_are_those_of_single_questions() {
    let vectors = random(1500, 4);
    let index = vectors.index();
    let questions = questions(1500, 200);
    // Each question with the answer that a single search finds.
    let mut text = String::from(": all\n");
    for question in &questions.sections()[0].questions {
        let [a, b, c] = question.asked.each_ref().map(AsRef::as_ref);
        let found = index.most_similar(&[b, c], &[a], 1).unwrap();
        text += &format!("{a} {b} {c} {}\n", found[0].word);
    }
    let solved = Analogies::parse(&text).unwrap();
    let config = AnalogyConfig { lowercase: false, ..AnalogyConfig::default() };
    let all = evaluate_analogies(&vectors, &solved, &config).unwrap();
    assert_eq!((all.all.correct, all.all.asked), (200, 200));
    for method in [AnalogyMethod::Add, AnalogyMethod::Mul] {
        let config = AnalogyConfig { method, ..config.clone() };
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| evaluate_analogies(&vectors, &solved, &config).unwrap())
        };
        assert_eq!(on(1), on(3));
    }
}

#[test]
fn words_of_a_question_are_no_answers() {
    let vectors = random(3, 2);
    let questions = Analogies::parse(": x\nw0 w1 w2 w0\nw0 w1 w2 w2\nw1 w1 w2 w0").unwrap();
    let score = evaluate_analogies(&vectors, &questions, &AnalogyConfig::default()).unwrap();
    assert_eq!(score.answers, [Some(false), Some(false), Some(true)]);
}

#[test]
fn many_questions_take_little_time() {
    let (vectors, questions) = (random(10_000, 100), questions(905, 19_544));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    for method in [AnalogyMethod::Add, AnalogyMethod::Mul] {
        let config = AnalogyConfig { method, ..AnalogyConfig::default() };
        let begun = Instant::now();
        let score = pool.install(|| evaluate_analogies(&vectors, &questions, &config)).unwrap();
        let seconds = begun.elapsed().as_secs_f64();
        println!("19,544 questions on 10,000 words, {method:?}: {seconds:.2} s on one thread");
        assert_eq!(score.all.asked, 19_544);
        assert!(seconds < 60.0, "{seconds} s");
    }
}

#[test]
fn lists_may_have_headers_and_separators() {
    for text in [
        "cat\tdog\t7\nsun\train\t1\n",
        "Word 1,Word 2,Human (mean)\ncat,dog,7.0\nsun,rain,1\n",
        "word1 word2 score\ncat dog 7 extra\n\n# remark\nsun rain 1e0",
        "cat dog 7\r\nsun rain 1\r\n",
    ] {
        let pairs = WordPairs::parse(text).unwrap();
        let found: Vec<_> = pairs.pairs().iter().map(|x| (&*x.a, &*x.b, x.score)).collect();
        assert_eq!(found, [("cat", "dog", 7.0), ("sun", "rain", 1.0)], "{text:?}");
    }
    for (text, part) in [
        ("cat dog 7\nsun rain x\n", "line 2: expected a finite score, found `x`"),
        ("cat dog 7\n\nsun rain nan\n", "line 3: expected a finite score, found `nan`"),
        ("cat dog\n", "line 1: expected two words and a score, found 2 fields"),
        ("a b score\na b score\n", "line 2: expected a finite score"),
        ("# nothing\n", "is empty"),
    ] {
        let message = WordPairs::parse(text).unwrap_err().to_string();
        assert!(message.contains(part), "{text:?}: {message}");
    }
    for (text, part) in [
        ("a b c d\n", "line 1: expected a line `: section` before it"),
        (": x\na b c\n", "line 2: expected four words, found 3"),
        (": x\n", "is empty"),
    ] {
        let message = Analogies::parse(text).unwrap_err().to_string();
        assert!(message.contains(part), "{text:?}: {message}");
    }
    let dir = tempdir().unwrap();
    let file = dir.path().join("pairs.txt");
    std::fs::write(&file, b"cat dog 7\nc\xff dog 7\n").unwrap();
    let message = WordPairs::open(&file).unwrap_err().to_string();
    assert!(message.contains("pairs.txt: line 2: expected UTF-8"), "{message}");
}

#[test]
fn embedded_lists_are_read() {
    for (name, pairs) in [
        ("EN-WS-353-ALL", 353),
        ("EN-WS-353-SIM", 203),
        ("EN-WS-353-REL", 252),
        ("EN-SIMLEX-999", 999),
        ("EN-MEN-TR-3k", 3000),
    ] {
        let path = sixfold_testkit::fixtures("words").join(format!("{name}.txt"));
        assert_eq!(WordPairs::open(path).unwrap().pairs().len(), pairs, "{name}");
    }
}

#[test]
fn nothing_to_score_is_an_error() {
    let vectors = random(5, 3);
    let pairs = WordPairs::parse("cat dog 1\nw1 rain 2").unwrap();
    for out_of_vocabulary in [UnknownPairs::Drop, UnknownPairs::Zero] {
        let config = PairsConfig { out_of_vocabulary, ..PairsConfig::default() };
        let error = evaluate_pairs(&vectors, &pairs, &config).unwrap_err();
        assert!(matches!(error, Error::Empty { .. }), "{error:?}");
    }
    let equal = WordPairs::parse("w1 w2 1\nw1 w3 1").unwrap();
    let error = evaluate_pairs(&vectors, &equal, &PairsConfig::default()).unwrap_err();
    assert!(matches!(error, Error::InvalidParameter { .. }), "{error:?}");
}

#[test]
fn paired_differences_know_the_better_one() {
    let n = 300;
    let noise = |i: usize, step: usize| (i * step % 97) as f64 / 97.0 - 0.5;
    let gold: Vec<f64> = (0..n).map(|i| i as f64 / n as f64).collect();
    let good: Vec<f64> = (0..n).map(|i| gold[i] + 0.3 * noise(i, 31)).collect();
    let bad: Vec<f64> = (0..n).map(|i| gold[i] + 1.5 * noise(i, 53)).collect();
    let better = paired_difference(&good, &bad, &gold, 500, 1).unwrap();
    assert!(better.is_above() && !better.is_below(), "{better:?}");
    assert!((better.value - (spearman(&good, &gold) - spearman(&bad, &gold))).abs() < 1e-12);
    let worse = paired_difference(&bad, &good, &gold, 500, 1).unwrap();
    assert!((worse.low + better.high).abs() < 1e-12 && worse.is_below());
    let same = paired_difference(&good, &good, &gold, 50, 1).unwrap();
    assert_eq!((same.value, same.low, same.high), (0.0, 0.0, 0.0));
    assert!(paired_difference(&good, &bad, &gold[1..], 50, 1).is_err());
    assert!(paired_difference(&good, &bad, &gold, 0, 1).is_err());
    assert!(paired_difference(&vec![1.0; n], &bad, &gold, 50, 1).is_err());

    // 20 of 100 questions that only the first solves: a difference with deviation 4 %.
    let first: Vec<bool> = (0..100).map(|i| i < 60).collect();
    let second: Vec<bool> = (0..100).map(|i| i < 40).collect();
    let found = paired_accuracy(&first, &second, 4000, 2).unwrap();
    assert!((found.value - 0.2).abs() < 1e-12);
    assert!((found.low - (0.2 - 1.96 * 0.04)).abs() < 0.015, "{found:?}");
    assert!((found.high - (0.2 + 1.96 * 0.04)).abs() < 0.015, "{found:?}");
    assert!(paired_accuracy(&first, &second[1..], 10, 0).is_err());
    assert!(paired_accuracy(&[], &[], 10, 0).is_err());
}

#[test]
fn real_vectors_are_read_and_scored() {
    let Some(data) = sixfold_testkit::data_dir() else { return };
    let path = data.join("embeddings/glove_twitter_25d.vec");
    let config = ReadConfig { format: Some(Format::Word2VecText), ..ReadConfig::default() };
    let vectors = WordVectors::open_with(&path, &config).unwrap();
    assert_eq!(vectors.dim(), 25);
    let pairs = WordPairs::open(data.join("wordsim/EN-MEN-TR-3k.txt")).unwrap();
    let score = evaluate_pairs(&vectors, &pairs, &PairsConfig::default()).unwrap();
    println!(
        "{} words: MEN {:.3}, {} of {}",
        vectors.len(),
        score.spearman,
        score.found,
        score.pairs
    );
    assert!(score.interval.0 > 0.2, "{score:?}");
    let questions = Analogies::open(data.join("wordsim/questions-words.txt")).unwrap();
    assert_eq!((questions.sections().len(), questions.len()), (14, 19_544));
    let score = evaluate_analogies(&vectors, &questions, &AnalogyConfig::default()).unwrap();
    let (all, syntactic) = (&score.all, &score.syntactic);
    println!(
        "analogies {:.3} of {}, syntactic {:.3}",
        all.accuracy(),
        all.asked,
        syntactic.accuracy()
    );
    assert_eq!(score.sections.iter().filter(|section| section.name.starts_with("gram")).count(), 9);
    assert!(all.accuracy() > 0.05 && all.asked > 1000, "{all:?}");
}
