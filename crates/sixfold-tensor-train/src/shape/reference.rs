//! Factors as the paper's code chooses them, for tables that must match it.
//!
//! Its balanced factors pad a vocabulary by up to 56 %; [`row_factors`](super::row_factors) pads it by
//! 0.5 % at the same balance.

/// What makes factors balanced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Criterion {
    /// The largest entropy of the factors, divided by their sum.
    Entropy,
    /// The smallest variance.
    Variance,
}

impl Criterion {
    fn of(self, factors: &[usize]) -> f64 {
        let n = factors.len() as f64;
        let sum = factors.iter().sum::<usize>() as f64;
        let each = factors.iter().map(|factor| *factor as f64);
        match self {
            Self::Entropy => -each.map(|factor| factor / sum).map(|p| p * p.ln()).sum::<f64>(),
            Self::Variance => -each.map(|factor| (factor - sum / n).powi(2)).sum::<f64>() / n,
        }
    }
}

/// The order of factors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrangement {
    /// Smallest first: the shapes of the paper's tables.
    Ascending,
    /// Largest first.
    Descending,
    /// The lower and the upper half in turns.
    Mixed,
}

impl Arrangement {
    fn of(self, mut factors: Vec<usize>) -> Vec<usize> {
        factors.sort_unstable();
        match self {
            Self::Ascending => factors,
            Self::Descending => {
                factors.reverse();
                factors
            }
            Self::Mixed => {
                let (lower, upper) = factors.split_at(factors.len() / 2);
                let turn = |i: usize| [lower.get(i), upper.get(i)].into_iter().flatten().copied();
                (0..upper.len()).flat_map(turn).collect()
            }
        }
    }
}

/// Calls `f` with each way to write `n` as a product of `count` factors in ascending order, none of them
/// below `from`.
pub(super) fn factorisations(n: usize, count: usize, from: usize, f: &mut impl FnMut(&[usize])) {
    let divisors: Vec<usize> = {
        let below = (1..).take_while(|i| i * i <= n).filter(|i| n.is_multiple_of(*i));
        let mut all: Vec<usize> = below.flat_map(|i| [i, n / i]).collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    descend(n, count, from, &divisors, &mut Vec::with_capacity(count), f);
}

fn descend(
    n: usize,
    count: usize,
    from: usize,
    divisors: &[usize],
    taken: &mut Vec<usize>,
    f: &mut impl FnMut(&[usize]),
) {
    if count == 1 {
        if n >= from {
            taken.push(n);
            f(taken);
            taken.pop();
        }
        return;
    }
    for &factor in divisors.iter().filter(|factor| **factor >= from) {
        if factor.checked_pow(count as u32).is_none_or(|power| power > n) {
            break;
        }
        if n.is_multiple_of(factor) {
            taken.push(factor);
            descend(n / factor, count - 1, factor, divisors, taken, f);
            taken.pop();
        }
    }
}

/// The most balanced factors of exactly `n`; ones only where it has too few primes.
#[doc(alias = "auto_shape")]
pub fn exact_factors(
    n: usize,
    cores: usize,
    criterion: Criterion,
    arrangement: Arrangement,
) -> Vec<usize> {
    let mut best: Option<(f64, Vec<usize>)> = None;
    let mut offer = |factors: &[usize]| {
        let value = criterion.of(factors);
        if best.as_ref().is_none_or(|(best, _)| value > *best) {
            best = Some((value, factors.to_vec()));
        }
    };
    factorisations(n, cores, 2, &mut offer);
    if best.is_none() {
        // Fewer primes than cores: each stands alone.
        let mut factors = vec![1; cores.saturating_sub(primes(n).len())];
        factors.extend(primes(n));
        best = Some((0.0, factors));
    }
    arrangement.of(best.map_or_else(Vec::new, |(_, factors)| factors))
}

fn primes(mut n: usize) -> Vec<usize> {
    let mut primes = Vec::new();
    let mut p = 2;
    while p * p <= n {
        while n.is_multiple_of(p) {
            primes.push(p);
            n /= p;
        }
        p += 1;
    }
    if n > 1 {
        primes.push(n);
    }
    primes
}

/// The most balanced factors of `n` or of `n` rounded up to a multiple of a power of ten.
///
/// ```
/// use sixfold_tensor_train::shape::reference::{Arrangement, Criterion, suggested_factors};
/// let factors = suggested_factors(25_000, 3, Criterion::Entropy, Arrangement::Ascending);
/// assert_eq!(factors, [25, 30, 40]); // 30 000 rows
/// ```
///
/// # References
/// `suggest_shape` of the paper's code, in which the search takes up to 13 s.
#[doc(alias = "suggest_shape")]
pub fn suggested_factors(
    n: usize,
    cores: usize,
    criterion: Criterion,
    arrangement: Arrangement,
) -> Vec<usize> {
    let mut best: Option<(f64, Vec<usize>)> = None;
    let mut power = 1;
    while power <= n {
        let factors = exact_factors(n.next_multiple_of(power), cores, criterion, arrangement);
        let value = criterion.of(&factors);
        if best.as_ref().is_none_or(|(best, _)| value > *best) {
            best = Some((value, factors));
        }
        power *= 10;
    }
    best.map_or_else(Vec::new, |(_, factors)| factors)
}
