//! Draws from a fixed distribution in constant time.

use rand::Rng;

use crate::{Error, Result};

/// An alias table: a cell is drawn, and of the two ids in it one.
///
/// # References
/// Walker 1977; Vose 1991, "A linear algorithm for generating random numbers with a given
/// distribution".
#[derive(Debug)]
pub(super) struct Alias {
    /// Of 2³² draws of a cell so many give its own id; and what the others give.
    cells: Vec<(u32, u32)>,
}

impl Alias {
    /// The distribution with these weights.
    pub(super) fn new(weights: &[f64]) -> Result<Self> {
        let sum: f64 = weights.iter().sum();
        if !(sum > 0.0 && sum.is_finite()) {
            let reason = "every count is 0, so there is nothing to draw".to_owned();
            return Err(Error::Empty { what: "the distribution of negative samples", reason });
        }
        let n = weights.len() as f64;
        let mut share: Vec<f64> = weights.iter().map(|weight| weight / sum * n).collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) =
            (0..share.len()).partition(|&id| share[id] < 1.0);
        let mut cells: Vec<(u32, u32)> = (0..share.len()).map(|id| (u32::MAX, id as u32)).collect();
        while let (Some(&low), Some(&high)) = (small.last(), large.last()) {
            small.pop();
            cells[low] = ((share[low] * 2f64.powi(32)) as u32, high as u32);
            share[high] -= 1.0 - share[low];
            if share[high] < 1.0 {
                large.pop();
                small.push(high);
            }
        }
        // What is left over is 1 up to rounding, and has itself as its other id.
        Ok(Self { cells })
    }

    #[inline(always)]
    pub(super) fn draw(&self, random: &mut impl Rng) -> u32 {
        let bits = random.next_u64();
        let at = ((bits >> 32) * self.cells.len() as u64) >> 32;
        let (below, other) = self.cells[at as usize];
        if (bits as u32) < below { at as u32 } else { other }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn ids_come_as_often_as_they_weigh() {
        let weights = [50.0_f64, 0.0, 1.0, 7.0, 30.0, 0.25, 7.0].map(|count| count.powf(0.75));
        let alias = Alias::new(&weights).unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let draws = 400_000;
        let mut found = [0.0; 7];
        for _ in 0..draws {
            found[alias.draw(&mut random) as usize] += 1.0;
        }
        let sum: f64 = weights.iter().sum();
        for (id, (found, weight)) in found.iter().zip(weights).enumerate() {
            let p = weight / sum;
            let error = (p * (1.0 - p) / f64::from(draws)).sqrt();
            let found = found / f64::from(draws);
            assert!((found - p).abs() <= 4.0 * error, "id {id}: {found}, expected {p} ± {error}");
        }
        assert!(matches!(Alias::new(&[0.0, 0.0]), Err(Error::Empty { .. })));
    }

    #[test]
    fn one_of_many_draws_all() {
        let mut weights = vec![0.0; 1000];
        weights[417] = 3.0;
        let alias = Alias::new(&weights).unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(3);
        assert!((0..10_000).all(|_| alias.draw(&mut random) == 417));
    }
}
