//! Streamed moments against two passes over all rows, however they are cut, shifted and merged.

use ndarray::{Array1, Array2, ArrayView2, Axis, s};
use proptest::prelude::*;
use sixfold_linalg::{Directions, LinearOperator, Moments, Real};

use crate::support::{config, uniform, vector_error, widen};

/// Rows of data: n, d, the mean in deviations, the power of ten of the deviation.
#[derive(Clone, Debug)]
pub(crate) struct Data {
    n: usize,
    d: usize,
    offset: f64,
    exponent: i32,
    seed: u64,
    /// Where the rows are cut, as parts of n.
    cuts: Vec<f64>,
}

pub(crate) fn data(exponents: std::ops::RangeInclusive<i32>) -> impl Strategy<Value = Data> {
    let offset = prop_oneof![Just(0.0), Just(1e4), -100.0..100.0];
    let cuts = prop::collection::vec(0.0..1.0, 0..6);
    // Blocks have 1024 rows: some cases have more.
    let n = prop_oneof![4 => 2..200_usize, 1 => 1000..3000_usize];
    (n, 1..24_usize, offset, exponents, any::<u64>(), cuts).prop_map(
        |(n, d, offset, exponent, seed, cuts)| Data { n, d, offset, exponent, seed, cuts },
    )
}

impl Data {
    pub(crate) fn rows(&self, stream: u64) -> Array2<f64> {
        use rand::SeedableRng;
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(self.seed ^ stream);
        let mut x = uniform(self.n, self.d, &mut rng);
        // Columns that depend on each other, and one that does not vary.
        for j in 1..self.d {
            let previous = x.column(j - 1).to_owned();
            x.column_mut(j).scaled_add(0.5, &previous);
        }
        x += self.offset;
        if self.d > 2 {
            x.column_mut(1).fill(self.offset);
        }
        // Each column in its own unit.
        for (j, mut column) in x.columns_mut().into_iter().enumerate() {
            column *= 10_f64.powi((j % 5) as i32 - 2);
        }
        x * 10_f64.powi(self.exponent)
    }

    pub(crate) fn dims(&self) -> usize {
        self.d
    }

    /// Bounds of the pieces, ascending, from 0 to n; some may be empty.
    pub(crate) fn pieces(&self) -> Vec<[usize; 2]> {
        let mut bounds: Vec<usize> =
            self.cuts.iter().map(|c| (c * self.n as f64) as usize).collect();
        bounds.extend([0, self.n]);
        bounds.sort_unstable();
        bounds.windows(2).map(|w| [w[0], w[1]]).collect()
    }
}

/// Mean and scatter by two passes in f64.
pub(crate) fn two_passes(x: &Array2<f64>) -> (Array1<f64>, Array2<f64>) {
    let mean = x.mean_axis(Axis(0)).unwrap();
    let centred = x - &mean;
    // Once more, for the rounding of the mean.
    let left = centred.mean_axis(Axis(0)).unwrap();
    let centred = centred - &left;
    (mean + left, centred.t().dot(&centred))
}

/// Largest error of S_ij over √(S_ii·S_jj): in units that suit each column.
pub(crate) fn scatter_error(
    found: &Array2<f64>,
    expected: &Array2<f64>,
    [rows, cols]: [&Array1<f64>; 2],
) -> f64 {
    let mut worst = 0.0_f64;
    for ((i, j), x) in found.indexed_iter() {
        let size = rows[i].sqrt() * cols[j].sqrt();
        let difference = (x - expected[(i, j)]).abs();
        worst = worst.max(if difference == 0.0 { 0.0 } else { difference / size });
    }
    worst
}

/// Sizes of the columns, Σ (x − μ)²; a constant column counts with the rounding of its values.
pub(crate) fn sizes(x: &Array2<f64>, epsilon: f64) -> Array1<f64> {
    let (mean, scatter) = two_passes(x);
    let rounding = mean.mapv(|m| (m * epsilon) * (m * epsilon) * x.nrows() as f64);
    scatter.diag().to_owned() + rounding
}

fn check<T: Real>(data: &Data, x: &Array2<T>, tolerance: f64) {
    let all = widen(x);
    let (mean, scatter) = two_passes(&all);
    let size = sizes(&all, T::EPSILON / tolerance);
    let mut whole = Moments::new(data.d);
    whole.update(x.view()).unwrap();
    let mut cut = Moments::new(data.d);
    let mut parts = Vec::new();
    for [from, to] in data.pieces() {
        let piece = x.slice(s![from..to, ..]);
        cut.update(piece).unwrap();
        let mut part = Moments::new(data.d);
        part.update(piece).unwrap();
        parts.push(part);
    }
    let (mut forward, mut backward) = (Moments::new(data.d), Moments::new(data.d));
    for part in &parts {
        forward.merge(part).unwrap();
    }
    for part in parts.iter().rev() {
        backward.merge(part).unwrap();
    }
    for found in [&whole, &cut, &forward, &backward] {
        assert_eq!(found.count(), data.n as u64);
        assert!(scatter_error(&found.scatter(), &scatter, [&size; 2]) <= tolerance);
        let spread = size.mapv(|s| (s / data.n as f64).sqrt());
        for ((found, mean), spread) in found.mean().unwrap().iter().zip(&mean).zip(&spread) {
            let rounding = mean.abs() * 1e-13;
            assert!((found - mean).abs() <= tolerance * spread + rounding);
        }
    }
    derived(&whole, data);
}

/// What follows from mean and scatter.
fn derived(found: &Moments, data: &Data) {
    let scatter = found.scatter();
    assert_eq!(scatter, scatter.t());
    assert_eq!(found.column_scatter(), scatter.diag());
    assert!((found.total_variance() / scatter.diag().sum() - 1.0).abs() <= 1e-14 || data.n == 1);
    let unit = (data.n - 1) as f64;
    assert!(
        vector_error(
            &(found.covariance(1).unwrap() * unit).diag().to_owned(),
            &scatter.diag().to_owned()
        ) <= 1e-14
    );
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn double_precision_does_not_depend_on_the_cuts(data in data(-140..=140)) {
        check(&data, &data.rows(0), 1e-10);
    }

    #[test]
    fn single_precision_does_not_depend_on_the_cuts(data in data(-14..=14)) {
        check(&data, &data.rows(0).mapv(|x| x as f32), 1e-5);
    }

    #[test]
    fn blocks_formed_elsewhere_count_as_rows(data in data(-30..=30)) {
        let x = data.rows(0);
        let mut reference = Moments::new(data.d);
        reference.update(x.slice(s![..1, ..])).unwrap();
        reference.update(x.slice(s![1.., ..])).unwrap();
        let (shift, scale) = (x.row(0).to_owned(), x.std_axis(Axis(0), 0.0).mapv(|s| {
            if s > 0.0 { s } else { 1.0 }
        }));
        let mut found = Moments::new(data.d);
        found.set_reference(shift.view(), scale.view()).unwrap();
        for [from, to] in data.pieces() {
            let z = (&x.slice(s![from..to, ..]) - &shift) / &scale;
            let gram = z.t().dot(&z);
            found.add_block((to - from) as u64, z.sum_axis(Axis(0)).view(), gram.view()).unwrap();
        }
        let size = sizes(&x, 1e-5);
        prop_assert_eq!(found.count(), reference.count());
        prop_assert!(scatter_error(&found.scatter(), &reference.scatter(), [&size; 2]) <= 1e-10);
        let spread = size.mapv(|s| (s / data.n as f64).sqrt());
        let difference = found.mean().unwrap() - reference.mean().unwrap();
        prop_assert!(difference.iter().zip(&spread).all(|(e, s)| e.abs() <= 1e-10 * s));
    }

    #[test]
    fn a_stored_state_goes_on_as_if_nothing_had_been(data in data(-30..=30)) {
        let x = data.rows(0);
        let (first, second) = x.view().split_at(Axis(0), data.n / 2);
        let mut whole = Moments::new(data.d);
        whole.update(first).unwrap();
        let mut restored = Moments::from_parts(whole.to_parts()).unwrap();
        whole.update(second).unwrap();
        restored.update(second).unwrap();
        prop_assert_eq!(restored.scatter(), whole.scatter());
        prop_assert_eq!(restored.mean().unwrap(), whole.mean().unwrap());
    }

    #[test]
    fn a_shift_of_all_rows_moves_the_mean_only(data in data(0..=0), shift in -1e3..1e3_f64) {
        let x = Data { offset: 0.0, ..data.clone() }.rows(0);
        let (mut here, mut there) = (Moments::new(data.d), Moments::new(data.d));
        here.update(x.view()).unwrap();
        there.update((&x + shift).view()).unwrap();
        let size = sizes(&x, 0.0) + 1e-6;
        prop_assert!(scatter_error(&here.scatter(), &there.scatter(), [&size; 2]) <= 1e-10);
        let moved = there.mean().unwrap() - here.mean().unwrap();
        prop_assert!(moved.iter().all(|m| (m - shift).abs() <= 1e-10));
    }
}

#[test]
fn the_mean_square_norm_is_not_centred() {
    let x: Array2<f64> = ndarray::array![[3.0, 4.0], [0.0, 5.0], [6.0, 8.0]];
    let mut m = Moments::new(2);
    m.update(x.view()).unwrap();
    assert!((m.mean_square_norm().unwrap() - 50.0).abs() <= 1e-12);
    assert!((m.total_variance() - (150.0 - 3.0 * (9.0 + 17.0 * 17.0 / 9.0))).abs() <= 1e-12);
}

#[test]
fn strides_and_empty_blocks() {
    let x = Array2::from_shape_fn((40, 6), |(i, j)| ((i * 7 + j * 3) % 11) as f64);
    let mut copy = Moments::new(3);
    let view: ArrayView2<'_, f64> = x.slice(s![..;3, ..;-2]);
    copy.update(view.as_standard_layout().view()).unwrap();
    let mut strided = Moments::new(3);
    strided.update(x.slice(s![..0, ..;-2])).unwrap();
    assert!(!strided.initialised());
    strided.update(view).unwrap();
    strided.merge(&Moments::new(3)).unwrap();
    assert_eq!(strided, copy);
}

#[test]
fn many_columns_take_the_parallel_path() {
    use rand::SeedableRng;
    let x = uniform(1500, 300, &mut rand_chacha::ChaCha8Rng::seed_from_u64(9));
    let mut m = Moments::new(300);
    m.update(x.slice(s![..700, ..])).unwrap();
    m.update(x.slice(s![700.., ..])).unwrap();
    let (_, scatter) = two_passes(&x);
    let size = scatter.diag().to_owned();
    assert!(scatter_error(&m.scatter(), &scatter, [&size; 2]) <= 1e-12);
}

/// Sums must not depend on how many threads share them.
#[test]
fn any_number_of_threads_gives_the_same_bits() {
    use rand::SeedableRng;
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
    let x = uniform(2500, 300, &mut rng);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let (mut wide, mut narrow) = (Moments::new(300), Moments::new(300));
            wide.update(x.view()).unwrap();
            narrow.update(x.mapv(|v| v as f32).view()).unwrap();
            let mut directions = Directions::new(300);
            directions.update(x.view()).unwrap();
            (wide, narrow, directions)
        })
    };
    let one = on(1);
    assert_eq!(on(2), one);
    assert_eq!(on(5), one);
}

#[test]
fn the_scatter_is_an_operator() {
    use rand::SeedableRng;
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(4);
    let x = uniform(90, 21, &mut rng) * Array1::from_shape_fn(21, |j| f64::from(j as u8) + 0.01);
    let mut m = Moments::new(21);
    m.update(x.view()).unwrap();
    let v = uniform(21, 3, &mut rng);
    let (found, expected) = (m.apply(v.view()), m.scatter().dot(&v));
    assert!((&found - &expected).iter().all(|e| e.abs() < 1e-11 * m.total_variance()));
    let square = m.scatter().iter().map(|v| v * v).sum::<f64>();
    assert!((m.scatter_square_norm() / square - 1.0).abs() < 1e-13);
}
