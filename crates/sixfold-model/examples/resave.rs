//! Loads every golden checkpoint and saves it again below DIR, so that
//! `fixtures/sixfold-model/check_saved.py DIR` can prove that `transformers` loads the result.
//!
//! `cargo run -p sixfold-model --example resave -- DIR`

#![expect(clippy::print_stdout, reason = "an example reports what it did")]

use std::path::PathBuf;

use sixfold_model::{Checkpoint, HeadKind, Result, Seed};
use sixfold_testkit::fixtures;

fn main() -> Result<()> {
    let out = PathBuf::from(std::env::args().nth(1).expect("usage: resave DIR"));
    let device = sixfold_model::device("flex")?;
    let root = fixtures("sixfold-model");
    let mut saved = 0;
    for entry in std::fs::read_dir(&root).expect("the fixtures").flatten() {
        if !entry.path().join("golden.safetensors").is_file() {
            continue;
        }
        let checkpoint = Checkpoint::open(entry.path())?;
        let to = out.join(entry.file_name());
        match checkpoint.head() {
            Some(HeadKind::Classifier) => {
                checkpoint.save(&checkpoint.classifier(Seed::new(0), &device)?, to)?;
            }
            _ if checkpoint.spec().causal => {
                checkpoint.save(&checkpoint.causal_lm(&device)?, to)?
            }
            _ => checkpoint.save(&checkpoint.masked_lm(&device)?, to)?,
        }
        saved += 1;
    }
    println!("{saved} checkpoints saved below {}", out.display());
    Ok(())
}
