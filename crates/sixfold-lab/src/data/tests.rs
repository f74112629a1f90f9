//! Tests of the locator and of reading text.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::error::{exit_code, one_line};

fn file(dir: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn read(path: &Path, column: Option<Column>) -> Vec<String> {
    Documents::open(path, column.as_ref()).unwrap().map(Result::unwrap).collect()
}

#[test]
fn a_document_is_a_paragraph() {
    let dir = tempfile::tempdir().unwrap();
    let text = "\u{feff}One\r\nand more \r\n\r\n \r\n  two\n\n\nthree";
    let plain = file(dir.path(), "a.txt", text.as_bytes());
    let expected = ["One\nand more", "  two", "three"];
    assert_eq!(read(&plain, None), expected);

    // Two members behind each other, as `cat a.gz b.gz` leaves them.
    let mut packed = Vec::new();
    for half in [&text[..10], &text[10..]] {
        let mut encoder = GzEncoder::new(&mut packed, Compression::fast());
        encoder.write_all(half.as_bytes()).unwrap();
        encoder.finish().unwrap();
    }
    assert_eq!(read(&file(dir.path(), "a.txt.gz", &packed), None), expected);
}

#[test]
fn a_table_gives_one_column() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(dir.path(), "a.tsv", b"label\ttext\n0\tbad \"film\n1\t\n1\tgood\n");
    assert_eq!(read(&path, Some(Column::Name("text".into()))), ["bad \"film", "good"]);
    assert_eq!(read(&path, Some(Column::Number(0))), ["label", "0", "1", "1"]);
    for (column, expected) in [
        (None, "name the column"),
        (Some(Column::Name("txt".into())), "no column `txt`; there are: label, text"),
    ] {
        let error = Documents::open(&path, column.as_ref()).err().unwrap();
        assert!(one_line(&error).contains(expected), "{error:#}");
        assert_eq!(exit_code(&error), 3);
    }
    let short = Documents::open(&path, Some(&Column::Number(2))).unwrap().next().unwrap();
    assert!(one_line(&short.unwrap_err()).contains("a.tsv:1: 2 columns"));
}

#[test]
fn bytes_that_are_no_text_name_the_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(dir.path(), "a.txt", b"fine\nnot \xff fine\n");
    let error = Documents::open(&path, None).unwrap().next().unwrap().unwrap_err();
    assert!(one_line(&error).contains("a.txt:2 is not UTF-8"), "{error:#}");
}

#[test]
fn missing_inputs_say_how_to_give_them() {
    let dir = tempfile::tempdir().unwrap();
    let locator = Locator::new(Some(dir.path().join("nowhere")));
    let input = Input::new(InputKind::Text, "text.path", "{data}/lm/a.txt");
    let error = locator.check(&input).unwrap_err();
    let line = one_line(&error);
    assert!(line.contains("text.path") && line.contains("--data DIR or SIXFOLD_DATA"), "{line}");
    assert_eq!(exit_code(&error), 3);

    let empty = file(dir.path(), "empty.txt", b" \n\n");
    let input = Input::new(InputKind::Text, "text.path", empty.to_str().unwrap());
    assert!(one_line(&locator.check(&input).unwrap_err()).ends_with("holds no text"));

    let input = Input::new(InputKind::Model, "models", dir.path().to_str().unwrap());
    assert!(one_line(&locator.check(&input).unwrap_err()).contains("config.json"));
    assert_eq!(exit_code(&locator.expand("text.path", "{dta}/x").unwrap_err()), 2);
}
