//! Clouds in files.

use std::path::Path;

use ndarray::{Array2, array};
use sixfold_geometry::cloud::{RowNorm, load_clouds, save_clouds};
use sixfold_geometry::{Cloud, Error};

fn cloud(row_norm: RowNorm, single: bool) -> Cloud {
    let x = Array2::from_shape_fn((40, 5), |(i, j)| ((i * (2 * j + 3)) as f64).sin() + j as f64);
    let mut cloud = Cloud::with_row_norm(5, row_norm);
    match single {
        true => cloud.update(x.mapv(|value| value as f32).view()).unwrap(),
        false => cloud.update(x.view()).unwrap(),
    }
    cloud
}

fn message(result: sixfold_geometry::Result<Vec<(String, Cloud)>>) -> String {
    match result {
        Err(error @ Error::Malformed { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn all_sites_come_back_from_one_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sites.safetensors");
    let clouds = [
        ("embed", cloud(RowNorm::None, true)),
        ("blocks.0.hook_resid_post", cloud(RowNorm::None, false)),
        ("unit", cloud(RowNorm::L2, true)),
        ("nothing", Cloud::new(3)),
    ];
    save_clouds(&path, clouds.iter().map(|(name, cloud)| (name, cloud))).unwrap();
    let mut found = load_clouds(&path).unwrap();
    assert_eq!(found.len(), 4);
    for (name, expected) in &clouds {
        let (_, found) = found.iter_mut().find(|(other, _)| other == name).unwrap();
        assert_eq!(found.row_norm(), expected.row_norm());
        assert_eq!(found.is_single(), expected.is_single());
        assert_eq!(found.count(), expected.count());
        assert_eq!(found.directions(), expected.directions());
        if expected.count() > 0 {
            assert_eq!(found.spread().unwrap(), expected.spread().unwrap());
            // The state goes on where it stopped.
            let mut expected = expected.clone();
            for cloud in [&mut *found, &mut expected] {
                cloud.update(array![[9.0, 1.0, 2.0, -4.0, 0.5]].view()).unwrap();
            }
            assert_eq!(found.spread().unwrap(), expected.spread().unwrap());
        }
    }
    // Nothing temporary stays behind.
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn one_cloud_has_a_file_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cloud.safetensors");
    let expected = cloud(RowNorm::None, true);
    expected.save(&path).unwrap();
    expected.save(&path).unwrap();
    assert_eq!(Cloud::load(&path).unwrap().spread().unwrap(), expected.spread().unwrap());
    save_clouds(&path, [("a", &expected), ("b", &expected)]).unwrap();
    assert!(message(Cloud::load(&path).map(|_| Vec::new())).contains("2 clouds"));
    let twice = save_clouds(&path, [("a", &expected), ("a", &expected)]);
    assert!(message(twice.map(|()| Vec::new())).contains("`a`"));
}

#[test]
fn other_files_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cloud.safetensors");
    assert!(matches!(load_clouds(&path), Err(Error::Io { path: found, .. }) if found == path));
    assert!(matches!(
        cloud(RowNorm::None, true).save(dir.path().join("no/such/place")),
        Err(Error::Io { .. })
    ));
    cloud(RowNorm::None, true).save(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    for length in [0, 4, 100, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(message(load_clouds(&path)).contains("cloud.safetensors"), "{length}");
    }
    std::fs::write(&path, b"not a safetensors file at all").unwrap();
    message(load_clouds(&path));
    // A safetensors file of somebody else.
    let foreign =
        safetensors::serialize::<String, safetensors::tensor::TensorView<'_>, _>(Vec::new(), None);
    std::fs::write(&path, foreign.unwrap()).unwrap();
    assert!(message(load_clouds(&path)).contains("format"));
}

/// Rewrites bytes of the file that was saved, of the same length.
fn with_text(path: &Path, from: &str, to: &str) -> String {
    cloud(RowNorm::None, true).save(path).unwrap();
    let mut bytes = std::fs::read(path).unwrap();
    let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
    bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
    std::fs::write(path, bytes).unwrap();
    message(load_clouds(path))
}

#[test]
fn errors_name_the_key() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cloud.safetensors");
    assert!(with_text(&path, "cloud.mean", "cloud.meen").contains("`cloud.mean`: missing"));
    let from = "\"cloud.norms\":{\"dtype\":\"F64\"";
    let dtype = with_text(&path, from, &from.replace("F64", "I64"));
    assert!(dtype.contains("`cloud.norms`: is I64 [1], expected F64 [1]"), "{dtype}");
    let norm = with_text(&path, "\"none\"", "\"nine\"");
    assert!(norm.contains("`cloud.row_norm`: `nine`"), "{norm}");
    // A NaN among the numbers: the scale of the first coordinate.
    cloud(RowNorm::None, true).save(&path).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    let end = bytes.len();
    bytes[end - 8..].copy_from_slice(&f64::NAN.to_le_bytes());
    std::fs::write(&path, bytes).unwrap();
    assert!(message(load_clouds(&path)).contains("cloud `cloud`"));
}
