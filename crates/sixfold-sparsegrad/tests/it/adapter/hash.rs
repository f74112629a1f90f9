//! Fingerprints.

use ndarray::{Array2, array};
use sha2::{Digest, Sha256};
use sixfold_sparsegrad::adapter::{hash_basis, hash_matrices};
use sixfold_sparsegrad::{AdapterConfig, Basis, Error, Side};

use super::{basis, random};

#[test]
fn the_hash_is_that_of_the_documented_bytes() {
    let w = random([70, 90], 1);
    let mut bytes: Vec<u8> = Vec::new();
    bytes.extend(1_u64.to_le_bytes());
    bytes.extend(b"w");
    bytes.extend(70_u64.to_le_bytes());
    bytes.extend(90_u64.to_le_bytes());
    bytes.extend(w.iter().flat_map(|x| x.to_le_bytes()));
    let expected: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(hash_matrices([("w", w.view())]), expected);
    // Strides do not count.
    let transposed = w.t().as_standard_layout().into_owned();
    assert_eq!(hash_matrices([("w", transposed.t())]), expected);
}

#[test]
fn names_shapes_values_and_order_count() {
    let (a, b) = (array![[1.0_f32, 2.0]], array![[1.0_f32], [2.0]]);
    let mut zero = a.clone();
    zero[(0, 0)] = -1.0;
    let hashes = [
        hash_matrices([("a", a.view()), ("b", b.view())]),
        hash_matrices([("b", b.view()), ("a", a.view())]),
        hash_matrices([("a", b.view()), ("b", a.view())]),
        hash_matrices([("a", a.view())]),
        hash_matrices([("ab", a.view())]),
        hash_matrices([("a", zero.view())]),
        hash_matrices::<'_>([] as [(&str, _); 0]),
    ];
    for (i, hash) in hashes.iter().enumerate() {
        assert_eq!(hash.len(), 64);
        assert!(!hashes[..i].contains(hash), "{i}");
    }
}

#[test]
fn identities_are_told_from_columns() {
    let columns = Basis { input: Side::Columns(Array2::eye(3)), output: Side::Identity(2) };
    let identity = Basis { input: Side::Identity(3), output: Side::Identity(2) };
    let wider = Basis { input: Side::Identity(4), output: Side::Identity(2) };
    let swapped = Basis { input: Side::Identity(2), output: Side::Identity(3) };
    let hashes = [&columns, &identity, &wider, &swapped].map(hash_basis);
    for (i, hash) in hashes.iter().enumerate() {
        assert!(!hashes[..i].contains(hash), "{i}");
    }
    assert_eq!(hash_basis(&basis([9, 8], [3, 2], 1)), hash_basis(&basis([9, 8], [3, 2], 1)));
}

#[test]
fn other_weights_are_refused() {
    let config = AdapterConfig { base_model_hash: Some("aa".into()), ..AdapterConfig::default() };
    config.check_base("here", "aa").unwrap();
    AdapterConfig::default().check_base("here", "bb").unwrap();
    let error = config.check_base("here", "bb").unwrap_err();
    assert!(matches!(error, Error::Hash { what: "base model", .. }));
    assert_eq!(error.to_string(), "here: made for base model aa, this is bb");
}
