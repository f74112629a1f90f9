//! What the objectives say about the paper's Table 1, as sentences that follow from them.

use super::{OURS, PAPER, SGD, SVD, WORD2VEC};
use crate::experiments::curves::{At, Curves};
use crate::experiments::finding::{Finding, Verdict};
use crate::format::short;

/// An objective: its number of words and its rank.
pub(super) type Cell = (String, String);

/// The objectives of a run.
pub(super) fn cells(curves: Curves<'_>) -> Vec<Cell> {
    let of = |words: String| {
        let dims = curves.distinct("objective", "dim").into_iter();
        dims.map(move |dim| (words.clone(), dim))
    };
    curves.distinct("objective", "words").into_iter().flat_map(of).collect()
}

/// How a sentence names an objective.
pub(super) fn named((words, dim): &Cell) -> String {
    format!("{words} words, d = {dim}")
}

/// The value that a method ends with.
pub(super) fn end(curves: Curves<'_>, name: &str, method: &str, cell: &Cell) -> Option<f64> {
    let way = way(curves, name, method, cell);
    match way.last() {
        Some(last) => Some(last.value),
        None => curves.one(name, &place(method, cell)),
    }
}

/// The values of a method by iteration; none of a method without.
pub(super) fn way(curves: Curves<'_>, name: &str, method: &str, cell: &Cell) -> Vec<At> {
    curves.over(name, "iteration", &place(method, cell))
}

fn place<'a>(method: &'a str, (words, dim): &'a Cell) -> [(&'static str, &'a str); 3] {
    [("method", method), ("words", words), ("dim", dim)]
}

/// A large number for a sentence.
pub(super) fn large(value: f64) -> String {
    let text = format!("{value:.4e}");
    text.replace('-', "−")
}

fn percent(share: f64) -> String {
    short((1000.0 * share).round() / 10.0).replace('-', "−")
}

/// All claims.
pub(super) fn findings(curves: Curves<'_>) -> Vec<Finding> {
    let cells = cells(curves);
    let mut findings = vec![sgd_behind_svd(curves, &cells)];
    findings.extend(word2vec(curves, &cells));
    findings.extend(above(curves, &cells, SVD, "Riemannian optimisation is above SVD (Table 1)"));
    let claim = "Riemannian optimisation is above SGD on the same objective (Table 1)";
    findings.extend(above(curves, &cells, SGD, claim));
    findings.extend(speed(curves, &cells));
    findings.extend(monotone(curves, &cells));
    findings
}

/// The order of the paper's Table 1: SGD below SVD.
fn sgd_behind_svd(curves: Curves<'_>, cells: &[Cell]) -> Finding {
    let claim = "SGD falls behind SVD in objective (Table 1: −1.68e9 against −1.65e9 at d = 100)";
    let mut seen = Vec::new();
    let mut behind = 0;
    for cell in cells {
        let of = |name, method| end(curves, name, method, cell);
        let (Some(sgd), Some(svd)) = (of("objective", SGD), of("objective", SVD)) else { continue };
        behind += usize::from(sgd < svd);
        let gaps =
            of("gap_ratio", SGD).zip(of("gap_ratio", SVD)).map_or(String::new(), |(a, b)| {
                format!(" ({} % and {} % of the way to the bound)", percent(a), percent(b))
            });
        let (sgd, svd) = (large(sgd), large(svd));
        seen.push(format!("{}: SGD {sgd}, SVD {svd}{gaps}", named(cell)));
    }
    let (verdict, word, reproduced) = match (behind, seen.len()) {
        (_, 0) => {
            let why = "No objective has both methods.";
            return Finding::new(claim, Verdict::CannotBeJudged, why);
        }
        (0, _) => (Verdict::DoesNotHold, "SGD does not fall behind SVD", "is not reproduced"),
        (n, all) if n == all => (Verdict::Holds, "SGD falls behind SVD", "is reproduced"),
        _ => (
            Verdict::Partly,
            "SGD falls behind SVD on some of the objectives",
            "is reproduced in part",
        ),
    };
    let why = format!(
        "With the sampling of the objective itself (matched), {word}: {}. The order of SGD and SVD in \
         the paper's Table 1 {reproduced} with these data.",
        seen.join("; ")
    );
    Finding::new(claim, verdict, why)
}

/// What word2vec's own sampling does to the objective that it does not optimise.
fn word2vec(curves: Curves<'_>, cells: &[Cell]) -> Option<Finding> {
    let claim =
        "With word2vec's options, which optimise another objective, SGD ends lower on this one";
    let mut seen = Vec::new();
    let mut lower = 0;
    for cell in cells {
        let of = |method| end(curves, "objective", method, cell);
        let (Some(word2vec), Some(sgd)) = (of(WORD2VEC), of(SGD)) else { continue };
        lower += usize::from(word2vec < sgd);
        let below = match of(SVD) {
            Some(svd) if word2vec < svd => ", below SVD",
            Some(_) => ", above SVD",
            None => "",
        };
        let (word2vec, sgd) = (large(word2vec), large(sgd));
        seen.push(format!("{}: {word2vec} instead of {sgd}{below}", named(cell)));
    }
    let verdict = match (lower, seen.len()) {
        (_, 0) => return None,
        (0, _) => Verdict::DoesNotHold,
        (n, all) if n == all => Verdict::Holds,
        _ => Verdict::Partly,
    };
    let why = format!(
        "With word2vec's windows, sub-sampling and smoothing SGD ends at {}.",
        seen.join("; ")
    );
    Some(Finding::new(claim, verdict, why))
}

/// Whether both Riemannian methods end above another one.
fn above(curves: Curves<'_>, cells: &[Cell], other: &str, claim: &str) -> Option<Finding> {
    let mut seen = Vec::new();
    let (mut ours_above, mut papers_above, mut papers) = (0, 0, 0);
    for cell in cells {
        let of = |method| end(curves, "objective", method, cell);
        let (Some(ours), Some(theirs)) = (of(OURS), of(other)) else { continue };
        ours_above += usize::from(ours > theirs);
        let mut text = format!("{}: {} in the frequency metric", named(cell), large(ours));
        if let Some(paper) = of(PAPER) {
            papers += 1;
            papers_above += usize::from(paper > theirs);
            text.push_str(&format!(", {} by the paper's update", large(paper)));
        }
        seen.push(format!("{text}, {} by {other}", large(theirs)));
    }
    let all = seen.len();
    let verdict = match (ours_above, papers_above) {
        _ if all == 0 => return None,
        (ours, theirs) if ours == all && theirs == papers => Verdict::Holds,
        (0, 0) => Verdict::DoesNotHold,
        _ => Verdict::Partly,
    };
    Some(Finding::new(claim, verdict, format!("{}.", seen.join("; "))))
}

/// How far both metrics come.
fn speed(curves: Curves<'_>, cells: &[Cell]) -> Option<Finding> {
    let claim = "The frequency metric comes nearer to the bound than the paper's update";
    let mut seen = Vec::new();
    let mut nearer = 0;
    for cell in cells {
        let (ours, papers) =
            (way(curves, "gap_ratio", OURS, cell), way(curves, "gap_ratio", PAPER, cell));
        let (Some(last), Some(theirs)) = (ours.last(), papers.last()) else { continue };
        nearer += usize::from(last.value > theirs.value);
        let step = curves.one("lambda", &place(PAPER, cell)).map_or(String::new(), |step| {
            let place = [("words", cell.0.as_str()), ("dim", cell.1.as_str())];
            let falls = curves.over("falls", "lambda", &place);
            let stable = falls.iter().any(|at| (at.x - step).abs() < 1e-9 * step && at.value < 0.5);
            let which = if stable { "best stable step" } else { "best step, which is not stable," };
            format!(" with its {which} λ = {step:.2e}")
        });
        // Half way and at the end, as the paper stops after 25.
        let papers: Vec<String> = papers
            .iter()
            .filter(|at| [25.0, theirs.x].iter().any(|wanted| (at.x - wanted).abs() < 0.5))
            .map(|at| format!("{} % after {}", percent(at.value), at.x))
            .collect();
        seen.push(format!(
            "{}: {} % of the way after {} iterations of the frequency metric; the paper's update{step} \
             comes to {}",
            named(cell),
            percent(last.value),
            last.x,
            papers.join(" and ")
        ));
    }
    let verdict = match (nearer, seen.len()) {
        (_, 0) => return None,
        (0, _) => Verdict::DoesNotHold,
        (n, all) if n == all => Verdict::Holds,
        _ => Verdict::Partly,
    };
    Some(Finding::new(claim, verdict, format!("{}.", seen.join(". "))))
}

/// Whether the objective ever fell with the line search.
fn monotone(curves: Curves<'_>, cells: &[Cell]) -> Option<Finding> {
    let mut seen = Vec::new();
    let mut all_falls = 0;
    for cell in cells {
        let way = way(curves, "objective", OURS, cell);
        let falls = way.windows(2).filter(|pair| pair[1].value < pair[0].value).count();
        if let Some(steps) = way.len().checked_sub(1) {
            seen.push(format!("{}: {falls} of {steps} iterations", named(cell)));
            all_falls += falls;
        }
    }
    let verdict = match (seen.len(), all_falls) {
        (0, _) => return None,
        (_, 0) => Verdict::Holds,
        _ => Verdict::DoesNotHold,
    };
    let why = format!("The objective fell in {}.", seen.join("; in "));
    Some(Finding::new("The objective rises in every iteration under Armijo's rule", verdict, why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Metric, Results};

    fn results(metrics: Vec<Metric>) -> Results {
        Results {
            schema: 1,
            experiment: "sgns/objective".to_owned(),
            preset: "small".to_owned(),
            status: "complete".to_owned(),
            config_hash: String::new(),
            seeds: vec![0],
            metrics,
            notes: Vec::new(),
        }
    }

    fn objective(method: &str, iteration: Option<usize>, value: f64) -> Metric {
        let metric = Metric::new("objective", value).at("method", method);
        let metric = metric.at("words", 9_usize).at("dim", 2_usize);
        match iteration {
            Some(iteration) => metric.at("iteration", iteration),
            None => metric,
        }
    }

    #[test]
    fn the_order_of_sgd_and_svd_is_said_plainly() {
        for (sgd, verdict, words) in [
            (-5.0, Verdict::DoesNotHold, "is not reproduced with these data"),
            (-8.0, Verdict::Holds, "is reproduced with these data"),
        ] {
            let results = results(vec![objective(SVD, None, -7.0), objective(SGD, None, sgd)]);
            let found = findings(Curves::new(&results));
            assert_eq!(found[0].verdict, verdict);
            assert!(found[0].why.contains(words), "{}", found[0].why);
        }
        let none = results(Vec::new());
        assert_eq!(findings(Curves::new(&none))[0].verdict, Verdict::CannotBeJudged);
    }

    #[test]
    fn a_fall_is_seen() {
        for (last, verdict) in [(-4.0, Verdict::Holds), (-6.5, Verdict::DoesNotHold)] {
            let way = [-7.0, -6.0, last];
            let metrics = way.iter().enumerate().map(|(i, f)| objective(OURS, Some(i), *f));
            let results = results(metrics.collect());
            let found = findings(Curves::new(&results));
            assert_eq!(found.last().map(|finding| finding.verdict), Some(verdict));
        }
    }
}
