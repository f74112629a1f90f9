//! The format of this crate.

use std::path::Path;

use sixfold_linalg::files::{Dtype, TensorEntry, map_file};

use super::read::{Tensors, f32s, u32s};
use super::write::{Output, write};
use crate::{Cores, Error, Order, Result, TtShape};

/// What the metadata say under `format`: a name and a version.
const FORMAT: &str = "sixfold-tensor-train/1";

/// What a file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Saved<C = Cores> {
    /// The cores.
    pub cores: C,
    /// Which row of the cores an id has. Without it, a row has the id of its place.
    pub order: Option<Order>,
}

/// Writes cores, and the order of the vocabulary if there is one: see [`files`](crate::files).
///
/// ```no_run
/// use sixfold_tensor_train::{Cores, Initializer, TtShape, files};
///
/// let cores = Cores::init(TtShape::planned(30_522, 384, 3, 32)?, &Initializer::Glorot, 0)?;
/// files::save("table.safetensors", &cores, None)?;
/// assert_eq!(files::load("table.safetensors")?.cores, cores);
/// # Ok::<(), sixfold_tensor_train::Error>(())
/// ```
///
/// # Errors
/// [`Error::Io`]; [`Error::NotFinite`]; [`Error::Length`] if `order` is of another vocabulary. Then what was
/// there is still there.
pub fn save(path: impl AsRef<Path>, cores: &Cores, order: Option<&Order>) -> Result<()> {
    cores.check_finite()?;
    let shape = cores.shape();
    let entries = core_entries(shape, Dtype::F32);
    write_table(path.as_ref(), "f32", shape, order, entries, |output| {
        output.values(cores.values(), f32::to_le_bytes)
    })
}

/// Reads what [`save`] wrote.
///
/// # Errors
/// [`Error::Io`]; [`Error::Malformed`], naming the file and the key.
pub fn load(path: impl AsRef<Path>) -> Result<Saved> {
    let path = path.as_ref();
    let file = map_file(path)?;
    let table = Table::new(Tensors::new(path, &file)?)?;
    table.expect_values(&["f32"])?;
    let mut values = Vec::with_capacity(table.shape.parameters());
    for k in 0..table.shape.cores() {
        let start = values.len();
        values.extend(f32s(table.core(k, Dtype::F32)?));
        table.tensors.finite(&core_name(k), &values[start..])?;
    }
    let order = table.order()?;
    Ok(Saved { cores: Cores::new(table.shape, values)?, order })
}

impl Cores {
    /// That all values are numbers.
    ///
    /// # Errors
    /// [`Error::NotFinite`]: the core, its slice i_k, and the place there.
    pub(crate) fn check_finite(&self) -> Result<()> {
        const CORES: [&str; 8] =
            ["core 1", "core 2", "core 3", "core 4", "core 5", "core 6", "core 7", "core 8"];
        for (k, what) in CORES.iter().enumerate().take(self.shape().cores()) {
            let core = self.core(k);
            if let Some(at) = core.iter().position(|x| !x.is_finite()) {
                let slice = core.len() / self.shape().rows()[k];
                return Err(Error::NotFinite { what, row: at / slice, column: at % slice });
            }
        }
        Ok(())
    }
}

/// Writes metadata, order, and then what `body` writes: `entries`.
pub(super) fn write_table(
    path: &Path,
    values: &str,
    shape: &TtShape,
    order: Option<&Order>,
    entries: Vec<TensorEntry>,
    body: impl FnOnce(&mut Output<'_, '_>) -> Result<()>,
) -> Result<()> {
    let mut all = Vec::with_capacity(entries.len() + 1);
    if let Some(order) = order {
        check_order(order, shape.vocab_size())?;
        all.push(TensorEntry::new("order", Dtype::U32, [order.len()]));
    }
    all.extend(entries);
    let described = serde_json::to_string(shape).map_err(|e| Error::io(path)(e.into()))?;
    let metadata = [("format", FORMAT), ("values", values), ("shape", &described)];
    write(path, &metadata, &all, |output| {
        output.values(order.map_or(&[], Order::positions), u32::to_le_bytes)?;
        body(output)
    })
}

/// `cores.0`, …
pub(super) fn core_entries(shape: &TtShape, dtype: Dtype) -> Vec<TensorEntry> {
    let entry = |k| TensorEntry::new(core_name(k), dtype, shape.core(k));
    (0..shape.cores()).map(entry).collect()
}

pub(super) fn core_name(k: usize) -> String {
    format!("cores.{k}")
}

pub(super) fn scales_name(k: usize) -> String {
    format!("scales.{k}")
}

/// A file of this format.
pub(super) struct Table<'a> {
    pub(super) tensors: Tensors<'a>,
    pub(super) shape: TtShape,
    /// What the cores are stored as.
    values: String,
}

impl<'a> Table<'a> {
    pub(super) fn new(tensors: Tensors<'a>) -> Result<Self> {
        let format = tensors.word("format", &format!("`{FORMAT}`"))?;
        if format != FORMAT {
            let what = format!("`format` in the metadata is `{format}`, expected `{FORMAT}`");
            return Err(tensors.malformed(what));
        }
        let values = tensors.word("values", "what the cores are stored as")?.to_owned();
        let shape = tensors.word("shape", "the shape of the table")?;
        let shape: TtShape = serde_json::from_str(shape)
            .map_err(|error| tensors.malformed(format!("`shape` in the metadata: {error}")))?;
        let table = Self { tensors, shape, values };
        for name in table.tensors.names() {
            let known =
                |k| name == core_name(k) || (table.values == "int8" && name == scales_name(k));
            if name != "order" && !(0..table.shape.cores()).any(known) {
                let cores = table.shape.cores();
                let what = format!("tensor `{name}` belongs to no table of {cores} cores");
                return Err(table.tensors.malformed(what));
            }
        }
        Ok(table)
    }

    /// What the cores are stored as, if it is one of those.
    pub(super) fn expect_values(&self, expected: &[&str]) -> Result<&str> {
        if expected.contains(&&*self.values) {
            return Ok(&self.values);
        }
        let found = &self.values;
        let what = format!("`values` in the metadata is `{found}`, expected one of {expected:?}");
        Err(self.tensors.malformed(what))
    }

    /// The bytes of a core.
    pub(super) fn core(&self, k: usize, dtype: Dtype) -> Result<&'a [u8]> {
        self.tensors.exactly(&core_name(k), dtype, &self.shape.core(k))
    }

    pub(super) fn order(&self) -> Result<Option<Order>> {
        if !self.tensors.has("order") {
            return Ok(None);
        }
        let vocab = self.shape.vocab_size();
        let rows: Vec<u32> = u32s(self.tensors.exactly("order", Dtype::U32, &[vocab])?).collect();
        if let Some(id) = misplaced(&rows) {
            return Err(self.tensors.malformed(format!(
                "tensor `order` is no permutation of {vocab} rows: id {id} has row {}",
                rows[id]
            )));
        }
        // The file has the row of each id, and not the id of each row.
        Ok(Some(Order::from_permutation(rows)?.inverse()))
    }
}

/// That it is an order of this vocabulary.
pub(super) fn check_order(order: &Order, vocab: usize) -> Result<()> {
    let found = order.len();
    if found == vocab {
        return Ok(());
    }
    Err(Error::Length { what: "the order", expected: vocab, found })
}

/// The first id whose row is none, or that of another id.
fn misplaced(rows: &[u32]) -> Option<usize> {
    let mut taken = vec![false; rows.len()];
    rows.iter().position(|row| match taken.get_mut(*row as usize) {
        Some(taken) => std::mem::replace(taken, true),
        None => true,
    })
}
