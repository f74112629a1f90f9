//! Several adapters as one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ndarray::{Array2, ArrayView2, Axis, concatenate, s};
use sixfold_linalg::{Threads, matmul_into, matmul_with, qr};

use super::{Adapter, AdapterConfig, LayerUpdate};
use crate::config::Policy;
use crate::{Basis, Error, Mask, Result, Side};

/// What an adapter contributes to a matrix.
struct Part<'a> {
    /// Which of the adapters it is.
    at: usize,
    update: &'a LayerUpdate,
    basis: &'a Arc<Basis>,
    /// Its weight times its scale.
    weight: f64,
}

/// A basis that holds those of several parts.
struct Joined {
    name: String,
    /// For each part U_i and V_i in the joined coordinates; nothing where all parts have one basis.
    turns: Option<Vec<[Turn; 2]>>,
}

/// R with U_i = U·R; nothing for an identity.
type Turn = Option<Array2<f32>>;

impl Adapter {
    /// The adapter with ΔW = Σ_i weight_i·ΔW_i for each matrix that any of them changes.
    ///
    /// Where all have the same basis, cores are added, and what is trained in none stays out of the
    /// file. Where bases differ, the new one spans them all: with the QR decomposition
    /// `[U_1 … U_n] = U·[R_1 … R_n]`, and V alike, the core is Σ weight_i·R_i·S_i·R'_iᵀ, which is exact
    /// to rounding, dense, and of rank min(Σ r_i, d). Its columns are orthonormal, as those of
    /// concatenated bases would not be.
    ///
    /// # Errors
    /// [`Error::Config`] for no adapters, or for those of different models; [`Error::Shape`] for one
    /// matrix with two shapes; [`Error::NotFinite`] for weights that are no numbers, and sums that
    /// overflow.
    ///
    /// # Complexity
    /// O(Σ k) for one basis; else O(d·(Σ r_i)²), once for the matrices that share it.
    #[doc(alias = "add_weighted_adapter")]
    pub fn weighted_sum(adapters: &[(&Self, f32)]) -> Result<Self> {
        let mut sum = Self::new(common_config(adapters)?);
        let paths: BTreeSet<&String> =
            adapters.iter().flat_map(|(adapter, _)| adapter.layers.keys()).collect();
        let mut known = BTreeMap::new();
        for path in paths {
            let parts: Vec<Part<'_>> = parts(adapters, path);
            let expected = parts[0].basis.weights();
            if let Some(part) = parts.iter().find(|part| part.basis.weights() != expected) {
                return Err(Error::Shape {
                    path: path.clone(),
                    what: "the weight",
                    expected: expected.to_vec(),
                    found: part.basis.weights().to_vec(),
                });
            }
            let key: Vec<_> = parts.iter().map(|part| (part.at, &part.update.basis)).collect();
            if !known.contains_key(&key) {
                let joined = join(&mut sum, &parts)?;
                known.insert(key.clone(), joined);
            }
            let Joined { name, turns } = &known[&key];
            let update = match turns {
                None => added(name, &parts),
                Some(turns) => turned(name, &parts, turns),
            };
            sum.insert(path.clone(), update)?;
        }
        Ok(sum)
    }
}

fn common_config(adapters: &[(&Adapter, f32)]) -> Result<AdapterConfig> {
    let Some((first, _)) = adapters.first() else {
        return Err(Error::Config { problems: vec!["there are no adapters to add".to_owned()] });
    };
    if let Some(index) = adapters.iter().position(|(_, weight)| !weight.is_finite()) {
        return Err(Error::NotFinite { path: String::new(), what: "the weights", index });
    }
    let hashes: BTreeSet<_> = adapters
        .iter()
        .filter_map(|(adapter, _)| adapter.config.base_model_hash.as_ref())
        .collect();
    if hashes.len() > 1 {
        let problem = format!("the adapters are of different models: {hashes:?}");
        return Err(Error::Config { problems: vec![problem] });
    }
    let targets: BTreeSet<_> =
        adapters.iter().flat_map(|(adapter, _)| &adapter.config.target_modules).collect();
    let same = |(other, _): &(&Adapter, f32)| other.config.selection == first.config.selection;
    Ok(AdapterConfig {
        base_model_hash: hashes.into_iter().next().cloned(),
        target_modules: targets.into_iter().cloned().collect(),
        selection: if adapters.iter().all(same) { first.config.selection } else { Policy::All },
        rank: None,
        fraction: None,
        scale: 1.0,
        ..first.config.clone()
    })
}

fn parts<'a>(adapters: &[(&'a Adapter, f32)], path: &str) -> Vec<Part<'a>> {
    let part = |(at, (adapter, weight)): (usize, &(&'a Adapter, f32))| {
        let update = adapter.layers.get(path)?;
        let weight = f64::from(*weight) * f64::from(adapter.config.scale);
        Some(Part { at, update, basis: &adapter.bases[&update.basis], weight })
    };
    adapters.iter().enumerate().filter_map(part).collect()
}

/// Gives `sum` a basis that holds those of all parts.
fn join(sum: &mut Adapter, parts: &[Part<'_>]) -> Result<Joined> {
    let first = parts[0].basis;
    if parts.iter().all(|part| same(part.basis, first)) {
        return Ok(Joined {
            name: named(sum, &parts[0].update.basis, first.clone())?,
            turns: None,
        });
    }
    let sides = |of: fn(&Basis) -> &Side| parts.iter().map(|p| of(p.basis)).collect::<Vec<_>>();
    let (input, inputs) = span(&sides(|basis| &basis.input))?;
    let (output, outputs) = span(&sides(|basis| &basis.output))?;
    let names: Vec<&str> = parts.iter().map(|part| part.update.basis.as_str()).collect();
    let name = named(sum, &names.join("+"), Arc::new(Basis { input, output }))?;
    let turns = inputs.into_iter().zip(outputs).map(|(u, v)| [u, v]).collect();
    Ok(Joined { name, turns: Some(turns) })
}

fn same(a: &Arc<Basis>, b: &Arc<Basis>) -> bool {
    Arc::ptr_eq(a, b) || a == b
}

/// Adds a basis under this name, or the next that no other basis has.
fn named(sum: &mut Adapter, wanted: &str, basis: Arc<Basis>) -> Result<String> {
    let mut name = wanted.to_owned();
    let mut number = 1;
    while sum.bases.get(&name).is_some_and(|there| !same(there, &basis)) {
        number += 1;
        name = format!("{wanted}#{number}");
    }
    sum.insert_basis(name.clone(), basis)?;
    Ok(name)
}

/// Coordinates that hold those of all sides, and each side in them.
fn span(sides: &[&Side]) -> Result<(Side, Vec<Turn>)> {
    let columns: Vec<ArrayView2<'_, f32>> =
        sides.iter().filter_map(|side| side.columns()).map(|columns| columns.view()).collect();
    if columns.len() < sides.len() {
        let turns = sides.iter().map(|side| side.columns().cloned()).collect();
        return Ok((Side::Identity(sides[0].width()), turns));
    }
    let all = concatenate(Axis(1), &columns).expect("weights of one shape: compared before");
    let factors = qr(all.view())?;
    let mut start = 0;
    let turn = |columns: &ArrayView2<'_, f32>| {
        let range = start..start + columns.ncols();
        start = range.end;
        Some(factors.r.slice(s![.., range]).to_owned())
    };
    let turns = columns.iter().map(turn).collect();
    Ok((Side::Columns(factors.q), turns))
}

/// The sum of cores that have one basis.
fn added(basis: &str, parts: &[Part<'_>]) -> LayerUpdate {
    let shape = parts[0].update.mask.shape();
    let add = |sum: &mut f64, weight: f64, value: f32| *sum += weight * f64::from(value);
    let (mask, sums) = if let Some(full) = parts.iter().find(|p| p.update.mask.indices().is_none())
    {
        let mut sums = vec![0.0; full.update.mask.len()];
        for Part { update, weight, .. } in parts {
            for (at, value) in update.values.iter().enumerate() {
                let index = update.mask.indices().map_or(at, |indices| indices[at] as usize);
                add(&mut sums[index], *weight, *value);
            }
        }
        (full.update.mask.clone(), sums)
    } else {
        let mut sums = BTreeMap::new();
        for Part { update, weight, .. } in parts {
            for (index, value) in update.mask.indices().into_iter().flatten().zip(&update.values) {
                add(sums.entry(*index).or_default(), *weight, *value);
            }
        }
        let indices = sums.keys().copied().collect();
        let mask = Mask::new(shape, indices).expect("indices of masks of this shape, each once");
        (mask, sums.into_values().collect())
    };
    let values = sums.into_iter().map(|sum| sum as f32).collect();
    LayerUpdate { basis: basis.to_owned(), mask, values }
}

/// Σ weight·R·S·R'ᵀ.
fn turned(basis: &str, parts: &[Part<'_>], turns: &[[Turn; 2]]) -> LayerUpdate {
    let rank = |side: usize, part: usize| match &turns[part][side] {
        Some(turn) => turn.nrows(),
        None => parts[part].update.mask.shape()[side],
    };
    let mut core = Array2::zeros((rank(0, 0), rank(1, 0)));
    for (Part { update, weight, .. }, [u, v]) in parts.iter().zip(turns) {
        let mut left = update.core();
        if let Some(u) = u {
            left = matmul_with(u.view(), left.view(), Threads::ONE);
        }
        match v {
            Some(v) => {
                matmul_into(*weight as f32, left.view(), v.t(), 1.0, core.view_mut(), Threads::ONE);
            }
            None => core.scaled_add(*weight as f32, &left),
        }
    }
    let (rows, columns) = core.dim();
    let values = core.into_raw_vec_and_offset().0;
    LayerUpdate { basis: basis.to_owned(), mask: Mask::all([rows, columns]), values }
}
