//! Batches that the memory of a device may not hold.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::tensor::Tensor;

use crate::{Error, Result};

/// How drivers say that memory is out; burn hands their words on.
const OUT_OF_MEMORY: [&str; 4] =
    ["out of device memory", "out of memory", "out-of-memory", "can't allocate buffer"];

/// How many positions run at once: as many as were asked for, and fewer once the device did not hold them.
///
/// Copies share what they learned.
#[derive(Clone, Debug)]
pub(super) struct Positions(Arc<AtomicUsize>);

impl Positions {
    pub(super) fn new(most: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(most.max(1))))
    }

    pub(super) fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Runs groups of sequences in their order. One that the device does not hold runs in halves, and so does
    /// from then on whatever is as large.
    ///
    /// `run` leaves nothing behind where it fails, for its rows come again.
    pub(super) fn in_parts(
        &self,
        mut groups: Vec<Vec<usize>>,
        length: impl Fn(usize) -> usize,
        mut run: impl FnMut(&[usize]) -> Result<()>,
    ) -> Result<()> {
        groups.reverse();
        while let Some(mut rows) = groups.pop() {
            let longest = rows.iter().map(|&row| length(row)).max().unwrap_or(0);
            let positions = rows.len() * longest;
            if rows.len() < 2 || positions <= self.get() {
                match run(&rows) {
                    Ok(()) => continue,
                    Err(Error::OutOfMemory { .. }) if rows.len() > 1 => {
                        self.0.fetch_min(positions / 2, Ordering::Relaxed);
                    }
                    Err(error) => return Err(error),
                }
            }
            let rest = rows.split_off(rows.len() / 2);
            groups.extend([rest, rows]);
        }
        Ok(())
    }
}

/// The values of a tensor, row by row. Devices run behind the program: what failed on the way is said here.
pub(super) fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    match tensor.try_into_data() {
        Ok(data) => Ok(data.iter::<f32>().collect()),
        Err(error) => Err(failure(error.to_string())),
    }
}

fn failure(reason: String) -> Error {
    let lower = reason.to_lowercase();
    match OUT_OF_MEMORY.iter().any(|words| lower.contains(words)) {
        true => Error::OutOfMemory { reason },
        false => Error::Device { reason },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Error {
        failure("An error happened\nCaused by:\n  out of device memory allocating 64 bytes".into())
    }

    /// A device that holds `holds` positions, and the groups that it was given.
    fn run(positions: &Positions, holds: usize, rows: usize) -> (Result<()>, Vec<Vec<usize>>) {
        let mut tried = Vec::new();
        let mut done = Vec::new();
        let groups = (0..rows).collect::<Vec<_>>().chunks(8).map(<[usize]>::to_vec).collect();
        let result = positions.in_parts(
            groups,
            |_| 10,
            |rows| {
                tried.push(rows.to_vec());
                if rows.len() * 10 > holds {
                    return Err(full());
                }
                done.extend_from_slice(rows);
                Ok(())
            },
        );
        if result.is_ok() {
            assert_eq!(done, (0..rows).collect::<Vec<_>>(), "each row once, in its order");
        }
        (result, tried)
    }

    #[test]
    fn what_a_device_does_not_hold_runs_in_halves() {
        let positions = Positions::new(80);
        let (result, tried) = run(&positions, 30, 16);
        result.unwrap();
        // Eight and four rows fail once; the second group is not tried as a whole again.
        let sizes: Vec<usize> = tried.iter().map(Vec::len).collect();
        assert_eq!(sizes, [8, 4, 2, 2, 2, 2, 2, 2, 2, 2]);
        assert_eq!(positions.get(), 20);
        let (_, tried) = run(&positions.clone(), 30, 8);
        assert_eq!(tried.len(), 4, "nothing fails that is known to");
    }

    #[test]
    fn one_sequence_that_does_not_fit_is_an_error() {
        let (result, _) = run(&Positions::new(80), 9, 8);
        let error = result.unwrap_err();
        assert!(matches!(error, Error::OutOfMemory { .. }), "{error}");
        assert!(error.to_string().contains("allocating 64 bytes"), "{error}");
    }

    /// Four GiB are more than Mesa's device has in one buffer.
    #[cfg(feature = "wgpu")]
    #[test]
    fn a_buffer_that_a_device_refuses_is_known_by_the_words_of_its_driver() {
        if !sixfold_testkit::has_vulkan() {
            return;
        }
        let device = sixfold_model::device("wgpu").unwrap();
        let sum = |rows: usize| read(Tensor::<2>::ones([rows, 1 << 10], &device).sum());
        let error = sum(1 << 20).unwrap_err();
        assert!(matches!(error, Error::OutOfMemory { .. }), "{error}");
        assert_eq!(sum(4).unwrap(), [4096.0], "the device goes on");
    }

    #[test]
    fn other_failures_are_not_tried_again() {
        let mut calls = 0;
        let result = Positions::new(80).in_parts(
            vec![vec![0, 1]],
            |_| 10,
            |_| {
                calls += 1;
                Err(failure("The device was poisoned during launch".into()))
            },
        );
        assert!(matches!(result, Err(Error::Device { .. })));
        assert_eq!(calls, 1);
    }
}
