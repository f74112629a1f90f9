//! Files that are written whole or not at all. Matrices in files are tested by sixfold-geometry.

use std::io::{self, Write};

use sixfold_linalg::files::{FileError, map_file, try_write_atomically, write_atomically};
use tempfile::tempdir;

#[test]
fn a_failed_write_leaves_what_was_there() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("words.txt");
    let length = write_atomically(&path, |file| {
        file.write_all(b"first")?;
        Ok(5)
    });
    assert_eq!(length.unwrap(), 5);
    let error = write_atomically(&path, |file| -> io::Result<()> {
        // More than a buffer holds, so that part of it is in the file already.
        file.write_all(&vec![b'x'; 1 << 20])?;
        Err(io::Error::new(io::ErrorKind::StorageFull, "no space is left"))
    })
    .unwrap_err();
    let FileError::Io { path: named, source } = &error else { panic!("{error:?}") };
    assert_eq!((named, source.kind()), (&path, io::ErrorKind::StorageFull));
    assert_eq!(&map_file(&path).unwrap()[..], b"first");
    let names: Vec<_> = dir.path().read_dir().unwrap().map(|x| x.unwrap().file_name()).collect();
    assert_eq!(names, ["words.txt"], "nothing else stays");
}

#[test]
fn an_empty_file_is_mapped() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("empty");
    write_atomically(&path, |_| Ok(())).unwrap();
    assert!(map_file(&path).unwrap().is_empty());
    assert!(matches!(map_file(dir.path().join("absent")), Err(FileError::Io { .. })));
}

#[test]
fn errors_of_the_writer_come_out_as_they_are() {
    #[derive(Debug)]
    enum Mine {
        File(FileError),
        Number(i32),
    }
    impl From<FileError> for Mine {
        fn from(error: FileError) -> Self {
            Self::File(error)
        }
    }
    let dir = tempdir().unwrap();
    let path = dir.path().join("kept");
    try_write_atomically(&path, |file| {
        file.write_all(b"old").map_err(|_| Mine::Number(1))?;
        Ok::<_, Mine>(())
    })
    .unwrap();
    let error = try_write_atomically(&path, |file| -> Result<(), Mine> {
        file.write_all(b"new").map_err(|_| Mine::Number(1))?;
        Err(Mine::Number(2))
    });
    assert!(matches!(error, Err(Mine::Number(2))), "{error:?}");
    let nowhere = dir.path().join("absent").join("file");
    let error = try_write_atomically(&nowhere, |_| Ok::<_, Mine>(())).unwrap_err();
    assert!(
        matches!(&error, Mine::File(FileError::Io { path, .. }) if *path == nowhere),
        "{error:?}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), b"old");
    assert_eq!(dir.path().read_dir().unwrap().count(), 1, "nothing else stays");
}
