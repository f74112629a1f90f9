//! The program, from outside.
#![cfg(feature = "cli")]

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ndarray::{Array2, Axis};
use sixfold_linalg::files::{Matrix, MatrixFile, write_npy};
use sixfold_tensor_train::decompose::relative_error;
use sixfold_tensor_train::shape::row_factors;
use sixfold_tensor_train::{Order, files};

use crate::common::generator;
use crate::files::{Tensor, official, place};

fn program(dir: &Path, line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sixfold-tensor-train"));
    command.current_dir(dir).args(line.split_whitespace()).output().unwrap()
}

fn succeeds(dir: &Path, line: &str) -> String {
    let output = program(dir, line);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}: {said}");
    // Nobody looks at a terminal.
    assert_eq!(said, "", "{line}");
    String::from_utf8(output.stdout).unwrap()
}

fn fails(dir: &Path, code: i32, line: &str) -> String {
    let output = program(dir, line);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{line}: {said}");
    assert_eq!(said.lines().count(), 1, "{line}: {said}");
    assert_eq!(output.stdout, b"", "{line}");
    said
}

/// The lines of a report.
fn report(text: &str) -> HashMap<&str, &str> {
    text.lines().map(|line| (line[..16].trim_end(), &line[16..])).collect()
}

fn number(report: &HashMap<&str, &str>, name: &str) -> f64 {
    let text = report.get(name).unwrap_or_else(|| panic!("no {name} in {report:?}"));
    text.split(' ').next().unwrap().parse().unwrap()
}

/// An empty folder of a test.
fn folder(name: &str) -> PathBuf {
    let dir = place(name);
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    dir
}

/// Rows around one of a few centres, in no order.
fn table(vocab: usize, d: usize) -> Array2<f32> {
    use rand::RngExt;
    let mut generator = generator(3);
    let centres = Array2::from_shape_simple_fn((5, d), || generator.random_range(-1.0..1.0_f32));
    let mut table = Array2::zeros((vocab, d));
    for (id, mut row) in table.rows_mut().into_iter().enumerate() {
        row.assign(&centres.row(id * 7 % 5));
        row.mapv_inplace(|x| x + generator.random_range(-0.1..0.1));
    }
    table
}

/// A checkpoint of two matrices and a vector.
fn checkpoint(dir: &Path, table: &Array2<f32>) {
    let words = Tensor::f32("words.weight", table.shape(), table.as_slice().unwrap());
    let tensors = [
        words,
        Tensor::f32("positions.weight", &[2, 3], &[0.5; 6]),
        Tensor::f32("b", &[1], &[0.0]),
    ];
    fs::write(dir.join("model.safetensors"), official(&[], &tensors)).unwrap();
}

#[test]
fn a_checkpoint_becomes_a_file_and_a_table_again() {
    let dir = folder("program-compress");
    let table = table(230, 24);
    checkpoint(&dir, &table);
    let line = "compress model.safetensors --tensor words.weight --cores 3 --error 0.05 --out t";
    let said = succeeds(&dir, line);
    let found = report(&said);
    assert_eq!(found["table"], "230 x 24");
    let saved = files::load(dir.join("t")).unwrap();
    let shape = saved.cores.shape();
    assert_eq!(shape.rows(), row_factors(230, 3));
    let list = |numbers: &[usize]| numbers.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert!(found["row factors"].starts_with(&list(shape.rows()).join(",")));
    assert_eq!(found["column factors"], list(shape.columns()).join(","));
    assert_eq!(found["ranks"], list(shape.ranks()).join(","));
    assert_eq!(found["parameters"], shape.parameters().to_string());
    assert_eq!((found["stored as"], found["order"]), ("f32", "none"));
    assert_eq!(found["bytes"], (4 * shape.parameters()).to_string());
    let compression = 230.0 * 24.0 / shape.parameters() as f64;
    assert_eq!(found["compression"], format!("{compression:.2}"));
    let error = relative_error(&saved.cores, &table).unwrap();
    assert_eq!(found["relative error"], format!("{error:.6}"));
    assert!(error <= 0.05 && error > 1e-4, "{error}");
    assert!(number(&found, "seconds") < 60.0);
    // What is shown is the same but for what was measured.
    let shown = succeeds(&dir, "show t");
    assert_eq!(said.lines().count(), shown.lines().count() + 2);
    assert!(said.starts_with(&shown));

    succeeds(&dir, "export t --tensor words.weight --out dense.safetensors");
    let dense = MatrixFile::open(dir.join("dense.safetensors")).unwrap();
    let Matrix::F32(dense) = dense.tensor("words.weight").unwrap() else { panic!("f32") };
    assert_eq!(dense, saved.cores.to_dense());
    let printed = succeeds(&dir, "rows t 229 3");
    for (line, id) in printed.lines().zip([229_usize, 3]) {
        let (first, values) = line.split_once('\t').unwrap();
        assert_eq!(first, id.to_string());
        let values: Vec<f32> = values.split('\t').map(|value| value.parse().unwrap()).collect();
        assert_eq!(values, dense.row(id).to_vec());
    }
    assert_eq!(printed.lines().count(), 2);
}

#[test]
fn orders_and_fewer_bits_are_stored_counted_and_undone() {
    let dir = folder("program-orders");
    let table = table(230, 24);
    write_npy(dir.join("table.npy"), table.view()).unwrap();
    let counts: Vec<u64> = (0..230).map(|id| id * 37 % 101).collect();
    let lines: String =
        counts.iter().enumerate().map(|(id, count)| format!("word-{id}\t{count}\n")).collect();
    fs::write(dir.join("counts"), lines).unwrap();
    let factors = "--rows 6,6,7 --columns 2,3,4";
    let line = format!("compress table.npy {factors} --rank 6 --out t --order");
    let identity = succeeds(&dir, &format!("{line} identity"));

    let said = succeeds(&dir, &format!("{line} frequency:counts"));
    let order = Order::by_frequency(&counts);
    let saved = files::load(dir.join("t")).unwrap();
    assert_eq!(saved.order, Some(order.clone()));
    assert_eq!(saved.cores.shape().rows(), [6, 6, 7]);
    assert_eq!(saved.cores.shape().columns(), [2, 3, 4]);
    let found = report(&said);
    // 230 numbers of 8 bits.
    assert_eq!(found["order"], "230 bytes");
    let error = relative_error(&saved.cores, &order.apply(&table).unwrap()).unwrap();
    assert_eq!(found["relative error"], format!("{error:.6}"));

    let said = succeeds(&dir, &format!("{line} cluster --int8"));
    let found = report(&said);
    let small = files::load_quantised(dir.join("t")).unwrap();
    let order = small.order.unwrap();
    assert_eq!(order, Order::clustered(&table, &[6, 6, 7]).unwrap());
    assert_eq!(found["stored as"], "int8");
    // A byte for each number, 4 for each scale, and the order.
    let bytes = small.cores.shape().parameters() + 4 * (6 + 6 + 7) + 230;
    assert_eq!(found["bytes"], bytes.to_string());
    assert_eq!(found["compression"], format!("{:.2}", 230.0 * 24.0 * 4.0 / bytes as f64));
    let cores = small.cores.dequantise();
    let error = relative_error(&cores, &order.apply(&table).unwrap()).unwrap();
    assert_eq!(found["relative error"], format!("{error:.6}"));
    assert!(error < 0.7 * number(&report(&identity), "relative error"), "{error}");

    // Ids are those of the table whatever the order is.
    succeeds(&dir, "export t -o dense");
    let dense = MatrixFile::open(dir.join("dense")).unwrap();
    let Matrix::F32(dense) = dense.tensor("weight").unwrap() else { panic!("f32") };
    let off = (&dense - &table).mapv(|x| f64::from(x).powi(2)).sum();
    let norm = table.mapv(|x| f64::from(x).powi(2)).sum();
    assert!(((off / norm).sqrt() - error).abs() < 1e-5);
    let printed = succeeds(&dir, "rows t 17");
    let row: Vec<f32> =
        printed.trim_end().split('\t').skip(1).map(|value| value.parse().unwrap()).collect();
    assert_eq!(row, dense.index_axis(Axis(0), 17).to_vec());
}

#[test]
fn a_compression_counts_all_that_is_stored() {
    let dir = folder("program-compression");
    write_npy(dir.join("table.npy"), table(230, 24).view()).unwrap();
    for options in ["", "--int8", "--f16 --order cluster", "--bf16", "--int8 --order cluster"] {
        let line = |rest: &str| format!("compress table.npy {options} --out t {rest}");
        let said = succeeds(&dir, &line("--compression 8"));
        let found = report(&said);
        assert!(number(&found, "compression") >= 8.0, "{options}: {found:?}");
        // With a rank more it is less.
        let rank: usize =
            found["ranks"].split(',').map(|rank| rank.parse().unwrap()).max().unwrap();
        let said = succeeds(&dir, &line(&format!("--rank {}", rank + 1)));
        assert!(number(&report(&said), "compression") < 8.0, "{options}: {found:?}");
    }
    let said = fails(&dir, 1, "compress table.npy --compression 400 --out t");
    assert!(said.contains("13 parameters are too few: rank 1 needs"), "{said}");
}

#[test]
fn tables_of_other_programs_are_imported() {
    let dir = folder("program-import");
    let fixtures = sixfold_testkit::fixtures("sixfold-tensor-train").join("reference");
    for name in ["tt-1", "tr-1", "fbtt-1"] {
        let file = format!("{name}.safetensors");
        fs::copy(fixtures.join(&file), dir.join(&file)).unwrap();
    }
    let said = succeeds(&dir, "import --from reference --vocab 59 tt-1.safetensors --out a");
    assert_eq!(report(&said)["table"], "59 x 12");
    let expected = files::read_reference(dir.join("tt-1.safetensors"), 59, None).unwrap();
    let saved = files::load(dir.join("a")).unwrap();
    assert_eq!((&saved.cores, saved.order), (&expected, None));
    succeeds(&dir, "import --from fbtt --vocab 59 --columns 2,2,3 fbtt-1.safetensors --out b");
    assert_eq!(files::load(dir.join("b")).unwrap().cores, expected);
    let said = succeeds(&dir, "import --from reference --vocab 59 tr-1.safetensors --out c");
    assert_eq!(report(&said)["ranks"], "3,3,3,3 (ring)");
    let said =
        fails(&dir, 1, "import --from reference --vocab 59 --prefix x -o d tt-1.safetensors");
    assert!(said.contains("no tensor `x.parameters.0`"), "{said}");
}

#[test]
fn plans_are_told() {
    let dir = folder("program-plan");
    let said = succeeds(&dir, "plan 25000 256 --as-reference");
    let found = report(&said);
    assert_eq!(found["row factors"], "25,30,40 (20.00 % padding)");
    assert_eq!(found["column factors"], "4,8,8");
    assert_eq!(found["parameters"], "68160");
    assert_eq!(found["compression"], "93.90");
    let said = succeeds(&dir, "plan 25000 256");
    assert!(report(&said)["row factors"].starts_with("27,29,32 (0.22 %"), "{said}");
    let said = succeeds(&dir, "plan 25000 256 --cores 4 --compression 200");
    let found = report(&said);
    assert_eq!(found["ranks"].split(',').count(), 5);
    assert!((200.0..260.0).contains(&number(&found, "compression")), "{said}");
}

#[test]
fn errors_are_one_line_and_tell_usage_from_failure() {
    let dir = folder("program-errors");
    checkpoint(&dir, &table(230, 24));
    for command in ["", "compress", "show", "rows", "export", "import", "plan"] {
        let help = succeeds(&dir, &format!("{command} --help"));
        assert!(help.contains("Usage: sixfold-tensor-train"), "{help}");
        assert!(help.lines().all(|line| line.len() <= 100), "{help}");
    }
    assert!(succeeds(&dir, "--version").starts_with("sixfold-tensor-train 0"));
    let compress = "compress model.safetensors -o t --tensor words.weight";
    for (line, part) in [
        ("", "expected a command"),
        ("pack", "no command `pack`"),
        ("compress -o t", "expected a file"),
        ("compress model.safetensors", "--out is missing"),
        (compress, "one of --rank, --ranks, --compression and --error is missing"),
        ("compress model.safetensors --rank 2 -o model.safetensors", "which is read"),
        (&format!("{compress} --rank 2 --error 0.1"), "exclude each other"),
        (&format!("{compress} --rank 2 --int8 --f16"), "--int8, --f16 and --bf16 exclude"),
        (&format!("{compress} --rank two"), "--rank cannot be `two`"),
        (&format!("{compress} --ranks 2,,2"), "expected numbers like 29,31,34"),
        (&format!("{compress} --compression -3"), "--compression is `-3`, expected above 0"),
        (&format!("{compress} --rank 2 --rows 10,23 --cores 3"), "--rows has 2 factors for 3"),
        (&format!("{compress} --rank 2 --columns 4,5"), "--columns makes 20 columns of 24"),
        (&format!("{compress} --rank 2 --order best"), "expected identity, cluster, frequency"),
        (&format!("{compress} --rank 2 --ordr cluster"), "no option `--ordr`"),
        ("rows t", "expected a file and ids"),
        ("rows t one", "`one` is no id"),
        ("import f -o t --vocab 3", "--from is missing"),
        ("import f -o t --vocab 3 --from torch", "expected reference, fbtt"),
        ("import f -o t --vocab 3 --from fbtt", "--columns is missing"),
        ("import f -o t --vocab 3 --from reference --columns 1,2", "for fbtt alone"),
        ("plan 30", "expected the sizes V and D"),
        ("plan 30 x", "`x` is no number"),
        ("plan 30 4 --rank 2 --compression 3", "exclude each other"),
    ] {
        let said = fails(&dir, 2, line);
        assert!(said.contains(part), "{line}: {said}");
    }
    fs::write(dir.join("counts"), "1\n2\n").unwrap();
    for (line, part) in [
        ("show absent", "absent: No such file or directory (os error 2)"),
        ("show model.safetensors", "no `format` in the metadata"),
        ("compress model.safetensors -o t --rank 2", "words.weight"),
        ("compress model.safetensors -o t --rank 2 --tensor b", "`b`"),
        (&format!("{compress} --ranks 900,2"), "rank 900 between cores 1 and 2 cannot be reached"),
        (&format!("{compress} --ranks 2"), "3 ranks r_0 … r_d, expected 4"),
        (&format!("{compress} --rank 2 --rows 2,3,4"), "fewer than the vocabulary's 230"),
        (&format!("{compress} --rank 2 --cores 9"), "9 cores, expected 2 to 8"),
        (&format!("{compress} --rank 2 --order frequency:counts"), "2 lines, expected 230"),
        (&format!("{compress} --rank 2 --order frequency:none"), "none: No such file"),
        ("plan 0 4", "expected 1 to"),
    ] {
        let said = fails(&dir, 1, line);
        assert!(said.contains(part), "{line}: {said}");
    }
    assert!(!dir.join("t").exists());
    succeeds(&dir, &format!("{compress} --rank 2"));
    let said = fails(&dir, 1, "rows t 3 230");
    assert!(said.contains("id 230 at position 1 is not one of 230 rows"), "{said}");
    fs::write(dir.join("counts"), "1\nmany\n").unwrap();
    let said = fails(&dir, 1, &format!("{compress} --rank 2 --order frequency:counts"));
    assert!(said.contains("counts: line 2: `many`, expected a count"), "{said}");
}

/// Half of the table's bytes are enough, of which 64 MiB are working memory of products.
#[test]
#[cfg(target_os = "linux")]
fn a_table_is_never_whole_in_memory() {
    use std::io::{Seek, SeekFrom, Write};
    let dir = folder("program-memory");
    let (vocab, d) = (1_usize << 19, 256_usize);
    let bytes = 4 * vocab * d;
    let header =
        format!(r#"{{"w":{{"dtype":"F32","shape":[{vocab},{d}],"data_offsets":[0,{bytes}]}}}}"#);
    let header = format!("{header:<120}");
    let mut file = fs::File::create(dir.join("big.safetensors")).unwrap();
    file.write_all(&(header.len() as u64).to_le_bytes()).unwrap();
    file.write_all(header.as_bytes()).unwrap();
    file.write_all(&1.0_f32.to_le_bytes()).unwrap();
    // The rest is a hole, which reads as zeros.
    file.set_len((8 + header.len() + bytes) as u64).unwrap();
    file.seek(SeekFrom::End(-4)).unwrap();
    file.write_all(&2.0_f32.to_le_bytes()).unwrap();
    drop(file);
    let within = |bytes: usize| {
        let program = env!("CARGO_BIN_EXE_sixfold-tensor-train");
        let factors = "--rows 32,128,128 --columns 2,8,16 --ranks 2,2";
        let line = format!("compress big.safetensors {factors} --out t");
        // Mapped files do not count.
        let script = format!("ulimit -d {}; exec {program} {line}", bytes >> 10);
        let mut command = Command::new("sh");
        // Each thread has a stack and working memory.
        command.env("RAYON_NUM_THREADS", "1").current_dir(&dir).args(["-c", &script]);
        command.output().unwrap()
    };
    let output = within(bytes / 2);
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    let found = report(&said);
    assert_eq!(found["table"], "524288 x 256");
    assert!(number(&found, "relative error") < 1e-6, "{said}");
    assert!(!within(4 << 20).status.success(), "the limit is one");
    fs::remove_dir_all(&dir).unwrap();
}
