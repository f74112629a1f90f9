//! `sixfold-tensor-train export`.

use std::path::PathBuf;

use lexopt::Parser;
use sixfold_tensor_train::files::{self, Saved};

use crate::options::{Outcome, Taken, distinct, file, needed, next, unexpected, value};
use crate::stored::Stored;

const HELP: &str = "\
Write the whole table of a compressed file as one tensor [V, D] of a safetensors file, f32, rows as
their ids are numbered. It is written block by block.

Usage: sixfold-tensor-train export [OPTIONS] --out DENSE FILE

Options:
  -o, --out FILE     Where to write
      --tensor NAME  The name of the tensor [weight]
";

pub(crate) fn run(parser: &mut Parser) -> Outcome {
    let (mut path, mut out) = (None::<PathBuf>, None::<PathBuf>);
    let mut tensor = "weight".to_owned();
    while let Some(argument) = next(parser)? {
        match argument {
            Taken::Option(name) if name == "help" => return Ok(HELP.into()),
            Taken::Option(name) if name == "out" => out = Some(value(parser, &name)?),
            Taken::Option(name) if name == "tensor" => tensor = value(parser, &name)?,
            Taken::Value(found) if path.is_none() => path = Some(found),
            other => return Err(unexpected(&other)),
        }
    }
    let (path, out) = (file(path)?, needed(out, "out")?);
    distinct(&out, &path)?;
    let Saved { cores, order } = Stored::load(&path)?;
    files::export_dense(&out, &cores.cores(), order.as_ref(), &tensor)?;
    Ok(String::new())
}
