//! Products against ndarray's own, with any strides, thread counts and coefficients.

use ndarray::{Array2, ArrayView2, s};
use proptest::prelude::*;
use sixfold_linalg::{
    Real, Threads, cross_gram, cross_gram_with, gram, gram_with, matmul, matmul_into, matmul_with,
};

use crate::support::{config, error, uniform, widen};

fn random(m: usize, n: usize, seed: u64) -> Array2<f64> {
    use rand::SeedableRng;
    uniform(m, n, &mut rand_chacha::ChaCha8Rng::seed_from_u64(seed))
}

/// The same matrix four times: row-major, column-major, reversed, and every other element.
fn views(a: &Array2<f64>, check: impl Fn(ArrayView2<'_, f64>)) {
    check(a.view());
    check(a.t().as_standard_layout().t());
    check(a.slice(s![..;-1, ..;-1]).as_standard_layout().slice(s![..;-1, ..;-1]));
    let mut wide = Array2::from_elem((2 * a.nrows(), 2 * a.ncols() + 1), f64::NAN);
    wide.slice_mut(s![..;2, 1..;2]).assign(a);
    check(wide.slice(s![..;2, 1..;2]));
}

fn sides() -> impl Strategy<Value = (usize, usize, usize, u64)> {
    (0..70_usize, 0..70_usize, 0..70_usize, any::<u64>())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_strides((m, k, n, seed) in sides()) {
        let (a, b) = (random(m, k, seed), random(k, n, seed ^ 1));
        let expected = a.dot(&b);
        views(&a, |a| views(&b, |b| assert!(error(&matmul(a, b), &expected) <= 1e-14)));
        let single = matmul(a.mapv(|x| x as f32).view(), b.mapv(|x| x as f32).view());
        prop_assert!(error(&widen(&single), &expected) <= 1e-5);
        prop_assert!(single.is_standard_layout());
        views(&a, |a| {
            assert!(error(&gram(a), &a.t().dot(&a)) <= 1e-14);
            assert!(error(&cross_gram(a, expected.view()), &a.t().dot(&expected)) <= 1e-14);
        });
    }

    #[test]
    fn coefficients((m, k, n, seed) in sides(), alpha in -2.0..2.0, beta in -2.0..2.0) {
        let (a, b, c) = (random(m, k, seed), random(k, n, seed ^ 1), random(m, n, seed ^ 2));
        let expected = a.dot(&b) * alpha + &c * beta;
        let mut found = c.clone();
        matmul_into(alpha, a.view(), b.view(), beta, found.view_mut(), Threads::Pool);
        prop_assert!(found.iter().zip(&expected).all(|(x, y)| (x - y).abs() <= 1e-13));
        // Into a strided view, whose other elements stay.
        let mut wide = Array2::from_elem((2 * m + 1, n), 7.0);
        wide.slice_mut(s![1..;2, ..]).assign(&c);
        let view = wide.slice_mut(s![1..;2, ..]);
        matmul_into(alpha, a.view(), b.view(), beta, view, Threads::ONE);
        prop_assert!(wide.slice(s![..;2, ..]).iter().all(|x| *x == 7.0));
        prop_assert!(error(&wide.slice(s![1..;2, ..]).to_owned(), &found) <= 1e-13);
    }
}

#[test]
fn beta_zero_forgets_the_old_content() {
    for k in [0, 1, 5, 40] {
        let (a, b) = (random(9, k, 1), random(k, 7, 2));
        let mut c = Array2::from_elem((9, 7), f64::NAN);
        matmul_into(2.0, a.view(), b.view(), 0.0, c.view_mut(), Threads::Pool);
        assert!(error(&c, &(a.dot(&b) * 2.0)) <= 1e-14, "{k}");
    }
}

#[test]
fn gram_matrices_are_symmetric_to_the_last_bit() {
    for (n, d) in [(3, 1), (50, 127), (50, 128), (90, 300), (1, 64), (0, 5)] {
        let x = random(n, d, d as u64).mapv(|x| x as f32);
        let g = gram(x.view());
        assert_eq!(g, g.t());
        assert!(error(&widen(&g), &widen(&x.t().dot(&x))) <= 1e-5);
    }
}

#[test]
fn threads_change_no_more_than_rounding() {
    let (a, b) = (random(300, 200, 1), random(300, 150, 2));
    let (g, c) = (gram(a.view()), cross_gram(a.view(), b.view()));
    assert_eq!(Threads::new(0), Threads::Pool);
    assert_eq!((Threads::ONE.count(), Threads::new(3).count()), (1, 3));
    for threads in [Threads::Pool, Threads::ONE, Threads::new(2), Threads::new(5)] {
        assert!(error(&gram_with(a.view(), threads), &g) <= 1e-14);
        assert!(error(&cross_gram_with(a.view(), b.view(), threads), &c) <= 1e-14);
        assert!(error(&matmul_with(a.t(), b.view(), threads), &c) <= 1e-14);
    }
}

#[test]
fn values_that_are_not_finite_go_through() {
    let mut a = random(4, 4, 1);
    a[(2, 1)] = f64::NAN;
    let c = matmul(a.view(), Array2::eye(4).view());
    assert!(c.row(2).iter().all(|x| x.is_nan()));
    assert!(c.row(1).iter().all(|x| x.is_finite()));
}

#[test]
#[should_panic(expected = "columns of the left matrix and rows of the right one")]
fn inner_dimensions_that_differ_panic() {
    matmul(random(2, 3, 0).view(), random(2, 3, 0).view());
}

#[test]
#[should_panic(expected = "shape of the product")]
fn a_target_of_another_shape_panics() {
    let mut c = Array2::zeros((2, 3));
    let a = random(2, 2, 0);
    matmul_into(1.0, a.view(), a.view(), 0.0, c.view_mut(), Threads::ONE);
}

#[test]
fn the_number_types_name_themselves() {
    fn name<T: Real>() -> (&'static str, f64) {
        (T::NAME, T::narrow(1.0 / 3.0).widen() * 3.0 - 1.0)
    }
    assert_eq!(name::<f64>(), ("f64", 0.0));
    let (single, rounding) = name::<f32>();
    assert!(single == "f32" && rounding != 0.0 && rounding.abs() < f64::from(f32::EPSILON));
}
