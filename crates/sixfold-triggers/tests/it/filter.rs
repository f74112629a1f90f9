//! A4 and the rules one by one.

use sixfold_testkit::data_dir;
use sixfold_triggers::filter::{
    AssociationConfig, ClassCounts, FilterConfig, Filtered, Rule, TokenFilter, Vocabulary,
    WordMark, Words,
};
use sixfold_triggers::{Error, Result};

use crate::toy::text;

fn vocabulary(tokens: &[&str], special: &[u32], mark: WordMark) -> Vocabulary {
    let tokens = tokens.iter().map(|token| token.to_string()).collect();
    Vocabulary::new(tokens, special.iter().copied(), mark).unwrap()
}

/// What remains, as tokens.
fn left<'a>(vocabulary: &'a Vocabulary, config: &FilterConfig) -> Vec<&'a str> {
    let filtered = TokenFilter::new(config, vocabulary).apply().unwrap();
    let allowed = filtered.allowed();
    let ids = (0..vocabulary.len() as u32).filter(|id| allowed[*id as usize]);
    ids.map(|id| vocabulary.token(id)).collect()
}

fn anything() -> FilterConfig {
    FilterConfig { paper: false, ..FilterConfig::default() }
}

/// The vocabulary of bert-base-uncased, which MiniLM has too.
fn bert() -> Option<Vocabulary> {
    let path = data_dir()?.join("models/all-minilm-l6-v2/vocab.txt");
    let tokens: Vec<String> =
        std::fs::read_to_string(path).unwrap().lines().map(String::from).collect();
    assert_eq!(tokens.len(), 30_522);
    let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
    let id = |name: &str| tokens.iter().position(|token| token == name).unwrap() as u32;
    let ids = special.map(id);
    Some(Vocabulary::new(tokens, ids, WordMark::WordPiece).unwrap())
}

#[test]
fn the_published_filter_leaves_27560_tokens_of_bert() {
    let Some(vocabulary) = bert() else { return };
    let of = |words| {
        let config = FilterConfig { words, ..FilterConfig::default() };
        TokenFilter::new(&config, &vocabulary).apply().unwrap()
    };
    assert_eq!(
        [Words::Any, Words::Begin, Words::Whole].map(|w| of(w).remaining()),
        [27_560, 22_717, 22_716]
    );
    let filtered = of(Words::Any);
    assert_eq!(filtered.removed(Rule::Special), 5);
    assert_eq!(filtered.removed(Rule::Special) + filtered.removed(Rule::Paper), 2_962);
    let allowed = filtered.allowed();
    let unused = (0..30_522).filter(|id| vocabulary.token(*id).starts_with("[unused"));
    assert_eq!(unused.filter(|id| !allowed[*id as usize]).count(), 994);
    let digits = |id: &u32| vocabulary.surface(*id).bytes().all(|byte| byte.is_ascii_digit());
    assert_eq!((0..30_522).filter(|id| allowed[*id as usize] && digits(id)).count(), 937);
}

#[test]
fn the_published_filter_keeps_letters_digits_and_underscores() {
    let tokens = [
        "[CLS]",
        "the",
        "##ing",
        "The",
        "7",
        "_",
        "##_",
        "[",
        "a^b",
        "caf\u{e9}",
        "don't",
        "##",
        "#",
    ];
    let vocabulary = vocabulary(&tokens, &[0], WordMark::WordPiece);
    let expected = ["the", "##ing", "The", "7", "_", "##_"];
    assert_eq!(left(&vocabulary, &FilterConfig::default()), expected);
    let words = FilterConfig { words: Words::Begin, ..FilterConfig::default() };
    assert_eq!(left(&vocabulary, &words), ["the", "The", "7", "_"]);
    let words = FilterConfig { words: Words::Whole, ..FilterConfig::default() };
    assert_eq!(left(&vocabulary, &words), ["the", "7"]);
}

#[test]
fn words_begin_where_the_mark_says() {
    for (mark, sign) in [(WordMark::ByteLevel, "\u{120}"), (WordMark::SentencePiece, "\u{2581}")] {
        let tokens = [format!("{sign}the"), "the".into(), sign.to_string(), "<s>".into()];
        let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
        let vocabulary = vocabulary(&tokens, &[3], mark);
        assert_eq!(left(&vocabulary, &FilterConfig::default()), &tokens[..2]);
        let whole = FilterConfig { words: Words::Whole, ..anything() };
        assert_eq!(left(&vocabulary, &whole), &tokens[..1]);
        assert_eq!((vocabulary.word("the"), vocabulary.id("the")), (Some(0), Some(1)));
        assert_eq!((vocabulary.surface(0), vocabulary.surface(1)), ("the", "the"));
    }
}

#[test]
fn lists_take_words_and_tokens() {
    let tokens = ["[CLS]", "good", "##good", "bad", "Entailment", "not", "film"];
    let vocabulary = vocabulary(&tokens, &[0], WordMark::WordPiece);
    let labels = FilterConfig { labels: vec!["not_entailment".into()], ..anything() };
    assert_eq!(left(&vocabulary, &labels), ["good", "##good", "bad", "film"]);
    let exclude = FilterConfig { exclude: vec!["good".into()], ..anything() };
    assert_eq!(left(&vocabulary, &exclude), ["bad", "Entailment", "not", "film"]);
    let one = FilterConfig { exclude: vec!["##good".into()], ..anything() };
    assert_eq!(left(&vocabulary, &one), ["good", "bad", "Entailment", "not", "film"]);
    let only = FilterConfig { only: vec!["bad".into(), "[CLS]".into()], ..anything() };
    assert_eq!(left(&vocabulary, &only), ["bad"]);
    let filtered = TokenFilter::new(&only, &vocabulary).apply().unwrap();
    assert_eq!(filtered.reasons()[0], Some(Rule::Special));
    assert_eq!(filtered.removed(Rule::Only), 5);
}

#[test]
fn tokens_that_do_not_come_back_are_removed() {
    let vocabulary = vocabulary(&["[CLS]", "a", "##b", "c"], &[0], WordMark::WordPiece);
    let config = FilterConfig { round_trip: true, ..anything() };
    let reproduces = |ids: &[u32]| ids != [2];
    let filter = TokenFilter::new(&config, &vocabulary).with_round_trip(&reproduces);
    let filtered = filter.apply().unwrap();
    assert_eq!(filtered.allowed(), [false, true, false, true]);
    assert_eq!(filtered.removed(Rule::RoundTrip), 1);
}

/// 100 texts of each class: token 2 is in all, 3 in those of class 1, 4 in 60 and 40, 5 in 7.
#[test]
fn tokens_of_a_class_and_rare_ones_are_removed() {
    let (mut examples, mut classes) = (Vec::new(), Vec::new());
    for class in 0..2 {
        for i in 0..100 {
            let mut ids = vec![2];
            ids.extend((class == 1).then_some(3));
            ids.extend((i < 60 - 20 * class).then_some(4));
            ids.extend((class == 0 && i < 7).then_some(5));
            examples.push(text(&ids));
            classes.push(class);
        }
    }
    let counts = ClassCounts::of(&examples, &classes, 2, 6).unwrap();
    let found = [2, 3, 4, 5].map(|id| counts.occurrences(id));
    assert_eq!(found, [200, 100, 100, 7]);
    // Class 0 has 167 tokens, class 1 has 240; the special ones are in no text.
    let by_hand = (61.0_f64 / 108.0).ln() - (41.0_f64 / 201.0).ln();
    assert!((counts.log_odds(4, 1.0) - by_hand).abs() < 1e-12);

    let vocabulary =
        vocabulary(&["[CLS]", "[SEP]", "a", "b", "c", "d"], &[0, 1], WordMark::WordPiece);
    let with = |association: AssociationConfig| -> Result<Filtered> {
        let config = FilterConfig { association: Some(association), ..anything() };
        TokenFilter::new(&config, &vocabulary).with_counts(&counts).apply()
    };
    let filtered =
        with(AssociationConfig { threshold: 1.2, ..AssociationConfig::default() }).unwrap();
    let reasons = &filtered.reasons()[2..];
    assert_eq!(reasons, [None, Some(Rule::Association), None, Some(Rule::Rare)]);

    let strict = AssociationConfig { threshold: 0.01, ..AssociationConfig::default() };
    let Err(Error::EmptyVocabulary { vocabulary: 6, removed }) = with(strict) else {
        panic!("something is left")
    };
    assert_eq!(removed, ["special removes 2", "rare removes 1", "association removes 3"]);
}

/// A victim that always says the same leaves nothing to associate with.
#[test]
fn one_class_alone_removes_nothing() {
    let examples = vec![text(&[2, 3]); 30];
    let counts = ClassCounts::of(&examples, &[1; 30], 3, 4).unwrap();
    assert!(counts.log_odds(2, 1.0) < 1e-12);
    // Three classes: the one that stands out counts, whichever it is.
    let examples = [text(&[2]), text(&[2]), text(&[3])];
    let counts = ClassCounts::of(&examples, &[0, 1, 2], 3, 4).unwrap();
    let by_hand = ((1.0_f64 / 2.0).ln() - (3.0_f64 / 1.0).ln()).abs();
    assert!((counts.log_odds(2, 1.0) - by_hand).abs() < 1e-12);
}

#[test]
fn what_is_missing_is_named() {
    let vocabulary = vocabulary(&["a", "b"], &[], WordMark::WordPiece);
    let config = FilterConfig {
        round_trip: true,
        association: Some(AssociationConfig::default()),
        only: vec!["a".into(), "z".into()],
        ..anything()
    };
    let Err(Error::Config { problems }) = TokenFilter::new(&config, &vocabulary).apply() else {
        panic!("nothing is missing")
    };
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(problems[2].contains("`z`"), "{problems:?}");

    let odd = AssociationConfig { threshold: f64::NAN, smoothing: 0.0, min_count: 0 };
    let config =
        FilterConfig { association: Some(odd), exclude: vec![String::new()], ..anything() };
    let Err(Error::Config { problems }) = config.validate() else { panic!("it makes sense") };
    assert_eq!(problems.len(), 3, "{problems:?}");

    let examples = [text(&[0, 1])];
    let counts = ClassCounts::of(&examples, &[0], 1, 3).unwrap();
    let plain = anything();
    let error = TokenFilter::new(&plain, &vocabulary).with_counts(&counts).apply().unwrap_err();
    assert!(error.to_string().contains("counted is 3, expected 2"), "{error}");
    let error = ClassCounts::of(&examples, &[1], 1, 3).unwrap_err();
    assert!(matches!(error, Error::Label { label: 1, example: 0, n_classes: 1 }));
    assert!(ClassCounts::of(&examples, &[0], 1, 1).is_err());
    assert!(ClassCounts::of(&examples, &[], 1, 3).is_err());
    assert!(matches!(ClassCounts::of(&[], &[], 1, 3), Err(Error::Empty { .. })));
    assert!(Vocabulary::new(vec!["a".into()], [1], WordMark::WordPiece).is_err());
    assert!(Vocabulary::new(vec![], [], WordMark::WordPiece).is_err());
}
