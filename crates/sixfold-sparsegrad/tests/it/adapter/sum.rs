//! Several adapters as one.

use std::sync::Arc;

use ndarray::Array2;
use sixfold_sparsegrad::{Adapter, AdapterConfig, Basis, Error, LayerUpdate, Mask, Side};

use super::{adapter, basis, error, oracle, update};

/// Σ weight·ΔW by loops.
fn expected(parts: &[(&Adapter, f32)], path: &str) -> Array2<f64> {
    let deltas = parts.iter().filter_map(|(adapter, weight)| {
        let (update, basis) = adapter.layer(path).ok()?;
        Some(oracle(update, basis, adapter.config.scale) * f64::from(*weight))
    });
    deltas.reduce(|a, b| a + b).unwrap()
}

fn check(parts: &[(&Adapter, f32)]) -> Adapter {
    let sum = Adapter::weighted_sum(parts).unwrap();
    for path in sum.layers().keys() {
        let gap = error(&sum.delta(path).unwrap(), &expected(parts, path));
        assert!(gap < 1e-5, "{path}: {gap}");
    }
    sum
}

/// Another training on the same bases.
fn sibling(of: &Adapter, k: usize, scale: f32) -> Adapter {
    let mut other = Adapter::new(AdapterConfig { scale, ..of.config.clone() });
    for (name, basis) in of.bases() {
        other.insert_basis(name.clone(), basis.clone()).unwrap();
    }
    for (path, old) in of.layers() {
        let basis = &of.bases()[&old.basis];
        other.insert(path.clone(), update((&old.basis, basis), k, 77)).unwrap();
    }
    other
}

#[test]
fn cores_of_one_basis_are_added() {
    let first = adapter(1);
    let sum = check(&[(&first, 2.0), (&sibling(&first, 5, -0.5), 0.25)]);
    assert_eq!(sum.bases(), first.bases());
    // 11 and 5 entries of a core of 35, some of them in common, and not the whole core.
    let entries = sum.layers()["blocks.0.mlp.up"].mask.len();
    assert!((11..16).contains(&entries), "{entries}");
    assert_eq!(sum.config.scale.to_bits(), 1.0_f32.to_bits());
    assert_eq!(sum.config.base_model_hash, first.config.base_model_hash);
    // A full core and a sparse one.
    let sum = check(&[(&sibling(&first, 5, 1.0), 1.0), (&sibling(&first, 1_000, 1.0), 1.0)]);
    assert_eq!(sum.layers()["blocks.0.mlp.up"].mask, Mask::all([5, 7]));
}

#[test]
fn one_of_a_weight_is_itself_scaled() {
    let first = adapter(2);
    let sum = check(&[(&first, 1.5)]);
    for path in first.layers().keys() {
        let scaled = first.clone().scaled(1.5).delta(path).unwrap().mapv(f64::from);
        assert!(error(&sum.delta(path).unwrap(), &scaled) < 1e-6);
    }
}

#[test]
fn other_bases_are_spanned_by_orthonormal_columns() {
    let (first, second) = (adapter(3), adapter(40));
    let sum = check(&[(&first, 0.7), (&second, -1.2)]);
    let Basis { input, output } = &**sum.bases().get("mlp.up+mlp.up").unwrap();
    // 5 + 5 of 12, 7 + 7 of 30.
    assert_eq!((input.rank(), output.rank()), (10, 14));
    for side in [input, output] {
        let columns = side.columns().unwrap();
        let gram = columns.t().dot(columns).mapv(f64::from);
        assert!(error(&Array2::eye(side.rank()), &gram) < 1e-5);
    }
    // An identity takes what the other side has.
    assert_eq!(sum.bases()["mlp.down+mlp.down"].output, Side::Identity(12));
    // 4 adapters of 5 inputs each, of which there are 12.
    let others: Vec<Adapter> = (50..53).map(adapter).collect();
    let sum = check(&[(&first, 1.0), (&others[0], 1.0), (&others[1], 1.0), (&others[2], 1.0)]);
    let name = "mlp.up+mlp.up+mlp.up+mlp.up";
    assert_eq!(sum.bases()[name].input.rank(), 12);
    assert_eq!(sum.bases().len(), 2);
}

#[test]
fn nearly_equal_bases_stay_exact() {
    let first = adapter(4);
    let mut second = Adapter::new(first.config.clone());
    for (name, basis) in first.bases() {
        let mut basis = Basis::clone(basis);
        if let Side::Columns(columns) = &mut basis.input {
            columns[(0, 0)] += 1e-7;
        }
        second.insert_basis(name.clone(), basis).unwrap();
    }
    for (path, update) in first.layers() {
        second.insert(path.clone(), update.clone()).unwrap();
    }
    check(&[(&first, 1.0), (&second, 1.0)]);
}

#[test]
fn layers_of_one_adapter_only_keep_their_bases() {
    let mut first = Adapter::default();
    let mut second = Adapter::default();
    let (a, b) = (Arc::new(basis([6, 5], [2, 3], 1)), Arc::new(basis([6, 5], [2, 3], 2)));
    first.insert_basis("b", a.clone()).unwrap();
    first.insert("x", update(("b", &*a), 4, 1)).unwrap();
    second.insert_basis("b", b.clone()).unwrap();
    second.insert("y", update(("b", &*b), 4, 2)).unwrap();
    let sum = check(&[(&first, 1.0), (&second, 3.0)]);
    assert_eq!((&sum.bases()["b"], &sum.bases()["b#2"]), (&a, &b));
    assert_eq!(sum.layers()["y"].basis, "b#2");
}

#[test]
fn what_cannot_be_added_is_refused() {
    let first = adapter(5);
    let refused = |parts: &[(&Adapter, f32)]| Adapter::weighted_sum(parts).unwrap_err();
    assert!(refused(&[]).to_string().contains("no adapters"));
    let error = refused(&[(&first, 1.0), (&first, f32::NAN)]);
    assert!(matches!(error, Error::NotFinite { index: 1, .. }), "{error:?}");
    let mut other = first.clone();
    other.config.base_model_hash = Some("another".into());
    let error = refused(&[(&first, 1.0), (&other, 1.0)]).to_string();
    assert!(error.contains("different models") && error.contains("another"), "{error}");
    let mut wide = Adapter::default();
    let shape = basis([12, 31], [2, 2], 0);
    wide.insert_basis("b", shape.clone()).unwrap();
    wide.insert("blocks.0.mlp.up", update(("b", &shape), 4, 0)).unwrap();
    let error = refused(&[(&first, 1.0), (&wide, 1.0)]).to_string();
    assert_eq!(error, "the weight of `blocks.0.mlp.up` is [12, 31], expected [12, 30]");
    let mut large = Adapter::default();
    large.insert_basis("b", shape.clone()).unwrap();
    let values = vec![f32::MAX; 4];
    large.insert("x", LayerUpdate { values, ..update(("b", &shape), 4, 0) }).unwrap();
    let error = refused(&[(&large, 2.0)]);
    assert!(matches!(&error, Error::NotFinite { path, .. } if path == "x"), "{error:?}");
}
