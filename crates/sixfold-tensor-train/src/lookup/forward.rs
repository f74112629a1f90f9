//! Rows of a batch.

use rayon::prelude::*;

use super::packed::Packed;
use super::{Plan, walk};
use crate::TtShape;

/// Different ids of a task: so many that tasks share few prefixes.
const IDS: usize = 512;

/// Times that an id stands in a batch, in the mean, from which on rows are computed apart and then copied: copies
/// in the order of the batch are faster than copies in the order of ids.
const REPEATED: usize = 4;

/// Numbers of a task that copies.
const COPIED: usize = 1 << 15;

/// The rows of a batch, `[n, D]` for a plan of n ids.
///
/// # Panics
/// If the cores are not those of the shape, or the plan is for a larger table.
///
/// # Complexity
/// With U different ids of P prefixes, and a train of 3 cores: 2·P·J_1·J_2·r_1·r_2 + 2·U·D·r_2 operations. Beside
/// the result, memory for 8 numbers an id, or for U·D in all where ids repeat. A ring takes r_0 times as many
/// operations.
pub fn forward(shape: &TtShape, cores: &[f32], plan: &Plan) -> Vec<f32> {
    // The system clears memory page by page, when it is first touched.
    let mut rows = vec![0.0; plan.len() * shape.d_embed()];
    forward_into(shape, cores, plan, &mut rows);
    rows
}

/// As [`forward`], into memory that is used again.
///
/// # Panics
/// As [`forward`], and if `rows` is no `[n, D]`.
pub fn forward_into(shape: &TtShape, cores: &[f32], plan: &Plan, rows: &mut [f32]) {
    let d = shape.d_embed();
    assert_eq!(rows.len(), plan.len() * d, "a row for each id");
    if plan.len() >= REPEATED * plan.unique().len() {
        copy(&unique_rows(shape, cores, plan), d, plan, rows);
    } else {
        in_place(&Packed::new(shape, cores), plan, rows);
    }
}

/// Copies the rows of different ids to where they stand.
fn copy(unique: &[f32], d: usize, plan: &Plan, rows: &mut [f32]) {
    let each = COPIED.div_ceil(d);
    let tasks = rows.par_chunks_mut(each * d).zip(plan.inverse().par_chunks(each));
    tasks.for_each(|(rows, places)| {
        for (row, place) in rows.chunks_exact_mut(d).zip(places) {
            match unique.get(*place as usize * d..).and_then(|rest| rest.get(..d)) {
                Some(from) => row.copy_from_slice(from),
                // Padding.
                None => row.fill(0.0),
            }
        }
    });
}

/// Computes each row where its id stands first, and copies it to its other places.
fn in_place(cores: &Packed<'_>, plan: &Plan, rows: &mut [f32]) {
    let d = cores.shape().d_embed();
    let mut by_position: Vec<Option<&mut [f32]>> = rows.chunks_exact_mut(d).map(Some).collect();
    let take = |position: &u32| by_position[*position as usize].take().expect("each stands once");
    let mut ordered: Vec<&mut [f32]> = plan.all_positions().iter().map(take).collect();
    // What no id takes is padding.
    by_position.into_iter().flatten().for_each(|row| row.fill(0.0));
    let mut rest = &mut ordered[..];
    let mut tasks = Vec::with_capacity(plan.unique().len().div_ceil(IDS));
    for (task, ids) in plan.unique().chunks(IDS).enumerate() {
        let first = task * IDS;
        let end = plan.offset(first + ids.len()) - plan.offset(first);
        let (rows, others) = std::mem::take(&mut rest).split_at_mut(end);
        tasks.push((first, ids, rows));
        rest = others;
    }
    tasks.into_par_iter().for_each(|(first, ids, mut rows)| {
        let with_rows = ids.iter().enumerate().map(|(place, id)| {
            let copies = plan.positions(first + place).len();
            let (these, others) = std::mem::take(&mut rows).split_at_mut(copies);
            rows = others;
            let (row, copies) = these.split_first_mut().expect("an id stands somewhere");
            (*id as usize, &mut **row, copies)
        });
        walk::rows(cores, with_rows);
    });
}

/// The rows of a plan's different ids, `[U, D]`.
///
/// # Panics
/// As [`forward`].
///
/// # Complexity
/// That of [`forward`], without memory beside the result.
pub fn unique_rows(shape: &TtShape, cores: &[f32], plan: &Plan) -> Vec<f32> {
    let cores = Packed::new(shape, cores);
    let d = shape.d_embed();
    let mut rows = vec![0.0; plan.unique().len() * d];
    let tasks = rows.par_chunks_mut(IDS * d).zip(plan.unique().par_chunks(IDS));
    tasks.for_each(|(rows, ids)| {
        let rows = ids.iter().zip(rows.chunks_exact_mut(d));
        walk::rows(&cores, rows.map(|(id, row)| (*id as usize, row, &mut [][..])));
    });
    rows
}
