//! Sixfold's word vectors beside gensim's, on the same text with the same options: CPU seconds by
//! stage, and what both know. `benches/peers/run_sgns.py` starts it with one thread:
//! `sgns_quality CORPUS QUESTIONS GENSIM [sgd]`, where QUESTIONS is the folder of the word lists and
//! GENSIM a file of word vectors. It prints JSON.

use std::ops::ControlFlow;
use std::path::Path;

use serde_json::{Value, json};
use sixfold_benches::peer::{Result, cpu_seconds};
use sixfold_sgns::corpus::{CorpusConfig, Normalise};
use sixfold_sgns::counting::{CountConfig, count};
use sixfold_sgns::evaluation::{
    Analogies, AnalogyConfig, Difference, PairsConfig, WordPairs, evaluate_analogies,
    evaluate_pairs, paired_accuracy, paired_difference,
};
use sixfold_sgns::stochastic::{Sgd, SgdConfig};
use sixfold_sgns::sweep::HostSweep;
use sixfold_sgns::{
    Factors, Objective, ObjectiveConfig, Solver, SolverConfig, VectorsConfig, WordVectors, initial,
};

const D: usize = 100;
const DRAWS: usize = 2000;
const PAIRS: [&str; 5] = ["MEN-TR-3k", "SIMLEX-999", "WS-353-ALL", "WS-353-SIM", "WS-353-REL"];

#[expect(clippy::print_stdout, reason = "the driver reads it")]
fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [corpus, questions, gensim, rest @ ..] = arguments.as_slice() else {
        return Err("expected a text, a folder of questions, and gensim's vectors".into());
    };
    let corpus = CorpusConfig {
        column: Some(1),
        normalise: Normalise::Ascii,
        ..CorpusConfig::new([corpus])
    };
    let mut clock = Clock::default();
    let config = CountConfig { min_count: 50, ..CountConfig::default() };
    let (words, counts) = count(&corpus, &config)?;
    let non_zeros = counts.non_zeros();
    clock.tick("counting")?;
    let smoothed = ObjectiveConfig { smoothing: 0.75, ..ObjectiveConfig::default() };
    let objective = Objective::new(counts, &smoothed)?;
    let (a, b) = initial::from_sppmi(&objective, D, 0)?;
    clock.tick("start")?;
    let sweep = HostSweep::new(&objective);
    let mut solver = Solver::new(&objective, sweep, (&a, &b), SolverConfig::default())?;
    solver.run(|_| ControlFlow::Continue(()))?;
    let (u, s, v) = solver.svd()?;
    clock.tick("iterations")?;
    let factors = Factors::new(words.clone(), u, s, v)?;
    let mut systems = vec![
        ("gensim", WordVectors::open(gensim)?),
        ("Sixfold", factors.vectors(&VectorsConfig::default())?),
        (
            "Sixfold, first component dropped",
            factors.vectors(&VectorsConfig { drop_leading: 1, ..VectorsConfig::default() })?,
        ),
    ];
    if rest.first().is_some_and(|word| word == "sgd") {
        clock.tick("")?;
        let sgd = Sgd::new(&corpus, &words, &SgdConfig { dim: D, ..SgdConfig::word2vec() })?;
        let fit = sgd.train(|_| ControlFlow::Continue(()))?;
        clock.tick("sgd")?;
        systems.push(("Sixfold's SGD", fit.vectors(words.clone())?));
    }
    let tables = tables(Path::new(questions), &systems)?;
    let names: Vec<_> = systems.iter().map(|(name, _)| name).collect();
    println!(
        "{}",
        json!({
            "words": words.len(),
            "non_zeros": non_zeros,
            "cpu": clock.stages,
            "objective": solver.objective(),
            "gap": objective.gap_ratio(solver.objective()),
            "systems": names,
            "tables": tables,
        })
    );
    Ok(())
}

/// CPU seconds of what came since the last tick.
#[derive(Default)]
struct Clock {
    last: f64,
    stages: serde_json::Map<String, Value>,
}

impl Clock {
    fn tick(&mut self, stage: &str) -> Result<()> {
        let now = cpu_seconds()?;
        if !stage.is_empty() {
            self.stages.insert(stage.to_owned(), (now - self.last).into());
        }
        self.last = now;
        Ok(())
    }
}

/// For each list of questions: how many were asked, each system's score, and its difference to the
/// first with its interval.
fn tables(dir: &Path, systems: &[(&str, WordVectors)]) -> Result<Vec<Value>> {
    let mut tables = Vec::new();
    for name in PAIRS {
        let pairs = WordPairs::open(dir.join(format!("EN-{name}.txt")))?;
        let scores = systems
            .iter()
            .map(|(_, vectors)| evaluate_pairs(vectors, &pairs, &PairsConfig::default()))
            .collect::<sixfold_sgns::Result<Vec<_>>>()?;
        let asked = scores.iter().fold(vec![true; pairs.pairs().len()], |mut all, score| {
            all.iter_mut().zip(&score.cosines).for_each(|(all, cosine)| *all &= cosine.is_some());
            all
        });
        let of = |cosines: &[Option<f64>]| -> Vec<f64> {
            cosines
                .iter()
                .zip(&asked)
                .filter(|(_, asked)| **asked)
                .filter_map(|(x, _)| *x)
                .collect()
        };
        let gold: Vec<_> = pairs.pairs().iter().map(|pair| Some(pair.score)).collect();
        let (gold, first) = (of(&gold), of(&scores[0].cosines));
        let rows = scores
            .iter()
            .map(|score| {
                let gain = paired_difference(&of(&score.cosines), &first, &gold, DRAWS, 0)?;
                Ok(row(score.spearman, &gain))
            })
            .collect::<Result<Vec<_>>>()?;
        tables.push(json!({ "name": name, "asked": gold.len(), "rows": rows }));
    }
    let analogies = Analogies::open(dir.join("questions-words.txt"))?;
    let scores = systems
        .iter()
        .map(|(_, vectors)| evaluate_analogies(vectors, &analogies, &AnalogyConfig::default()))
        .collect::<sixfold_sgns::Result<Vec<_>>>()?;
    let syntactic: Vec<bool> = analogies
        .sections()
        .iter()
        .flat_map(|section| section.questions.iter().map(|_| section.is_syntactic()))
        .collect();
    for (name, kept) in
        [("all", [true, true]), ("syntactic", [true, false]), ("semantic", [false, true])]
    {
        let of = |answers: &[Option<bool>]| -> Vec<bool> {
            let questions = answers.iter().zip(&syntactic);
            questions
                .filter(|&(_, &syntactic)| kept[usize::from(!syntactic)])
                .filter_map(|(x, _)| *x)
                .collect()
        };
        let first = of(&scores[0].answers);
        let rows = scores
            .iter()
            .map(|score| {
                let answers = of(&score.answers);
                let right = answers.iter().filter(|right| **right).count();
                let gain = paired_accuracy(&answers, &first, DRAWS, 0)?;
                Ok(row(right as f64 / answers.len() as f64, &gain))
            })
            .collect::<Result<Vec<_>>>()?;
        tables
            .push(json!({ "name": format!("Google, {name}"), "asked": first.len(), "rows": rows }));
    }
    Ok(tables)
}

fn row(score: f64, gain: &Difference) -> Value {
    json!({ "score": score, "gain": gain.value, "low": gain.low, "high": gain.high })
}
