//! Cores that other programs saved.

use std::path::Path;

use sixfold_linalg::files::map_file;

use super::read::Tensors;
use crate::algebra::Train;
use crate::{Cores, Error, Result, TtShape};

/// Reads a table of the paper's code from safetensors of its state dict: `parameters.0`, `parameters.1`, …,
/// each `[r_{k−1}, I_k, J_k, r_k]`, of a tensor train or ring.
///
/// All sizes are inferred but the vocabulary, which its files do not have: it is `vocab`, at most I_1⋯I_d.
/// `prefix` is what stands before `parameters`, as `embedding` in `embedding.parameters.0`; without it, the
/// file must have one such list. Ranks that no unfolding can have, which that code does not clip, are brought
/// down to what it can; the table stays the same within the rounding of f32.
///
/// ```no_run
/// use sixfold_tensor_train::files;
/// let cores = files::read_reference("imdb.safetensors", 25_000, None)?;
/// files::save("table.safetensors", &cores, None)?;
/// # Ok::<(), sixfold_tensor_train::Error>(())
/// ```
///
/// # Errors
/// [`Error::Io`]; [`Error::Malformed`], naming the file and the key.
#[doc(alias = "tt-pytorch")]
pub fn read_reference(path: impl AsRef<Path>, vocab: usize, prefix: Option<&str>) -> Result<Cores> {
    let path = path.as_ref();
    let file = map_file(path)?;
    let tensors = Tensors::new(path, &file)?;
    let names = list(&tensors, "parameters.", prefix)?;
    let mut train = Loose::default();
    for name in &names {
        let (sizes @ [left, ..], values) = tensors.floats::<4>(name)?;
        if let Some(rank) = train.ranks.last()
            && *rank != left
        {
            let what = format!(
                "tensor `{name}` is {sizes:?}, expected {rank} first, with which the one before ends"
            );
            return Err(tensors.malformed(what));
        }
        train.push(sizes, slices_first(&values, sizes));
    }
    finish(&tensors, train, vocab)
}

/// Reads a table of FBTT-Embedding from safetensors of its state dict: `tt_cores.0`, `tt_cores.1`, …, each
/// `[1, I_k, r_{k−1}·J_k·r_k]`.
///
/// The row factors are inferred, and, with the column factors `columns` (its `tt_q_shapes`), the ranks: one
/// after the other, from r_0 = 1. The vocabulary is `vocab`. `prefix` is what stands before `tt_cores`;
/// without it, the file must have one such list. Other tensors, such as the rows of its cache, are not read.
/// Ranks that no unfolding can have are brought down as by [`read_reference`].
///
/// # Errors
/// [`Error::Io`]; [`Error::Malformed`], naming the file and the key, also for several tables in one tensor.
#[doc(alias = "TTEmbeddingBag")]
pub fn read_fbtt(
    path: impl AsRef<Path>,
    vocab: usize,
    columns: &[usize],
    prefix: Option<&str>,
) -> Result<Cores> {
    let path = path.as_ref();
    let file = map_file(path)?;
    let tensors = Tensors::new(path, &file)?;
    let names = list(&tensors, "tt_cores.", prefix)?;
    if names.len() != columns.len() {
        let (cores, columns) = (names.len(), columns.len());
        let first = &names[0];
        let what = format!("{cores} cores from `{first}` on, but {columns} column factors");
        return Err(tensors.malformed(what));
    }
    let mut train = Loose::default();
    for (k, (name, column)) in names.iter().zip(columns).enumerate() {
        let ([tables, rows, slice], values) = tensors.floats::<3>(name)?;
        if tables != 1 {
            let what = format!("tensor `{name}` has {tables} tables, expected 1");
            return Err(tensors.malformed(what));
        }
        let left = train.ranks.last().copied().unwrap_or(1);
        let (front, last) = (left.saturating_mul(*column), k + 1 == columns.len());
        let rank = if front > 0 && slice % front == 0 { slice / front } else { 0 };
        if rank == 0 || (last && rank != 1) {
            let expected = if last { "just" } else { "a multiple of" };
            let what = format!(
                "tensor `{name}` has slices of {slice}, expected {expected} {left}·{column}"
            );
            return Err(tensors.malformed(what));
        }
        train.push([left, rows, *column, rank], values);
    }
    finish(&tensors, train, vocab)
}

/// A tensor train or ring with any ranks, its cores `[I_k, r_{k−1}, J_k, r_k]`.
#[derive(Default)]
struct Loose {
    rows: Vec<usize>,
    columns: Vec<usize>,
    ranks: Vec<usize>,
    cores: Vec<Vec<f32>>,
}

impl Loose {
    /// Adds a core `[r_{k−1}, I_k, J_k, r_k]` whose values have their slices first.
    fn push(&mut self, [left, rows, columns, right]: [usize; 4], values: Vec<f32>) {
        if self.ranks.is_empty() {
            self.ranks.push(left);
        }
        self.rows.push(rows);
        self.columns.push(columns);
        self.ranks.push(right);
        self.cores.push(values);
    }
}

/// The names `<prefix>.<stem>0`, `<prefix>.<stem>1`, …
fn list(tensors: &Tensors<'_>, stem: &str, prefix: Option<&str>) -> Result<Vec<String>> {
    let all = tensors.names();
    let prefix = match prefix {
        Some("") => String::new(),
        Some(prefix) => format!("{}.", prefix.trim_end_matches('.')),
        None => {
            let first = format!("{stem}0");
            let of = |name: &String| name.strip_suffix(&first).map(str::to_owned);
            let whole = |prefix: &String| prefix.is_empty() || prefix.ends_with('.');
            let found: Vec<String> = all.iter().filter_map(of).filter(whole).collect();
            match &found[..] {
                [prefix] => prefix.clone(),
                [] => {
                    let what = format!("no tensor `{first}` with any prefix, found {all:?}");
                    return Err(tensors.malformed(what));
                }
                several => {
                    let what =
                        format!("several `{first}`, with the prefixes {several:?}: name one");
                    return Err(tensors.malformed(what));
                }
            }
        }
    };
    let name = |k: usize| format!("{prefix}{stem}{k}");
    let known = |name: &String| {
        let number = name.strip_prefix(&prefix).and_then(|rest| rest.strip_prefix(stem));
        number.is_some_and(|number| number.parse::<usize>().is_ok())
    };
    let cores = all.iter().filter(|name| known(name)).count();
    let names: Vec<String> = (0..cores.max(1)).map(name).collect();
    match names.iter().find(|name| !tensors.has(name)) {
        None => Ok(names),
        Some(missing) => Err(tensors.malformed(format!("no tensor `{missing}`, found {all:?}"))),
    }
}

/// `[r_{k−1}, I_k, J_k, r_k]` → `[I_k, r_{k−1}, J_k, r_k]`
fn slices_first(values: &[f32], [left, rows, columns, right]: [usize; 4]) -> Vec<f32> {
    let block = columns * right;
    let at = |at: usize| &values[(at % left * rows + at / left) * block..][..block];
    (0..left * rows).flat_map(at).copied().collect()
}

/// The cores as they should be, with a shape that says so.
fn finish(tensors: &Tensors<'_>, train: Loose, vocab: usize) -> Result<Cores> {
    let Loose { rows, columns, mut ranks, cores } = train;
    let is_train = ranks.first() == Some(&1) && ranks.last() == Some(&1);
    let values = if is_train {
        let sizes = |k: usize| [rows[k], ranks[k], columns[k], ranks[k + 1]];
        let cores = cores.iter().enumerate().map(|(k, core)| (sizes(k), &core[..]));
        let values;
        (ranks, values) = Train::of_slices(cores).into_slices(&rows, &columns)?;
        values
    } else {
        cores.concat()
    };
    let shape = TtShape::new(vocab, rows, columns, ranks)
        .map_err(|error: Error| tensors.malformed(error.to_string()))?;
    Cores::new(shape, values)
}
