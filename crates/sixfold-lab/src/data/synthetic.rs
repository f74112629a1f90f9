//! Sentences that are generated: labelled, translated, or asked about, by a rule that can be learned.

use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, RngExt};
use sixfold_model::Seed;

use super::glue::{Labelled, Split};
use super::instructions::Instruction;
use super::pairs::Pair;

const GOOD: [&str; 8] = ["happy", "kind", "bright", "lovely", "brave", "warm", "gentle", "funny"];
const BAD: [&str; 8] = ["sad", "mean", "dark", "ugly", "scared", "cold", "angry", "dull"];
const PLAIN: [&str; 8] = ["big", "small", "red", "blue", "old", "young", "round", "tall"];
const NOUNS: [&str; 10] =
    ["girl", "boy", "dog", "cat", "bird", "bear", "king", "queen", "tree", "house"];
const VERBS: [&str; 6] = ["saw", "found", "liked", "met", "followed", "remembered"];
const PLACES: [&str; 5] =
    ["in the park", "near the lake", "by the road", "at home", "in the garden"];

/// Sentences of a train split, and of a dev split.
const SIZES: [usize; 2] = [768, 256];

/// Questions of a train split, and of a dev split.
const QUESTIONS: [usize; 2] = [512, 64];

/// Pairs of a train split, and of a test split.
const PAIRS: [usize; 2] = [2_048, 128];

/// Sentences about people and animals: class 1 where most of the adjectives that judge are
/// friendly, 0 where most are not.
///
/// A sentence has one or three such adjectives, so that there is no tie, and plain ones besides;
/// all else is drawn without regard to the class. Both classes are equally likely. The two splits
/// are drawn from streams of their own; the same seed gives the same sentences.
pub fn sentences(split: Split, seed: u64) -> Vec<Labelled> {
    let (n, mut random) = stream("sentences", SIZES, split, seed);
    (0..n)
        .map(|_| {
            let class = random.random_bool(0.5);
            let judging = if random.random_bool(0.5) { 1 } else { 3 };
            let (most, others) = if class { (GOOD, BAD) } else { (BAD, GOOD) };
            // Of three, sometimes one speaks against the other two.
            let against = judging == 3 && random.random_bool(0.5);
            let mut adjectives: Vec<&str> = (0..4)
                .map(|place| match place {
                    0 if against => pick(&others, &mut random),
                    _ if place < judging => pick(&most, &mut random),
                    _ => pick(&PLAIN, &mut random),
                })
                .collect();
            adjectives.shuffle(&mut random);
            let [a, b, c, d] = [adjectives[0], adjectives[1], adjectives[2], adjectives[3]];
            let (noun, other) = (pick(&NOUNS, &mut random), pick(&NOUNS, &mut random));
            let (verb, place) = (pick(&VERBS, &mut random), pick(&PLACES, &mut random));
            let text = format!("the {a}, {b} {noun} {verb} the {c}, {d} {other} {place}.");
            Labelled { text, pair: None, label: f32::from(u8::from(class)) }
        })
        .collect()
}

/// Sentences about people and animals in a language that is made up, and the same in English.
///
/// Each English word, and each place of several, has one word in the made-up language, and each of
/// its words has one meaning; there is no article. The place comes first and the verb last, and an
/// adjective stands behind its noun: `place noun adjective noun adjective verb`. All words are
/// drawn at random; the two splits are drawn from streams of their own, and the same seed gives
/// the same pairs.
pub fn pairs(split: Split, seed: u64) -> Vec<Pair> {
    let (n, mut random) = stream("pairs", PAIRS, split, seed);
    (0..n)
        .map(|_| {
            let scene = Scene::draw(&mut random);
            let Scene { adjectives: [a, b], nouns: [noun, other], verb, place } = scene;
            let source = [place, noun, a, other, b, verb].map(made_up).join(" ");
            Pair { source: source + ".", target: scene.english() }
        })
        .collect()
}

/// Questions about a sentence, answered by some of its words.
///
/// A sentence is `the adjective noun verb the adjective noun place.`, all drawn at random. Asked are who did it, to whom or
/// what it was done, and where, each equally often; the answer is that part of the sentence, without its full stop. The
/// two splits are drawn from streams of their own, and the same seed gives the same questions.
pub fn questions(split: Split, seed: u64) -> Vec<Instruction> {
    let (n, mut random) = stream("questions", QUESTIONS, split, seed);
    (0..n)
        .map(|_| {
            let scene = Scene::draw(&mut random);
            let Scene { adjectives: [a, b], nouns: [noun, other], verb, place } = scene;
            let (question, answer) = match random.random_range(0..3) {
                0 => (format!("who {verb} someone?"), format!("the {a} {noun}")),
                1 => (format!("who was {verb}?"), format!("the {b} {other}")),
                _ => ("where was it?".to_owned(), place.to_owned()),
            };
            Instruction { instruction: question, input: scene.english(), answer }
        })
        .collect()
}

/// Somebody who did something to somebody somewhere.
#[derive(Clone, Copy)]
struct Scene {
    adjectives: [&'static str; 2],
    nouns: [&'static str; 2],
    verb: &'static str,
    place: &'static str,
}

impl Scene {
    fn draw(random: &mut impl Rng) -> Self {
        let all = [GOOD, BAD, PLAIN].concat();
        Self {
            adjectives: [(); 2].map(|()| pick(&all, random)),
            nouns: [(); 2].map(|()| pick(&NOUNS, random)),
            verb: pick(&VERBS, random),
            place: pick(&PLACES, random),
        }
    }

    fn english(self) -> String {
        let Self { adjectives: [a, b], nouns: [noun, other], verb, place } = self;
        format!("the {a} {noun} {verb} the {b} {other} {place}.")
    }
}

/// How many there are in a split, and the stream that they are drawn from.
fn stream(name: &str, sizes: [usize; 2], split: Split, seed: u64) -> (usize, impl Rng) {
    let (part, n) = match split {
        Split::Train => ("train", sizes[0]),
        Split::Dev => ("dev", sizes[1]),
    };
    (n, Seed::new(seed).derive(name).stream(part))
}

/// The made-up word for an English one: two syllables that its place in the lists decides.
fn made_up(english: &str) -> String {
    const SYLLABLES: [&str; 8] = ["ba", "ku", "mi", "to", "re", "la", "so", "ni"];
    let lists: [&[&str]; 6] = [&GOOD, &BAD, &PLAIN, &NOUNS, &VERBS, &PLACES];
    let place = lists.concat().iter().position(|word| *word == english).unwrap_or_default();
    [SYLLABLES[place / 8], SYLLABLES[place % 8]].concat()
}

fn pick<'a>(words: &[&'a str], random: &mut impl Rng) -> &'a str {
    words.choose(random).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;

    #[test]
    fn the_class_follows_from_the_words_and_from_nothing_else() {
        let train = sentences(Split::Train, 0);
        for sentence in &train {
            let count = |words: &[&str]| {
                let known = sentence.text.split([' ', ',', '.']);
                known.filter(|word| words.contains(word)).count()
            };
            let (good, bad) = (count(&GOOD), count(&BAD));
            assert!(matches!(good + bad, 1 | 3), "{}", sentence.text);
            assert_eq!(sentence.class() == 1, good > bad, "{}", sentence.text);
            assert_eq!(good + bad + count(&PLAIN), 4, "{}", sentence.text);
        }
        let ones = train.iter().filter(|sentence| sentence.class() == 1).count();
        assert!((train.len() * 2 / 5..train.len() * 3 / 5).contains(&ones), "{ones}");
    }

    #[test]
    fn a_made_up_sentence_has_the_words_of_its_translation() {
        let train = pairs(Split::Train, 0);
        let mut meanings: HashMap<String, String> = HashMap::new();
        for pair in &train {
            let words: Vec<&str> = pair.source.trim_end_matches('.').split(' ').collect();
            let [place, noun, a, other, b, verb] = words[..] else { panic!("{}", pair.source) };
            let english: Vec<&str> = pair.target.trim_end_matches('.').splitn(8, ' ').collect();
            let expected = [english[7], english[2], english[1], english[6], english[5], english[3]];
            for (word, english) in [place, noun, a, other, b, verb].into_iter().zip(expected) {
                let known = meanings.entry(word.to_owned()).or_insert_with(|| english.to_owned());
                assert_eq!(known, english, "{word}");
            }
        }
        assert_eq!(meanings.len(), 45, "all words occur");
        let distinct: HashSet<&String> = meanings.values().collect();
        assert_eq!(distinct.len(), 45, "no two words mean the same");
        assert_eq!(pairs(Split::Dev, 1), pairs(Split::Dev, 1));
        assert_ne!(pairs(Split::Dev, 1), pairs(Split::Dev, 2));
        assert_ne!(pairs(Split::Dev, 1)[..8], train[..8]);
    }

    #[test]
    fn an_answer_is_a_part_of_the_sentence() {
        let dev = questions(Split::Dev, 0);
        assert!(dev.iter().all(|one| one.input.contains(&one.answer)));
        let of = |word: &str| dev.iter().filter(|one| one.instruction.contains(word)).count();
        assert!(of("where") > 8 && of("who was") > 8 && of("someone") > 8);
        assert_eq!(questions(Split::Dev, 1), questions(Split::Dev, 1));
        assert_ne!(questions(Split::Dev, 1), questions(Split::Dev, 2));
    }

    #[test]
    fn seeds_and_splits_differ_and_repeat() {
        assert_eq!(sentences(Split::Dev, 1), sentences(Split::Dev, 1));
        assert_ne!(sentences(Split::Dev, 1), sentences(Split::Dev, 2));
        assert_ne!(sentences(Split::Dev, 1)[..8], sentences(Split::Train, 1)[..8]);
    }
}
