//! Sentences that are generated: labelled by a rule that can be learned.

use rand::RngExt;
use rand::seq::IndexedRandom;
use sixfold_model::Seed;

use super::glue::{Labelled, Split};

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

/// Sentences about people and animals: class 1 where most of the adjectives that judge are
/// friendly, 0 where most are not.
///
/// A sentence has one or three such adjectives, so that there is no tie, and plain ones besides;
/// all else is drawn without regard to the class. Both classes are equally likely. The two splits
/// are drawn from streams of their own; the same seed gives the same sentences.
pub fn sentences(split: Split, seed: u64) -> Vec<Labelled> {
    let (name, n) = match split {
        Split::Train => ("train", SIZES[0]),
        Split::Dev => ("dev", SIZES[1]),
    };
    let mut random = Seed::new(seed).derive("sentences").stream(name);
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
            rand::seq::SliceRandom::shuffle(&mut adjectives[..], &mut random);
            let [a, b, c, d] = [adjectives[0], adjectives[1], adjectives[2], adjectives[3]];
            let (noun, other) = (pick(&NOUNS, &mut random), pick(&NOUNS, &mut random));
            let (verb, place) = (pick(&VERBS, &mut random), pick(&PLACES, &mut random));
            let text = format!("the {a}, {b} {noun} {verb} the {c}, {d} {other} {place}.");
            Labelled { text, pair: None, label: f32::from(u8::from(class)) }
        })
        .collect()
}

fn pick<'a>(words: &[&'a str], random: &mut impl rand::Rng) -> &'a str {
    words.choose(random).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
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
    fn seeds_and_splits_differ_and_repeat() {
        assert_eq!(sentences(Split::Dev, 1), sentences(Split::Dev, 1));
        assert_ne!(sentences(Split::Dev, 1), sentences(Split::Dev, 2));
        assert_ne!(sentences(Split::Dev, 1)[..8], sentences(Split::Train, 1)[..8]);
    }
}
