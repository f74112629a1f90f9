//! Rows of a batch.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::Plan;
use super::chain::row_of;
use super::levels::{Levels, Visit, products};
use super::packed::Packed;
use super::past::Copies;
use crate::TtShape;

/// Different ids of a task.
const IDS: usize = 512;

/// Times that an id stands in a batch, in the mean, from which on rows are computed apart, where they lie together,
/// and then copied in the order of the batch.
pub(super) const REPEATED: usize = 4;

/// Numbers of a task that copies.
const COPIED: usize = 1 << 15;

/// The rows of a batch, `[n, D]` for a plan of n ids.
///
/// # Panics
/// If the cores are not those of the shape, or the plan is for a larger table.
///
/// # Complexity
/// With U different ids of P prefixes, and a train of 3 cores: 2·P·J_1·J_2·r_1·r_2 + 2·U·D·r_2 operations. Beside
/// the result, memory for 4 numbers an id and 12 a different id, or for those and U·D where ids repeat. A ring takes
/// r_0 times as many operations.
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
    let each = COPIED.div_ceil(d);
    let copies = Copies::into_result(rows.len());
    if plan.len() >= REPEATED * plan.unique().len() {
        let computed = unique_rows(shape, cores, plan);
        let tasks = rows.par_chunks_mut(each * d).zip(plan.inverse().par_chunks(each));
        tasks.for_each(|(rows, places)| {
            let row = |place: &u32| computed.get(*place as usize * d..)?.get(..d);
            // Padding has no place.
            copies.run(rows.chunks_exact_mut(d), places.iter().map(row));
        });
        return;
    }
    // Each is computed where its id stands first.
    let mut by_position: Vec<Option<&mut [f32]>> = rows.chunks_exact_mut(d).map(Some).collect();
    let first = |place| by_position[plan.positions(place)[0] as usize].take();
    let mut computed: Vec<&mut [f32]> = (0..plan.unique().len()).filter_map(first).collect();
    different(&Packed::new(shape, cores), plan, &mut computed);
    let computed: Vec<&[f32]> = computed.into_iter().map(|row| &*row).collect();
    let tasks = by_position.par_chunks_mut(each).zip(plan.inverse().par_chunks(each));
    tasks.for_each(|(rows, places)| {
        let row = |place: &u32| computed.get(*place as usize).copied();
        copies.run(rows.iter_mut().map(Option::take), places.iter().map(row));
    });
}

/// The rows of a plan's different ids, `[U, D]`.
///
/// # Panics
/// As [`forward`].
///
/// # Complexity
/// That of [`forward`], with memory for 12 numbers a different id beside the result.
pub fn unique_rows(shape: &TtShape, cores: &[f32], plan: &Plan) -> Vec<f32> {
    let d = shape.d_embed();
    let mut rows = vec![0.0; plan.unique().len() * d];
    let mut by_place: Vec<&mut [f32]> = rows.chunks_exact_mut(d).collect();
    different(&Packed::new(shape, cores), plan, &mut by_place);
    rows
}

/// Computes the rows of a plan's different ids.
fn different(cores: &Packed<'_>, plan: &Plan, by_place: &mut [&mut [f32]]) {
    if by_place.is_empty() {
        return;
    }
    let levels = Levels::new(cores.shape(), plan.unique());
    let products = products(cores, &levels).pop();
    let mut by_place: Vec<Option<&mut [f32]>> =
        by_place.iter_mut().map(|row| Some(&mut **row)).collect();
    let places = (0..levels.longest().len()).flat_map(|slot| levels.ids(levels.at(slot)));
    let mut ordered: Vec<&mut [f32]> = places.filter_map(|place| by_place[place].take()).collect();
    let mut rest = &mut ordered[..];
    let mut tasks = Vec::with_capacity(plan.unique().len() / IDS + 1);
    for (slots, ids) in levels.tasks(IDS) {
        let (rows, others) = std::mem::take(&mut rest).split_at_mut(ids);
        rest = others;
        let prefixes = Visit { cores, levels: &levels, products: products.as_deref(), slots };
        tasks.push(Rows { prefixes, ids: plan.unique(), rows });
    }
    tasks.into_par_iter().for_each(|task| Arch::new().dispatch(task));
}

/// The rows of some prefixes, in the order of their slots.
struct Rows<'a, 'r> {
    prefixes: Visit<'a>,
    ids: &'a [u32],
    rows: &'a mut [&'r mut [f32]],
}

impl WithSimd for Rows<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { prefixes, ids, rows } = self;
        let (cores, levels) = (prefixes.cores, prefixes.levels);
        let shape = cores.shape();
        let digits = shape.rows()[shape.cores() - 1];
        let mut rows = rows.iter_mut();
        prefixes.each(
            simd,
            #[inline(always)]
            |prefix, product| {
                for (id, row) in ids[levels.ids(prefix)].iter().zip(rows.by_ref()) {
                    row_of(simd, cores, product, *id as usize % digits, row);
                }
            },
        );
    }
}
