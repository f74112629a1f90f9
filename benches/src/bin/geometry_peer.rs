//! Sixfold's side of the comparison with faiss, DADApy and scikit-dimension.
//! `benches/peers/run_geometry.py` starts it beside `benches/peers/geometry.py`, which writes the
//! points that both read.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use ndarray::Array2;
use serde_json::json;
use sixfold_benches::peer::{Result, Run, Unit, Work, serve};
use sixfold_benches::{points, product};
use sixfold_geometry::cloud::Cloud;
use sixfold_geometry::dimension::{Interval, TwoNnConfig, gride_scan, two_nn};
use sixfold_geometry::neighbours;

/// The last result of each work, so that both sides can be seen to agree.
type Results = Rc<RefCell<BTreeMap<String, Vec<f64>>>>;

fn main() -> Result<()> {
    let results = Results::default();
    let mut works = Vec::new();
    for [n, d] in [[10_000, 768], [50_000, 768], [4096, 4096]] {
        let flop = (n * n * d) as f64;
        works.push(work(format!("two_nn_{n}x{d}"), flop, &["sixfold", "gemm"], &results));
    }
    let (n, d) = (10_000.0, 768.0);
    works.push(work("gride_10000x768".into(), n * n * d, &["sixfold"], &results));
    let (n, d) = (20_000.0, 768.0);
    works.push(work("anisotropy_20000x768".into(), n * d * d, &["sixfold", "gemm"], &results));
    serve(&works, || json!({ "sixfold": env!("CARGO_PKG_VERSION"), "results": *results.borrow() }))
}

fn work(name: String, flop: f64, variants: &'static [&'static str], results: &Results) -> Work {
    let results = Rc::clone(results);
    let prepare = {
        let name = name.clone();
        move |variant: &str| prepare(&name, variant, &results)
    };
    Work { variants, ..Work::new(name, flop, Unit::Flop, prepare) }
}

fn prepare(name: &str, variant: &str, results: &Results) -> Result<Run> {
    let (kind, shape) = name.rsplit_once('_').ok_or("names end with a shape")?;
    let x = points::read(if kind == "anisotropy" { "spectrum" } else { "gaussian" }, shape)?;
    if variant == "gemm" {
        return Ok(match kind {
            "anisotropy" => product::gram(x),
            _ => product::distances(x),
        });
    }
    let run: fn(&Array2<f32>) -> sixfold_geometry::Result<Vec<f64>> = match kind {
        "two_nn" => |x| {
            let table = neighbours(x.view(), 2)?;
            Ok(vec![two_nn(&table, &TwoNnConfig::default())?.value])
        },
        "gride" => |x| {
            let table = neighbours(x.view(), 64)?;
            let scan = gride_scan(&table, Interval::default())?;
            Ok(scan.iter().map(|step| step.dimension.value).collect())
        },
        "anisotropy" => |x| {
            let mut cloud = Cloud::new(x.ncols());
            cloud.update(x.view())?;
            Ok(vec![cloud.anisotropy()?])
        },
        _ => return Err(format!("{kind} is unknown").into()),
    };
    let (name, results) = (name.to_owned(), Rc::clone(results));
    Ok(Box::new(move || {
        let values = run(&x)?;
        results.borrow_mut().insert(name.clone(), values);
        Ok(())
    }))
}
