//! Sixfold's side of the comparison with the paper's own code. `benches/peers/run_linearity.py` starts
//! it beside `benches/peers/linearity.py`, which writes the states that both read.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::json;
use sixfold_benches::peer::{Result, Run, Unit, Work, serve};
use sixfold_benches::{points, product};
use sixfold_linalg::PairMoments;
use sixfold_linearity::Transition;

/// The last result of each work: both scores, rank, adjusted score.
type Results = Rc<RefCell<BTreeMap<String, Vec<f64>>>>;

fn main() -> Result<()> {
    let results = Results::default();
    let works: Vec<Work> = [[20_000, 768], [20_000, 4096]]
        .into_iter()
        .map(|[n, d]| {
            let (shape, results) = (format!("{n}x{d}"), Rc::clone(&results));
            let prepare = {
                let shape = shape.clone();
                move |variant: &str| prepare(&shape, variant, &results)
            };
            let flop = 3.0 * (n * d * d) as f64;
            Work {
                variants: &["sixfold", "gemm"],
                ..Work::new(format!("linearity_{shape}"), flop, Unit::Flop, prepare)
            }
        })
        .collect();
    serve(&works, || json!({ "sixfold": env!("CARGO_PKG_VERSION"), "results": *results.borrow() }))
}

fn prepare(shape: &str, variant: &str, results: &Results) -> Result<Run> {
    let (x, y) = (points::read("before", shape)?, points::read("after", shape)?);
    if variant == "gemm" {
        return Ok(product::transition(x, y));
    }
    let (name, results) = (format!("linearity_{shape}"), Rc::clone(results));
    Ok(Box::new(move || {
        let mut moments = PairMoments::new(x.ncols(), y.ncols());
        moments.update(x.view(), y.view())?;
        let scores = Transition::from(&moments).linearity()?;
        let values = vec![
            scores.score,
            scores.without_residual.unwrap_or(f64::NAN),
            scores.rank as f64,
            scores.adjusted.unwrap_or(f64::NAN),
        ];
        results.borrow_mut().insert(name.clone(), values);
        Ok(())
    }))
}
