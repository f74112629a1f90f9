//! Matrices in files.

use std::path::{Path, PathBuf};

use ndarray::{Array2, ArrayView2, array, s};
use proptest::prelude::*;
use safetensors::tensor::{Dtype, TensorView, serialize_to_file};
use sixfold_geometry::files::{FileError as Error, Matrix, MatrixFile, OnMatrix, write_npy};
use sixfold_linalg::Real;
use sixfold_testkit::fixtures;
use tempfile::{TempDir, tempdir};

fn fixture(name: &str) -> PathBuf {
    fixtures("sixfold-geometry").join("files").join(name)
}

/// What all fixtures hold.
fn expected() -> Array2<f64> {
    Array2::from_shape_fn((3, 2), |(i, j)| i as f64 + j as f64 / 8.0)
}

/// Opens a file, or takes its only matrix, and returns the message of the refusal.
fn refusal(path: &Path) -> String {
    let message = |error: Error| {
        assert!(matches!(error, Error::Malformed { .. }), "{error:?}");
        let message = error.to_string();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        assert!(message.contains(name), "{message} does not name the file");
        message
    };
    match MatrixFile::open(path) {
        Err(error) => message(error),
        Ok(file) => message(file.matrix().map(|x| x.dim()).expect_err("refused")),
    }
}

/// A file of the given bytes.
fn file_of(bytes: &[u8]) -> (TempDir, PathBuf) {
    let dir = tempdir().expect("a directory");
    let path = dir.path().join("matrix.npy");
    std::fs::write(&path, bytes).expect("written");
    (dir, path)
}

/// A `.npy` file of version 2 with any header.
fn npy(header: &str, data: &[u8]) -> Vec<u8> {
    let length = (header.len() as u32).to_le_bytes();
    [b"\x93NUMPY\x02\x00".as_slice(), &length, header.as_bytes(), data].concat()
}

#[test]
fn what_numpy_wrote_is_read() {
    for (name, double, mapped) in [
        ("c-f4", false, true),
        ("fortran-f4", false, true),
        ("fortran-f8", true, true),
        ("version-2", true, true),
        ("version-3", true, true),
        ("c-f2", false, false),
    ] {
        let file = MatrixFile::open(fixture(&format!("{name}.npy"))).unwrap();
        let matrix = file.matrix().unwrap();
        assert_eq!(matrix.to_f64(), expected(), "{name}");
        assert_eq!(matches!(matrix, Matrix::F64(_)), double, "{name}");
        assert_eq!(matrix.is_mapped(), mapped, "{name}");
        assert!(file.names().is_empty());
        let named = file.tensor("x").unwrap_err().to_string();
        assert!(named.contains("no names"), "{named}");
    }
}

#[test]
fn what_is_no_matrix_of_floats_is_refused() {
    for (name, part) in [
        ("big-endian", "type `>f4`, expected f16, bf16, f32 or f64"),
        ("integers", "type `<i8`"),
        ("record", "type `[('x', '<f4')]`"),
        ("row", "shape [2], expected two dimensions"),
        ("cube", "shape [3, 2, 1], expected two dimensions"),
        ("empty", "empty: its shape is [0, 2]"),
    ] {
        let message = refusal(&fixture(&format!("{name}.npy")));
        assert!(message.contains(part), "{name}: {message}");
    }
}

#[test]
fn a_tensor_is_found_by_name() {
    let one = MatrixFile::open(fixture("one.safetensors")).unwrap();
    assert_eq!(one.names(), ["embeddings"]);
    let matrix = one.matrix().unwrap();
    assert!(matrix.is_mapped());
    assert_eq!(matrix, one.tensor("embeddings").unwrap());
    assert_eq!(matrix.to_f64(), expected());

    let several = MatrixFile::open(fixture("several.safetensors")).unwrap();
    for name in ["first", "half", "second"] {
        assert_eq!(several.tensor(name).unwrap().to_f64(), expected(), "{name}");
    }
    let ambiguous = several.matrix().unwrap_err().to_string();
    let absent = several.tensor("third").unwrap_err().to_string();
    for message in [&ambiguous, &absent] {
        let names = "`first` [3, 2], `half` [3, 2], `ids` [3], `second` [3, 2]";
        assert!(message.contains(names), "{message}");
    }
    assert!(absent.contains("no tensor `third`"), "{absent}");
    let integers = several.tensor("ids").unwrap_err().to_string();
    assert!(integers.contains("tensor `ids` has type I64"), "{integers}");
}

#[test]
fn halves_are_widened_and_unaligned_values_copied() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("x.safetensors");
    // 1, −2 and 0.5 in bfloat16: the upper halves of f32.
    let brain: Vec<u8> =
        [1.0_f32, -2.0, 0.5].iter().flat_map(|value| value.to_le_bytes()[2..].to_vec()).collect();
    let view = TensorView::new(Dtype::BF16, vec![1, 3], &brain).unwrap();
    serialize_to_file([("x", view)], None, &path).unwrap();
    let file = MatrixFile::open(&path).unwrap();
    assert_eq!(file.matrix().unwrap().to_f64(), array![[1.0, -2.0, 0.5]]);

    let mut header = r#"{"x":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}}"#.to_owned();
    for _ in 0..4 {
        // One space more each time: one length in four is aligned.
        header.push(' ');
        let length = (header.len() as u64).to_le_bytes();
        let values = [3.0_f32.to_le_bytes(), (-4.0_f32).to_le_bytes()].concat();
        std::fs::write(&path, [&length, header.as_bytes(), &values].concat()).unwrap();
        let file = MatrixFile::open(&path).unwrap();
        let matrix = file.matrix().unwrap();
        assert_eq!(matrix.is_mapped(), header.len().is_multiple_of(4));
        assert_eq!(matrix.to_f64(), array![[3.0], [-4.0]]);
    }
}

#[test]
fn no_part_of_a_file_passes_for_a_whole() {
    for name in ["c-f4.npy", "version-3.npy", "one.safetensors", "several.safetensors"] {
        let whole = std::fs::read(fixture(name)).unwrap();
        for length in 0..whole.len() {
            let (_dir, path) = file_of(&whole[..length]);
            refusal(&path);
        }
        let (_dir, path) = file_of(&[&whole[..], &[0]].concat());
        let longer = refusal(&path);
        assert!(longer.contains("too long") || longer.contains("expected"), "{longer}");
    }
    let (_dir, path) = file_of(&std::fs::read(fixture("c-f4.npy")).unwrap()[..140]);
    let message = refusal(&path);
    assert!(message.contains("truncated: shape [3, 2] ends at byte 152"), "{message}");
}

#[test]
fn a_header_that_makes_no_sense_is_refused() {
    let data = [0; 8];
    let good = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2)}";
    let (_dir, path) = file_of(&npy(good, &data));
    assert_eq!(MatrixFile::open(&path).unwrap().matrix().unwrap().dim(), (1, 2));
    for (text, part) in [
        ("", "a dictionary"),
        ("('descr', '<f4')", "a dictionary"),
        ("{descr: '<f4'}", "a key in quotes"),
        ("{'descr' '<f4'}", "`:` after a key"),
        ("{'descr': 4}", "a value of `descr`"),
        ("{'descr': '<f4' 'shape': (1, 2)}", "`,` or `}`"),
        ("{'descr': '<f4', 'fortran_order': no", "True or False"),
        ("{'descr': '<f4', 'fortran_order': False}", "`shape`"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (1, -2)}", "a tuple of integers"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2)} {", "an end"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), 'x': 1}", "any but the keys"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3)}", "truncated"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1)}", "too long"),
        (
            "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}",
            "more than any file",
        ),
    ] {
        let (_dir, path) = file_of(&npy(text, &data));
        let message = refusal(&path);
        assert!(message.contains(part), "{text}: {message}");
    }
    // Parsers of Python literals need exponential time here.
    for nested in ["(".repeat(9999), "{'descr': ".repeat(9999), "[".repeat(9999)] {
        let (_dir, path) = file_of(&npy(&nested, &data));
        refusal(&path);
    }
    let mut version = npy(good, &data);
    version[6] = 4;
    let (_dir, path) = file_of(&version);
    assert!(refusal(&path).contains("version 4.0"));
}

#[test]
fn a_matrix_is_written_whole_or_not_at_all() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("x.npy");
    write_npy(&path, array![[1.0_f32, 2.0]].view()).unwrap();
    let other = array![[3.0_f64], [4.0]];
    write_npy(&path, other.view()).unwrap();
    assert_eq!(MatrixFile::open(&path).unwrap().matrix().unwrap().to_f64(), other);
    let names: Vec<_> = dir.path().read_dir().unwrap().map(|x| x.unwrap().file_name()).collect();
    assert_eq!(names, ["x.npy"], "nothing else stays");

    let nowhere = dir.path().join("absent").join("x.npy");
    let error = write_npy(&nowhere, other.view()).unwrap_err();
    assert!(matches!(&error, Error::Io { path, .. } if *path == nowhere), "{error:?}");
    let error = MatrixFile::open(&nowhere).unwrap_err();
    assert!(matches!(&error, Error::Io { path, .. } if *path == nowhere), "{error:?}");
}

#[test]
fn the_bytes_are_those_that_numpy_writes() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("x.npy");
    write_npy(&path, expected().mapv(|value| value as f32).view()).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), std::fs::read(fixture("c-f4.npy")).unwrap());
}

struct Bits;

impl OnMatrix for Bits {
    type Output = Vec<u64>;

    fn on<T: Real>(self, x: ArrayView2<'_, T>) -> Vec<u64> {
        x.iter().map(|value| value.widen().to_bits()).collect()
    }
}

/// Writes the matrix, its transpose, or every second row and column of it, and reads that.
fn round_trip<T: Real>(x: ArrayView2<'_, T>, how: u8) -> Result<(), TestCaseError> {
    let (_dir, path) = file_of(&[]);
    let view = match how {
        0 => x,
        1 => x.t(),
        _ => x.slice(s![..;2, ..;2]),
    };
    write_npy(&path, view).expect("written");
    let file = MatrixFile::open(&path).expect("opened");
    let matrix = file.matrix().expect("a matrix");
    prop_assert_eq!(matrix.dim(), view.dim());
    prop_assert_eq!(matrix.visit(Bits), Bits.on(view));
    Ok(())
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        rows in 1_usize..20, columns in 1_usize..20, seed: u64, how in 0_u8..3, double: bool,
    ) {
        let mut state = seed | 1;
        let values = Array2::from_shape_simple_fn((rows, columns), || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            // Any finite or infinite value; not-a-numbers lose their bits when they are widened.
            Some(f64::from_bits(state)).filter(|value| !value.is_nan()).unwrap_or(f64::INFINITY)
        });
        match double {
            true => round_trip(values.view(), how)?,
            false => round_trip(values.mapv(|value| value as f32).view(), how)?,
        }
    }

    #[test]
    fn a_damaged_file_is_read_or_refused(at in 0_usize..152, value: u8) {
        for name in ["c-f4.npy", "several.safetensors"] {
            let mut bytes = std::fs::read(fixture(name)).unwrap();
            bytes[at] = value;
            let (_dir, path) = file_of(&bytes);
            if let Ok(file) = MatrixFile::open(&path)
                && let Ok(matrix) = file.matrix()
            {
                prop_assert_eq!(matrix.to_f64().dim(), matrix.dim());
            }
        }
    }
}
