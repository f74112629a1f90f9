//! `sixfold-tensor-train compress`.

use std::path::PathBuf;
use std::time::Instant;

use lexopt::Parser;
use sixfold_linalg::files::{Matrix, MatrixFile};
use sixfold_tensor_train::decompose::relative_error;
use sixfold_tensor_train::{Order, Precision, Target, TtShape, decompose};

use crate::options::{
    Failure, Outcome, Taken, compression, distinct, file, line, list, needed, next, only, tell,
    unexpected, value,
};
use crate::order::Ordering;
use crate::stored::{Stored, table_bytes};

const HELP: &str = "\
Compress a table of a checkpoint (.safetensors or .npy) by TT-SVD. The file is mapped and read row
by row; tables of half precision are widened as a whole.

Usage: sixfold-tensor-train compress [OPTIONS] --out OUT FILE

Options:
  -o, --out FILE       Where to write
      --tensor NAME    The table, where the file has more than one matrix

How far, one of:
      --rank R         One rank for all bonds, less where a bond cannot have as much
      --ranks R,R      A rank for each bond
      --compression X  The largest rank with which cores, scales and order are X times smaller than
                       the table in f32
      --error E        The smallest ranks found for a relative error (Frobenius) of E before
                       cores are rounded

Factors:
      --cores N        2 to 8 [3]
      --rows I,I,I     Factors of the rows [as equal as they can be, with little padding]
      --columns J,J,J  Factors of the columns [as equal as they can be]

Storage:
      --order WHICH    identity (default): rows as they are numbered
                       cluster: like rows together
                       frequency:COUNTS: the most frequent first; COUNTS has a line for each row
                       whose last word is a count
      --int8           8 bits a number, with a scale for each slice
      --f16, --bf16    16 bits a number

It prints what `show` does, the relative error of what was stored, measured over all rows, and the
seconds taken. The order of a vocabulary counts ceil(log2 V) bits a row; the file has 4 bytes a row.
";

const AIMS: &str = "--rank, --ranks, --compression and --error";
const PRECISIONS: &str = "--int8, --f16 and --bf16";

enum Aim {
    Rank(usize),
    /// Of the bonds between cores.
    Ranks(Vec<usize>),
    Compression(f64),
    Error(f64),
}

#[derive(Default)]
struct Options {
    tensor: Option<String>,
    aim: Option<Aim>,
    cores: Option<usize>,
    rows: Option<Vec<usize>>,
    columns: Option<Vec<usize>>,
    ordering: Ordering,
    precision: Option<Precision>,
}

pub(crate) fn run(parser: &mut Parser) -> Outcome {
    let (mut path, mut out) = (None::<PathBuf>, None::<PathBuf>);
    let mut options = Options::default();
    while let Some(argument) = next(parser)? {
        match &argument {
            Taken::Option(name) if name == "help" => return Ok(HELP.into()),
            Taken::Option(name) if name == "out" => out = Some(value(parser, name)?),
            Taken::Value(found) if path.is_none() => path = Some(found.clone()),
            Taken::Option(name) if options.take(name, parser)? => {}
            _ => return Err(unexpected(&argument)),
        }
    }
    let (path, out) = (file(path)?, needed(out, "out")?);
    distinct(&out, &path)?;
    let Some(aim) = &options.aim else {
        return Err(Failure::Usage(format!("one of {AIMS} is missing")));
    };
    let start = Instant::now();
    let source = MatrixFile::open(&path)?;
    let table = match &options.tensor {
        Some(name) => source.tensor(name)?,
        None => source.matrix()?,
    };
    let shape = options.factors(&table)?;
    if let Aim::Ranks(ranks) = aim {
        // Before the work.
        shape.with_ranks(outer(ranks))?;
    }
    let order = options.ordering.of(&table, shape.rows())?;
    let target = aim.target(&shape, &order, options.precision)?;
    tell("decomposing");
    let rows = order.apply(&table)?;
    let found = decompose(&rows, shape.rows(), shape.columns(), &target)?;
    let stored = Stored::new(found.into_cores(), options.precision)?;
    tell("measuring");
    let error = relative_error(&stored.cores(), &rows)?;
    let order = (!order.is_identity()).then_some(&order);
    stored.save(&out, order)?;
    let mut text = stored.describe(order);
    line(&mut text, "relative error", format_args!("{error:.6}"));
    line(&mut text, "seconds", format_args!("{:.2}", start.elapsed().as_secs_f64()));
    Ok(text)
}

impl Options {
    /// Takes an option if it is one of these.
    fn take(&mut self, name: &str, parser: &mut Parser) -> Result<bool, Failure> {
        match name {
            "tensor" => self.tensor = Some(value(parser, name)?),
            "rank" => only(&mut self.aim, Aim::Rank(value(parser, name)?), AIMS)?,
            "ranks" => only(&mut self.aim, Aim::Ranks(list(parser, name)?), AIMS)?,
            "compression" => {
                only(&mut self.aim, Aim::Compression(compression(parser, name)?), AIMS)?;
            }
            "error" => only(&mut self.aim, Aim::Error(value(parser, name)?), AIMS)?,
            "cores" => self.cores = Some(value(parser, name)?),
            "rows" => self.rows = Some(list(parser, name)?),
            "columns" => self.columns = Some(list(parser, name)?),
            "order" => self.ordering = Ordering::parse(parser)?,
            "int8" => only(&mut self.precision, Precision::Int8, PRECISIONS)?,
            "f16" => only(&mut self.precision, Precision::F16, PRECISIONS)?,
            "bf16" => only(&mut self.precision, Precision::Bf16, PRECISIONS)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The table's shape in rank 1: the factors that were given, and planned ones for the others.
    fn factors(&self, table: &Matrix<'_>) -> Result<TtShape, Failure> {
        let (vocab, d) = table.dim();
        let given = [("rows", &self.rows), ("columns", &self.columns)];
        let mut cores = self.cores;
        for (name, factors) in given {
            let Some(found) = factors.as_ref().map(Vec::len) else { continue };
            if *cores.get_or_insert(found) != found {
                let what = format!("--{name} has {found} factors for {} cores", cores.unwrap_or(0));
                return Err(Failure::Usage(what));
            }
        }
        let planned = TtShape::planned(vocab, d, cores.unwrap_or(3), 1)?;
        let rows = self.rows.as_deref().unwrap_or(planned.rows());
        let columns = self.columns.as_deref().unwrap_or(planned.columns());
        let shape = TtShape::train(vocab, rows, columns, 1)?;
        if shape.d_embed() != d {
            let made = shape.d_embed();
            return Err(Failure::Usage(format!("--columns makes {made} columns of {d}")));
        }
        Ok(shape)
    }
}

impl Aim {
    fn target(
        &self,
        shape: &TtShape,
        order: &Order,
        precision: Option<Precision>,
    ) -> Result<Target, Failure> {
        Ok(match self {
            Self::Rank(rank) => Target::Rank(*rank),
            Self::Ranks(ranks) => Target::Ranks(outer(ranks)),
            Self::Error(error) => Target::RelativeError(*error),
            Self::Compression(times) => {
                // What is left for the numbers of cores.
                let scales: usize = shape.rows().iter().sum();
                let (width, beside) = match precision {
                    None => (size_of::<f32>(), 0),
                    Some(Precision::Int8) => (size_of::<i8>(), size_of::<f32>() * scales),
                    Some(_) => (size_of::<u16>(), 0),
                };
                let bytes = table_bytes(shape) / times - (beside + order.bytes()) as f64;
                let budget = (bytes / width as f64).floor() as usize;
                let (vocab, rows, columns) = (shape.vocab_size(), shape.rows(), shape.columns());
                let shape = TtShape::within(vocab, rows, columns, budget)?;
                Target::Ranks(shape.ranks().to_vec())
            }
        })
    }
}

/// r_0 … r_d
fn outer(bonds: &[usize]) -> Vec<usize> {
    [&[1], bonds, &[1]].concat()
}
