//! Neighbours against gensim and brute force; vectors from factors.

use ndarray::{Array2, array, s};
use sixfold_sgns::vectors::Similar;
use sixfold_sgns::{Error, Factors, VectorsConfig, Vocabulary, WordVectors};

use crate::golden::{golden, random, vectors, words};

fn assert_same(found: &[Similar<'_>], expected: &serde_json::Value) {
    let expected = expected.as_array().unwrap();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found.word, expected[0].as_str().unwrap());
        assert!((f64::from(found.score) - expected[1].as_f64().unwrap()).abs() < 1e-6);
    }
}

#[test]
fn gensim_finds_the_same() {
    let (vectors, golden) = (vectors(), golden());
    let golden = &golden["neighbours"];
    let index = vectors.index();
    for (word, expected) in golden["words"].as_object().unwrap() {
        assert_same(&index.neighbours(word, 10).unwrap(), expected);
        assert_same(&vectors.neighbours(word, 10).unwrap(), expected);
    }
    let question = &golden["most_similar"];
    let (positive, negative) = (words(&question["positive"]), words(&question["negative"]));
    assert_same(&index.most_similar(&positive, &negative, 5).unwrap(), &question["found"]);
    let odd = &golden["doesnt_match"];
    assert_eq!(index.doesnt_match(&words(&odd["words"])).unwrap(), odd["found"].as_str().unwrap());
    let similarity = vectors.similarity("Cat", "sea-r").unwrap();
    assert!((similarity - golden["similarity"].as_f64().unwrap()).abs() < 1e-6);
}

#[test]
fn neighbours_are_those_of_brute_force() {
    // More words than a block has, and more queries.
    let vectors = random(5000, 6);
    let unit = vectors.normalised();
    let unit = unit.matrix();
    let asked: Vec<String> = (0..130).map(|i| format!("w{}", i * 31)).collect();
    let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
    let index = vectors.index();
    let found = index.neighbours_of(&asked, 7).unwrap();
    for (q, found) in found.iter().enumerate() {
        let id = q * 31;
        let mut scores: Vec<(usize, f32)> =
            (0..5000).filter(|i| *i != id).map(|i| (i, unit.row(i).dot(&unit.row(id)))).collect();
        scores.sort_by(|a, b| b.1.total_cmp(&a.1));
        assert_eq!(found.len(), 7);
        for (found, (_, score)) in found.iter().zip(&scores) {
            assert!((found.score - score).abs() < 1e-6);
            assert!((unit.row(found.id).dot(&unit.row(id)) - found.score).abs() < 1e-6);
            assert_eq!(found.word, vectors.vocabulary().word(found.id));
        }
        let one = index.neighbours(asked[q], 7).unwrap();
        let near = |a: &Similar<'_>, b: &Similar<'_>| (a.score - b.score).abs() < 1e-6;
        assert!(one.iter().zip(found).all(|(a, b)| near(a, b)));
    }
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let three = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    let again = one.install(|| index.neighbours_of(&asked, 7).unwrap());
    assert_eq!(again, three.install(|| index.neighbours_of(&asked, 7).unwrap()));
    assert_eq!(again, found);
}

#[test]
fn ties_go_to_the_first_and_no_more_come_than_there_are() {
    let words = Vocabulary::new([("a", 0), ("b", 0), ("c", 0), ("d", 0), ("zero", 0)]).unwrap();
    let matrix = array![[1.0, 0.0], [0.0, 2.0], [0.0, 3.0], [0.0, 1.0], [0.0, 0.0]];
    let vectors = WordVectors::new(words, matrix).unwrap();
    let index = vectors.index();
    let named = |found: Vec<Similar<'_>>| found.iter().map(|x| x.id).collect::<Vec<_>>();
    assert_eq!(named(index.neighbours("b", 2).unwrap()), [2, 3]);
    assert_eq!(named(index.neighbours("a", 99).unwrap()), [1, 2, 3, 4]);
    assert_eq!(named(index.neighbours("a", 0).unwrap()), [0; 0]);
    let queries = array![[5.0, 0.0], [0.0, 0.5]];
    let found = index.nearest(queries.view(), 1).unwrap();
    assert_eq!((found[0][0].id, found[1][0].id), (0, 1));
    assert_eq!(index.doesnt_match(&["b", "a", "c"]).unwrap(), "a");
    assert_eq!(vectors.similarity("a", "zero").unwrap(), 0.0);
}

#[test]
fn cosmul_multiplies() {
    let vectors = random(400, 5);
    let found = vectors.most_similar_cosmul(&["w1", "w2"], &["w3"], 5).unwrap();
    let shifted = |a: usize, b: &str| {
        (vectors.similarity(vectors.vocabulary().word(a), b).unwrap() + 1.0) / 2.0
    };
    let mut scores: Vec<(usize, f64)> = (0..400)
        .filter(|i| !(1..=3).contains(i))
        .map(|i| (i, shifted(i, "w1") * shifted(i, "w2") / (shifted(i, "w3") + 1e-3)))
        .collect();
    scores.sort_by(|a, b| b.1.total_cmp(&a.1));
    for (found, (id, score)) in found.iter().zip(&scores) {
        assert_eq!(found.id, *id);
        assert!((f64::from(found.score) / score - 1.0).abs() < 1e-5);
    }
}

#[test]
fn questions_that_make_no_sense_are_refused() {
    let vectors = random(4, 3);
    let index = vectors.index();
    let unknown = |error: Error| matches!(&error, Error::UnknownWord { word } if word == "cat");
    assert!(unknown(vectors.vector("cat").unwrap_err()));
    assert!(unknown(index.neighbours("cat", 1).unwrap_err()));
    assert!(unknown(index.most_similar(&["w1"], &["cat"], 1).unwrap_err()));
    assert!(unknown(index.doesnt_match(&["cat"]).unwrap_err()));
    assert!(unknown(vectors.similarity("w1", "cat").unwrap_err()));
    assert!(matches!(index.most_similar(&[], &[], 1).unwrap_err(), Error::Empty { .. }));
    let narrow = Array2::zeros((1, 2));
    assert!(matches!(index.nearest(narrow.view(), 1).unwrap_err(), Error::ShapeMismatch { .. }));
    let words = || Vocabulary::new([("a", 0), ("b", 0)]).unwrap();
    let new = |matrix| WordVectors::new(words(), matrix).unwrap_err();
    assert!(matches!(new(Array2::zeros((3, 2))), Error::ShapeMismatch { .. }));
    assert!(matches!(new(Array2::zeros((2, 0))), Error::Empty { .. }));
    let error = new(array![[0.0, 1.0], [f32::NAN, 0.0]]);
    assert!(matches!(error, Error::NotFinite { row: 1, column: 0, .. }), "{error:?}");
}

#[test]
fn factors_make_vectors() {
    let words = || Vocabulary::new([("a", 0), ("b", 0), ("c", 0)]).unwrap();
    let identity: Array2<f32> = Array2::eye(3);
    let (u, v) = (identity.clone(), identity.select(ndarray::Axis(0), &[1, 0, 2]));
    let factors = Factors::new(words(), u, array![16.0, 4.0, 1.0], v).unwrap();
    let plain = VectorsConfig { normalise: false, ..VectorsConfig::default() };
    let made = |config: &VectorsConfig| factors.vectors(config).unwrap().into_parts().1;
    assert_eq!(made(&plain), Array2::from_diag(&array![4.0, 2.0, 1.0]));
    assert_eq!(made(&VectorsConfig { power: 0.0, ..plain.clone() }), identity);
    assert_eq!(
        made(&VectorsConfig { power: 1.0, ..plain.clone() }),
        Array2::from_diag(&factors.s())
    );
    let dropped = made(&VectorsConfig { drop_leading: 1, ..plain.clone() });
    assert_eq!(dropped, made(&plain).slice(s![.., 1..]));
    let sum = made(&VectorsConfig { add_contexts: true, ..plain.clone() });
    assert_eq!(sum, array![[4.0, 2.0, 0.0], [4.0, 2.0, 0.0], [0.0, 0.0, 2.0]]);
    let unit = made(&VectorsConfig { add_contexts: true, ..VectorsConfig::default() });
    assert!(unit.outer_iter().all(|row| (row.dot(&row) - 1.0).abs() < 1e-6));

    let tall = Array2::eye(4).slice(s![.., ..3]).to_owned();
    let wide = Factors::new(words(), identity.clone(), array![3.0, 2.0, 1.0], tall).unwrap();
    let bad =
        VectorsConfig { power: f64::NAN, drop_leading: 3, add_contexts: true, normalise: true };
    let Err(Error::Hyperparameters { problems }) = wide.vectors(&bad) else { panic!("refused") };
    assert_eq!(problems.len(), 3, "{problems:?}");

    for (s, name) in [([1.0, 2.0, 0.5], "singular value"), ([1.0, 0.5, -0.5], "singular value")] {
        let error = Factors::new(words(), identity.clone(), ndarray::arr1(&s), identity.clone())
            .unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
    let skewed = array![[1.0, 0.1, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    let error = Factors::new(words(), skewed, array![3.0, 2.0, 1.0], identity).unwrap_err();
    assert!(error.to_string().contains("orthogonality of U"), "{error}");
}
