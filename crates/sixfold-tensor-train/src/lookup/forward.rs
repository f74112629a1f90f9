//! Rows of a batch.

use pulp::{Arch, Simd, WithSimd};

use super::chain::row_of;
use super::levels::{Levels, Visit, products};
use super::packed::Packed;
use super::past::Copies;
use super::{Plan, each};
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
    let size = COPIED.div_ceil(d);
    let copies = Copies::into_result(rows.len());
    if plan.len() >= REPEATED * plan.unique().len() {
        let computed = unique_rows(shape, cores, plan);
        let tasks = rows.chunks_mut(size * d).zip(plan.inverse().chunks(size));
        each(tasks, |(rows, places)| {
            let row = |place: &u32| computed.get(*place as usize * d..)?.get(..d);
            // Padding has no place.
            copies.run(rows.chunks_exact_mut(d), places.iter().map(row));
        });
        return;
    }
    let cores = Packed::new(shape, cores);
    let mut by_position: Vec<Option<&mut [f32]>> = rows.chunks_exact_mut(d).map(Some).collect();
    if !copies.are_past() {
        // Each goes to all places of its id while the first-level cache has it.
        different(&cores, plan, |place, rows| {
            let places = plan.positions(place).iter();
            rows.extend(places.filter_map(|at| by_position[*at as usize].take()));
        });
        // Padding has no place.
        by_position.into_iter().flatten().for_each(|row| row.fill(0.0));
        return;
    }
    // Each is computed where its id stands first.
    let first = |place| by_position[plan.positions(place)[0] as usize].take();
    let mut computed: Vec<&mut [f32]> = (0..plan.unique().len()).filter_map(first).collect();
    once(&cores, plan, computed.iter_mut().map(|row| &mut **row));
    let computed: Vec<&[f32]> = computed.into_iter().map(|row| &*row).collect();
    let tasks = by_position.chunks_mut(size).zip(plan.inverse().chunks(size));
    each(tasks, |(rows, places)| {
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
    once(&Packed::new(shape, cores), plan, rows.chunks_exact_mut(d));
    rows
}

/// Computes each different id once.
fn once<'r>(cores: &Packed<'_>, plan: &Plan, by_place: impl Iterator<Item = &'r mut [f32]>) {
    let mut by_place: Vec<Option<&mut [f32]>> = by_place.map(Some).collect();
    different(cores, plan, |place, rows| rows.extend(by_place[place].take()));
}

/// Computes the rows of a plan's different ids; `take` adds the rows that hold an id, one or all of them.
fn different<'r>(
    cores: &Packed<'_>,
    plan: &Plan,
    mut take: impl FnMut(usize, &mut Vec<&'r mut [f32]>),
) {
    if plan.unique().is_empty() {
        return;
    }
    let levels = Levels::new(cores.shape(), plan.unique());
    let products = products(cores, &levels).pop();
    let tasks: Vec<Rows<'_, '_>> = levels
        .tasks(IDS)
        .into_iter()
        .map(|(slots, ids)| {
            let (mut rows, mut ends) = (Vec::with_capacity(ids), Vec::with_capacity(ids));
            for place in slots.clone().flat_map(|slot| levels.ids(levels.at(slot))) {
                take(place, &mut rows);
                ends.push(rows.len());
            }
            let prefixes = Visit { cores, levels: &levels, products: products.as_deref(), slots };
            Rows { prefixes, ids: plan.unique(), rows, ends }
        })
        .collect();
    each(tasks.into_iter(), |task| Arch::new().dispatch(task));
}

/// The rows of some prefixes, in the order of their slots.
struct Rows<'a, 'r> {
    prefixes: Visit<'a>,
    ids: &'a [u32],
    rows: Vec<&'r mut [f32]>,
    /// Where the rows of each id end.
    ends: Vec<usize>,
}

impl WithSimd for Rows<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { prefixes, ids, mut rows, ends } = self;
        let (cores, levels) = (prefixes.cores, prefixes.levels);
        let shape = cores.shape();
        let digits = shape.rows()[shape.cores() - 1];
        let (mut start, mut ends) = (0, ends.iter());
        prefixes.each(
            simd,
            #[inline(always)]
            |prefix, product| {
                for (id, end) in ids[levels.ids(prefix)].iter().zip(ends.by_ref()) {
                    if let Some((row, others)) = rows[start..*end].split_first_mut() {
                        row_of(simd, cores, product, *id as usize % digits, row);
                        others.iter_mut().for_each(|other| other.copy_from_slice(row));
                    }
                    start = *end;
                }
            },
        );
    }
}
