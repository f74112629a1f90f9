//! Writes the vectors of `fixtures/sixfold-sgns` in every format, for `check_readers.py`.
//!
//! ```sh
//! cargo run -p sixfold-sgns --no-default-features --example write_formats DIR
//! ```

use std::path::Path;

use sixfold_sgns::WordVectors;
use sixfold_sgns::formats::Format;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::args_os().nth(1).ok_or("expected a directory to write to")?;
    let dir = Path::new(&dir);
    std::fs::create_dir_all(dir)?;
    let vectors = WordVectors::open(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/sixfold-sgns/gensim.bin"),
    )?;
    for (name, format) in [
        ("word2vec.txt", Format::Word2VecText),
        ("word2vec.bin", Format::Word2VecBinary),
        ("vectors.glove", Format::GloVe),
        ("vectors.fifu", Format::FinalFusion),
        ("vectors.safetensors", Format::SafeTensors),
        ("vectors.npy", Format::Npy),
    ] {
        vectors.save(dir.join(name), format)?;
    }
    Ok(())
}
