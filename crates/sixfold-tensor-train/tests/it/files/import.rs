//! Tables of other programs (oracle 9).

use std::fs;

use sixfold_tensor_train::{Cores, Error, files};
use sixfold_testkit::{Golden, max_relative_error};

use super::{Tensor, official, place};

fn golden(name: &str) -> std::path::PathBuf {
    let folder = sixfold_testkit::fixtures("sixfold-tensor-train").join("reference");
    folder.join(format!("{name}.safetensors"))
}

/// Against the table that the file itself has, of which all rows but the last are the vocabulary.
fn assert_table(name: &str, cores: &Cores) {
    let (shape, table) = Golden::open(golden(name)).f64("table");
    assert_eq!(shape, [cores.shape().padded_vocab(), cores.shape().d_embed()]);
    assert_eq!(cores.shape().vocab_size(), shape[0] - 1);
    let found = cores.to_dense();
    let expected: Vec<f32> = table[..found.len()].iter().map(|x| *x as f32).collect();
    let error = max_relative_error(found.as_slice().unwrap(), &expected);
    assert!(error < 1e-6, "{name}: {error}");
}

/// Padded rows of the three shapes.
const ROWS: [usize; 3] = [60, 36, 24];
const COLUMNS: [&[usize]; 3] = [&[2, 2, 3], &[2, 1, 2, 2], &[2, 2, 2]];

#[test]
fn tables_of_the_papers_code_are_the_same_here() {
    let ranks = [
        ("tt-1", vec![1, 4, 5, 1]),
        ("tt-2", vec![1, 3, 4, 2, 1]),
        // From 9 and 10, which no table of this shape has.
        ("tt-3", vec![1, 4, 8, 1]),
        ("tr-1", vec![3; 4]),
        ("tr-2", vec![2; 5]),
        ("tr-3", vec![4; 4]),
    ];
    for (at, (name, ranks)) in ranks.into_iter().enumerate() {
        let cores = files::read_reference(golden(name), ROWS[at % 3] - 1, None).unwrap();
        assert_eq!(cores.shape().ranks(), ranks, "{name}");
        assert_table(name, &cores);
    }
}

#[test]
fn tables_of_fbtt_are_the_same_here() {
    for (at, name) in ["fbtt-1", "fbtt-2", "fbtt-3"].into_iter().enumerate() {
        let cores = files::read_fbtt(golden(name), ROWS[at] - 1, COLUMNS[at], None).unwrap();
        assert_table(name, &cores);
        // Bit by bit those of the other file, which come from the same cores.
        let other = golden(&format!("tt-{}", at + 1));
        assert_eq!(cores, files::read_reference(other, ROWS[at] - 1, None).unwrap());
    }
}

#[test]
fn digits_have_the_largest_first() {
    // Of rank 1: G_1[i_1, j_1] is 1 where j_1 = i_1, G_2[i_2, j_2] where j_2 = i_2 mod 2, so that row
    // 3·i_1 + i_2 is 1 in column 2·i_1 + i_2 mod 2 alone. With the smallest digit first, row 2 would be
    // (0, 1) and not (0, 2).
    let first = Tensor::f32("0.parameters.0", &[1, 2, 2, 1], &[1.0, 0.0, 0.0, 1.0]);
    let second = Tensor::f32("0.parameters.1", &[1, 3, 2, 1], &[1.0, 0.0, 0.0, 1.0, 1.0, 0.0]);
    let path = place("one-hot.safetensors");
    fs::write(&path, official(&[], &[second, first])).unwrap();
    let cores = files::read_reference(&path, 6, None).unwrap();
    let places: Vec<usize> = cores
        .to_dense()
        .rows()
        .into_iter()
        .map(|row| {
            assert_eq!(row.sum().to_bits(), 1.0_f32.to_bits());
            row.iter().position(|x| *x > 0.0).unwrap()
        })
        .collect();
    assert_eq!(places, [0, 1, 0, 2, 3, 2]);
}

#[test]
fn a_prefix_chooses_among_several_tables() {
    let path = place("several.safetensors");
    let core = |name: &str, value: f32| Tensor::f32(name, &[1, 2, 2, 1], &[value; 4]);
    let tensors = [
        core("source.parameters.0", 1.0),
        core("source.parameters.1", 2.0),
        core("target.parameters.0", 3.0),
        core("target.parameters.1", 5.0),
        core("other_parameters.0", 7.0),
    ];
    fs::write(&path, official(&[], &tensors)).unwrap();
    for (prefix, expected) in [("source", 2.0), ("target", 15.0), ("target.", 15.0)] {
        let cores = files::read_reference(&path, 4, Some(prefix)).unwrap();
        assert_eq!(cores.to_dense(), ndarray::Array2::from_elem((4, 4), expected));
    }
    for (prefix, expected) in [
        (None, "with the prefixes [\"source.\", \"target.\"]: name one"),
        (Some("targe"), "no tensor `targe.parameters.0`, found"),
        (Some(""), "no tensor `parameters.0`, found"),
    ] {
        let error = files::read_reference(&path, 4, prefix).unwrap_err();
        assert!(matches!(error, Error::Malformed { .. }), "{error:?}");
        let message = error.to_string();
        assert!(message.contains(expected) && message.contains("several.safetensors"), "{message}");
    }
}

#[test]
fn what_is_no_table_is_refused() {
    let path = place("no-table.safetensors");
    let tensor = |name: &str, shape: &[usize]| {
        let len = shape.iter().product();
        Tensor::f32(name, shape, &vec![1.0; len])
    };
    let first = || tensor("parameters.0", &[1, 2, 2, 3]);
    let mut nan = tensor("parameters.1", &[3, 2, 2, 1]);
    nan = Tensor::f32(&nan.name, &[3, 2, 2, 1], &[f32::NAN; 12]);
    for (tensors, expected) in [
        (vec![tensor("weight", &[2, 2])], "no tensor `parameters.0` with any prefix"),
        (vec![first(), tensor("parameters.2", &[3, 2, 2, 1])], "no tensor `parameters.1`, found"),
        (
            vec![first(), tensor("parameters.1", &[2, 2, 2, 1])],
            "tensor `parameters.1` is [2, 2, 2, 1], expected 3 first, with which the one before ends",
        ),
        (vec![first(), tensor("parameters.1", &[3, 2, 1])], "expected 4 dimensions"),
        (vec![first(), tensor("parameters.1", &[3, 0, 2, 1])], "expected no dimension of 0"),
        (vec![first(), tensor("parameters.1", &[3, 2, 2, 2])], "r_0 and r_d differ"),
        (vec![tensor("parameters.0", &[1, 2, 2, 1])], "1 row factors, expected 2 to 8"),
        (vec![first(), nan], "value 0 of tensor `parameters.1` is NaN"),
        (
            vec![first(), Tensor::u32("parameters.1", &[3, 2, 2, 1], &[1; 12])],
            "tensor `parameters.1` is U32 [3, 2, 2, 1], expected F32, F64, F16 or BF16",
        ),
        (
            vec![first(), tensor("parameters.1", &[3, 1, 2, 1])],
            "give 2 rows, fewer than the vocabulary's 4",
        ),
    ] {
        fs::write(&path, official(&[], &tensors)).unwrap();
        let error = files::read_reference(&path, 4, None).unwrap_err();
        assert!(matches!(error, Error::Malformed { .. }), "{error:?}");
        let message = error.to_string();
        assert!(message.contains(expected), "{message}, expected {expected}");
        assert!(message.contains("no-table.safetensors"), "{message}");
    }
    let slices = |shapes: [[usize; 3]; 2]| {
        let name = |k| format!("emb.tt_cores.{k}");
        vec![tensor(&name(0), &shapes[0]), tensor(&name(1), &shapes[1])]
    };
    for (tensors, columns, expected) in [
        (slices([[2, 2, 6], [2, 2, 6]]), vec![2, 2], "tensor `emb.tt_cores.0` has 2 tables"),
        (slices([[1, 2, 6], [1, 2, 6]]), vec![2, 2, 2], "2 cores from `emb.tt_cores.0` on, but 3"),
        (slices([[1, 2, 7], [1, 2, 6]]), vec![2, 2], "has slices of 7, expected a multiple of 1·2"),
        (slices([[1, 2, 6], [1, 2, 12]]), vec![2, 2], "has slices of 12, expected just 3·2"),
        (slices([[1, 2, 6], [1, 2, 6]]), vec![0, 2], "a multiple of 1·0"),
    ] {
        fs::write(&path, official(&[], &tensors)).unwrap();
        let error = files::read_fbtt(&path, 4, &columns, None).unwrap_err();
        assert!(matches!(error, Error::Malformed { .. }), "{error:?}");
        let message = error.to_string();
        assert!(message.contains(expected), "{message}, expected {expected}");
    }
}

#[test]
fn other_floats_are_widened_or_rounded() {
    let path = place("halves.safetensors");
    let halves = |dtype, one: u16| {
        let bytes = [one.to_le_bytes(); 4].concat();
        Tensor::new("parameters.0", dtype, &[1, 2, 2, 1], bytes)
    };
    let doubles = [0.1_f64.to_le_bytes(); 4].concat();
    let second = Tensor::new("parameters.1", safetensors::Dtype::F64, &[1, 2, 2, 1], doubles);
    let tensors = [halves(safetensors::Dtype::F16, 0x4200), second];
    fs::write(&path, official(&[], &tensors)).unwrap();
    let cores = files::read_reference(&path, 4, None).unwrap();
    assert_eq!((cores.core(0), cores.core(1)), (&[3.0; 4][..], &[0.1_f32; 4][..]));
    let second = Tensor::f32("parameters.1", &[1, 2, 2, 1], &[1.0; 4]);
    fs::write(&path, official(&[], &[halves(safetensors::Dtype::BF16, 0x4040), second])).unwrap();
    assert_eq!(files::read_reference(&path, 4, None).unwrap().core(0), [3.0; 4]);
}
