//! `sixfold-tensor-train plan`.

use std::path::Path;

use lexopt::Parser;
use sixfold_tensor_train::TtShape;
use sixfold_tensor_train::shape::reference::{
    Arrangement, Criterion, exact_factors, suggested_factors,
};

use crate::options::{Failure, Outcome, Taken, compression, line, next, only, unexpected, value};
use crate::stored::{describe_shape, table_bytes};

const HELP: &str = "\
Say which factors a table of V rows of length D would have, and its size.

Usage: sixfold-tensor-train plan [OPTIONS] V D

Options:
      --cores N        2 to 8 [3]
      --rank R         One rank for all bonds [16]
      --compression X  The largest rank with which it is X times smaller
      --as-reference   The factors that the paper's code chooses (entropy, ascending)
";

enum Aim {
    Rank(usize),
    Compression(f64),
}

pub(crate) fn run(parser: &mut Parser) -> Outcome {
    const AIMS: &str = "--rank and --compression";
    let (mut sizes, mut cores, mut aim, mut as_reference) = (Vec::new(), 3, None, false);
    while let Some(argument) = next(parser)? {
        match &argument {
            Taken::Value(size) if sizes.len() < 2 => sizes.push(number(size)?),
            Taken::Value(_) => return Err(unexpected(&argument)),
            Taken::Option(name) => match name.as_str() {
                "help" => return Ok(HELP.into()),
                "cores" => cores = value(parser, name)?,
                "rank" => only(&mut aim, Aim::Rank(value(parser, name)?), AIMS)?,
                "compression" => {
                    only(&mut aim, Aim::Compression(compression(parser, name)?), AIMS)?;
                }
                "as-reference" => as_reference = true,
                _ => return Err(unexpected(&argument)),
            },
        }
    }
    let &[vocab, d] = &sizes[..] else {
        return Err(Failure::Usage("expected the sizes V and D of a table".into()));
    };
    // Checks the sizes and the number of cores.
    let smallest = TtShape::planned(vocab, d, cores, 1)?;
    let (rows, columns) = if as_reference {
        let (by, as_is) = (Criterion::Entropy, Arrangement::Ascending);
        (suggested_factors(vocab, cores, by, as_is), exact_factors(d, cores, by, as_is))
    } else {
        (smallest.rows().to_vec(), smallest.columns().to_vec())
    };
    let shape = match aim.unwrap_or(Aim::Rank(16)) {
        Aim::Rank(rank) => TtShape::train(vocab, rows, columns, rank)?,
        Aim::Compression(times) => {
            let numbers = vocab as f64 * d as f64;
            TtShape::within(vocab, rows, columns, (numbers / times).floor() as usize)?
        }
    };
    let mut text = describe_shape(&shape);
    let bytes = shape.parameters() * size_of::<f32>();
    line(&mut text, "parameters", shape.parameters());
    line(&mut text, "bytes", bytes);
    line(&mut text, "compression", format_args!("{:.2}", table_bytes(&shape) / bytes as f64));
    Ok(text)
}

fn number(text: &Path) -> Result<usize, Failure> {
    let text = text.to_string_lossy();
    text.parse().map_err(|_| Failure::Usage(format!("`{text}` is no number of rows or columns")))
}
