//! How many analogies vectors solve.
//!
//! Few words make many questions, so cosines are computed once for each word of a question and not
//! for each question; a question then adds or multiplies three rows of them.

use std::ops::AddAssign;

use ndarray::{Array2, ArrayView2, Axis, s};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use sixfold_linalg::{Threads, matmul_into};

use super::analogies::{Analogies, Question};
use super::lookup::Lookup;
use crate::vectors::EPSILON;
use crate::{Error, Result, WordVectors};

/// Candidates of one block: with the words of Google's questions, cosines take 2 MB.
const BLOCK: usize = 512;

/// Independent lanes, so that the compiler may use vector registers.
const LANES: usize = 16;

/// How the answer to a question is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AnalogyMethod {
    /// 3CosAdd: the largest cos(x, b) + cos(x, c) − cos(x, a).
    #[default]
    Add,
    /// 3CosMul: the largest cos′(x, b) · cos′(x, c) / (cos′(x, a) + 0.001) with cos′ = (cos + 1)/2
    /// (Levy & Goldberg 2014).
    Mul,
}

/// What becomes of a question of which a word has no vector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownQuestions {
    /// It is not asked, as in word2vec and gensim.
    #[default]
    Skip,
    /// It counts as answered wrong.
    CountAsWrong,
}

/// How analogies are asked.
#[derive(Clone, Debug, PartialEq)]
pub struct AnalogyConfig {
    /// How the answer is chosen.
    pub method: AnalogyMethod,
    /// Only the first words, which are the most frequent ones, are asked for and answered with.
    pub restrict: Option<usize>,
    /// Without regard to case: of words that differ in it alone the first one is asked for.
    pub lowercase: bool,
    /// Questions with unknown words.
    pub out_of_vocabulary: UnknownQuestions,
}

impl Default for AnalogyConfig {
    fn default() -> Self {
        Self {
            method: AnalogyMethod::Add,
            restrict: None,
            lowercase: true,
            out_of_vocabulary: UnknownQuestions::Skip,
        }
    }
}

/// Answers of a section, or of several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SectionScore {
    /// The name of the section.
    pub name: String,
    /// Questions that were answered right.
    pub correct: usize,
    /// Questions that count.
    pub asked: usize,
    /// Questions of which all four words have vectors.
    pub found: usize,
}

impl SectionScore {
    /// The share of correct answers; NaN if nothing was asked.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.asked as f64
    }
}

impl AddAssign<&Self> for SectionScore {
    fn add_assign(&mut self, other: &Self) {
        self.correct += other.correct;
        self.asked += other.asked;
        self.found += other.found;
    }
}

/// Answers to a list of analogies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnalogyScore {
    /// By section, in the order of the file.
    pub sections: Vec<SectionScore>,
    /// All sections.
    pub all: SectionScore,
    /// The sections whose names begin with `gram`.
    pub syntactic: SectionScore,
    /// The other sections.
    pub semantic: SectionScore,
    /// Whether each question of the list was answered right, `None` for one that was not asked.
    pub answers: Vec<Option<bool>>,
}

/// Ids of the words of a question.
struct Ids {
    asked: [usize; 3],
    answer: usize,
    /// Words that are no answers, beside those asked for.
    variants: Vec<usize>,
}

/// The best answer so far.
#[derive(Clone, Copy)]
struct Best {
    score: f32,
    id: usize,
}

/// Answers analogies. The words of a question are not among its answers.
///
/// With [`lowercase`](AnalogyConfig::lowercase), neither are words that differ from them in case alone,
/// and an answer is right if it is the expected word but for case.
///
/// # Errors
/// [`Error::Hyperparameters`] if it is restricted to 0 words. Questions whose words have no vectors are
/// no error: see [`SectionScore::found`].
///
/// # Complexity
/// 2·w·n·d + 3·q·n operations for w distinct words in q questions; parallel, and the same for any
/// number of threads.
///
/// # References
/// Mikolov, Yih, Zweig 2013; Levy & Goldberg 2014, equations 3 and 4.
///
/// ```
/// use ndarray::array;
/// use sixfold_sgns::evaluation::{Analogies, AnalogyConfig, evaluate_analogies};
/// use sixfold_sgns::{Vocabulary, WordVectors};
/// let words = Vocabulary::new([("man", 0), ("king", 0), ("woman", 0), ("queen", 0)])?;
/// let matrix = array![[1., 0., 0.], [1., 0., 1.], [0., 1., 0.], [0., 1., 1.]];
/// let vectors = WordVectors::new(words, matrix)?;
/// let questions = Analogies::parse(": royals\nman king woman queen\nman king woman duchess")?;
/// let score = evaluate_analogies(&vectors, &questions, &AnalogyConfig::default())?;
/// assert_eq!((score.all.correct, score.all.asked), (1, 1));
/// # Ok::<(), sixfold_sgns::Error>(())
/// ```
pub fn evaluate_analogies(
    vectors: &WordVectors,
    analogies: &Analogies,
    config: &AnalogyConfig,
) -> Result<AnalogyScore> {
    if config.restrict == Some(0) {
        return Err(Error::Hyperparameters { problems: vec!["restrict is 0 words".into()] });
    }
    let limit = config.restrict.unwrap_or(usize::MAX).min(vectors.len());
    let lookup = Lookup::new(vectors.vocabulary(), config.lowercase, limit);
    let questions = analogies.sections().iter().flat_map(|section| &section.questions);
    let ids = |question: &Question| {
        let [a, b, c] = question.asked.each_ref().map(|word| lookup.id(word));
        let variants = |word: &str| lookup.variants(word).iter().skip(1).copied();
        Some(Ids {
            asked: [a?, b?, c?],
            answer: lookup.id(&question.answer)?,
            variants: question.asked.iter().flat_map(|word| variants(word)).collect(),
        })
    };
    let ids: Vec<Option<Ids>> = questions.map(ids).collect();
    let known: Vec<&Ids> = ids.iter().flatten().collect();
    let unit = vectors.index();
    let best = solve(unit.unit().slice(s![..limit, ..]), &known, config.method);
    let mut answered = best.iter().zip(&known).map(|(best, ids)| {
        best.id == ids.answer || config.lowercase && same(vectors, best.id, ids.answer)
    });
    let mut answers = Vec::with_capacity(ids.len());
    for ids in &ids {
        answers.push(match ids {
            Some(_) => answered.next(),
            None => (config.out_of_vocabulary == UnknownQuestions::CountAsWrong).then_some(false),
        });
    }
    Ok(count(analogies, &ids, answers))
}

/// Whether two words differ in case alone.
fn same(vectors: &WordVectors, id: usize, expected: usize) -> bool {
    let words = vectors.vocabulary();
    id < words.len() && words.word(id).to_lowercase() == words.word(expected).to_lowercase()
}

fn count(analogies: &Analogies, ids: &[Option<Ids>], answers: Vec<Option<bool>>) -> AnalogyScore {
    let named = |name: &str| SectionScore { name: name.to_owned(), ..SectionScore::default() };
    let (mut all, mut syntactic, mut semantic) =
        (named("all"), named("syntactic"), named("semantic"));
    let mut sections = Vec::new();
    let mut at = 0;
    for section in analogies.sections() {
        let range = at..at + section.questions.len();
        at = range.end;
        let given = &answers[range.clone()];
        let score = SectionScore {
            name: section.name.clone(),
            correct: given.iter().filter(|answer| **answer == Some(true)).count(),
            asked: given.iter().flatten().count(),
            found: ids[range].iter().flatten().count(),
        };
        all += &score;
        *(if section.is_syntactic() { &mut syntactic } else { &mut semantic }) += &score;
        sections.push(score);
    }
    AnalogyScore { sections, all, syntactic, semantic, answers }
}

/// The best answer to each question among the rows of `unit`.
fn solve(unit: ArrayView2<'_, f32>, questions: &[&Ids], method: AnalogyMethod) -> Vec<Best> {
    // Each word that is asked for once, and which of them a question asks for.
    let mut words = Vec::new();
    let mut places = FxHashMap::default();
    let mut place = |id: usize| {
        *places.entry(id).or_insert_with(|| {
            words.push(id);
            words.len() - 1
        })
    };
    let rows: Vec<[usize; 3]> = questions.iter().map(|ids| ids.asked.map(&mut place)).collect();
    let asked = unit.select(Axis(0), &words);
    let none = || vec![Best { score: f32::NEG_INFINITY, id: usize::MAX }; questions.len()];
    // The larger score, of equal ones the smaller id: the same in any order of blocks.
    unit.axis_chunks_iter(Axis(0), BLOCK)
        .into_par_iter()
        .enumerate()
        .fold(none, |mut best, (block, candidates)| {
            let begin = block * BLOCK;
            let mut cosines = Array2::zeros((asked.nrows(), candidates.nrows()));
            matmul_into(1.0, asked.view(), candidates.t(), 0.0, cosines.view_mut(), Threads::ONE);
            if method == AnalogyMethod::Mul {
                cosines.mapv_inplace(|cosine| (cosine + 1.0) / 2.0);
            }
            let mut scores = vec![0.0; candidates.nrows()];
            for ((best, ids), rows) in best.iter_mut().zip(questions).zip(&rows) {
                let rows =
                    rows.map(|row| cosines.row(row).to_slice().expect("rows are contiguous"));
                combine(rows, method, &mut scores);
                for id in ids.asked.iter().chain(&ids.variants) {
                    if let Some(score) = id.checked_sub(begin).and_then(|at| scores.get_mut(at)) {
                        *score = f32::NEG_INFINITY;
                    }
                }
                let score = largest(&scores);
                // Where all candidates are words of the question, there is none.
                if score >= best.score
                    && score > f32::NEG_INFINITY
                    && let Some(at) =
                        scores.iter().position(|other| other.total_cmp(&score).is_eq())
                {
                    *best = better(*best, Best { score, id: begin + at });
                }
            }
            best
        })
        .reduce(none, |a, b| a.into_iter().zip(b).map(|(a, b)| better(a, b)).collect())
}

fn better(a: Best, b: Best) -> Best {
    if b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)).is_gt() { b } else { a }
}

fn combine(rows: [&[f32]; 3], method: AnalogyMethod, scores: &mut [f32]) {
    let [a, b, c] = rows;
    let rows = scores.iter_mut().zip(a).zip(b.iter().zip(c));
    match method {
        AnalogyMethod::Add => rows.for_each(|((score, a), (b, c))| *score = b + c - a),
        AnalogyMethod::Mul => rows.for_each(|((score, a), (b, c))| *score = b * c / (a + EPSILON)),
    }
}

fn largest(scores: &[f32]) -> f32 {
    let (chunks, rest) = scores.as_chunks::<LANES>();
    let mut lanes = [f32::NEG_INFINITY; LANES];
    for chunk in chunks {
        for (lane, score) in lanes.iter_mut().zip(chunk) {
            *lane = if *score > *lane { *score } else { *lane };
        }
    }
    lanes.iter().chain(rest).fold(f32::NEG_INFINITY, |max, score| max.max(*score))
}
