//! Rows of a table by id, and the gradient of its cores, on the host.
//!
//! Each id is computed once however often it stands in a batch, and what ids share of the product
//! `G_1[i_1]⋯G_{d−1}[i_{d−1}]`, their *prefix*, is computed once, prefixes with one slice of a core together. Nothing
//! of the size of the table is stored. Results are the same to the last bit for any number of threads.

pub(crate) mod adjoint;
pub(crate) mod backward;
pub(crate) mod chain;
mod descent;
mod forward;
mod large;
mod levels;
mod micro;
pub(crate) mod packed;
mod past;
mod plan;
mod reader;
mod sums;
pub(crate) mod walk;

use rayon::prelude::*;

pub use backward::backward;
pub use forward::{forward, forward_into, unique_rows};
pub use plan::Plan;
pub use reader::RowReader;

/// Runs tasks on all threads, or here where there is but one: to wake it would take longer than a small batch, and
/// what one part of the work leaves in the caches of a processor the next would look for in those of another.
fn each<T: Send, R: Send>(
    tasks: impl Iterator<Item = T> + Send,
    run: impl Fn(T) -> R + Send + Sync,
) -> Vec<R> {
    if rayon::current_num_threads() == 1 {
        return tasks.map(run).collect();
    }
    tasks.collect::<Vec<T>>().into_par_iter().map(run).collect()
}
