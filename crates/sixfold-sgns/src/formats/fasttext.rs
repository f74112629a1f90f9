//! fastText models, version 12: the vector of a word is the mean of its own row and those of its
//! n-grams, which share rows by their hashes.

use ndarray::{Array1, Array2};
use rayon::prelude::*;

use super::bytes::{Bytes, Problem, floats, size};
use super::words::{Words, word};
use crate::{Result, WordVectors};

/// The first bytes of every model: 793712314.
pub(super) const MAGIC: [u8; 4] = 793_712_314_i32.to_le_bytes();

const VERSION: i32 = 12;

/// The word that stands for the end of a line has no n-grams.
const END_OF_LINE: &[u8] = b"</s>";

/// Reads the vectors of all words of a model.
pub(super) fn read(file: &[u8], mut words: Words) -> Result<WordVectors> {
    let (matrix, places) = parse(file, &mut words).map_err(|what| words.malformed(what))?;
    words.finish(matrix, &|id| format!("byte {}", places[id]))
}

/// What of the options matters for reading.
struct Options {
    d: usize,
    buckets: usize,
    shortest: usize,
    longest: usize,
}

fn options(bytes: &mut Bytes<'_>) -> Result<Options, Problem> {
    let at = bytes.at();
    let mut numbers = [0; 12];
    for number in &mut numbers {
        *number = bytes.i32("the options")?;
    }
    // Dimension, window, epochs, minimal count, negatives, word n-grams, loss, model, buckets,
    // shortest and longest n-gram, rate of updates; then the threshold of sub-sampling.
    let [d, _, _, _, _, _, _, _, buckets, shortest, longest, _] = numbers;
    bytes.take(8, "the options")?;
    let number = |name: &str, value: i32| {
        usize::try_from(value).map_err(|_| format!("byte {at}: {name} is {value}"))
    };
    Ok(Options {
        d: number("the dimension", d)?,
        buckets: number("the number of buckets", buckets)?,
        shortest: number("the shortest n-gram", shortest)?,
        longest: number("the longest n-gram", longest)?,
    })
}

fn parse(file: &[u8], words: &mut Words) -> Result<(Array2<f32>, Vec<usize>), Problem> {
    let mut bytes = Bytes::new(file);
    let magic = bytes.take(4, "the magic number")?;
    if magic != MAGIC {
        return Err("does not begin as a fastText model does".into());
    }
    let version = bytes.i32("the version")?;
    if version != VERSION {
        return Err(format!("has version {version}, expected {VERSION}"));
    }
    let options = options(&mut bytes)?;
    let at = bytes.at();
    let [entries, n, _labels] = [(); 3].map(|()| bytes.i32("the size of the dictionary"));
    let (entries, n) = (entries?, n?);
    bytes.i64("the number of tokens")?;
    let pruned = bytes.i64("the number of n-grams that were kept")?;
    if pruned > 0 {
        return Err(format!(
            "byte {at}: a quantised model, of which n-grams were pruned; expected one in f32"
        ));
    }
    if n < 0 || entries < n {
        return Err(format!("byte {at}: {n} words of {entries} entries"));
    }
    let n = n as usize;
    let wanted = words.wanted(n);
    let (mut places, mut names) = (Vec::new(), Vec::new());
    for id in 0..entries as usize {
        let at = bytes.at();
        let name = bytes.until(0, "a word")?;
        let count = bytes.i64("the count of a word")?;
        // Labels of a classifier come after the words.
        let label = bytes.u8("the kind of a word")? != 0;
        if label != (id >= n) {
            return Err(format!("byte {at}: entry {id}, where {n} words come before the labels"));
        }
        if id < wanted {
            let word =
                word(name, words.invalid_utf8()).map_err(|what| format!("byte {at}: {what}"))?;
            words
                .push(word, u64::try_from(count).map_err(|_| format!("byte {at}: count {count}"))?);
            places.push(at);
            names.push(name);
        }
    }
    let rows = array(&mut bytes, "the vectors")?;
    // The rows of the output are of no use here, but a model without them is not whole.
    array(&mut bytes, "the output")?;
    if !bytes.rest().is_empty() {
        return Err(format!("too long: it should end at byte {}", bytes.at()));
    }
    let expected = (n.saturating_add(options.buckets), options.d);
    if (rows.rows, rows.columns) != expected {
        let found = (rows.rows, rows.columns);
        return Err(format!(
            "vectors of shape {found:?}, expected {expected:?} of words and buckets"
        ));
    }
    let subwords = options.buckets > 0 && pruned < 0;
    let mut matrix = Array2::zeros((wanted, options.d));
    let each = matrix.outer_iter_mut().into_par_iter().zip(names).enumerate();
    each.for_each(|(id, (mut row, name))| {
        let mut ids = vec![id];
        if subwords && name != END_OF_LINE {
            let gram = |hash: u32| n + (hash as usize) % options.buckets;
            grams(name, options.shortest, options.longest, |hash| ids.push(gram(hash)));
        }
        let mut sum = Array1::<f64>::zeros(options.d);
        for &id in &ids {
            for (sum, value) in sum.iter_mut().zip(floats(rows.row(id))) {
                *sum += f64::from(value);
            }
        }
        row.assign(&sum.mapv(|sum| (sum / ids.len() as f64) as f32));
    });
    Ok((matrix, places))
}

struct Rows<'a> {
    rows: usize,
    columns: usize,
    bytes: &'a [u8],
}

impl<'a> Rows<'a> {
    fn row(&self, i: usize) -> &'a [u8] {
        let width = self.columns * size_of::<f32>();
        &self.bytes[i * width..(i + 1) * width]
    }
}

/// Whether it is quantised, its shape, and its values.
fn array<'a>(bytes: &mut Bytes<'a>, what: &str) -> Result<Rows<'a>, Problem> {
    let at = bytes.at();
    if bytes.u8(what)? != 0 {
        return Err(format!("byte {at}: {what} are quantised, expected f32"));
    }
    let (rows, columns) = (bytes.i64(what)?, bytes.i64(what)?);
    let shape = usize::try_from(rows).ok().zip(usize::try_from(columns).ok());
    let (rows, columns) =
        shape.ok_or_else(|| format!("byte {at}: {what} of shape {rows} × {columns}"))?;
    let length = size(rows, columns).ok_or_else(|| {
        format!("byte {at}: {what} of shape {rows} × {columns}, more than any file holds")
    })?;
    Ok(Rows { rows, columns, bytes: bytes.take(length, what)? })
}

/// Calls `each` with the hash of every n-gram of characters of `<word>`, but for `<` and `>` alone.
fn grams(word: &[u8], shortest: usize, longest: usize, mut each: impl FnMut(u32)) {
    let marked = [b"<", word, b">"].concat();
    let continues = |at: usize| marked.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
    for begin in (0..marked.len()).filter(|&begin| !continues(begin)) {
        let mut end = begin;
        for length in 1..=longest {
            if end == marked.len() {
                break;
            }
            end += 1;
            while continues(end) {
                end += 1;
            }
            let mark = length == 1 && (begin == 0 || end == marked.len());
            if length >= shortest && !mark {
                each(hash(&marked[begin..end]));
            }
        }
    }
}

/// FNV-1a of 32 bits, but for bytes that are extended as signed numbers, as in all models there are.
fn hash(bytes: &[u8]) -> u32 {
    bytes.iter().fold(2_166_136_261, |hash: u32, &byte| {
        (hash ^ i32::from(byte as i8) as u32).wrapping_mul(16_777_619)
    })
}
