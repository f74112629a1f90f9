//! `sixfold-tensor-train import`.

use std::path::PathBuf;

use lexopt::Parser;
use sixfold_tensor_train::files;

use crate::options::{
    Failure, Outcome, Taken, choice, distinct, file, list, needed, next, unexpected, value,
};
use crate::stored::Stored;

const HELP: &str = "\
Read the cores that another program saved, as safetensors of its state dict, and say what they are.

Usage: sixfold-tensor-train import [OPTIONS] --from PROGRAM --vocab V --out OUT FILE

Options:
      --from PROGRAM  reference: the paper's code, parameters.0, parameters.1, ...
                      fbtt: FBTT-Embedding, tt_cores.0, tt_cores.1, ...
      --vocab V       Rows of the table without padding, which those files do not say
      --columns J,J   Factors of the columns, for fbtt alone, whose files do not say them
      --prefix NAME   What stands before these names, where a file has several tables
  -o, --out FILE      Where to write
";

#[derive(Clone, Copy)]
enum Program {
    Reference,
    Fbtt,
}

pub(crate) fn run(parser: &mut Parser) -> Outcome {
    let (mut path, mut out, mut prefix) = (None::<PathBuf>, None::<PathBuf>, None::<String>);
    let (mut program, mut vocab, mut columns) = (None, None, None);
    while let Some(argument) = next(parser)? {
        match &argument {
            Taken::Value(found) if path.is_none() => path = Some(found.clone()),
            Taken::Value(_) => return Err(unexpected(&argument)),
            Taken::Option(name) => match name.as_str() {
                "help" => return Ok(HELP.into()),
                "from" => {
                    let programs = [("reference", Program::Reference), ("fbtt", Program::Fbtt)];
                    program = Some(choice(parser, name, &programs)?);
                }
                "vocab" => vocab = Some(value(parser, name)?),
                "columns" => columns = Some(list(parser, name)?),
                "prefix" => prefix = Some(value(parser, name)?),
                "out" => out = Some(value(parser, name)?),
                _ => return Err(unexpected(&argument)),
            },
        }
    }
    let (path, program) = (file(path)?, needed(program, "from")?);
    let (vocab, out) = (needed(vocab, "vocab")?, needed(out, "out")?);
    distinct(&out, &path)?;
    let cores = match (program, columns) {
        (Program::Reference, None) => files::read_reference(&path, vocab, prefix.as_deref())?,
        (Program::Reference, Some(_)) => {
            return Err(Failure::Usage("--columns is for fbtt alone".into()));
        }
        (Program::Fbtt, columns) => {
            files::read_fbtt(&path, vocab, &needed(columns, "columns")?, prefix.as_deref())?
        }
    };
    files::save(&out, &cores, None)?;
    Ok(Stored::Whole(cores).describe(None))
}
