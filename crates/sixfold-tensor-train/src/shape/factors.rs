//! Factors of a table's sizes, as equal as can be.

/// How far the smallest factor may stay below the d-th root of the vocabulary, in turn: a search gives
/// balance up only where balance leaves too much padding.
const FLOORS: [f64; 4] = [0.85, 0.7, 0.5, 0.3];

/// I_1 ≤ … ≤ I_d with I_1⋯I_d ≥ `vocab`: as equal as they can be with at most 0.5 % of padding (2 % for
/// more than 3 cores); the least padding where a small vocabulary allows no less.
///
/// ```
/// use sixfold_tensor_train::shape::row_factors;
/// assert_eq!(row_factors(50_257, 3), [34, 37, 40]); // 50 320 rows
/// ```
///
/// # Panics
/// If the vocabulary or the number of cores is 0.
pub fn row_factors(vocab: usize, cores: usize) -> Vec<usize> {
    assert!(vocab > 0 && cores > 0, "a vocabulary and cores");
    let percent = if cores <= 3 { 0.5 } else { 2.0 };
    let allowed = vocab + (vocab as f64 * percent / 100.0) as usize;
    let root = (vocab as f64).powf(1.0 / cores as f64);
    let mut least = Search::new(vocab, cores);
    for floor in FLOORS {
        let mut search = Search::new(vocab, cores);
        search.descend(((root * floor) as usize).max(1), vocab, 1);
        if search.best.as_ref().is_some_and(|(product, _, _)| *product <= allowed) {
            // Of those with so little padding, the most equal.
            let mut search = Search { allowed, ..Search::new(vocab, cores) };
            search.descend(((root * floor) as usize).max(1), vocab, 1);
            return search.found();
        }
        least = search;
    }
    least.found()
}

/// Factors in ascending order by depth-first search.
struct Search {
    vocab: usize,
    /// Up to this product, the sum of the factors decides; above it, the product.
    allowed: usize,
    taken: Vec<usize>,
    cores: usize,
    /// Product, sum and factors.
    best: Option<(usize, usize, Vec<usize>)>,
}

impl Search {
    fn new(vocab: usize, cores: usize) -> Self {
        Self { vocab, allowed: 0, taken: Vec::with_capacity(cores), cores, best: None }
    }

    /// Tries factors from `from` on, for the `rest` = ⌈vocab / product⌉ that is left.
    fn descend(&mut self, from: usize, rest: usize, product: usize) {
        let left = self.cores - self.taken.len();
        if left == 1 {
            let last = rest.max(from);
            return self.offer(product * last, last);
        }
        // The smallest of what is left is at most its root, rounded up.
        let root = (rest as f64).powf(1.0 / left as f64).ceil() as usize;
        for factor in from.min(root)..=root {
            self.taken.push(factor);
            let product = product * factor;
            self.descend(factor, self.vocab.div_ceil(product), product);
            self.taken.pop();
        }
    }

    fn offer(&mut self, product: usize, last: usize) {
        let sum = self.taken.iter().sum::<usize>() + last;
        let rank = |product: usize, sum: usize| {
            if product <= self.allowed { (0, sum, product) } else { (product, sum, 0) }
        };
        let better = match &self.best {
            Some((p, s, _)) => rank(product, sum) < rank(*p, *s),
            None => true,
        };
        if better {
            let mut factors = self.taken.clone();
            factors.push(last);
            self.best = Some((product, sum, factors));
        }
    }

    fn found(self) -> Vec<usize> {
        self.best.expect("a search offers at least the factors at its start").2
    }
}

/// J_1 ≤ … ≤ J_d with J_1⋯J_d = `d_embed` exactly, as equal as its prime factors allow.
///
/// ```
/// use sixfold_tensor_train::shape::column_factors;
/// assert_eq!(column_factors(768, 3), [8, 8, 12]);
/// assert_eq!(column_factors(7, 3), [1, 1, 7]);
/// ```
///
/// # Panics
/// If the length or the number of cores is 0.
pub fn column_factors(d_embed: usize, cores: usize) -> Vec<usize> {
    assert!(d_embed > 0 && cores > 0, "a row and cores");
    let mut best: Option<Vec<usize>> = None;
    super::reference::factorisations(d_embed, cores, 1, &mut |factors| {
        if best.as_ref().is_none_or(|best| factors.iter().sum::<usize>() < best.iter().sum()) {
            best = Some(factors.to_vec());
        }
    });
    best.expect("1⋯1·d_embed is always there")
}
